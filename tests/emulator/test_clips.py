"""The size of a clip follows the picture, by the rule that was measured and by the one that is documented."""

from __future__ import annotations

import pytest

from wanvideo_emulator.clips import clip_size_px


@pytest.mark.parametrize(
    ("picture", "resolution", "multiple", "size"),
    [
        ((1024, 768), "720P", 2, (1108, 830)),
        ((750, 1000), "720P", 16, (816, 1104)),
        ((1280, 720), "720P", 2, (1280, 720)),
        ((1920, 1080), "1080P", 2, (1920, 1080)),
        ((240, 240), "720P", 2, (960, 960)),
        ((240, 240), "1080P", 16, (1440, 1440)),
    ],
)
def test_the_tier_is_a_pixel_budget(
    picture: tuple[int, int], resolution: str, multiple: int, size: tuple[int, int]
) -> None:
    assert clip_size_px(*picture, resolution, multiple) == size
