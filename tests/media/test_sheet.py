"""A contact sheet shows the frames of a clip in order, from the first to the last, with their times."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wanvideo.errors import ClipInvalid
from wanvideo.media.sheet import GAP_PX, LINE_PX, contact_sheet

from .conftest import Studio, read_number


def cells(png: bytes, columns: int, rows: int, width_px: int, height_px: int) -> list[int]:
    """The frame number that each cell shows, row by row."""
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        grey = np.asarray(picture.convert("L"))
    numbers = []
    for row in range(rows):
        for column in range(columns):
            left = GAP_PX + column * (width_px + GAP_PX)
            top = LINE_PX + GAP_PX // 2 + row * (height_px + LINE_PX + GAP_PX)
            numbers.append(read_number(grey[top : top + height_px, left : left + width_px]))
    return numbers


def test_the_cells_run_evenly_from_the_first_frame_to_the_last(studio: Studio) -> None:
    path = studio.clip(frames=71)
    made = contact_sheet(path, columns=4, rows=2, cell_width_px=200)
    assert cells(made, 4, 2, 200, 120) == [0, 10, 20, 30, 40, 50, 60, 70]


@pytest.mark.parametrize(("frames", "columns", "rows"), [(1, 1, 1), (3, 3, 1), (5, 4, 2)])
def test_a_short_clip_gives_a_smaller_sheet(studio: Studio, frames: int, columns: int, rows: int) -> None:
    made = contact_sheet(studio.clip(frames=frames), cell_width_px=200)
    with Image.open(io.BytesIO(made)) as picture:
        assert picture.size == (
            GAP_PX + columns * (200 + GAP_PX),
            LINE_PX + GAP_PX + rows * (120 + LINE_PX + GAP_PX),
        )


def test_what_is_no_clip_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("no clip")
    with pytest.raises(ClipInvalid, match=r"notes\.mp4"):
        contact_sheet(path)
