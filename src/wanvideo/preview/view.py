"""One frame on its way from the camera through the effects to the encoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wanvideo.preview.picture import Pixels


@dataclass(frozen=True)
class Frame:
    """4:2:0, BT.709 limited range: `luma` height * width; `blue` (Cb) and `red` (Cr) half that each way,
    sited on the left as H.264 assumes.
    """

    luma: Pixels
    blue: Pixels
    red: Pixels

    def planes(self) -> tuple[Pixels, Pixels, Pixels]:
        return self.luma, self.blue, self.red


@dataclass(frozen=True)
class View:
    """What the camera sees at one moment. Effects write into the planes of `frame`, which are its own.

    `share` runs from 0 at the first frame to 1 at the last. The viewport is `zoom` times nearer than the
    reference, moved by `shift_x_px` to the right and `shift_y_px` down in frame pixels, and rolled clockwise
    by `roll_rad`. `region(name)` is that map of the scene ("nearness", "subject", "sky", "water") as the
    camera sees it: 0..255, the size of the chroma planes; None where the scene does not know it.
    """

    frame: Frame
    index: int
    time_s: float
    share: float
    zoom: float
    shift_x_px: float
    shift_y_px: float
    roll_rad: float
    region: Callable[[str], Pixels | None]
