"""A shot that no clip can be made of is refused when it is written down, not after a render."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest

import wanvideo.preview
from wanvideo.preview import ENGINE, Shot


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"width_px": 641}, "width_px must be even"),
        ({"height_px": 2}, "height_px must be even and at least 16"),
        ({"frame_count": 0}, "frame_count must be at least 1"),
        ({"fps": Fraction(0)}, "fps must be positive"),
        ({"motion_strength": 1.1}, "motion_strength must lie between 0 and 1"),
        ({"motion_strength": float("nan")}, "motion_strength must lie between 0 and 1"),
        ({"seed": -1}, "seed must not be negative"),
    ],
)
def test_impossible_numbers_are_refused_with_their_name(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        Shot(b"", **fields)


def test_the_length_is_frames_by_rate() -> None:
    assert Shot(b"").duration_s == 4
    assert Shot(b"", fps=Fraction(24000, 1001), frame_count=24).duration_s == pytest.approx(1.001)


def test_the_public_names_are_these() -> None:
    assert wanvideo.preview.__all__ == [
        "ENGINE", "MapUnusable", "Plan", "RenderCancelled", "Rendered", "Shot", "plan", "render",
    ]  # fmt: skip
    assert callable(wanvideo.preview.render)
    assert re.fullmatch(r"local-preview/\d+", ENGINE)
