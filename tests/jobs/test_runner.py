"""The loop of a process: takes up what is due, shares with others, and puts things down in good order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.bench import Bench
from tests.fakes.provider import RATIONED, FakeTask
from tests.fakes.simulated import simulated

from wanvideo.clock import SystemClock
from wanvideo.contract.job import Job, JobId, State
from wanvideo.errors import SettingsInvalid
from wanvideo.jobs import runner as runner_module
from wanvideo.jobs.machine import OPEN
from wanvideo.jobs.runner import AT_ONCE, STEPS, Runner
from wanvideo.jobs.worker import Worker, this_worker
from wanvideo.jobs.workshop import Rules
from wanvideo.ledger.engine import sqlite_url
from wanvideo.ledger.sql import SqlLedger
from wanvideo.ports import Pace


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Bench]:
    """The engine on the machine's own clock, with a provider that takes a fifth of a second."""
    clock = SystemClock()
    made = Bench(tmp_path, await SqlLedger.open(sqlite_url(tmp_path / "ledger.db"), clock), clock)
    made.provider.takes_s, made.provider.pace = 0.2, Pace(0.2, 0.3, 0.05, 5)
    made.shop = replace(made.shop, rules=Rules(lease_s=1))
    made.new_worker()
    yield made
    await made.ledger.close()


@asynccontextmanager
async def running(
    bench: Bench, only: Callable[[], Collection[JobId] | None] = lambda: None
) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(bench.runner.run(only))
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def over(bench: Bench, job: Job, *states: State, within_s: float = 10) -> Job:
    async with asyncio.timeout(within_s):
        while (now := await bench.job(job)).state not in (states or (State.SUCCEEDED,)):
            await asyncio.sleep(0.02)
    return now


def test_every_open_state_has_its_step() -> None:
    assert set(STEPS) == set(OPEN)


async def test_jobs_are_driven_to_their_end(live: Bench) -> None:
    jobs = [await live.submit(prompt=f"clip {number}") for number in range(3)]
    async with running(live):
        for job in jobs:
            await over(live, job)
    assert len(live.provider.sent) == 3


async def test_a_new_job_is_taken_up_at_once(live: Bench) -> None:
    async with running(live):
        await asyncio.sleep(0.1)  # the loop sleeps now
        job = await live.submit()
        await over(live, job, State.RUNNING, State.STORING, State.SUCCEEDED, within_s=0.6)


async def test_only_the_named_jobs_are_taken_up(live: Bench) -> None:
    mine, others = await live.submit(prompt="mine"), await live.submit(prompt="others")
    async with running(live, lambda: [mine.id]):
        await over(live, mine)
    assert (await live.job(others)).state is State.QUEUED
    assert len(live.provider.sent) == 1


async def test_none_at_all_means_none(live: Bench) -> None:
    job = await live.submit()
    async with running(live, list):
        await asyncio.sleep(0.3)
    assert (await live.job(job)).state is State.QUEUED


async def test_two_workers_share_without_sending_twice(live: Bench) -> None:
    other = Runner(live.shop, Worker("elsewhere", 99, "0"))
    jobs = [await live.submit(prompt=f"clip {number}") for number in range(4)]
    async with running(live):
        second = asyncio.create_task(other.run())
        for job in jobs:
            await over(live, job)
        second.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await second
    assert len(live.provider.sent) == 4


async def test_a_long_step_keeps_its_lease(live: Bench) -> None:
    """Three times as long as a lease: nobody else may take the job meanwhile."""
    job = await live.submit()
    live.provider.creates = ["hang"]
    async with running(live):
        await live.provider.posted.wait()
        await asyncio.sleep(2.2)
        assert (await live.job(job)).state is State.SUBMITTING
        assert await live.ledger.claim("other", states=OPEN, only=None, limit=9, lease_s=1) == []
        live.provider.answer.set()
        await over(live, job)
    assert len(live.provider.sent) == 1


async def test_a_stopped_loop_waits_for_the_answer_that_costs_money(live: Bench) -> None:
    job = await live.submit()
    live.provider.creates = ["hang"]
    async with running(live) as task:
        await live.provider.posted.wait()
        task.cancel()
        await asyncio.sleep(0.1)
        assert not task.done()
        live.provider.answer.set()
        await asyncio.wait([task])
    now = await live.job(job)
    assert (now.state, now.task_id) == (State.RUNNING, "task-1")


async def test_a_stopped_loop_hands_its_jobs_on_at_once(live: Bench) -> None:
    job = await live.submit()
    hold = asyncio.Event()

    async def slow_upload(data: bytes, *, name: str) -> None:
        hold.set()
        await asyncio.sleep(60)

    live.provider.upload = slow_upload  # type: ignore[method-assign, assignment]
    async with running(live):
        await hold.wait()
    now = await live.job(job)
    assert (now.state, now.lease_owner) == (State.QUEUED, None)


async def test_a_worker_whose_lease_was_taken_stops(live: Bench) -> None:
    job = await live.submit()
    started, stopped = asyncio.Event(), asyncio.Event()

    async def slow_upload(data: bytes, *, name: str) -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    live.provider.upload = slow_upload  # type: ignore[method-assign, assignment]
    [lease] = await live.ledger.claim("w", states=OPEN, only=None, limit=1, lease_s=0)
    step = asyncio.create_task(live.runner.handle(lease))
    await asyncio.wait_for(started.wait(), 5)
    await live.ledger.claim("thief", states=OPEN, only=[job.id], limit=1, lease_s=60, due=False)
    await asyncio.wait_for(stopped.wait(), 5)
    await step
    assert (await live.job(job)).lease_owner == "thief"
    assert live.provider.sent == []


async def test_a_bug_in_a_step_neither_loses_the_job_nor_spins(bench: Bench) -> None:
    job = await bench.submit()
    bench.provider.body = lambda order: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    await bench.round()
    now = await bench.job(job)
    assert (now.state, now.note) == (State.QUEUED, "internal error, trying again: ZeroDivisionError")
    assert (now.due_at - bench.clock.now()).total_seconds() == 30
    del bench.provider.body
    assert (await bench.drive(job)).state is State.SUCCEEDED


async def test_a_ledger_that_fails_for_a_moment_does_not_end_the_loop(
    live: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "_TROUBLE_S", 0.05)
    claim, failures = live.ledger.claim_queued, [OSError("disk full"), RuntimeError("database is locked")]

    async def failing(*given: object, **named: object) -> object:
        if failures:
            raise failures.pop()
        return await claim(*given, **named)  # type: ignore[arg-type]

    live.ledger.claim_queued = failing  # type: ignore[method-assign, assignment]
    async with running(live):
        await over(live, await live.submit())
    assert failures == []


async def test_the_jobs_of_a_killed_process_are_taken_up_at_once(live: Bench) -> None:
    here = this_worker()
    killed = replace(here, born="1")  # the pid lives, but it is another process now
    job = await live.submit()
    await live.ledger.claim(killed.name, states=OPEN, only=None, limit=1, lease_s=3600)
    live.worker = here
    live.runner = Runner(live.shop, here)
    async with running(live):
        await over(live, job)


async def test_a_job_of_a_provider_that_is_not_set_up_here_is_left_to_who_has_it(bench: Bench) -> None:
    """Another process may have the key; who asks this one for the job is told what is missing."""
    job = await bench.submit()
    with_key = bench.beside()
    bench.shop = replace(bench.shop, providers={})
    bench.new_worker()
    await bench.let_pass(5)
    now = await bench.job(job)
    assert (now.state, now.lease_owner, now.due_at) == (State.QUEUED, None, job.due_at)
    with pytest.raises(SettingsInvalid, match="dashscope is not set up here: there is no key"):
        await bench.jobs.reachable(job.id)
    assert (await with_key.drive(job)).state is State.SUCCEEDED


# --- whose turn it is ---


async def at_work(bench: Bench, until: Callable[[], bool], *, within_s: float = 600) -> None:
    """The whole loop of a process, in simulated time."""
    working = asyncio.create_task(bench.runner.run())
    until_s = bench.clock.steady_s() + within_s
    while not until() and bench.clock.steady_s() < until_s:
        await bench.clock.sleep(0.05)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
    assert until()


def prompts(bench: Bench) -> list[str]:
    """In the order in which they were sent."""
    return [body["input"]["prompt"] for body in bench.provider.sent]


def idle_s(tasks: Sequence[FakeTask], places: int) -> list[float]:
    """How long each place stayed empty before each task but the first ones."""
    ends = sorted(task.ends_at for task in tasks)
    later = sorted(task.created_at for task in tasks)[places:]
    return [(made_at - freed_at).total_seconds() for made_at, freed_at in zip(later, ends, strict=False)]


def test_a_place_that_becomes_free_is_filled_at_once(tmp_path: Path) -> None:
    """Places bind: a clip that waits for one loses whatever time the place stays empty."""

    async def work(bench: Bench) -> list[float]:
        for number in range(12):
            await bench.submit(prompt=f"clip {number}")
        bench.provider.takes_s = 20
        await at_work(bench, lambda: len(bench.provider.tasks) == 12)
        return idle_s(list(bench.provider.tasks.values()), 2)

    empty_s = simulated(tmp_path, work, replace(RATIONED, slots=2))
    assert len(empty_s) == 10
    assert min(empty_s) >= 0
    assert sum(empty_s) / len(empty_s) < 1.5
    assert max(empty_s) < 4


def test_the_highest_priority_goes_first_then_the_oldest(tmp_path: Path) -> None:
    async def work(bench: Bench) -> list[str]:
        for priority in (0, -5, 7, 0, 7):
            await bench.submit(prompt=f"{priority} at {bench.clock.steady_s():.0f}", priority=priority)
            await bench.clock.sleep(1)
        await at_work(bench, lambda: len(bench.provider.sent) == 5)
        return prompts(bench)

    sent = simulated(tmp_path, work, replace(RATIONED, slots=1))
    assert sent == ["7 at 2", "7 at 4", "0 at 0", "0 at 3", "-5 at 1"]


def test_one_owner_with_many_jobs_does_not_hold_the_others_up(tmp_path: Path) -> None:
    async def work(bench: Bench) -> list[str]:
        for number in range(6):
            await bench.submit(prompt=f"busy {number}", owner="busy")
            await bench.clock.sleep(0.1)
        await bench.submit(prompt="modest", owner="modest")
        await at_work(bench, lambda: len(bench.provider.sent) == 7)
        return prompts(bench)

    sent = simulated(tmp_path, work, replace(RATIONED, slots=2))
    assert sent.index("modest") <= 2


def test_clips_on_their_way_home_never_hold_a_submit_up(tmp_path: Path) -> None:
    """As many downloads as a process does at once hang; a place that is free is filled all the same."""

    async def work(bench: Bench) -> list[float]:
        bench.provider.downloads = ["hang"] * AT_ONCE
        for number in range(AT_ONCE + 8):
            await bench.submit(prompt=f"clip {number}")
        await at_work(bench, lambda: len(bench.provider.sent) == AT_ONCE + 8)
        return idle_s(list(bench.provider.tasks.values()), 8)

    assert max(simulated(tmp_path, work, replace(RATIONED, slots=8))) < 5


def test_a_loop_that_is_asked_to_stop_finishes_what_is_in_hand_and_takes_nothing_new(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        first = await bench.submit(prompt="in hand")
        bench.provider.creates = ["hang"]
        working = asyncio.create_task(bench.runner.run())
        await bench.provider.posted.wait()
        second = await bench.submit(prompt="too late")
        bench.runner.stop()
        await bench.clock.sleep(3)
        assert not working.done(), "the answer costs money"
        bench.provider.answer.set()
        await asyncio.wait_for(working, 5)
        now = await bench.job(first)
        assert (now.state, now.lease_owner) == (State.RUNNING, None)
        now = await bench.job(second)
        assert (now.state, now.lease_owner) == (State.QUEUED, None)
        assert prompts(bench) == ["in hand"]
        other = bench.beside()
        [watch] = other.runner.watches
        await watch.prepare()
        assert len(watch.looks) == 1, "the post was handed over"

    simulated(tmp_path, work, replace(RATIONED, slots=2))


def test_a_process_for_its_own_jobs_leaves_the_others_alone_but_looks_for_all(tmp_path: Path) -> None:
    """A `generate` in one terminal does not work for another one; the account's one watch does."""

    async def work(bench: Bench) -> None:
        other = bench.beside()
        mine, theirs = await bench.submit(prompt="mine"), await other.submit(prompt="theirs")
        with bench.moving():
            [lease] = await other.runner.claim([theirs.id])
            await other.runner.handle(lease)
        working = asyncio.create_task(bench.runner.run(lambda: [mine.id]))
        await bench.clock.sleep(60)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert (await bench.job(mine)).state is State.SUCCEEDED
        now = await bench.job(theirs)
        assert (now.state, now.seen_status) == (State.RUNNING, "succeeded")

    simulated(tmp_path, work)


def test_what_somebody_left_without_an_answer_is_looked_into_when_it_holds_the_last_place(
    tmp_path: Path,
) -> None:
    """Also by a process that otherwise cares for its own jobs only: else it would wait for ever."""

    async def work(bench: Bench) -> None:
        other = bench.beside()
        bench.provider.creates = ["lost_without_task"]
        left = await other.submit(prompt="left")
        [lease] = await other.runner.claim([left.id])
        await other.runner.handle(lease)
        mine = await bench.submit(prompt="mine")
        working = asyncio.create_task(bench.runner.run(lambda: [mine.id]))
        await bench.clock.sleep(300)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert (await bench.job(left)).state is State.QUEUED
        assert (await bench.job(mine)).state is State.SUCCEEDED

    simulated(tmp_path, work, replace(RATIONED, slots=1))


def test_who_waits_in_a_queue_that_does_not_move_is_told_why(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        bench.provider.takes_s = 100
        await bench.submit(prompt="first")
        working = asyncio.create_task(bench.runner.run())
        await bench.clock.sleep(2)
        second = await bench.submit(prompt="second")
        await bench.clock.sleep(1)
        assert (await bench.job(second)).note == "waits for one of 1 places at the provider"
        elsewhere = bench.beside()
        third = await elsewhere.submit(prompt="third")
        await bench.clock.sleep(7)
        assert (await bench.job(third)).note == "waits for one of 1 places at the provider"
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    simulated(tmp_path, work, replace(RATIONED, slots=1))
