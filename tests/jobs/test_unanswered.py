"""What the times of submits and tasks allow, and how wrong a clock may be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.jobs.unanswered import FOG, HARBOUR, at, sent, task

from wanvideo.contract.job import TaskId
from wanvideo.jobs.likeness import Facts
from wanvideo.jobs.unanswered import MOST_SKEW


@pytest.mark.parametrize(
    ("made_s", "near", "reached", "may_own"),
    [
        (-901, False, False, False),
        (-899, False, False, True),
        (-3, False, False, True),
        (-2, True, True, True),
        (0.5, True, True, True),
        (11, True, True, True),  # lost after 1 s, and 10 s of slack
        (12, False, True, True),
        (85, False, True, True),  # the provider may still make it after 75 s, and slack
        (86, False, False, True),
        (974, False, False, True),
        (976, False, False, False),
    ],
)
def test_the_nearer_a_task_the_more_it_means(made_s: float, near: bool, reached: bool, may_own: bool) -> None:
    one, made = sent(), task(made_s)
    assert (one.near(made), one.reaches(made), one.may_own(made)) == (near, reached, may_own)


def test_a_minute_of_slack_is_what_a_clock_may_be_off() -> None:
    assert sent().reaches(task(-61), MOST_SKEW)
    assert sent().reaches(task(144), MOST_SKEW)
    assert not sent().reaches(task(-63), MOST_SKEW)


def test_a_clock_that_was_found_ahead_or_behind_is_allowed_for_and_a_right_one_as_well() -> None:
    """The submit may have been sent by another machine, whose clock is right."""
    ahead, behind = sent(ahead=timedelta(seconds=30)), sent(ahead=timedelta(seconds=-30))
    assert [ahead.near(task(made_s)) for made_s in (-33, -32, 11, 12)] == [False, True, True, False]
    assert [behind.near(task(made_s)) for made_s in (-3, -2, 41, 42)] == [False, True, True, False]
    assert ahead.near(task(-32, ended_at=at(-29)))
    assert not ahead.near(task(-32, ended_at=at(-31)))


def test_a_task_that_was_over_before_is_not_taken_but_may_be_its_own_by_a_wrong_clock() -> None:
    over = task(-1.5, ended_at=at(-0.5))
    assert not sent().near(over)
    assert not sent().reaches(over)
    assert sent().reaches(over, MOST_SKEW)
    assert sent().may_own(over)


def test_a_submit_that_was_found_lost_hours_later_died_at_once() -> None:
    """But the clock may have been set forward meanwhile, so any task until then is in doubt."""
    died = sent(0, 7200)
    assert not died.near(task(200))
    assert not died.reaches(task(200))
    assert died.may_own(task(7200 + 800))
    assert not died.may_own(task(7200 + 1000))


def test_what_was_made_after_its_time_by_the_providers_own_clock_is_not_its_own() -> None:
    bounded = sent(latest_at=at(135))
    assert bounded.may_own(task(134))
    assert not bounded.may_own(task(136))


def test_a_task_without_a_clip_may_be_anybodys() -> None:
    assert not sent().may_own(task(1, free=True))


def test_other_words_are_no_candidate_and_the_same_words_fit() -> None:
    assert not sent().may_own(task(1, facts=FOG))
    assert sent().may_own(task(1, facts=HARBOUR))
    assert sent().fits(task(1, facts=HARBOUR))
    assert not sent().fits(task(1))
    assert not sent().fits(task(100, facts=HARBOUR))
    assert sent().fits(task(100, facts=HARBOUR), MOST_SKEW)


def test_nearly_the_same_words_are_a_candidate_that_does_not_fit() -> None:
    almost = task(1, facts=Facts("a harbour!", 2, "720P", True))
    longer = task(1, facts=Facts("a harbour", 5, "720P", True))
    for doubtful in (almost, longer):
        assert sent(facts=Facts("a harbour", 2, "720P", True)).may_own(doubtful)
    assert not sent().fits(longer)


def test_what_was_let_go_is_not_given_again() -> None:
    assert not sent(let_go=frozenset({TaskId("task-1")})).fits(task(1, facts=HARBOUR))


@pytest.mark.parametrize(
    ("more", "tells"),
    [({}, True), ({"facts": HARBOUR}, False), ({"free": True}, False), ({"silent": True}, False)],
)
def test_a_task_tells_more_while_it_runs(more: dict[str, Any], tells: bool) -> None:
    assert task(1, **more).will_tell is tells
