"""What a clip costs, exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanvideo.contract.model_card import REGIONS
from wanvideo.contract.price import FREE, PRICE_CNY_PER_S, Cost, cost_of


@pytest.mark.parametrize(
    ("region", "resolution", "sound", "seconds", "cny"),
    [
        ("beijing", "720P", True, 5, "1.5"),
        ("beijing", "720P", False, 5, "0.75"),
        ("beijing", "1080P", True, 15, "7.5"),
        ("beijing", "1080P", False, 2, "0.5"),
        ("singapore", "720P", True, 5, "1.834810"),
        ("singapore", "1080P", False, 3, "0.825663"),
    ],
)
def test_the_price_list_of_the_vendor(
    region: str, resolution: str, sound: bool, seconds: int, cny: str
) -> None:
    assert cost_of(region, resolution, sound, seconds).cny == Decimal(cny)


def test_every_region_resolution_and_sound_has_a_price() -> None:
    assert {(r, p, s) for r in REGIONS for p in ("720P", "1080P") for s in (True, False)} == set(
        PRICE_CNY_PER_S
    )


@given(st.sampled_from(sorted(PRICE_CNY_PER_S)), st.integers(1, 14))
def test_a_longer_clip_costs_more_and_yuan_are_exact(key: tuple[str, str, bool], seconds: int) -> None:
    assert cost_of(*key, seconds).cny < cost_of(*key, seconds + 1).cny
    assert cost_of(*key, seconds).cny == sum([PRICE_CNY_PER_S[key]] * seconds)


def test_a_region_without_a_price_is_an_error_not_a_guess() -> None:
    with pytest.raises(KeyError):
        cost_of("virginia", "720P", True, 5)


def test_money_in_words() -> None:
    assert str(cost_of("beijing", "720P", True, 5)) == "about ¥1.50"
    assert str(cost_of("beijing", "720P", True, 5, basis="usage")) == "¥1.50"
    assert str(FREE) == "free"
    assert Cost(Decimal("1.5"), 5, "usage").as_json() == {"cny": 1.5, "billed_s": 5, "basis": "usage"}
