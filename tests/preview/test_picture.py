"""Any picture a person may bring, upright, in its colours, and cut where it should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.preview.conftest import as_bytes, luma_of, textured

from wanvideo.preview import Shot, render
from wanvideo.preview.picture import cut, fit, read_picture

RED, BLUE = (220, 30, 30), (30, 30, 220)


def two_halves(width_px: int = 400, height_px: int = 300) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width_px, height_px), RED)
    picture.paste(BLUE, (width_px // 2, 0, width_px, height_px))
    return picture


def read(data: bytes | Path, covering_px: tuple[int, int] = (320, 180)) -> Image.Image:
    return read_picture(data, covering_px=covering_px)


def pixel(picture: Image.Image, at: tuple[int, int]) -> tuple[int, ...]:
    colour = picture.getpixel(at)
    assert isinstance(colour, tuple)
    return colour


def test_the_orientation_of_a_phone_picture_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    upright = read(as_bytes(two_halves(), "JPEG", exif=exif, quality=95))
    assert upright.size == (300, 400)
    assert pixel(upright, (150, 50))[0] > 180, "what was left is now on top"
    assert pixel(upright, (150, 350))[2] > 180


def test_transparent_parts_become_white() -> None:
    for picture in (Image.new("RGBA", (64, 64), (0, 0, 0, 0)), Image.new("LA", (64, 64), (0, 0))):
        assert pixel(read(as_bytes(picture)), (32, 32)) == (255, 255, 255)
    half = Image.new("RGBA", (64, 64), (0, 0, 0, 128))
    assert pixel(read(as_bytes(half)), (32, 32))[0] == pytest.approx(127, abs=1)


def test_a_transparent_colour_of_a_palette_becomes_white() -> None:
    picture = Image.new("P", (64, 64), 0)
    picture.putpalette([255, 0, 0, 0, 255, 0])
    assert pixel(read(as_bytes(picture, transparency=0)), (1, 1)) == (255, 255, 255)
    assert pixel(read(as_bytes(picture)), (1, 1)) == (255, 0, 0)


def test_sixteen_bit_grey_keeps_its_brightness() -> None:
    deep = Image.fromarray(np.full((64, 64), 0x8000, np.uint16))
    assert pixel(read(as_bytes(deep)), (1, 1)) == (128, 128, 128)


def test_a_printer_s_picture_keeps_its_colours() -> None:
    shown = read(as_bytes(two_halves().convert("CMYK"), "JPEG", quality=95))
    assert pixel(shown, (50, 150))[0] > 180 > 90 > pixel(shown, (50, 150))[2]


@pytest.mark.parametrize(
    ("mode", "form", "size"),
    [
        ("L", "PNG", (640, 360)),
        ("1", "PNG", (300, 500)),
        ("P", "PNG", (640, 360)),
        ("RGBA", "WEBP", (500, 500)),
        ("CMYK", "JPEG", (640, 360)),
        ("RGB", "BMP", (16, 9)),
        ("RGB", "PNG", (1, 1)),
        ("RGB", "JPEG", (2400, 100)),
        ("L", "JPEG", (90, 1500)),
    ],
)
@pytest.mark.parametrize("prompt", ["push in", "pan right and pull back"])
def test_odd_pictures_make_clips(
    tmp_path: Path, mode: str, form: str, size: tuple[int, int], prompt: str
) -> None:
    source = tmp_path / f"picture.{form}"
    textured(*size).convert(mode).save(source)
    shot = Shot(source, prompt, width_px=160, height_px=90, frame_count=8, motion_strength=1.0, draft=True)
    render(shot, tmp_path / "clip.mp4")
    frames = luma_of(tmp_path / "clip.mp4")
    assert [frame.shape for frame in frames] == [(90, 160)] * 8


def test_a_picture_of_another_aspect_is_cut_in_its_middle() -> None:
    wide = two_halves(800, 200)
    fitted = fit(wide.size, 100, 100)
    assert (fitted.spare_x_px, fitted.spare_y_px) == (150, 0)
    middle = cut(wide, fitted, 0, 0)
    assert middle.shape == (100, 100, 3)
    assert tuple(middle[50, 10]) == RED
    assert tuple(middle[50, 89]) == BLUE


def test_the_margin_continues_the_frame() -> None:
    wide = textured(800, 200)
    fitted = fit(wide.size, 160, 90)
    alone, with_margin = cut(wide, fitted, 0, 0), cut(wide, fitted, 60, 0)
    assert with_margin.shape == (90, 280, 3)
    assert np.abs(with_margin[:, 60:-60].astype(int) - alone).max() <= 2


def test_a_large_photograph_is_decoded_small_but_never_too_small() -> None:
    for size in ((2560, 1440), (1440, 2560), (4000, 500)):
        photograph = as_bytes(textured(*size), "JPEG")
        reduced = read_picture(photograph, covering_px=(320, 180), zoom=1.5)
        assert min(reduced.width / 480, reduced.height / 270) >= 1 or reduced.size == size
    assert read_picture(as_bytes(textured(2560, 1440), "JPEG"), covering_px=(320, 180), zoom=1.5).width < 2560
