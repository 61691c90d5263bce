"""Water and clouds move inside their region and not a pixel beyond it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from tests.preview.effects.conftest import Take, band, blobs, ramp

from wanvideo.preview.frames import to_frame
from wanvideo.preview.scene import Scene

WATER = Take(("water",), blobs(640, 360), scene=Scene(ramp(), None, None, band(0.5, 1.2)))
SKY = Take(("clouds",), blobs(640, 360), scene=Scene(ramp(), None, band(-0.2, 0.5)))


def change(take: Take, index: int) -> NDArray[np.int64]:
    return np.asarray(np.abs(take.frame(index).luma.astype(np.int64) - to_frame(take.picture).luma))


def test_water_moves_and_nothing_else_does() -> None:
    moved = change(WATER, 60)
    assert moved[:176].max() == 0
    assert moved[260:].mean() > 1


def test_water_never_stops() -> None:
    first, second = WATER.frames(60, 66)
    assert np.abs(first.luma[260:].astype(int) - second.luma[260:]).mean() > 0.8


def test_clouds_drift_and_nothing_else_does() -> None:
    moved = change(SKY, 60)
    assert moved[184:].max() == 0
    assert moved[:120].mean() > 1


def test_clouds_drift_evenly_without_a_jump() -> None:
    """No frame of a whole turn differs much more from the last one than usual."""
    frames = [frame.luma[:170].astype(int) for frame in SKY.frames(*range(30, 95))]
    steps = [np.abs(second - first).mean() for first, second in pairwise(frames)]
    assert min(steps) > 0
    assert max(steps) < 3 * float(np.median(steps))


def test_nothing_is_fetched_from_beyond_the_region() -> None:
    """A bright land beside the dark sky never shows in it, and the other way round."""
    picture = np.full((360, 640, 3), 40, np.uint8)
    picture[180:] = 230
    for token, scene in (
        ("clouds", Scene(ramp(), None, band(-0.2, 0.5))),
        ("water", Scene(ramp(), None, None, band(0.5, 1.2))),
    ):
        take = Take((token,), picture, scene=scene, strength=1.0)
        for frame in take.frames(30, 60, 90):
            reference = to_frame(picture)
            assert np.array_equal(frame.luma[:179], reference.luma[:179])
            if token == "water":
                assert frame.luma[181:].min() > 150
