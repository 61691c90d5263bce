"""Chromium plays every preview to its end, and its first frame has the colours of the picture."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.preview.conftest import as_bytes, textured

from wanvideo.preview import Shot, render
from wanvideo.preview.picture import Pixels, cut, fit

pytestmark = pytest.mark.needs("chromium")
HARBOUR = Path(__file__).parent.parent.parent / "examples/harbour.png"
LEVELS = 3
CHANNEL_LEVELS = 5
"""How far the colours may be off on average, of 255; and each channel: a strong blue is rounded by 9."""


@pytest.fixture(scope="module")
def page() -> Iterator[object]:
    from tests.fakes.chromium import blank_page

    with blank_page() as page:
        yield page


def patches() -> bytes:
    """Strong colours, which a wrong matrix or range shifts most."""
    colours = [
        (220, 30, 30), (30, 200, 40), (40, 60, 220), (235, 220, 40), (20, 200, 210), (200, 40, 190),
        (250, 250, 250), (5, 5, 5), (128, 128, 128), (245, 180, 150), (90, 60, 40), (60, 90, 120),
    ]  # fmt: skip
    grid = np.array(colours, np.uint8).reshape(3, 4, 3)
    return as_bytes(Image.fromarray(grid).resize((640, 360), Image.Resampling.NEAREST))


def reference(shot: Shot) -> Pixels:
    source = BytesIO(shot.picture) if isinstance(shot.picture, bytes) else shot.picture
    with Image.open(source) as picture:
        colours = picture.convert("RGB")
    return cut(colours, fit(colours.size, shot.width_px, shot.height_px), 0, 0)


@pytest.mark.parametrize(
    ("shot", "name"),
    [
        (Shot(HARBOUR, "slow push in", width_px=1280, height_px=720, frame_count=24), "harbour"),
        (Shot(patches(), "pan left", width_px=640, height_px=360, frame_count=24), "strong colours"),
        (Shot(as_bytes(textured(480, 640)), "", width_px=360, height_px=640, frame_count=24, sound="ambient"),
         "portrait"),
        (Shot(as_bytes(textured(642, 362)), "pull back", width_px=642, height_px=362, draft=True,
              fps=Fraction(24000, 1001), frame_count=24), "odd size and rate"),
        (Shot(as_bytes(textured(640, 360).convert("L")), "truck right", width_px=640, height_px=360,
              fps=Fraction(60), frame_count=60), "grey, 60 a second"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_the_first_frame_has_the_colours_of_the_picture_and_the_last_is_reached(
    shot: Shot, name: str, page: object, tmp_path: Path
) -> None:
    from tests.fakes.chromium import play

    clip = tmp_path / f"{name}.mp4"
    render(shot, clip)
    played = play(page, clip)  # type: ignore[arg-type]  # playwright is imported only where Chromium is
    difference = np.abs(played.first.astype(int) - reference(shot))
    assert difference.mean() < LEVELS
    assert difference.reshape(-1, 3).mean(0).max() < CHANNEL_LEVELS
    assert played.duration_s == pytest.approx(shot.duration_s, abs=0.03)
    assert played.at_s == pytest.approx(played.duration_s, abs=0.05)
    assert (played.corrupted, played.frames > 0) == (0, True)
