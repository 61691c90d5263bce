"""`size`, frame rates and frame counts."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanvideo.contract.model_card import COMMON_SIZES, limit
from wanvideo.contract.size import Size, exact_fps, frame_count, nearest, parse_size

LOW, HIGH = limit("size_min_side_px"), limit("size_max_side_px")
sides = st.integers(0, 99_999)


def works(size: Size) -> bool:
    try:
        return parse_size(str(size)) == size
    except ValueError:
        return False


@pytest.mark.parametrize("text", ["1280*720", "1280x720", "1280X720", "1280×720", " 1280 * 720 "])
def test_all_usual_spellings_are_read(text: str) -> None:
    assert parse_size(text) == Size(1280, 720)
    assert str(parse_size(text)) == "1280*720"


@pytest.mark.parametrize(
    "text", ["", "720", "720p", "1280*", "*720", "1280*720*3", "-2*4", "1e3*720", "12.5*720"]
)
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"write W\*H, for example 1280\*720"):
        parse_size(text)


@given(sides, sides)
def test_a_size_is_taken_exactly_when_it_is_inside_the_limits(width_px: int, height_px: int) -> None:
    inside = (
        width_px % 2 == 0
        and height_px % 2 == 0
        and min(width_px, height_px) >= LOW
        and max(width_px, height_px) <= HIGH
        and width_px * height_px <= limit("budget_1080p_px")
        and max(width_px, height_px) <= limit("size_max_aspect") * min(width_px, height_px)
    )
    assert works(Size(width_px, height_px)) is inside


@given(sides, sides)
def test_every_size_that_is_suggested_works(width_px: int, height_px: int) -> None:
    suggested = nearest(Size(width_px, height_px))
    assert len(suggested) == len(set(suggested)) == 3
    assert all(works(size) for size in suggested)


@given(st.integers(LOW // 2, 700), st.integers(LOW // 2, 700), st.booleans(), st.booleans())
def test_an_odd_size_is_told_its_even_neighbour_first(
    half_width: int, half_height: int, odd_width: bool, odd_height: bool
) -> None:
    even = Size(half_width * 2, half_height * 2)
    if works(even) and (odd_width or odd_height):
        assert nearest(Size(even.width_px + odd_width, even.height_px + odd_height))[0] == even


def test_a_size_that_is_too_large_is_told_one_of_the_same_shape() -> None:
    with pytest.raises(ValueError, match="more pixels") as refusal:
        parse_size("3840*2160")
    first = re.findall(r"\d+\*\d+", str(refusal.value))[1]
    assert first == "1920*1080"


@pytest.mark.parametrize(("tier", "sizes"), COMMON_SIZES.items())
def test_the_common_sizes_work_and_belong_to_their_tier(tier: str, sizes: tuple[str, ...]) -> None:
    for text in sizes:
        assert parse_size(text).resolution == tier


@pytest.mark.parametrize(
    ("fps", "exact"),
    [
        (23.976, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (24, Fraction(24)),
        (24.0, Fraction(24)),
        (30, Fraction(30)),
        (12.5, Fraction(25, 2)),
        (1, Fraction(1)),
        (60, Fraction(60)),
    ],
)
def test_a_rate_is_what_a_film_person_means_by_it(fps: float, exact: Fraction) -> None:
    assert exact_fps(fps) == exact


@given(st.floats(1, 60))
def test_an_exact_rate_is_never_far_from_what_was_asked(fps: float) -> None:
    assert abs(float(exact_fps(fps)) - fps) < 0.002
    assert exact_fps(fps).denominator <= 1001


@pytest.mark.parametrize(
    ("duration_s", "fps", "count"),
    [(4, 24, 96), (4, 23.976, 96), (2.5, 30, 75), (2, 1, 2), (15, 60, 900), (2.1, 1, 2)],
)
def test_a_clip_has_so_many_frames(duration_s: float, fps: float, count: int) -> None:
    assert frame_count(duration_s, exact_fps(fps)) == count


@given(st.floats(2, 15), st.floats(1, 60))
def test_a_clip_is_at_most_half_a_frame_off(duration_s: float, fps: float) -> None:
    rate = exact_fps(fps)
    assert abs(frame_count(duration_s, rate) - duration_s * float(rate)) <= 0.5 + 1e-6
