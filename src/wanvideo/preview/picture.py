"""The reference picture, read and fitted: what lies in the frame, and what the crop left over around it."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Fit:
    """Where a picture lies when it covers a frame of `width_px` * `height_px`, centred.

    `scale` is frame pixels per picture pixel; `spare_x_px`, `spare_y_px` are the cropped-off pixels on each
    side, in frame pixels. A picture of the frame's own aspect has none.
    """

    width_px: int
    height_px: int
    scale: float
    spare_x_px: float
    spare_y_px: float


def read_picture(source: Path | bytes, *, covering_px: tuple[int, int], zoom: float = 1.0) -> Image.Image:
    """Open a picture as upright RGB on white, in enough detail to cover a frame enlarged `zoom` times.

    A much larger JPEG is decoded at a half, quarter or eighth, which is several times faster.
    """
    with Image.open(BytesIO(source) if isinstance(source, bytes) else source) as opened:
        long_px, short_px = max(covering_px), min(covering_px)  # whichever way EXIF turns the picture
        needed = zoom * max(long_px / min(opened.size), short_px / max(opened.size))
        if needed < 1:
            opened.draft(None, (round(opened.width * needed), round(opened.height * needed)))
        upright = ImageOps.exif_transpose(opened)
        upright.load()
    return _rgb(upright)


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB" and "transparency" not in picture.info:
        return picture
    if picture.mode.startswith("I"):  # 16-bit greyscale: Pillow would clip it to white
        levels = np.asarray(picture).astype(np.int64) >> 8
        return Image.fromarray(levels.clip(0, 255).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        colours = picture.convert("RGBA")
        white = Image.new("RGBA", colours.size, "white")
        return Image.alpha_composite(white, colours).convert("RGB")
    return picture.convert("RGB")


def fit(picture_size: tuple[int, int], width_px: int, height_px: int) -> Fit:
    """Cover the frame with the picture, centred."""
    picture_width, picture_height = picture_size
    scale = max(width_px / picture_width, height_px / picture_height)
    return Fit(
        width_px,
        height_px,
        scale,
        spare_x_px=max(0.0, (picture_width * scale - width_px) / 2),
        spare_y_px=max(0.0, (picture_height * scale - height_px) / 2),
    )


def cut(picture: Image.Image, fitted: Fit, margin_x_px: int, margin_y_px: int, zoom: float = 1.0) -> Pixels:
    """Resample the frame and a margin around it, enlarged `zoom` times (Lanczos). Returns rows * columns *
    RGB.

    With zoom 1 the inner width * height pixels are the reference picture as the viewer will see it.
    """
    shown_width, shown_height = fitted.width_px + 2 * margin_x_px, fitted.height_px + 2 * margin_y_px
    half_width, half_height = shown_width / 2 / fitted.scale, shown_height / 2 / fitted.scale
    middle_x, middle_y = picture.width / 2, picture.height / 2
    box = (
        max(0.0, middle_x - half_width),
        max(0.0, middle_y - half_height),
        min(float(picture.width), middle_x + half_width),
        min(float(picture.height), middle_y + half_height),
    )
    size = (round(shown_width * zoom), round(shown_height * zoom))
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0))
