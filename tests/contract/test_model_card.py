"""Each fact of the model says where it was read and when."""

from __future__ import annotations

from datetime import date

import pytest

from wanvideo.contract.model_card import CARD, COMMON_SIZES, MODEL, NOT_IN_VENDOR_PAGE, REGIONS, limit
from wanvideo.contract.request import VideoRequest


@pytest.mark.parametrize("name", CARD)
def test_every_limit_has_a_source_and_a_day(name: str) -> None:
    fact = CARD[name]
    assert fact.source == "wanvideo" or fact.source.startswith("help.aliyun.com/")
    assert date(2026, 1, 1) <= date.fromisoformat(fact.read_on)
    assert limit(name) == fact.value


def test_an_unknown_limit_is_an_error() -> None:
    with pytest.raises(KeyError):
        limit("prompt_max_words")


def test_the_one_model() -> None:
    assert MODEL == "wan2.6-i2v-flash"
    assert VideoRequest.model_fields["model"].default == MODEL


def test_pairs_of_limits_are_in_order() -> None:
    for low, high in (
        ("duration_min_s", "duration_max_s"),
        ("fps_min", "fps_max"),
        ("image_min_side_px", "image_max_side_px"),
        ("size_min_side_px", "size_max_side_px"),
        ("budget_720p_px", "budget_1080p_px"),
    ):
        assert limit(low) < limit(high)


def test_common_sizes_fill_their_budget() -> None:
    for tier, sizes in COMMON_SIZES.items():
        budget = limit(f"budget_{tier.lower()}_px")
        for size in sizes:
            width, height = map(int, size.split("*"))
            assert 0.97 * budget <= width * height <= budget, size


def test_the_fields_that_are_made_true_locally_are_ours() -> None:
    assert set(NOT_IN_VENDOR_PAGE) <= set(VideoRequest.model_fields)


def test_regions_are_https() -> None:
    assert all(url.startswith("https://") and url.endswith("/api/v1") for url in REGIONS.values())
