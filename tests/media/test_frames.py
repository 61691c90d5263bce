"""The first and the last frame are exactly those a player shows, in the right colours."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wanvideo.errors import ClipInvalid
from wanvideo.media.frames import first_frame, last_frame

from .conftest import Studio, read_number


def grey(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("L"))


@pytest.mark.parametrize("frames", [1, 2, 24, 100])
@pytest.mark.parametrize(
    "options",
    [
        {"preset": "ultrafast", "crf": "8"},
        {"preset": "medium", "crf": "8", "bf": "3", "g": "12"},  # frames stored in another order
        {"preset": "medium", "crf": "8", "g": "999"},  # one keyframe only
    ],
)
def test_first_and_last_are_exact(studio: Studio, frames: int, options: dict[str, str]) -> None:
    path = studio.clip(frames=frames, options=options)
    assert read_number(grey(first_frame(path))) == 0
    assert read_number(grey(last_frame(path))) == frames - 1


@pytest.mark.parametrize("name", ["clip.mkv", "clip.avi"])
def test_other_containers_too(studio: Studio, name: str) -> None:
    codec = {"clip.mkv": "libx264", "clip.avi": "mpeg4"}[name]
    path = studio.clip(name, frames=30, codec=codec, sound=None, options={"b": "2000000"})
    assert read_number(grey(first_frame(path))) == 0
    assert read_number(grey(last_frame(path))) == 29


@pytest.mark.parametrize(("matrix", "size"), [(1, (64, 64)), (6, (64, 64)), (1, (1280, 720))])
def test_colours_survive(studio: Studio, matrix: int, size: tuple[int, int]) -> None:
    """The last frame may begin the next clip: a shift of colour would add up from clip to clip."""
    colours = [(200, 40, 40), (40, 180, 60), (50, 60, 210), (240, 220, 60)]
    quarters = np.zeros((size[1], size[0], 3), np.uint8)
    for index, colour in enumerate(colours):
        row, column = divmod(index, 2)
        height, width = size[1] // 2, size[0] // 2
        quarters[row * height : (row + 1) * height, column * width : (column + 1) * width] = colour
    path = studio.clip(pictures=[quarters] * 2, frames=2, size=size, colour=matrix, sound=None)
    with Image.open(io.BytesIO(last_frame(path))) as picture:
        for index, colour in enumerate(colours):
            row, column = divmod(index, 2)
            at = (size[0] * (1 + 2 * column) // 4, size[1] * (1 + 2 * row) // 4)
            seen = picture.getpixel(at)
            assert isinstance(seen, tuple)
            assert max(abs(a - b) for a, b in zip(seen, colour, strict=True)) <= 4, (seen, colour)


def test_a_broken_clip_says_so(tmp_path: Path, studio: Studio) -> None:
    data = studio.clip(fps=Fraction(24)).read_bytes()
    path = tmp_path / "part.mp4"
    path.write_bytes(data[: len(data) // 3])
    with pytest.raises(ClipInvalid):
        last_frame(path)
