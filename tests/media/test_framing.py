"""Whatever the picture and the size, the plan gives the right shape within the limits and loses least."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wanvideo.media.framing import plan_framing

sides = st.integers(240, 9000)
shapes = st.sampled_from(
    [(1280, 720), (720, 1280), (1920, 1080), (960, 960), (832, 1104), (1470, 630), (640, 360)]
)


@given(width=sides, height=sides, shape=shapes, fit=st.sampled_from(["cover", "contain"]))
@example(width=240, height=8246, shape=(720, 1280), fit="contain")  # rounding went a pixel beyond
@example(width=240, height=8248, shape=(720, 1280), fit="contain")  # ... or fell one short
def test_the_plan_keeps_shape_and_limits(
    width: int, height: int, shape: tuple[int, int], fit: Literal["cover", "contain"]
) -> None:
    plan = plan_framing((width, height), shape, fit, min_side_px=240, max_side_px=8000)
    assert plan is not None
    left, top, right, bottom = plan.box
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert all(240 <= side <= 8000 for side in plan.canvas)
    # Right to within a pixel or two in either direction (each step rounds once).
    wanted_width = plan.canvas[1] * shape[0] / shape[1]
    wanted_height = plan.canvas[0] * shape[1] / shape[0]
    assert min(abs(plan.canvas[0] - wanted_width), abs(plan.canvas[1] - wanted_height)) <= 2
    if fit == "cover":
        assert plan.scaled == plan.canvas
        assert right - left == width or bottom - top == height  # one side stays whole
        assert abs((width - right) - left) <= 1  # in the middle
        assert abs((height - bottom) - top) <= 1
    else:
        assert plan.box == (0, 0, width, height)  # nothing is lost
        assert plan.scaled[0] == plan.canvas[0] or plan.scaled[1] == plan.canvas[1]
        assert plan.scaled[0] <= plan.canvas[0]
        assert plan.scaled[1] <= plan.canvas[1]


@given(width=sides, height=sides)
def test_a_picture_of_the_very_shape_is_never_touched(width: int, height: int) -> None:
    plan = plan_framing((width, height), (width, height), "cover", min_side_px=240, max_side_px=9000)
    assert plan is not None
    assert plan.is_unchanged


@pytest.mark.parametrize("shape", [(4000, 100), (100, 4000)])
def test_a_shape_that_no_picture_may_have_has_no_plan(shape: tuple[int, int]) -> None:
    assert plan_framing((500, 500), shape, "cover", min_side_px=240, max_side_px=8000) is None
