"""A picture is sent as it was given, mended with a word about it, or refused with the way out."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import struct
import subprocess
import sys
import time
import tracemalloc
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from wanvideo.errors import ImageInvalid
from wanvideo.media.image import AcceptedPicture, PictureLimits, accept

from .colour_profiles import adobe_rgb, ink_profile, srgb_by_another_name


def photo(width: int = 640, height: int = 360) -> Image.Image:
    """Smooth colours: red grows to the right, green downwards, so that every place is known by its colour."""
    across, down = np.linspace(0, 255, width), np.linspace(0, 255, height)
    red, green = np.meshgrid(across, down)
    return Image.fromarray(np.stack([red, green, np.full_like(red, 90)], axis=-1).astype(np.uint8), "RGB")


def saved(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(
        buffer, kind, **({"quality": 95, "subsampling": "4:4:4"} | options if kind == "JPEG" else options)
    )
    return buffer.getvalue()


def take(data: bytes, size: tuple[int, int] = (1280, 720), **options: Any) -> AcceptedPicture:
    return accept(data, width_px=size[0], height_px=size[1], **options)


def opened(accepted: AcceptedPicture) -> Image.Image:
    picture = Image.open(io.BytesIO(accepted.data))
    picture.load()
    assert picture.size == (accepted.width_px, accepted.height_px)
    assert Image.MIME[picture.format or ""] == accepted.media_type
    assert hashlib.sha256(accepted.data).hexdigest() == accepted.sha256
    return picture


def colour_at(picture: Image.Image, x: float, y: float) -> tuple[int, ...]:
    seen = picture.getpixel((int(x * (picture.width - 1)), int(y * (picture.height - 1))))
    assert isinstance(seen, tuple)
    return seen


def refusal(data: bytes, size: tuple[int, int] = (1280, 720), **options: Any) -> ImageInvalid:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageInvalid) as caught:
            take(data, size, **options)
    assert caught.value.field == "reference_image"
    assert caught.value.hint
    return caught.value


# --- As given -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "media_type", "suffix"),
    [
        ("JPEG", "image/jpeg", ".jpg"),
        ("PNG", "image/png", ".png"),
        ("BMP", "image/bmp", ".bmp"),
        ("WEBP", "image/webp", ".webp"),
    ],
)
def test_a_fitting_picture_is_sent_byte_for_byte(kind: str, media_type: str, suffix: str) -> None:
    data = saved(photo(), kind)
    accepted = take(data)
    assert accepted.data is data
    assert (accepted.media_type, accepted.suffix) == (media_type, suffix)
    assert (accepted.width_px, accepted.height_px) == (640, 360)
    assert accepted.sha256 == accepted.source_sha256 == hashlib.sha256(data).hexdigest()
    assert accepted.warnings == ()


def test_harmless_metadata_is_left_in_a_file_that_needs_no_change() -> None:
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    data = saved(photo(), exif=exif, comment=b"hello")
    assert take(data).data is data


@pytest.mark.parametrize("width", [639, 640, 641])
def test_an_aspect_right_to_within_a_pixel_is_left_alone(width: int) -> None:
    data = saved(photo(width, 360), "PNG")
    assert take(data).data is data


def test_the_ending_of_the_name_is_not_asked(tmp_path: Path) -> None:
    """The bytes decide: what is called .jpg may well be a PNG."""
    assert take(saved(photo(), "PNG")).media_type == "image/png"


# --- Refused ------------------------------------------------------------------------------------------


def ftyp(brand: bytes) -> bytes:
    return struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + brand + b"mif1" + bytes(400)


@pytest.mark.parametrize(
    ("data", "says", "hint"),
    [
        (b"", "is empty", "JPEG, PNG"),
        (b"Dear all,\nthe picture is attached.\n", "is a text;", "Give a JPEG"),
        (b"<!DOCTYPE html><html>404</html>", r"web page \(HTML\)", "address of the picture itself"),
        (b'{"error": "not found"}', "JSON text", "error message"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "Git LFS pointer", "git lfs pull"),
        (b"data:image/png;base64,iVBORw0KGgo=", "data URI", "URI itself"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a -->\n<svg width="9">', "SVG", "PNG"),
        (b"%PDF-1.7 ...", "a PDF", "Export the page"),
        (saved(photo(), "GIF"), "a GIF", "PNG"),
        (saved(photo(), "TIFF"), "TIFF or camera raw", "JPEG or PNG"),
        (saved(photo(), "AVIF"), "an AVIF", "JPEG or PNG"),
        (ftyp(b"heic"), "a HEIC photo", "iPhone"),
        (ftyp(b"mif1"), "a HEIC photo", "iPhone"),
        (ftyp(b"isom")[:20], "a video", "one frame"),
        (b"PK\x03\x04" + bytes(60), "ZIP", "Unpack"),
        (b"8BPS\0\1", "Photoshop", "JPEG or PNG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL", "JPEG or PNG"),
        (b"\xa7\x01\x02\x80\xff" * 50, "not a file of any known kind", "JPEG"),
        ("Größe".encode("utf-16"), "is a text;", "JPEG"),
        (b"BM is how this text begins", "a text", "JPEG"),
    ],
)
def test_what_is_not_accepted_is_called_by_its_name(data: bytes, says: str, hint: str) -> None:
    error = refusal(data)
    assert re.search(says, error.detail), error.detail
    assert error.hint is not None
    assert hint in error.hint


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.999])
def test_a_picture_cut_short_is_refused(kind: str, share: float) -> None:
    noise = Image.effect_noise((400, 300), 60).convert("RGB")
    data = saved(noise, kind)
    error = refusal(data[: int(len(data) * share)])
    assert "cut short" in error.detail or "damaged" in error.detail or "header" in error.detail
    assert "again" in (error.hint or "")


@pytest.mark.parametrize("progressive", [False, True])
def test_every_cut_of_a_jpeg_is_refused(progressive: bool) -> None:
    data = saved(photo(320, 240), quality=60, progressive=progressive)
    for length in range(3, len(data) - 1, 97):
        refusal(data[:length], (320, 240))


def test_damage_inside_a_png_is_refused() -> None:
    data = bytearray(saved(photo(), "PNG"))
    data[len(data) // 2] ^= 0x10
    assert "checksum" in refusal(bytes(data)).detail


def png_of(width: int, height: int) -> bytes:
    """A small file that unpacks to width x height bits."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packer = zlib.compressobj(9)
    rows = bytes(1 + width // 8) * 64
    body = b"".join(packer.compress(rows) for _ in range(height // 64)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_a_picture_bomb_is_refused_at_once() -> None:
    data = png_of(20_000, 20_000)
    assert len(data) < 100_000
    tracemalloc.start()
    began = time.process_time()
    error = refusal(data)
    took_s = time.process_time() - began
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "20000x20000 pixels (400 megapixels)" in error.detail
    assert took_s < 0.1
    assert peak_bytes < 3_000_000


def test_a_jpeg_with_two_headers_does_not_get_past_the_guard() -> None:
    data = saved(photo(320, 240))
    at = data.index(b"\xff\xc0")
    length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    small = data[at : at + length]
    huge = small[:5] + struct.pack(">HH", 30_000, 30_000) + small[9:]
    assert "megapixels" in refusal(data[:at] + small + huge + data[at + length :], (320, 240)).detail
    refusal(data[:at] + huge + small + data[at + length :], (640, 241))


def test_too_many_bytes_are_refused_before_anything_is_read() -> None:
    error = refusal(b"\xff\xd8\xff" + bytes(20_000_000))
    assert "20.0 MB; at most 20 MB" in error.detail


@pytest.mark.parametrize("size", [(239, 1000), (1000, 239), (1, 1)])
def test_too_small_is_refused_with_the_nearest_size_that_works(size: tuple[int, int]) -> None:
    error = refusal(saved(photo(*size), "PNG"))
    assert f"{size[0]}x{size[1]} (width x height)" in error.detail
    assert "at least 240" in error.detail
    assert error.hint is not None
    wanted = error.hint.split()[4]
    assert min(map(int, wanted.split("x"))) == 240


def test_the_size_is_judged_as_it_is_seen_not_as_it_is_stored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert "100x400 (width x height)" in refusal(saved(photo(400, 100), exif=exif)).detail


def test_the_field_carries_the_name_that_was_given() -> None:
    with pytest.raises(ImageInvalid) as caught:
        accept(b"", width_px=16, height_px=9, name="scenes[2].reference_image")
    assert caught.value.field == "scenes[2].reference_image"


# --- Mended -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_turned_photo_comes_out_upright(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(photo(480, 270), kind, exif=exif)
    with Image.open(io.BytesIO(data)) as source:
        upright = ImageOps.exif_transpose(source).convert("RGB")
    accepted = take(data, upright.size)
    picture = opened(accepted).convert("RGB")
    assert picture.size == upright.size
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(upright)).max() <= 8
    assert accepted.warnings == (() if orientation == 1 else ("turned upright as its EXIF orientation says",))
    assert opened(accepted).getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize(("size", "kept"), [((960, 400), (711, 400)), ((400, 900), (400, 225))])
def test_cover_crops_the_middle(size: tuple[int, int], kept: tuple[int, int]) -> None:
    accepted = take(saved(photo(*size), "PNG"), limits=PictureLimits(min_side_px=200))
    assert (accepted.width_px, accepted.height_px) == kept
    assert accepted.warnings == (
        f"cropped from {size[0]}x{size[1]} to {kept[0]}x{kept[1]} for size 1280*720",
    )
    assert accepted.media_type == "image/png"
    middle = colour_at(opened(accepted), 0.5, 0.5)
    assert abs(middle[0] - 127) <= 2
    assert abs(middle[1] - 127) <= 2


def test_who_crops_for_himself_is_given_the_whole_picture() -> None:
    data = saved(photo(960, 300), "PNG")
    accepted = take(data, keep_whole=True)
    assert accepted.data == data
    assert accepted.warnings == ("cropped from 960x300 to 533x300 for size 1280*720",)
    assert take(data, keep_whole=True, fit="contain").height_px == 540


def test_a_strip_too_narrow_for_the_limits_is_cropped_all_the_same() -> None:
    accepted = take(saved(photo(900, 20), "PNG"), keep_whole=True, limits=PictureLimits(20, 600))
    assert (accepted.width_px, accepted.height_px) == (36, 20)


def test_a_crop_below_the_limit_is_scaled_up_again() -> None:
    accepted = take(saved(photo(400, 900), "PNG"))
    assert (accepted.width_px, accepted.height_px) == (427, 240)
    assert accepted.warnings[1] == "scaled up from 400x225 to 427x240 for the provider's limits"


@pytest.mark.parametrize("fit", ["cover", "contain"])
def test_a_side_above_the_limit_is_scaled_down(fit: str) -> None:
    accepted = take(saved(photo(900, 500), "PNG"), fit=fit, limits=PictureLimits(max_side_px=600))
    assert (accepted.width_px, accepted.height_px) == (600, 337)
    assert any("scaled down from" in warning for warning in accepted.warnings)
    opened(accepted)


def test_contain_keeps_the_whole_picture_and_fills_the_bands_from_it() -> None:
    accepted = take(saved(photo(300, 600), "PNG"), fit="contain")
    assert (accepted.width_px, accepted.height_px) == (1067, 600)
    assert accepted.warnings == (
        "padded from 300x600 to 1067x600 for size 1280*720, with bands of its own blurred backdrop",
    )
    picture = opened(accepted)
    inside = picture.crop((383, 0, 683, 600))
    assert np.array_equal(np.asarray(inside), np.asarray(photo(300, 600)))
    left, right = colour_at(picture, 0.05, 0.5), colour_at(picture, 0.95, 0.5)
    assert left[0] < right[0]  # the backdrop is the picture's own: red still grows to the right
    assert min(left[1], right[1]) > 50


def test_contain_continues_a_plain_background() -> None:
    product = Image.new("RGB", (300, 600), (240, 240, 235))
    product.paste((200, 20, 20), (100, 200, 200, 400))
    accepted = take(saved(product, "PNG"), fit="contain")
    assert "plain bands in its edge colour" in accepted.warnings[0]
    assert colour_at(opened(accepted), 0.01, 0.5) == (240, 240, 235)


def test_contain_pads_above_and_below_too() -> None:
    accepted = take(saved(photo(600, 300), "PNG"), (720, 1280), fit="contain")
    assert (accepted.width_px, accepted.height_px) == (600, 1067)


def transparent(mode: str) -> Image.Image:
    """Left half see-through, right half opaque."""
    picture = photo().convert("RGBA")
    alpha = Image.new("L", picture.size, 255)
    alpha.paste(0, (0, 0, 320, 360))
    picture.putalpha(alpha)
    return picture.convert(mode)


@pytest.mark.parametrize(("mode", "kind"), [("RGBA", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP"), ("PA", "PNG")])
def test_transparency_is_laid_on_white(mode: str, kind: str) -> None:
    source = transparent("RGBA").quantize(64) if mode == "PA" else transparent(mode)
    accepted = take(saved(source, kind))
    picture = opened(accepted)
    assert picture.mode == "RGB"
    assert "laid the transparent parts on white" in accepted.warnings
    assert min(colour_at(picture, 0.2, 0.5)) >= 250
    assert colour_at(picture, 0.6, 0.5)[1] < 160


def test_a_colour_meant_as_transparent_is_laid_on_white() -> None:
    picture = photo()
    picture.paste((255, 0, 255), (0, 0, 320, 360))
    accepted = take(saved(picture, "PNG", transparency=(255, 0, 255)))
    assert colour_at(opened(accepted), 0.2, 0.5) == (255, 255, 255)


def test_half_transparent_shows_half_the_white() -> None:
    accepted = take(saved(Image.new("RGBA", (640, 360), (100, 0, 0, 128)), "PNG"))
    assert colour_at(opened(accepted), 0.5, 0.5) == pytest.approx((177, 127, 127), abs=2)


def test_alpha_that_hides_nothing_or_everything_is_dropped() -> None:
    opaque, hidden = photo().convert("RGBA"), photo().convert("RGBA")
    hidden.putalpha(0)
    for source, says in ((opaque, "hid nothing"), (hidden, "hid the whole picture")):
        accepted = take(saved(source, "PNG"))
        assert says in accepted.warnings[0]
        assert np.array_equal(np.asarray(opened(accepted)), np.asarray(photo()))


def test_greyscale_palette_and_one_bit_become_rgb() -> None:
    for mode in ("L", "P", "1"):
        accepted = take(saved(photo().convert(mode), "PNG"))
        assert opened(accepted).mode == "RGB"
        assert len(accepted.warnings) == 1
    assert opened(take(saved(photo().convert("L")))).mode == "RGB"


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    deep = np.linspace(0, 65535, 640, dtype=np.uint16)[None].repeat(360, axis=0)
    accepted = take(saved(Image.fromarray(deep), "PNG"))
    picture = opened(accepted)
    assert accepted.warnings == ("reduced from 16 to 8 bits a channel", "converted from greyscale to RGB")
    assert colour_at(picture, 0.5, 0.5) == pytest.approx((127, 127, 127), abs=1)
    assert colour_at(picture, 0.25, 0.5) == pytest.approx((64, 64, 64), abs=1)


def test_cmyk_becomes_rgb() -> None:
    inks = Image.new("CMYK", (640, 360), (0, 255, 255, 0))
    accepted = take(saved(inks))
    picture = opened(accepted)
    assert picture.mode == "RGB"
    assert colour_at(picture, 0.5, 0.5) == pytest.approx((255, 0, 0), abs=4)
    assert accepted.warnings == ("converted from CMYK to RGB",)


def test_cmyk_with_a_profile_is_read_by_it() -> None:
    inks = Image.new("CMYK", (640, 360), (255, 0, 0, 0))
    accepted = take(saved(inks, icc_profile=ink_profile()))
    red, green, blue = colour_at(opened(accepted), 0.5, 0.5)
    assert red > 200 > 120 > max(green, blue)  # this press prints cyan as red
    assert accepted.warnings == ("converted from Test press to sRGB",)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_wide_colour_space_becomes_srgb(kind: str) -> None:
    source = Image.new("RGB", (640, 360), (150, 180, 90))
    options = {"lossless": True} if kind == "WEBP" else {}
    accepted = take(saved(source, kind, icc_profile=adobe_rgb(), **options))
    assert accepted.warnings == ("converted from Adobe RGB (1998) to sRGB",)
    # By their definitions: linear red is 1.398 * 0.312 - 0.398 * 0.465 = 0.25, which sRGB writes as 137.
    assert colour_at(opened(accepted), 0.5, 0.5) == pytest.approx((137, 181, 83), abs=4)
    assert "icc_profile" not in opened(accepted).info


def test_srgb_under_any_name_is_left_alone() -> None:
    data = saved(photo(), icc_profile=srgb_by_another_name())
    assert take(data).data is data


@pytest.mark.parametrize("profile", [b"not a profile", adobe_rgb()[:200], ink_profile()])
def test_a_broken_or_unfitting_profile_is_ignored(profile: bytes) -> None:
    accepted = take(saved(photo(800, 360), "PNG", icc_profile=profile))
    assert any("ignored" in warning for warning in accepted.warnings)


def test_only_the_first_frame_of_an_animation_is_used() -> None:
    frames = [photo(), Image.new("RGB", (640, 360), (0, 0, 0))]
    for kind in ("WEBP", "PNG"):
        accepted = take(saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100))
        assert "used only the first frame of an animation" in accepted.warnings
        picture = opened(accepted)
        assert getattr(picture, "n_frames", 1) == 1
        assert colour_at(picture, 0.9, 0.9)[0] > 200


def test_a_large_lossless_picture_becomes_a_jpeg() -> None:
    noise = np.random.default_rng(3).integers(0, 255, (1900, 2000, 3), dtype=np.uint8)
    accepted = take(saved(Image.fromarray(noise), "BMP"), (1000, 1000))
    assert accepted.media_type == "image/jpeg"
    assert "saved as JPEG, since it would be too large as PNG" in accepted.warnings


def test_what_is_written_keeps_the_limit_of_bytes() -> None:
    noise = np.random.default_rng(3).integers(0, 255, (800, 1000, 3), dtype=np.uint8)
    limits = PictureLimits(max_bytes=700_000)
    data = saved(Image.fromarray(noise), quality=50)
    assert len(data) < limits.max_bytes
    accepted = take(data, (1000, 700), limits=limits)
    assert len(accepted.data) <= limits.max_bytes
    assert "to keep 0.7 MB" in accepted.warnings[-1]
    opened(accepted)


def test_the_given_bytes_are_never_changed() -> None:
    data = bytearray(saved(transparent("RGBA"), "PNG"))
    before = bytes(data)
    accepted = take(bytes(data), (720, 1280))
    assert bytes(data) == before
    assert accepted.source_sha256 == hashlib.sha256(before).hexdigest()
    assert accepted.source_sha256 != accepted.sha256


# --- What must not leave ------------------------------------------------------------------------------


def with_place() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (31.0, 14.0, 3.0), 3: "E", 4: (121.0, 29.0, 1.0)})
    return exif


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_place_of_a_photo_never_leaves(kind: str) -> None:
    data = saved(photo(), kind, exif=with_place(), icc_profile=srgb_by_another_name())
    accepted = take(data)
    assert accepted.warnings == ("removed the location data and other metadata; the pixels are untouched",)
    cleaned = opened(accepted)
    assert not cleaned.getexif()
    assert cleaned.info["icc_profile"] == srgb_by_another_name()
    with Image.open(io.BytesIO(data)) as source:
        assert np.array_equal(np.asarray(cleaned), np.asarray(source))
    # And from one that is encoded anew.
    assert not opened(take(data, (720, 720))).getexif()


def test_an_empty_gps_folder_is_no_place() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[0] = b"\2\3\0\0"
    data = saved(photo(), exif=exif)
    assert take(data).data is data


def test_the_place_in_xmp_never_leaves() -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf exif:GPSLatitude="31,14.05N"/></x:xmpmeta>'
    for kind in ("JPEG", "WEBP"):
        accepted = take(saved(photo(), kind, xmp=packet))
        assert b"GPSLatitude" not in accepted.data
        assert "location" in accepted.warnings[0]


def test_what_hides_behind_the_picture_never_leaves() -> None:
    """A motion photo carries a film behind its last byte."""
    for kind in ("JPEG", "PNG", "WEBP"):
        data = saved(photo(), kind)
        film = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 8
        accepted = take(data + film)
        assert accepted.data == data
        assert "hidden behind the end" in accepted.warnings[0]


def test_padding_behind_a_jpeg_is_no_secret() -> None:
    data = saved(photo()) + bytes(64)
    assert take(data).data is data


# --- Whatever comes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_damage_anywhere_gives_a_picture_or_a_refusal(kind: str) -> None:
    """No traceback and no warning, whatever byte is wrong."""
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {} if kind == "BMP" else {"exif": with_place(), "icc_profile": adobe_rgb()}
    data = saved(photo(260, 250), kind, **options)
    rng = np.random.default_rng(11)
    for _ in range(60):
        damaged = bytearray(data)
        for place in rng.integers(0, len(data) if rng.random() < 0.5 else 400, size=3):
            damaged[place] = rng.integers(0, 256)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with contextlib.suppress(ImageInvalid):
                opened(take(bytes(damaged), (260, 250)))


def test_a_photo_of_fifty_megapixels_fits_in_memory() -> None:
    """Measured in a process of its own: crop, scaling and encoding together stay below 600 MB."""
    resource = pytest.importorskip("resource")
    assert resource
    script = """
import io, resource, sys
from PIL import Image
from wanvideo.media.image import accept
buffer = io.BytesIO()
Image.linear_gradient("L").resize((1020, 765)).convert("RGB").resize((8160, 6120)).save(buffer, "JPEG")
accepted = accept(buffer.getvalue(), width_px=1280, height_px=720)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(accepted.width_px, accepted.height_px, peak // (1 if sys.platform != "darwin" else 1024) // 1024)
"""
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    width, height, peak_mb = map(int, answer.stdout.split())
    assert (width, height) == (8000, 4500)
    assert peak_mb < 600
