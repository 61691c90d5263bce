"""`size`: reading `W*H`, and naming the nearest sizes that work when one does not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from wanvideo.contract.model_card import COMMON_SIZES, limit

_SIZE = re.compile(r"\s*(\d{1,5})\s*[*xX×]\s*(\d{1,5})\s*")
_NTSC = {Fraction(rate * 1000, 1001) for rate in (12, 15, 24, 30, 48, 60)}


@dataclass(frozen=True, slots=True)
class Size:
    """A frame's width and height in pixels. Spelt `W*H`."""

    width_px: int
    height_px: int

    def __str__(self) -> str:
        return f"{self.width_px}*{self.height_px}"

    @property
    def area_px(self) -> int:
        return self.width_px * self.height_px

    @property
    def resolution(self) -> str:
        """The provider's tier that gives at least as many pixels: 720P or 1080P."""
        return "720P" if self.area_px <= limit("budget_720p_px") else "1080P"


def parse_size(text: str) -> Size:
    """Read `W*H`, `WxH` or `W×H`.

    Raises: ValueError with the reason and the nearest sizes that work.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size; write W*H, for example 1280*720")
    size = Size(int(match[1]), int(match[2]))
    problem = _problem(size)
    if problem:
        raise ValueError(f"{size} {problem}; sizes that work: {', '.join(map(str, nearest(size)))}")
    return size


def nearest(size: Size) -> list[Size]:
    """Up to three sizes that work: the closest even one, and the common ones of the closest aspect."""
    low, high = limit("size_min_side_px"), limit("size_max_side_px")
    width_px, height_px = max(size.width_px, 1), max(size.height_px, 1)
    aspect = min(max(width_px / height_px, 1 / limit("size_max_aspect")), limit("size_max_aspect"))
    if width_px * height_px > limit("budget_1080p_px"):
        height_px = int((limit("budget_1080p_px") / aspect) ** 0.5)
        width_px = int(height_px * aspect)
    even = Size(*(min(max(side // 2 * 2, low), high) for side in (width_px, height_px)))
    common = [Size(*map(int, text.split("*"))) for sizes in COMMON_SIZES.values() for text in sizes]
    common.sort(
        key=lambda s: (round(abs(s.width_px / s.height_px - aspect), 3), abs(s.area_px - size.area_px))
    )
    found = [even] if not _problem(even) else []
    return list(dict.fromkeys(found + common))[:3]


def _problem(size: Size) -> str:
    low, high = limit("size_min_side_px"), limit("size_max_side_px")
    if size.width_px % 2 or size.height_px % 2:
        return "has an odd side; H.264 needs even sides"
    if min(size.width_px, size.height_px) < low:
        return f"has a side below {low} pixels"
    if max(size.width_px, size.height_px) > high:
        return f"has a side above {high} pixels"
    if size.area_px > limit("budget_1080p_px"):
        return f"has more pixels than 1080P ({limit('budget_1080p_px')})"
    if max(size.width_px, size.height_px) > limit("size_max_aspect") * min(size.width_px, size.height_px):
        return f"is longer than {limit('size_max_aspect')}:1"
    return ""


def exact_fps(fps: float) -> Fraction:
    """The frame rate as a fraction: 23.976 means 24000/1001, 12.5 means 25/2."""
    for rate in _NTSC:
        if abs(float(rate) - fps) < 0.002:
            return rate
    return Fraction(str(fps)).limit_denominator(1001)


def frame_count(duration_s: float, fps: Fraction) -> int:
    """How many frames a clip of `duration_s` has at `fps`; at least one."""
    return max(1, round(Fraction(str(duration_s)) * fps))
