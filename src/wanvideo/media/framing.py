"""A picture brought to the shape of the clip: cropped to cover it, or padded to be contained in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

Fit = Literal["cover", "contain"]
Size = tuple[int, int]

# Sides whose colours spread less than this (standard deviation, of 255) are one plain background.
_PLAIN_EDGE = 6.0
_BACKDROP_SIDE_PX = 160
# Strong enough that no thing can be made out: the model would take it for a second one and move it.
_BACKDROP_BLUR_PX = 14
_BACKDROP_BRIGHTNESS = 0.8


@dataclass(frozen=True)
class Framing:
    """What is to be done to a picture: cut out `box`, scale it to `scaled`, lay it on a `canvas`.

    All in pixels. Nothing is to be done when `is_unchanged`.
    """

    source: Size
    box: tuple[int, int, int, int]
    scaled: Size
    canvas: Size

    @property
    def is_unchanged(self) -> bool:
        return self.source == self.scaled == self.canvas and self.box == (0, 0, *self.source)


def plan_framing(
    source: Size, shape: Size, fit: Fit, *, min_side_px: int, max_side_px: int
) -> Framing | None:
    """How `source` gets the aspect of `shape` within the limits of a side; None when no size can have both.

    An aspect that is right to within one pixel is left alone.
    """
    width, height = source
    shape_width, shape_height = shape
    if max(shape) * min_side_px > min(shape) * max_side_px:
        return None
    # The side that stays, stays whole; the other follows from the shape.
    fitted_width = max(1, round(height * shape_width / shape_height))
    fitted_height = max(1, round(width * shape_height / shape_width))
    is_wider = width > fitted_width
    if abs(width - fitted_width) <= 1 or abs(height - fitted_height) <= 1:
        cut = canvas = source
    elif fit == "cover":
        cut = canvas = (fitted_width, height) if is_wider else (width, fitted_height)
    else:
        cut = source
        canvas = (width, fitted_height) if is_wider else (fitted_width, height)
    left, top = (width - cut[0]) // 2, (height - cut[1]) // 2
    final = _within(canvas, min_side_px, max_side_px)
    scaled = final
    if cut[0] < canvas[0]:
        scaled = (_side(cut[0] * final[1] / canvas[1], final[0]), final[1])
    elif cut[1] < canvas[1]:
        scaled = (final[0], _side(cut[1] * final[0] / canvas[0], final[1]))
    return Framing(source, (left, top, left + cut[0], top + cut[1]), scaled, final)


def plan_whole(source: Size, *, min_side_px: int, max_side_px: int) -> Framing | None:
    """How all of `source` is brought within the limits of a side; None when no size can keep them."""
    if max(source) * min_side_px > min(source) * max_side_px:
        return None
    final = _within(source, min_side_px, max_side_px)
    return Framing(source, (0, 0, *source), final, final)


def apply_framing(picture: Image.Image, framing: Framing, shape: Size) -> tuple[Image.Image, tuple[str, ...]]:
    """The RGB picture as planned, and each step in words.

    Cutting and scaling are one step, so that no third full-size picture lives between them.
    """
    cut_size = (framing.box[2] - framing.box[0], framing.box[3] - framing.box[1])
    if framing.scaled != cut_size:
        picture = picture.resize(framing.scaled, Image.Resampling.LANCZOS, box=framing.box)
    elif cut_size != framing.source:
        picture = picture.crop(framing.box)
    plain = None
    if picture.size != framing.canvas:
        left = (framing.canvas[0] - picture.width) // 2
        top = (framing.canvas[1] - picture.height) // 2
        plain = _plain_edge_colour(picture, at_sides=left > 0)
        canvas = Image.new("RGB", framing.canvas, plain) if plain else _backdrop(picture, framing.canvas)
        canvas.paste(picture, (left, top))
        picture = canvas
    return picture, _in_words(framing, shape, plain is not None)


def _in_words(framing: Framing, shape: Size, is_plain: bool) -> tuple[str, ...]:
    cut = (framing.box[2] - framing.box[0], framing.box[3] - framing.box[1])
    wanted = f"for size {shape[0]}*{shape[1]}"
    words = []
    if cut != framing.source:
        words.append(crop_in_words(framing, shape))
    if framing.scaled != cut:
        direction = "up" if framing.scaled[0] > cut[0] else "down"
        words.append(f"scaled {direction} from {_x(cut)} to {_x(framing.scaled)} for the provider's limits")
    if framing.canvas != framing.scaled:
        bands = "plain bands in its edge colour" if is_plain else "bands of its own blurred backdrop"
        words.append(f"padded from {_x(framing.scaled)} to {_x(framing.canvas)} {wanted}, with {bands}")
    return tuple(words)


def crop_in_words(framing: Framing, shape: Size) -> str:
    """What is cut away, which it is."""
    cut = (framing.box[2] - framing.box[0], framing.box[3] - framing.box[1])
    return f"cropped from {_x(framing.source)} to {_x(cut)} for size {shape[0]}*{shape[1]}"


def _x(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


def _side(length_px: float, most_px: int) -> int:
    return min(most_px, max(1, round(length_px)))  # rounding alone may go a pixel beyond


def _within(size: Size, min_side_px: int, max_side_px: int) -> Size:
    """`size` scaled so that both sides keep the limits; the aspect is known to allow it."""
    factor = 1.0
    if max(size) > max_side_px:
        factor = max_side_px / max(size)
    elif min(size) < min_side_px:
        factor = min_side_px / min(size)
    width, height = (min(max_side_px, max(min_side_px, round(side * factor))) for side in size)
    return width, height


def _plain_edge_colour(picture: Image.Image, *, at_sides: bool) -> tuple[int, int, int] | None:
    """The colour of the two edges that the bands will touch, if it is one colour (a studio background)."""
    width, height = picture.size
    boxes = (
        ((0, 0, 1, height), (width - 1, 0, width, height))
        if at_sides
        else ((0, 0, width, 1), (0, height - 1, width, height))
    )
    edges = np.concatenate([np.asarray(picture.crop(box)).reshape(-1, 3) for box in boxes])
    if edges.std(axis=0).max() > _PLAIN_EDGE:
        return None
    red, green, blue = (round(level) for level in np.median(edges, axis=0).tolist())
    return red, green, blue


def _backdrop(picture: Image.Image, canvas: Size) -> Image.Image:
    """The picture itself, covering the canvas, blurred and a little darker. Made small: the blur hides it."""
    factor = _BACKDROP_SIDE_PX / max(canvas)
    small = (max(1, round(canvas[0] * factor)), max(1, round(canvas[1] * factor)))
    cover = max(small[0] / picture.width, small[1] / picture.height)
    covering = picture.resize(
        (max(small[0], round(picture.width * cover)), max(small[1], round(picture.height * cover))),
        Image.Resampling.BOX,
    )
    left, top = (covering.width - small[0]) // 2, (covering.height - small[1]) // 2
    blurred = covering.crop((left, top, left + small[0], top + small[1])).filter(
        ImageFilter.GaussianBlur(_BACKDROP_BLUR_PX)
    )
    return (
        ImageEnhance.Brightness(blurred)
        .enhance(_BACKDROP_BRIGHTNESS)
        .resize(canvas, Image.Resampling.BICUBIC)
    )
