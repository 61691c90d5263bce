"""What a file is, judged by its first bytes: its name and ending are never believed."""

from __future__ import annotations

import re
from typing import Literal

PictureKind = Literal["JPEG", "PNG", "BMP", "WEBP"]

_TO_JPEG = "Save it as JPEG or PNG and give that file."
_FROM_PHONE = (
    "Export it as JPEG (on a Mac: Preview, File, Export; "
    "on an iPhone: Settings, Camera, Formats, Most Compatible)."
)
_RENDER = "Export it as a PNG of at least 240 pixels a side."
_NEED_PICTURE = "Give a JPEG, PNG, BMP or WEBP picture."
_TAKE_FRAME = "Give one frame of it, saved as PNG."

# (how the file begins, what it is, the way out)
_KNOWN: tuple[tuple[bytes, str, str], ...] = (
    (b"GIF8", "a GIF", "Save the frame you want as PNG and give that file."),
    (b"II*\0", "a TIFF or camera raw file", _TO_JPEG),
    (b"MM\0*", "a TIFF or camera raw file", _TO_JPEG),
    (b"II+\0", "a BigTIFF", _TO_JPEG),
    (b"MM\0+", "a BigTIFF", _TO_JPEG),
    (b"%PDF-", "a PDF", "Export the page as PNG and give that file."),
    (b"8BPS", "a Photoshop file", _TO_JPEG),
    (b"\xff\x0a", "a JPEG XL", _TO_JPEG),
    (b"\0\0\0\x0cJXL ", "a JPEG XL", _TO_JPEG),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000", _TO_JPEG),
    (b"\xff\x4f\xff\x51", "a JPEG 2000", _TO_JPEG),
    (b"\0\0\1\0", "an icon file (ICO)", _RENDER),
    (b"qoif", "a QOI picture", _TO_JPEG),
    (b"v/1\1", "an OpenEXR picture", _TO_JPEG),
    (b"PK\3\4", "a ZIP archive or office document", "Unpack it and give the picture inside."),
    (b"\x1f\x8b", "a gzip file", "Unpack it and give the picture inside."),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video", _TAKE_FRAME),
    (b"ID3", "an MP3 sound", _NEED_PICTURE),
    (b"OggS", "an Ogg file", _NEED_PICTURE),
    (b"\x7fELF", "a program", _NEED_PICTURE),
)
_BRANDS: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    ((b"avif", b"avis"), "an AVIF picture", _TO_JPEG),
    ((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), "a HEIC photo", _FROM_PHONE),
    ((b"crx ",), "a camera raw file", _TO_JPEG),
)
# A text beginning, with a byte order mark and white space already taken off; lower case.
_TEXTS: tuple[tuple[str, str, str], ...] = (
    (r"<!doctype html|<html|<head|<body", "a web page (HTML)", "Give the address of the picture itself."),
    (r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*|<!doctype svg[^>]*>\s*)*<svg", "an SVG drawing", _RENDER),
    (r"<\?xml|<error", "an XML text", "It may be an error message that was saved in place of the picture."),
    (
        r"[{\[]\s*[\"{\[\]}\d-]",
        "a JSON text",
        "It may be an error message that was saved in place of the picture.",
    ),
    (r"version https://git-lfs", "a Git LFS pointer, not the file itself", "Run `git lfs pull` first."),
    (r"data:", "a data URI kept in a file", "Give the URI itself as reference_image."),
    (r"%!ps", "a PostScript file", _RENDER),
)


def picture_kind(data: bytes) -> PictureKind | None:
    """The accepted kind of picture that `data` begins like, or None."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    # "BM" alone could begin a text; the reserved bytes of a BMP header are zero.
    if data.startswith(b"BM") and data[6:10] == bytes(4):
        return "BMP"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    return None


def describe(data: bytes) -> tuple[str, str]:
    """What `data` looks like, in words for a person, and the way out; for files that are not accepted."""
    if data[4:8] == b"ftyp":
        brands = [data[8:12], *(data[at : at + 4] for at in range(16, min(_box_size(data), 64), 4))]
        for names, what, hint in _BRANDS:
            if any(brand in names for brand in brands):
                return what, hint
        return "a video (MP4 or QuickTime)", _TAKE_FRAME
    if data.startswith(b"RIFF"):
        return {b"AVI ": "an AVI video", b"WAVE": "a WAV sound"}.get(data[8:12], "a RIFF file"), _NEED_PICTURE
    for start, what, hint in _KNOWN:
        if data.startswith(start):
            return what, hint
    text = _as_text(data[:1024])
    if text is None:
        return "not a file of any known kind", _NEED_PICTURE
    for pattern, what, hint in _TEXTS:
        if re.match(pattern, text.lower(), re.DOTALL):
            return what, hint
    return "a text", _NEED_PICTURE  # not quoted: an error may be read by somebody who may not read the file


def _box_size(data: bytes) -> int:
    return int.from_bytes(data[:4], "big")


def _as_text(beginning: bytes) -> str | None:
    """The beginning as text, if it reads as text; a character cut at the end does no harm."""
    if beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = beginning.decode("utf-16", errors="ignore")
    else:
        for missing in range(min(4, len(beginning))):
            try:
                text = beginning[: len(beginning) - missing].decode("utf-8-sig")
                break
            except UnicodeDecodeError:
                continue
        else:
            return None
    text = text.lstrip()
    unprintable = sum(not (letter.isprintable() or letter.isspace()) for letter in text)
    return text if text and unprintable * 20 <= len(text) else None
