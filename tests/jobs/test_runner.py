"""The loop of a process: takes up what is due, shares with others, and puts things down in good order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.bench import Bench

from wanvideo.clock import SystemClock
from wanvideo.contract.job import Job, JobId, State
from wanvideo.errors import SettingsInvalid
from wanvideo.jobs import runner as runner_module
from wanvideo.jobs.machine import OPEN
from wanvideo.jobs.runner import STEPS, Runner
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
    stopped = asyncio.Event()

    async def slow_upload(data: bytes, *, name: str) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    live.provider.upload = slow_upload  # type: ignore[method-assign, assignment]
    [lease] = await live.ledger.claim("w", states=OPEN, only=None, limit=1, lease_s=0)
    step = asyncio.create_task(live.runner.handle(lease))
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
