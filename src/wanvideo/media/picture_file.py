"""A picture file read from the outside, without decoding: its size, its parts, and what rides along.

Nothing here costs more than one pass over the bytes, so a picture of 400 megapixels is known by its
header in well under a millisecond. Formats: ITU T.81 (JPEG), W3C PNG 3, RFC 9649 (WEBP).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from wanvideo.media.exif import Exif, read_exif, read_xmp
from wanvideo.media.signature import PictureKind


class PictureFileDamaged(Exception):
    """The file breaks its own format; the message says how, as the end of a sentence."""


@dataclass(frozen=True)
class PictureFile:
    """The size is as stored, before `orientation` turns it.

    `bare` holds the same pixels (and colour profile) without EXIF, XMP, IPTC, texts, later frames and
    anything behind the end; it is `data` itself when there was nothing to take away.
    """

    width_px: int
    height_px: int
    bare: bytes
    orientation: int = 1
    tells_place: bool = False
    hidden_bytes: int = 0
    is_animated: bool = False
    is_lossless: bool = False
    is_deep: bool = False  # more than 8 bits a channel


def read_picture_file(data: bytes, kind: PictureKind) -> PictureFile:
    """Read the outside of `data`. Raises PictureFileDamaged."""
    try:
        return {"JPEG": _read_jpeg, "PNG": _read_png, "BMP": _read_bmp, "WEBP": _read_webp}[kind](data)
    except (struct.error, IndexError) as error:
        raise PictureFileDamaged("ends in the middle of its header") from error


def _merged(found: list[Exif]) -> Exif:
    # EXIF comes before XMP in the list: where both tell an orientation, EXIF is believed, as Pillow does.
    orientation = next((each.orientation for each in found if each.orientation != 1), 1)
    return Exif(orientation, any(each.tells_place for each in found))


# --- JPEG ---------------------------------------------------------------------------------------------

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# In the coded pixels FF is followed by 00 (an FF meant as data), D0..D7 (restart) or FF (filling).
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def _jpeg_parts(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, begin, end) of each part; the part of a scan runs on to the end of its coded pixels."""
    at = 2
    while at < len(data):
        found = _NEXT_MARKER.search(data, at)
        if found is None:
            return
        begin, marker = found.start(), data[found.start() + 1]
        if marker in (_SOI, _EOI, 0x01):
            yield marker, begin, begin + 2
            at = begin + 2
            if marker == _EOI:
                return
            continue
        end = begin + 2 + struct.unpack_from(">H", data, begin + 2)[0]
        if marker == _SOS:
            following = _NEXT_MARKER.search(data, end)
            end = following.start() if following else len(data)
        yield marker, begin, end
        at = end


def _jpeg_keeps(marker: int, body: bytes) -> bool:
    """Whether a part stays in the bare picture: all but metadata; the colour profile stays."""
    if marker == _APP2:
        return body.startswith(b"ICC_PROFILE\0")
    return marker in (_APP0, _APP14) or not (_APP1 <= marker <= _APP15 or marker == _COMMENT)


def _read_jpeg(data: bytes) -> PictureFile:
    kept = [data[:2]]
    exifs: list[Exif] = []
    xmps: list[Exif] = []
    width = height = 0
    end = len(data)
    for marker, begin, part_end in _jpeg_parts(data):
        body = data[begin + 4 : begin + 64]
        if marker == _APP1:
            segment = data[begin + 4 : part_end]
            if segment.startswith(b"Exif\0"):
                exifs.append(read_exif(segment))
            elif segment.startswith(b"http://ns.adobe.com/"):
                xmps.append(read_xmp(segment))
        elif marker in _FRAME_HEADERS:
            height, width = struct.unpack_from(">HH", data, begin + 5)
        if _jpeg_keeps(marker, body):
            kept.append(data[begin:part_end])
        if marker == _EOI:
            end = part_end
    if not (width and height):
        raise PictureFileDamaged("is cut short or has no picture in it")
    facts = _merged(exifs + xmps)
    hidden_bytes = len(data[end:].strip(b"\0\r\n "))
    bare = b"".join(kept)
    return PictureFile(
        width, height, data if bare == data else bare, facts.orientation, facts.tells_place, hidden_bytes
    )


# --- PNG ----------------------------------------------------------------------------------------------

_PNG_METADATA = frozenset((b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"))
_PNG_FRAMES = frozenset((b"acTL", b"fcTL", b"fdAT"))


def _png_text(body: bytes) -> Exif:
    if body.startswith(b"XML:com.adobe.xmp\0"):
        is_compressed = body[18:19] == b"\1"
        return Exif(tells_place=True) if is_compressed else read_xmp(body)
    # ImageMagick keeps EXIF as text in hexadecimal, mostly compressed: taken for what it may hold.
    return Exif(tells_place=body.startswith((b"Raw profile type exif", b"Raw profile type APP1")))


def _read_png(data: bytes) -> PictureFile:
    kept = [data[:8]]
    exifs: list[Exif] = []
    xmps: list[Exif] = []
    names: set[bytes] = set()
    at = 8
    while b"IEND" not in names:
        if at + 12 > len(data):
            raise PictureFileDamaged("is cut short")
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data):
            raise PictureFileDamaged("is cut short")
        if (name == b"IHDR") == bool(names):
            raise PictureFileDamaged("has its parts in the wrong order")
        is_critical = not name[0] & 0x20
        if is_critical and zlib.crc32(data[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise PictureFileDamaged("is damaged (a checksum in it is wrong)")
        if name == b"eXIf":
            exifs.append(read_exif(data[at + 8 : end - 4]))
        elif name in _PNG_METADATA:
            xmps.append(_png_text(data[at + 8 : end - 4]))
        if name not in _PNG_METADATA | _PNG_FRAMES:
            kept.append(data[at:end])
        names.add(name)
        at = end
    width, height, bits_per_channel = struct.unpack_from(">IIB", data, 16)
    facts = _merged(exifs + xmps)
    bare = b"".join(kept)
    return PictureFile(
        width,
        height,
        data if bare == data else bare,
        facts.orientation,
        facts.tells_place,
        hidden_bytes=len(data) - at,
        is_animated=b"acTL" in names,
        is_lossless=True,
        is_deep=bits_per_channel == 16,
    )


# --- BMP, WEBP ----------------------------------------------------------------------------------------


def _read_bmp(data: bytes) -> PictureFile:
    (header_bytes,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header_bytes == 12 else "<ii", data, 18)
    return PictureFile(abs(width), abs(height), data, is_lossless=True)


_WEBP_XMP_FLAG, _WEBP_EXIF_FLAG = 0x04, 0x08


def _webp_size(name: bytes, body: bytes) -> tuple[int, int]:
    if name == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if name == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


def _read_webp(data: bytes) -> PictureFile:
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise PictureFileDamaged("is cut short")
    kept: list[bytes] = []
    exifs: list[Exif] = []
    xmps: list[Exif] = []
    names: set[bytes] = set()
    size: tuple[int, int] | None = None
    at = 12
    while at + 8 <= end:
        name, (length,) = data[at : at + 4], struct.unpack_from("<I", data, at + 4)
        if at + 8 + length > end:
            raise PictureFileDamaged("is cut short")
        chunk_end = at + 8 + length + (length & 1)
        chunk = data[at:chunk_end]
        if size is None and name in (b"VP8X", b"VP8L", b"VP8 "):
            size = _webp_size(name, chunk[8:])
        if name == b"EXIF":
            exifs.append(read_exif(chunk[8:]))
        elif name == b"XMP ":
            xmps.append(read_xmp(chunk[8:]))
        elif name == b"VP8X":
            kept.append(chunk[:8] + bytes([chunk[8] & ~(_WEBP_XMP_FLAG | _WEBP_EXIF_FLAG)]) + chunk[9:])
        else:
            kept.append(chunk)
        names.add(name)
        at = chunk_end
    if size is None:
        raise PictureFileDamaged("has no picture in it")
    facts = _merged(exifs + xmps)
    body = b"".join(kept)
    is_bare = len(body) + 12 == len(data)
    return PictureFile(
        *size,
        data if is_bare else b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body,
        facts.orientation,
        facts.tells_place,
        hidden_bytes=len(data) - end,
        is_animated=b"ANIM" in names,
        is_lossless=b"VP8L" in names,
    )
