"""What is rendered: one shot as a value."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from wanvideo.preview.plan import Plan

ENGINE = "local-preview/2"
"""Name and version of the renderer. The number rises whenever the same shot may give other pixels."""


Sound = Literal["none", "silence", "ambient"]


class RenderCancelled(Exception):
    """The caller's `cancelled()` turned true; no file was left behind."""


class MapUnusable(ValueError):
    """The shot's own mask or depth (`name`) cannot be used; `why` is a sentence without its full stop."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name, self.why = name, why


@dataclass(frozen=True)
class Shot:
    """One clip to render. Any picture Pillow reads is taken: EXIF orientation is applied, transparency
    becomes white.

    `motion_strength` runs from 0 (a still) to 1. `seed` draws the small float of the camera and the sound;
    the direction of a move never depends on it. `sound` (AAC, stereo, 44.1 kHz) is as long as the pictures:
    silence, a soft ambient bed, or none at all. `draft` encodes faster, into a larger file.

    `overscan` lets a mere pan, truck, tilt or rise begin a little nearer and to one side, which gives it room
    without a push-in; the first frame is then not the picture itself. `mask` is a greyscale picture whose
    white covers the subject, `depth` one whose white is near; both lie over the whole picture, at any size
    of its shape.

    Raises: ValueError at construction, when no clip can be made of these numbers.
    """

    picture: Path | bytes
    prompt: str = ""
    negative_prompt: str = ""
    seed: int = 0
    motion_strength: float = 0.5
    width_px: int = 1280
    height_px: int = 720
    fps: Fraction = Fraction(24)
    frame_count: int = 96
    sound: Sound = "silence"
    draft: bool = False
    overscan: bool = False
    mask: Path | None = None
    depth: Path | None = None

    def __post_init__(self) -> None:
        for name in ("width_px", "height_px"):
            side = getattr(self, name)
            if side < 16 or side % 2:
                raise ValueError(f"{name} must be even and at least 16, not {side}")
        if self.frame_count < 1:
            raise ValueError(f"frame_count must be at least 1, not {self.frame_count}")
        if self.fps <= 0:
            raise ValueError(f"fps must be positive, not {self.fps}")
        if not 0 <= self.motion_strength <= 1:
            raise ValueError(f"motion_strength must lie between 0 and 1, not {self.motion_strength}")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, not {self.seed}")

    @property
    def duration_s(self) -> float:
        return float(self.frame_count / self.fps)


@dataclass(frozen=True)
class Rendered:
    """What became of a shot: how its prompt was understood, and what was limited or left undone, in plain
    words.
    """

    plan: Plan
    notes: tuple[str, ...] = ()
