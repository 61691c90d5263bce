"""The ambient bed: soft, stereo, drawn from the seed, without a click at either end."""

from __future__ import annotations

import numpy as np
import pytest

from wanvideo.preview.sound import ambient_bed


def test_the_same_seed_gives_the_same_sound() -> None:
    assert np.array_equal(ambient_bed(3, 20_000), ambient_bed(3, 20_000))
    assert not np.allclose(ambient_bed(3, 20_000), ambient_bed(4, 20_000), atol=0.01)


@pytest.mark.parametrize("samples", [1, 735, 44_100, 200_001])
def test_it_has_the_asked_length_and_stays_within_bounds(samples: int) -> None:
    bed = ambient_bed(0, samples)
    assert bed.shape == (2, samples)
    assert bed.dtype == np.float32
    assert np.isfinite(bed).all()
    assert np.abs(bed).max() < 0.9


def test_it_begins_and_ends_in_silence() -> None:
    bed = np.abs(ambient_bed(9, 88_200))
    assert bed[:, :20].max() < 0.002 > bed[:, -20:].max()
    assert bed[:, 30_000:60_000].max() > 0.1
