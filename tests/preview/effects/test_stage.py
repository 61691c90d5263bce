"""What holds for every effect: asked or absent, the first frame untouched, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.preview.effects.conftest import Take, band, blobs, plain, ramp, same

from wanvideo.preview.effects.stamps import Sheet, Stamps
from wanvideo.preview.frames import to_frame
from wanvideo.preview.picture import Pixels
from wanvideo.preview.plan import EFFECTS, LIGHTS
from wanvideo.preview.scene import Scene

EVERYWHERE = Scene(ramp(), None, band(-0.2, 0.5), band(0.5, 1.2))
ALL = EFFECTS + LIGHTS
MIDDLE = 50


def take(*tokens: str) -> Take:
    return Take(tokens, blobs(), scene=EVERYWHERE)


@pytest.mark.parametrize("token", [token for token in ALL if token != "fade_in"])
def test_the_first_frame_stays_the_reference(token: str) -> None:
    assert same(take(token).frame(0), to_frame(blobs()))


@pytest.mark.parametrize("token", [token for token in ALL if not token.startswith("fade")])
def test_every_word_has_its_effect_and_without_it_nothing_changes(token: str) -> None:
    untouched = to_frame(blobs())
    assert not same(take(token).frame(MIDDLE), untouched)
    assert same(take().frame(MIDDLE), untouched)


@pytest.mark.parametrize("token", ALL)
def test_the_same_seed_gives_the_same_bytes(token: str) -> None:
    assert same(take(token).frame(MIDDLE), take(token).frame(MIDDLE))


@pytest.mark.parametrize("token", ["snow", "rain", "fog", "embers", "petals", "water", "flicker"])
def test_another_seed_gives_another_clip(token: str) -> None:
    assert not same(take(token).frame(MIDDLE), replace(take(token), seed=8).frame(MIDDLE))


def test_what_one_effect_draws_does_not_change_another() -> None:
    """Fog over the same snow: the flakes are where they were."""
    alone = replace(take("snow"), picture=plain(40)).frame(MIDDLE).luma
    with_light = replace(take("snow", "flicker"), picture=plain(40)).frame(MIDDLE).luma
    brightest = np.argsort(alone, axis=None)[-200:]
    assert with_light.reshape(-1)[brightest].min() > np.median(with_light) + 30


@pytest.mark.parametrize("token", ALL)
def test_a_moment_looks_the_same_at_any_frame_rate(token: str) -> None:
    slow, fast = replace(take(token), fps=12, duration_s=5), replace(take(token), fps=60, duration_s=5)
    first, second = slow.frame(24), fast.frame(120)
    for pair in zip(first.planes(), second.planes(), strict=True):
        assert np.abs(pair[0].astype(int) - pair[1]).mean() < 1.0  # the hours go by share, and differ by 1/60


@pytest.mark.parametrize("size", [(180, 320), (642, 362), (322, 182), (16, 16)])
def test_every_size_works(size: tuple[int, int]) -> None:
    wide = replace(take(*ALL), picture=blobs(*size))
    for frame in wide.frames(0, 7, MIDDLE, 95):
        assert frame.luma.shape == size[::-1]
        assert frame.luma.max() <= 235
        assert frame.luma.min() >= 16


def test_with_a_strength_of_0_nothing_moves_and_the_stage_says_so() -> None:
    still = replace(take("snow", "clouds", "flicker"), strength=0)
    assert same(still.frame(MIDDLE), to_frame(blobs()))
    assert still.stage().notes == ("The motion strength is 0, so these are left out: snow, clouds, flicker.",)


def test_light_still_changes_with_a_strength_of_0() -> None:
    assert replace(take("night"), strength=0).last().luma.mean() < to_frame(blobs()).luma.mean() - 20


def test_what_is_not_in_the_picture_does_not_flow_and_the_stage_says_so() -> None:
    dry = replace(take("water", "clouds"), scene=Scene(ramp()))
    assert same(dry.frame(MIDDLE), to_frame(blobs()))
    assert dry.stage().notes == (
        "No water was found in the picture, so it does not flow.",
        "No sky was found in the picture, so its clouds do not drift.",
    )
    assert take("water", "clouds").stage().notes == ()


def test_more_motion_makes_more_snow() -> None:
    def flakes(strength: float) -> float:
        return float(replace(take("snow"), picture=plain(40), strength=strength).frame(MIDDLE).luma.mean())

    assert flakes(0.1) < flakes(0.5) < flakes(1.0)


def test_one_frame_is_enough() -> None:
    assert same(replace(take(*ALL[:-2]), duration_s=1 / 24).frame(0), to_frame(blobs()))


@pytest.mark.parametrize("token", ["snow", "rain", "embers"])
def test_a_dense_effect_still_touches_only_a_small_part_of_the_frame(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cost of flakes and drops is what they cover: counted, since a clock would judge the machine."""
    touched: list[int] = []
    lay = Sheet.lay

    def counted(sheet: Sheet, stamps: Stamps, plane: Pixels, level: float) -> None:
        touched.append(stamps.index.size)
        lay(sheet, stamps, plane, level)

    monkeypatch.setattr(Sheet, "lay", counted)
    dense = replace(take(token), picture=plain(40, 1280, 720), strength=1.0)
    dense.frame(MIDDLE)
    assert 2_000 < sum(touched) < 0.12 * 1280 * 720
