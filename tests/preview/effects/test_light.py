"""The hour of the day, flicker and fades."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.preview.effects.conftest import Take, band, blobs, plain, ramp

from wanvideo.preview.frames import to_frame
from wanvideo.preview.scene import Scene

BRIGHT = Take((), blobs())
BEFORE = to_frame(BRIGHT.picture)


def lit(token: str) -> Take:
    return replace(BRIGHT, tokens=(token,))


def test_night_falls_darker_and_cooler_step_by_step() -> None:
    means = [frame.luma.mean() for frame in lit("night").frames(0, 24, 48, 95)]
    assert means == sorted(means, reverse=True)
    assert means[-1] < 0.6 * means[0]
    last = lit("night").last()
    assert last.blue.mean() > BEFORE.blue.mean() + 3
    assert last.red.mean() < BEFORE.red.mean()
    assert last.luma.std() > 8  # still a picture


def test_a_dark_picture_is_not_made_black_by_night() -> None:
    dark = replace(lit("night"), picture=blobs() // 4)
    before = to_frame(dark.picture).luma.mean() - 16
    assert dark.last().luma.mean() - 16 > 0.6 * before


def test_black_stays_black_at_night() -> None:
    frame = replace(lit("night"), picture=plain(0), scene=Scene(ramp(), None, band(-0.2, 0.6))).last()
    assert frame.luma.min() == frame.luma.max() == 16
    assert np.abs(frame.blue.astype(int) - 128).max() <= 4


def test_a_sunset_warms() -> None:
    last = lit("sunset").last()
    assert last.red.mean() > BEFORE.red.mean() + 6
    assert last.blue.mean() < BEFORE.blue.mean() - 4


def test_green_leaves_stay_green_at_sunset() -> None:
    green = np.full((180, 320, 3), (50, 110, 45), np.uint8)
    frame = replace(lit("sunset"), picture=green).last()
    assert np.median(frame.red) < 128
    assert np.median(frame.blue) < 128


def test_dawn_is_cool_first_and_then_warm_and_light() -> None:
    early, late = lit("dawn").frames(36, 95)
    assert early.blue.mean() > BEFORE.blue.mean()
    assert late.red.mean() > BEFORE.red.mean() + 3
    assert late.luma.mean() > BEFORE.luma.mean() > early.luma.mean()


def test_flicker_wavers_slowly() -> None:
    means = np.array([frame.luma.mean() for frame in lit("flicker").frames(*range(24, 90))])
    assert means.std() > 1.5
    assert np.abs(np.diff(means)).max() < 8


def test_a_fade_in_begins_black_and_ends_untouched() -> None:
    first, last = lit("fade_in").frames(0, 60)
    assert [int(plane.max()) for plane in first.planes()] == [16, 128, 128]
    assert np.array_equal(last.luma, BEFORE.luma)


def test_a_fade_out_ends_black() -> None:
    early, last = lit("fade_out").frames(30, 95)
    assert np.array_equal(early.luma, BEFORE.luma)
    assert [int(plane.max()) for plane in last.planes()] == [16, 128, 128]
    assert [int(plane.min()) for plane in last.planes()] == [16, 128, 128]


@pytest.mark.parametrize("token", ["night", "sunset", "dawn", "flicker"])
def test_no_banding(token: str) -> None:
    """A soft gradient stays one: no step between neighbours that can be seen."""
    shade = np.linspace(40, 220, 320).astype(np.uint8)
    gradient = np.repeat(np.repeat(shade[None, :, None], 180, axis=0), 3, axis=2)
    last = replace(lit(token), picture=gradient).last()
    assert np.abs(np.diff(last.luma.astype(int), axis=1)).max() <= 3


def test_a_face_does_not_glow_at_sunset() -> None:
    """Skin that is lighter than all around it stays skin: no level jumps, no lantern orange."""
    portrait = np.full((180, 320, 3), (110, 100, 92), np.uint8)
    portrait[50:130, 120:200] = (205, 160, 135)
    before, last = to_frame(portrait), replace(lit("sunset"), picture=portrait).last()
    assert last.luma[60:120, 130:190].mean() < before.luma[60:120, 130:190].mean() + 6
    assert last.red[30:60, 65:95].mean() < before.red[30:60, 65:95].mean() + 16
