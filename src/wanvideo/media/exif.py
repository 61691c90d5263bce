"""The two facts of a photo's metadata that matter here: which way up it is, and whether it tells a place.

Pillow reads EXIF too, but warns aloud on a damaged block; here a damaged block is simply not believed.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_ORIENTATION, _GPS_FOLDER = 0x0112, 0x8825
_LATITUDE, _LONGITUDE = 2, 4
_MAX_ENTRIES = 1000
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=[\"']|>)\s*([1-8])")
_XMP_PLACE = re.compile(
    rb"exif:GPS(?:Latitude|Longitude)|photoshop:(?:City|State|Country)|Iptc4xmpCore:Location"
)


@dataclass(frozen=True)
class Exif:
    """`orientation` is the EXIF number: 1 is upright, 2 to 8 are mirrored or turned."""

    orientation: int = 1
    tells_place: bool = False


def read_exif(block: bytes) -> Exif:
    """Read an EXIF block, with or without its leading `Exif\\0\\0`. Never raises."""
    tiff = block.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return Exif()
    orientation, tells_place = 1, False
    try:
        for tag, value_at in _entries(tiff, order, _number(tiff, order + "I", 4)):
            if tag == _ORIENTATION:
                orientation = _number(tiff, order + "H", value_at)
            elif tag == _GPS_FOLDER:
                # Many cameras write an empty GPS folder; only coordinates tell a place.
                folder = _entries(tiff, order, _number(tiff, order + "I", value_at))
                tells_place = any(inner in (_LATITUDE, _LONGITUDE) for inner, _ in folder)
    except struct.error:
        # Cut short: whoever reads further than we can may still find the coordinates.
        tells_place = tells_place or struct.pack(order + "H", _GPS_FOLDER) in tiff
    return Exif(orientation if 1 <= orientation <= 8 else 1, tells_place)


def read_xmp(packet: bytes) -> Exif:
    """Read an uncompressed XMP packet. Never raises."""
    found = _XMP_ORIENTATION.search(packet)
    return Exif(int(found[1]) if found else 1, bool(_XMP_PLACE.search(packet)))


def _number(tiff: bytes, layout: str, at: int) -> int:
    value: int = struct.unpack_from(layout, tiff, at)[0]
    return value


def _entries(tiff: bytes, order: str, folder_at: int) -> Iterator[tuple[int, int]]:
    """(tag, place of its value) of each entry of one TIFF folder."""
    for index in range(min(_number(tiff, order + "H", folder_at), _MAX_ENTRIES)):
        entry_at = folder_at + 2 + 12 * index
        yield _number(tiff, order + "H", entry_at), entry_at + 8
