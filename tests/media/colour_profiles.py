"""Small ICC profiles made by hand (ICC.1:2001), since no free one of these kinds comes with our libraries."""

from __future__ import annotations

import functools
import itertools
import struct

from PIL import ImageCms


def rgb_profile(name: str, primaries: dict[str, tuple[float, float, float]], gamma: float) -> bytes:
    """A display profile of three primaries (XYZ for D50) and one gamma."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    tags = {f"{channel}XYZ".encode(): _xyz(*xyz) for channel, xyz in primaries.items()}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _profile(name, b"mntr", b"RGB ", b"XYZ ", tags)


def adobe_rgb() -> bytes:
    primaries = {
        "r": (0.60974, 0.31111, 0.01947),
        "g": (0.20528, 0.62567, 0.06087),
        "b": (0.14919, 0.06322, 0.74457),
    }
    return rgb_profile("Adobe RGB (1998)", primaries, 2.19921875)


@functools.cache  # it holds the second of its making
def srgb_by_another_name() -> bytes:
    """sRGB itself, called something else: what counts is what a profile does."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace("sRGB".encode("utf-16-be"), "c2c2".encode("utf-16-be")).replace(b"sRGB", b"c2c2")


def ink_profile() -> bytes:
    """A press whose cyan prints as pure red of Lab (60, 70, 50), and whose other inks only darken."""
    ramp = bytes(range(256))
    grid = bytearray()
    for cyan, magenta, yellow, black in itertools.product((0, 1), repeat=4):
        light = 100 - 40 * cyan - 20 * magenta - 10 * yellow - 30 * black
        grid += bytes([round(light * 2.55), 128 + 70 * cyan, 128 + 50 * cyan])
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + ramp * 4 + bytes(grid) + ramp * 3
    return _profile("Test press", b"prtr", b"CMYK", b"Lab ", {b"A2B0": lut, b"A2B1": lut})


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in (x, y, z)))


def _profile(name: str, kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    text = name.encode() + b"\0"
    description = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
    tags = {
        b"desc": description,
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": _xyz(0.9642, 1, 0.8249),
        **tags,
    }
    table, body = b"", b""
    begin = 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        table += tag + struct.pack(">II", begin + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = bytearray(128)
    struct.pack_into(">I4sI4s4s4s", head, 0, begin + len(body), bytes(4), 0x02400000, kind, space, connection)
    head[36:40] = b"acsp"
    struct.pack_into(">3i", head, 68, 63190, 65536, 54061)
    return bytes(head) + struct.pack(">I", len(tags)) + table + body
