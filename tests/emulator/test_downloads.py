"""Ranges in the way of Alibaba's object storage: what lies outside the object is answered with all of it."""

from __future__ import annotations

import pytest

from wanvideo_emulator.downloads import byte_range
from wanvideo_emulator.uploads import OssRefused


@pytest.mark.parametrize(
    ("header", "standard", "span"),
    [
        (None, False, None),
        ("bytes=0-99", False, (0, 99)),
        ("bytes=500-", False, (500, 999)),
        ("bytes=-200", False, (800, 999)),
        ("bytes=500-2000", False, None),
        ("bytes=500-2000", True, (500, 999)),
        ("bytes=1000-2000", False, None),
        ("bytes=1000-", False, None),
        ("bytes=9-3", True, None),
        ("bytes=-", True, None),
        ("items=0-4", True, None),
        ("bytes=0-4,8-9", True, None),
    ],
)
def test_ranges(header: str | None, standard: bool, span: tuple[int, int] | None) -> None:
    assert byte_range(header, 1000, standard=standard) == span


def test_a_range_beyond_the_end_is_refused_only_in_standard_behaviour() -> None:
    with pytest.raises(OssRefused) as caught:
        byte_range("bytes=1000-", 1000, standard=True)
    assert (caught.value.status, caught.value.code) == (416, "InvalidRange")
