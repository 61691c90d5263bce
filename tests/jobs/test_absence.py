"""Two lists prove that nothing was made that anybody pays for: how far apart, by which clock, beside what."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.fakes.bench import Bench
from tests.jobs.losing import idle, look, lost

from wanvideo.contract.job import Job, State
from wanvideo.errors import ProviderUnavailable, Throttled

FOG = "a mountain in the fog"


async def proved_s(bench: Bench, job: Job, *, most_s: float = 400) -> float:
    """Seconds, by the steady clock, until the job is back in the queue; looked at every five."""
    began_s = bench.clock.steady_s()
    while (await bench.job(job)).state is State.UNCERTAIN and bench.clock.steady_s() - began_s < most_s:
        await look(bench, job)
        await bench.clock.advance(5)
    return float(bench.clock.steady_s() - began_s - 5)


async def proof(bench: Bench, job: Job) -> dict[str, Any]:
    (event,) = [event for event in await bench.ledger.events(job.id) if event.event == "proved_absent"]
    return event.data


def set_clock(bench: Bench, seconds: float) -> None:
    """Set this machine's clock; the provider's goes on as it went."""
    bench.clock.jump(seconds)
    bench.provider.ahead_s -= seconds


# --- how far apart ---


@pytest.mark.parametrize(
    ("gap_s", "reach_s", "after_s"), [(30, 75, 75), (100, 75, 100), (30, 10, 30), (0, 0, 0)]
)
async def test_the_second_list_comes_after_the_gap_and_after_the_submits_reach(
    bench: Bench, gap_s: float, reach_s: float, after_s: float
) -> None:
    bench.shop = replace(
        bench.shop, rules=replace(bench.shop.rules, absence_gap_s=gap_s, submit_reach_s=reach_s)
    )
    bench.new_worker()
    job = await lost(bench, "lost_without_task")
    assert await proved_s(bench, job) == after_s
    assert len(bench.provider.sent) == 1
    assert (await bench.drive(job)).state is State.SUCCEEDED


async def test_the_time_that_the_submit_was_out_counts(bench: Bench) -> None:
    """One that timed out after a minute has nearly reached as far as it can."""
    job = await bench.submit()
    slow = bench.provider.create

    async def timing_out(body: dict[str, Any]) -> Any:
        await bench.clock.advance(60)
        return await slow(body)

    bench.provider.create = timing_out  # type: ignore[method-assign, assignment]
    bench.provider.creates = ["lost_without_task"]
    await bench.round()
    assert await proved_s(bench, job) == 30


async def test_a_restart_begins_the_proof_anew(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    for _ in range(14):
        await look(bench, job)
        await bench.clock.advance(5)
    bench.new_worker()
    assert await proved_s(bench, job) == 75


async def test_two_processes_do_not_add_up_their_lists(bench: Bench) -> None:
    """Each has its own steady clock, and neither knows the other's."""
    other = bench.beside()
    job = await lost(bench, "lost_without_task")
    for _ in range(14):
        await look(bench, job)
        await bench.clock.advance(5)
    assert await proved_s(other, job) == 75


async def test_a_task_that_comes_up_in_between_begins_the_proof_anew(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    for _ in range(12):
        await look(bench, job)
        await bench.clock.advance(5)
    bench.provider.stranger(FOG)  # too late to be adopted at first sight
    assert await proved_s(bench, job) == 20 + 75


async def test_a_task_that_is_listed_late_is_found_within_the_proofs_distance(bench: Bench) -> None:
    for lag_s in (5, 29, 74):
        bench.provider.list_lag_s = lag_s
        job = await lost(bench, "lost_with_task", prompt=f"lag {lag_s}")
        done = await bench.drive(job)
        assert done.state is State.SUCCEEDED
        assert "proved_absent" not in await bench.history(job.id)
    assert len(bench.provider.sent) == 3


async def test_lists_that_fail_in_between_only_delay_the_proof(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    await look(bench, job)
    bench.provider.lists = [Throttled("429"), ProviderUnavailable("502"), ProviderUnavailable("a hole")]
    await idle(bench, 74)
    assert len(bench.provider.sent) == 1
    assert (await bench.drive(job)).state is State.SUCCEEDED
    assert len(bench.provider.sent) == 2


# --- by which clock ---


@pytest.mark.parametrize("seconds", [50, -50])
async def test_a_clock_that_is_set_a_little_changes_nothing(bench: Bench, seconds: float) -> None:
    job = await lost(bench, "lost_without_task")
    await look(bench, job)
    set_clock(bench, seconds)
    assert await proved_s(bench, job) == 75


@pytest.mark.parametrize("seconds", [7200, 61, -61, -7200])
async def test_a_clock_that_is_far_off_proves_nothing_until_it_is_right_again(
    bench: Bench, seconds: float
) -> None:
    job = await lost(bench, "lost_without_task")
    await look(bench, job)
    set_clock(bench, seconds)
    await bench.clock.advance(80)
    now = await look(bench, job)
    assert now.state is State.UNCERTAIN
    assert "the clock was set back" in str(now.note) or "this clock is" in str(now.note)
    assert f"wanvideo jobs resolve {job.id}" in str(now.note)
    set_clock(bench, -seconds)
    assert await proved_s(bench, job) == 75


async def test_a_clock_that_was_set_back_while_the_submit_was_out_proves_nothing(bench: Bench) -> None:
    """It was ahead when the attempt was written down: the list is asked about a time yet to come."""
    job = await bench.submit()
    honest = bench.provider.create

    async def corrected(body: dict[str, Any]) -> Any:
        bench.clock.jump(-7200)
        return await honest(body)

    bench.provider.create = corrected  # type: ignore[method-assign, assignment]
    bench.provider.creates = ["lost_with_task"]
    await bench.round()
    for wait_s in (300, 7200):  # at last the hour that was written down has come
        await bench.clock.advance(wait_s)
        await idle(bench, 200)
        now = await bench.job(job)
        assert (now.state, len(bench.provider.sent)) == (State.UNCERTAIN, 1)
        assert "the clock was set back" in str(now.note)


@pytest.mark.parametrize("ahead_s", [7200, 300, -300, -7200])
async def test_a_clock_that_was_far_off_and_is_put_right_later_still_finds_its_task(
    bench: Bench, ahead_s: float
) -> None:
    """The first look compares it with the provider's; from then on the list is asked about the right time."""
    set_clock(bench, ahead_s)
    make = bench.provider.make_task

    def made(body: dict[str, Any]) -> Any:
        task = make(body)
        task.created_at -= timedelta(seconds=ahead_s)
        return task

    bench.provider.make_task, bench.provider.takes_s = made, 1e6  # type: ignore[method-assign]
    now = await lost(bench, "lost_with_task")
    await look(bench, now)
    set_clock(bench, -ahead_s)
    for _ in range(10):
        if now.state is State.UNCERTAIN:
            now = await look(bench, now)
            await bench.clock.advance(20)
    assert (now.state, now.task_id, len(bench.provider.sent)) == (State.RUNNING, "task-1", 1)


async def test_a_clock_that_was_ahead_and_was_put_right_by_a_restart_proves_nothing(bench: Bench) -> None:
    """Nobody knows when the attempt was really made, not even when the hour that it names has come."""
    bench.clock.jump(7200)
    job = await lost(bench, "lost_with_task")
    bench.clock.jump(-7200)
    bench.new_worker()
    for task in bench.provider.tasks.values():
        task.created_at -= timedelta(seconds=7200)
    for wait_s in (20, 20, 80, 8000, 80, 80):
        now = await look(bench, job)
        assert (now.state, len(bench.provider.sent)) == (State.UNCERTAIN, 1)
        assert "the clock was set back" in str(now.note)
        await bench.clock.advance(wait_s)


async def test_a_clock_that_was_set_forward_while_the_submit_was_out_hides_no_task(bench: Bench) -> None:
    """It was behind when the attempt was written down: by its time, the task is two hours late."""
    job = await bench.submit()
    honest = bench.provider.create

    async def corrected(body: dict[str, Any]) -> Any:
        bench.clock.jump(7200)
        return await honest(body)

    bench.provider.create = corrected  # type: ignore[method-assign, assignment]
    bench.provider.creates = ["lost_with_task"]
    await bench.round()
    await idle(bench, 300)
    now = await bench.job(job)
    assert (now.state, len(bench.provider.sent)) == (State.UNCERTAIN, 1)
    assert "task-1" in str(now.note)


@pytest.mark.parametrize("ahead_s", [45, 20, 5, -5, -20, -45])
async def test_a_clock_that_is_a_little_off_finds_its_task_by_itself(bench: Bench, ahead_s: float) -> None:
    """The first look that finds nothing to adopt asks the provider for its time."""
    bench.provider.ahead_s = -ahead_s
    job = await bench.submit()
    make = bench.provider.make_task

    def made(body: dict[str, Any]) -> Any:
        task = make(body)
        task.created_at -= timedelta(seconds=ahead_s)
        return task

    bench.provider.make_task = made  # type: ignore[method-assign]
    bench.provider.creates = ["lost_with_task"]
    done = await bench.drive(job)
    assert (done.state, done.task_id) == (State.SUCCEEDED, "task-1")
    assert len(bench.provider.sent) == 1


async def test_a_time_that_is_far_off_does_not_bound_what_may_be_ours(bench: Bench) -> None:
    """A proxy told the first time. By that, the task that is listed a little later would come too late."""
    bench.provider.ahead_s, bench.provider.list_lag_s = -600, 5
    job = await lost(bench, "lost_with_task")
    assert "this clock is 600 s off" in str((await look(bench, job)).note)
    bench.provider.ahead_s = 0
    done = await bench.drive(job)
    assert (done.task_id, len(bench.provider.sent)) == ("task-1", 1)


async def test_a_provider_that_does_not_tell_its_time_is_taken_at_its_word(bench: Bench) -> None:
    async def silent() -> datetime | None:
        return None

    bench.provider.ping = silent  # type: ignore[method-assign]
    job = await lost(bench, "lost_without_task")
    assert await proved_s(bench, job) == 75


async def test_a_provider_that_cannot_be_asked_for_its_time_proves_nothing(bench: Bench) -> None:
    async def away() -> datetime | None:
        raise ProviderUnavailable("504")

    honest, bench.provider.ping = bench.provider.ping, away  # type: ignore[method-assign]
    job = await lost(bench, "lost_without_task")
    await idle(bench, 200)
    assert (await bench.job(job)).note == (
        f"looking for the task: 504 To decide yourself: `wanvideo jobs resolve {job.id}`"
    )
    bench.provider.ping = honest  # type: ignore[method-assign]
    assert (await bench.drive(job)).state is State.SUCCEEDED


# --- beside what ---


async def test_strangers_beside_it_are_no_obstacle(bench: Bench) -> None:
    for _ in range(3):
        bench.provider.stranger(FOG)
        await bench.clock.advance(40)
    job = await lost(bench, "lost_without_task")
    done = await bench.drive(job)
    assert done.state is State.SUCCEEDED
    assert sorted((await proof(bench, job))["strangers"]) == ["task-1", "task-2", "task-3"]
    assert len(bench.provider.sent) == 2


async def test_on_a_busy_account_the_proof_needs_no_pause(bench: Bench) -> None:
    """Another program makes a clip every ten seconds. What comes too late to be ours is not asked."""
    job = await lost(bench, "lost_without_task")
    for _ in range(30):
        bench.provider.stranger(FOG)
        await bench.let_pass(10)
    done = await bench.job(job)
    assert done.state is State.SUCCEEDED
    assert len(bench.provider.billed("a harbour")) == 1
    assert len((await proof(bench, job))["strangers"]) < 20


@pytest.mark.parametrize("ending", ["failed", "trouble", "cancelled", "refused:fps"])
async def test_a_task_that_failed_is_free_whoever_made_it(bench: Bench, ending: str) -> None:
    """Perhaps it was ours: then it cost nothing, and the next one is the only one that is paid for."""
    bench.provider.endings, bench.provider.takes_s = [ending], 0.5
    job = await lost(bench, "lost_with_task")
    await bench.clock.advance(1)
    done = await bench.drive(job)
    assert done.state is State.SUCCEEDED
    assert (await proof(bench, job)) == {"free": ["task-1"]}
    assert len(bench.provider.billed("a harbour")) == 1


async def test_a_second_loss_of_the_same_job_takes_a_person(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    bench.provider.creates = ["lost_without_task"]
    await idle(bench, 600)
    now = await bench.job(job)
    assert (now.state, len(bench.provider.sent)) == (State.UNCERTAIN, 2)
    assert "once before" in str(now.note)


async def test_a_second_loss_still_finds_its_task_by_itself(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    bench.provider.creates = ["lost_with_task"]
    done = await bench.drive(job)
    assert (done.state, len(bench.provider.sent)) == (State.SUCCEEDED, 2)


async def test_what_was_proved_absent_counts_as_free_and_what_a_person_sends_again_does_not(
    bench: Bench,
) -> None:
    since_at, one = bench.clock.now(), Decimal("0.6")
    await bench.drive(await lost(bench, "lost_without_task"))
    assert await bench.ledger.spent_cny(since_at) == one
    job = await lost(bench, "lost_without_task", prompt="second")
    await bench.jobs.resolve(job.id, "resubmit")
    await bench.drive(job)
    assert [attempt.settled_cny for attempt in await bench.ledger.attempts(job.id)] == [one, one]
    given_up = await lost(bench, "lost_without_task", prompt="third")
    await bench.jobs.resolve(given_up.id, "give_up")
    assert await bench.ledger.spent_cny(since_at) == 4 * one
