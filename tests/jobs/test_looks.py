"""Which task is asked about next, and when: pure arithmetic, on curves that are known."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wanvideo.contract.job import JobId, TaskId
from wanvideo.jobs.latency import LOOKS_PER_CLIP, Curve, curve
from wanvideo.jobs.looks import LIST_WORTH, LONGEST_UNSEEN_S, MOST_PAGES, PAGE, Look, Looks
from wanvideo.ports import Pace, RunningTask

START_AT = datetime(2026, 1, 1, tzinfo=UTC)
START_S = START_AT.timestamp()
PACE = Pace(75, 15, 3, queries_per_s=15)
KIND = ("720P", 5)
MINUTE = curve(list(60 * np.exp(0.25 * np.random.default_rng(1).standard_normal(200))), PACE)
BUDGET_PER_S = 15.0


def task(name: str, submitted_s: float, *, resolution: str = "720P", seen: str | None = None) -> RunningTask:
    """Submitted that many seconds after the start."""
    return RunningTask(
        JobId(name), TaskId(f"t-{name}"), resolution, 5, START_AT + timedelta(seconds=submitted_s), seen
    )


def looks_at(tasks: Iterable[RunningTask], now_s: float = 0.0, learned: Curve = MINUTE) -> Looks:
    """Steady time starts with the wall's."""
    looks = Looks()
    looks.replace(tasks, now_s, START_S + now_s)
    looks.learn({KIND: learned})
    return looks


def next_look(looks: Looks, now_s: float) -> tuple[float, Look]:
    """Waits until a look is due, as the watch does."""
    for _ in range(10_000):
        wait_s = looks.wait_s(now_s)
        if wait_s == 0:
            look = looks.best(now_s)
            assert look is not None
            return now_s, look
        now_s += wait_s
    raise AssertionError("no look ever comes")


# --- one task ---


def test_nothing_runs_and_nothing_is_looked_at() -> None:
    assert looks_at([]).best(1000) is None


def test_a_task_is_first_looked_at_when_it_may_have_ended() -> None:
    at_s, look = next_look(looks_at([task("a", 0)]), 0)
    assert look.jobs == ("a",)
    assert not look.is_list
    assert 20 < at_s < 50


def test_one_clip_takes_about_as_many_looks_as_are_meant() -> None:
    looks, at_s, ages = looks_at([task("a", 0)]), 0.0, list[float]()
    while at_s < 60:
        at_s, look = next_look(looks, at_s)
        looks.looked(look.jobs, at_s)
        ages.append(at_s)
    assert len(ages) == pytest.approx(LOOKS_PER_CLIP, abs=4)
    assert np.diff(ages).min() > 0.2


@pytest.mark.parametrize("now_s", [0.0, 10.0, 30.0])
def test_the_wait_ends_when_a_look_is_worth_its_price(now_s: float) -> None:
    looks = looks_at([task("a", 0)])
    wait_s = looks.wait_s(now_s)
    assert wait_s > 0
    if wait_s < 30:
        assert looks.best(now_s + wait_s) is not None
        assert looks.best(now_s + wait_s * 0.97 - 0.05) is None


def test_a_task_whose_kind_is_not_known_yet_is_waited_for() -> None:
    looks = looks_at([task("a", 0), task("b", 0, resolution="1080P")])
    assert looks.kinds() == {KIND, ("1080P", 5)}
    assert not looks.knows_all()
    looks.learn({("1080P", 5): MINUTE})
    assert looks.knows_all()


def test_a_provider_on_this_machine_is_asked_about_each_task_as_often_as_it_says() -> None:
    looks = Looks(every_s=3)
    looks.replace([task("a", 0), task("b", 1)], 1, START_S + 1)
    looks.learn({KIND: MINUTE})
    assert looks.wait_s(1) == pytest.approx(2)
    assert looks.best(3) == Look((JobId("a"),), 0, 0)
    looks.looked([JobId("a")], 3)
    assert looks.wait_s(3) == pytest.approx(1)
    assert looks.best(4) == Look((JobId("b"),), 0, 0)


# --- the list ---


def test_a_list_is_asked_for_once_it_is_worth_more_than_a_fetch() -> None:
    few = [next_look(looks_at([task("a", 0)]), 0)]
    many = looks_at([task(f"j{number}", number) for number in range(30)])
    at_s, look = next_look(many, 30)
    assert look.is_list
    assert at_s < few[0][0] + 15
    lag_s = many._times.lag_s(at_s)
    order = many._times.jobs(0, len(many))
    told = [order.index(job_id) for job_id in look.jobs]
    assert lag_s[told].sum() > LIST_WORTH * lag_s.max()


def test_tasks_that_were_made_together_are_looked_at_more_often_for_the_same_number_of_requests() -> None:
    """One list serves them all: each is seen sooner, and each still costs few requests."""
    looks = looks_at([task(f"j{number}", 0) for number in range(50)])
    at_s, looked = 0.0, list[float]()
    while at_s < 60:
        at_s, look = next_look(looks, at_s)
        looks.looked(look.jobs, at_s)
        looked.append(at_s)
    assert len(looked) < 50 * LOOKS_PER_CLIP
    between_s = np.diff([at_s for at_s in looked if at_s > 45])
    assert between_s.max() <= 1.05


@pytest.mark.parametrize("per_s", [0.5, 2])
def test_a_list_covers_no_more_than_a_page(per_s: float) -> None:
    looks = looks_at([task(f"j{number}", number / per_s) for number in range(600)], 600 / per_s)
    _, look = next_look(looks, 600 / per_s + 60)
    assert look.is_list
    assert look.lines <= PAGE
    assert len(look.jobs) <= PAGE
    assert look.last_s - look.first_s < PAGE / per_s + 2 * 10


def test_so_many_of_one_second_that_a_page_does_not_hold_them_come_on_several() -> None:
    looks = looks_at([task(f"j{number}", number / 1000) for number in range(250)])
    _, look = next_look(looks, 60)
    assert len(look.jobs) > PAGE
    assert look.lines <= PAGE * MOST_PAGES


def test_more_of_one_second_than_all_pages_hold_are_still_looked_at() -> None:
    looks = looks_at([task(f"j{number}", 0) for number in range(2000)])
    at_s, seen = 60.0, set[JobId]()
    for _ in range(10_000):
        at_s, look = next_look(looks, at_s)
        newest_first = look.jobs[::-1][: PAGE * MOST_PAGES]  # whatever is asked for, pages hold no more
        looks.looked(newest_first, at_s)
        seen.update(newest_first)
        at_s += 1 / BUDGET_PER_S
        if len(seen) == 2000:
            break
    assert len(seen) == 2000


def test_other_programs_tasks_on_the_page_leave_less_room_for_ours() -> None:
    tasks = [task(f"j{number}", number) for number in range(200)]
    looks = looks_at(tasks, 200)
    _, look = next_look(looks, 230)
    for _ in range(40):
        looks.listed(look, 3 * look.lines)
    looks.learn({KIND: MINUTE})
    _, crowded = next_look(looks, 230)
    assert len(crowded.jobs) < len(look.jobs) / 2
    for _ in range(80):
        looks.listed(look, look.lines)
    looks.learn({KIND: MINUTE})
    assert len(next_look(looks, 230)[1].jobs) >= len(look.jobs) - 2, "and it is taken back once they are gone"


def test_what_the_list_told_makes_the_window_exact() -> None:
    """The provider's clock is three seconds ahead of ours; a window by our times would cut some off."""
    looks = looks_at([task(f"j{number}", number) for number in range(40)], 40)
    _, before = next_look(looks, 70)
    assert before.first_s < START_S + 3
    for number in range(40):
        looks.created(JobId(f"j{number}"), START_S + number + 3.0)
    looks.replace([*(task(f"j{number}", number) for number in range(40)), task("new", 50)], 70, START_S + 70)
    _, look = next_look(looks, 100)
    first, last = look.jobs[0], look.jobs[-1]
    assert look.first_s == pytest.approx(START_S + int(first[1:]) + 3)
    assert "new" in look.jobs or look.last_s == pytest.approx(START_S + int(last[1:]) + 3)
    looks.looked([JobId(f"j{number}") for number in range(40)], 100)
    index = looks._times.jobs(0, len(looks)).index(JobId("new"))
    times = looks._times
    assert times.to_s[index] - times.from_s[index] <= 0.2, "what was learned holds for the next one too"


def test_a_list_that_fails_is_replaced_by_fetches_for_a_while_and_longer_each_time() -> None:
    looks = looks_at([task(f"j{number}", 0) for number in range(20)])
    at_s, look = next_look(looks, 60)
    assert look.is_list
    looks.list_failed(at_s)
    assert not next_look(looks, at_s)[1].is_list
    assert next_look(looks, at_s + 2.1)[1].is_list
    for _ in range(12):
        looks.list_failed(at_s)
    assert not next_look(looks, at_s + 250)[1].is_list
    assert next_look(looks, at_s + 301)[1].is_list, "a list that works again is found again"
    looks.listed(look, look.lines)
    looks.list_failed(at_s)
    assert next_look(looks, at_s + 2.1)[1].is_list


# --- claims ---


def test_what_was_looked_at_rests_and_what_told_nothing_keeps_its_claim() -> None:
    looks = looks_at([task("a", 0), task("b", 0)])
    at_s, look = next_look(looks, 0)
    claims = looks.looked(look.jobs, at_s)
    assert looks.best(at_s) is None or looks.best(at_s) != look
    looks.unlooked(claims)
    assert looks.best(at_s) == look


def test_a_claim_on_a_task_that_has_gone_is_dropped() -> None:
    looks = looks_at([task("a", 0), task("b", 0)])
    claims = looks.looked([JobId("a"), JobId("b")], 60)
    looks.ended([JobId("a")])
    looks.unlooked(claims)
    assert len(looks) == 1
    assert looks.task(JobId("a")) is None
    assert looks.of_task(TaskId("t-a")) is None
    assert looks.of_task(TaskId("t-b")) == looks.task(JobId("b"))
    assert looks.looked([JobId("a")], 61) == {}


def test_a_task_that_no_list_shows_is_fetched_alone() -> None:
    looks = looks_at([task(f"j{number}", 0) for number in range(30)])
    looks.alone([JobId("j7"), JobId("gone")])
    at_s, alone = 50.0, 0
    for _ in range(200):
        at_s, look = next_look(looks, at_s)
        looks.looked([job_id for job_id in look.jobs if not look.is_list or job_id != "j7"], at_s)
        alone += look.jobs == ("j7",)
        at_s += 1 / BUDGET_PER_S
    assert alone > 3


def test_a_job_that_has_a_new_task_is_looked_at_anew() -> None:
    """The provider's trouble sent it back and it was made again, all between two reads of the ledger."""
    looks = looks_at([task("a", 0)])
    looks.looked([JobId("a")], 60)
    newer = RunningTask(JobId("a"), TaskId("t-2"), "720P", 5, START_AT + timedelta(seconds=59), None)
    looks.replace([newer], 60, START_S + 60)
    assert looks.task(JobId("a")) == newer
    assert looks.of_task(TaskId("t-a")) is None
    assert looks.age_s(JobId("a"), 60) == pytest.approx(1)
    assert looks.best(60) is None


def test_what_was_seen_of_tasks_that_stay_is_kept_when_others_come_and_go() -> None:
    looks = looks_at([task("a", 0), task("b", 0)])
    looks.looked([JobId("a")], 60)
    looks.replace([task("a", 0), task("c", 60)], 60.05, START_S + 60.05)
    assert looks.best(60.05) is None
    assert next_look(looks, 60.05)[1].jobs == ("a",)


# --- clocks ---


@pytest.mark.parametrize("jump_s", [-7200.0, -59.0, 59.0, 7200.0])
def test_a_clock_that_is_set_changes_nothing_for_tasks_that_are_known(jump_s: float) -> None:
    looks, undisturbed = looks_at([task("a", 0)]), looks_at([task("a", 0)])
    looks.replace([task("a", 0)], 10, START_S + 10 + jump_s)
    assert looks.wait_s(10) == undisturbed.wait_s(10)
    looks.replace([task("a", 0), task("b", 10 + jump_s)], 10, START_S + 10 + jump_s)
    assert looks.age_s(JobId("b"), 10) == 0, "one that was submitted by the new time is young all the same"


def test_a_task_from_the_future_is_young_and_looked_at_in_time() -> None:
    """This machine's clock is behind that of the one that submitted it, or was set back."""
    looks = Looks()
    looks.replace([task("a", 3600)], 100, START_S)
    looks.learn({KIND: MINUTE})
    at_s, _ = next_look(looks, 100)
    assert at_s < 150


# --- nobody is forgotten ---


@settings(deadline=None, max_examples=6, derandomize=True)
@given(
    ages_s=st.lists(st.floats(0, 30_000), min_size=1, max_size=60),
    unlisted=st.sets(st.integers(0, 59), max_size=5),
    seed=st.integers(0, 3),
)
def test_every_running_task_is_looked_at_again(ages_s: list[float], unlisted: set[int], seed: int) -> None:
    """Young or stuck for hours, on the list or not: within the budget of queries nobody starves."""
    learned = curve(list(60 * np.exp(0.5 * np.random.default_rng(seed).standard_normal(30))), PACE)
    looks = looks_at([task(f"j{number}", -age_s) for number, age_s in enumerate(ages_s)], learned=learned)
    hidden = {JobId(f"j{number}") for number in unlisted}
    last_s = {JobId(f"j{number}"): 0.0 for number in range(len(ages_s))}
    for at_s in np.arange(0, 2.5 * LONGEST_UNSEEN_S, 5 / BUDGET_PER_S):
        look = looks.best(float(at_s))
        if look is None:
            continue
        told = [job_id for job_id in look.jobs if not look.is_list or job_id not in hidden]
        looks.looked(told, float(at_s))
        if look.is_list:
            looks.alone(hidden.intersection(look.jobs))
        last_s.update(dict.fromkeys(told, float(at_s)))
        assert at_s - min(last_s.values()) < LONGEST_UNSEEN_S + 60
