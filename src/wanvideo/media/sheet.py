"""A contact sheet: frames of a clip side by side, so that its motion can be judged at one glance."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from wanvideo.errors import ClipInvalid
from wanvideo.media.frames import picture_of
from wanvideo.media.probe import ClipFacts, probe
from wanvideo.media.reading import open_clip, reading

GAP_PX = 8
LINE_PX = 22
TEXT_PX = 14
_PAPER, _INK = (24, 24, 26), (232, 232, 228)


def contact_sheet(
    path: Path, *, columns: int = 4, rows: int = 2, cell_width_px: int = 320, titled: bool = True
) -> bytes:
    """A PNG with `columns` * `rows` frames of the clip, evenly from first to last, each with its time.

    `titled` puts a line above them: name, size, rate, length. A clip of fewer frames gives fewer cells.
    Decodes the whole clip: some 0.1 s for 4 s of 1280*720.
    Raises: ClipInvalid.
    """
    facts = probe(path)
    cell_height_px = max(1, round(cell_width_px * facts.height_px / facts.width_px))
    wanted = _evenly(facts.frame_count, columns * rows)
    cells = [
        (index, picture.resize((cell_width_px, cell_height_px), Image.Resampling.LANCZOS))
        for index, picture in _frames(path, set(wanted))
    ]
    if not cells:
        raise ClipInvalid(f"{path.name} holds no frame that can be decoded.")
    columns = min(columns, len(cells))
    rows = math.ceil(len(cells) / columns)
    pitch_px = (cell_width_px + GAP_PX, cell_height_px + LINE_PX + GAP_PX)
    head_px = LINE_PX + GAP_PX // 2 if titled else GAP_PX
    sheet = Image.new(
        "RGB", (GAP_PX + columns * pitch_px[0], head_px + GAP_PX // 2 + rows * pitch_px[1]), _PAPER
    )
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(TEXT_PX)
    if titled:
        pen.text((GAP_PX, 4), _title(path, facts), _INK, font)
    for number, (index, picture) in enumerate(cells):
        left_px = GAP_PX + number % columns * pitch_px[0]
        top_px = head_px + number // columns * pitch_px[1]
        sheet.paste(picture, (left_px, top_px))
        label = f"{float(index / facts.fps):.2f} s, frame {index}"
        pen.text((left_px, top_px + cell_height_px + 2), label, _INK, font)
    png = io.BytesIO()
    sheet.save(png, "PNG", optimize=True)
    return png.getvalue()


def _evenly(frame_count: int, cells: int) -> list[int]:
    """Numbers of the frames to show: the first, the last, and evenly between."""
    cells = max(1, min(cells, frame_count))
    return sorted({round(number * (frame_count - 1) / max(1, cells - 1)) for number in range(cells)})


def _frames(path: Path, wanted: set[int]) -> Iterator[tuple[int, Image.Image]]:
    with open_clip(path) as (container, video), reading(path):
        for index, frame in enumerate(container.decode(video)):
            if index in wanted:
                yield index, picture_of(frame)


def _title(path: Path, facts: ClipFacts) -> str:
    size = f"{facts.width_px}*{facts.height_px}"
    name = path.name.encode("latin-1", "replace").decode("latin-1")  # all that the built-in font draws
    return f"{name}: {size}, {float(facts.fps):g} fps, {facts.duration_s:g} s"
