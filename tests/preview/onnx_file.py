"""The smallest useful ONNX network, written by hand, so that no test needs the package `onnx`."""

from __future__ import annotations


def grey_network(side_px: int = 320) -> bytes:
    """`map = ReduceMean(picture, axes=[1])`: 1 * 3 * side * side to 1 * 1 * side * side."""
    axes = _field(1, b"axes") + _number(8, 1) + _number(20, 7)  # an attribute: name, ints, type INTS
    node = _field(1, b"picture") + _field(2, b"map") + _field(4, b"ReduceMean") + _field(5, axes)
    graph = (
        _field(1, node)
        + _field(2, b"grey")
        + _field(11, _value(b"picture", (1, 3, side_px, side_px)))
        + _field(12, _value(b"map", (1, 1, side_px, side_px)))
    )
    return _number(1, 7) + _field(7, graph) + _field(8, _number(2, 11))


def _value(name: bytes, shape: tuple[int, ...]) -> bytes:
    sides = b"".join(_field(1, _number(1, side)) for side in shape)
    return _field(1, name) + _field(2, _field(1, _number(1, 1) + _field(2, sides)))


def _number(tag: int, value: int) -> bytes:
    return _varint(tag << 3) + _varint(value)


def _field(tag: int, content: bytes) -> bytes:
    return _varint(tag << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])
