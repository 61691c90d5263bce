"""Looking after all tasks of an account: soon enough, within its budget, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.bench import Bench, FakeKill
from tests.fakes.provider import LOCAL, RATIONED
from tests.fakes.simulated import simulated

from wanvideo.contract.job import Job, JobId, State, TaskId
from wanvideo.errors import ProviderUnavailable, StorageFailed, Throttled
from wanvideo.jobs.latency import LOOKS_PER_CLIP
from wanvideo.jobs.watch import POST_FOR_S, Watch
from wanvideo.ports import TaskStatus

MANY = replace(RATIONED, slots=100, submits_per_s=1000)


@pytest.fixture
def shared(bench: Bench) -> Bench:
    """A provider like DashScope: one process looks for all."""
    bench.provider.pace = RATIONED
    bench.new_worker()
    return bench


async def running(bench: Bench, count: int = 1, *, apart_s: float = 0.0) -> list[Job]:
    """Jobs whose tasks were just made, that far apart."""
    jobs = []
    for number in range(count):
        jobs.append(await bench.submit(prompt=f"clip {number}"))
        with bench.moving():
            for lease in await bench.runner.claim(None):
                await bench.runner.handle(lease)
        if apart_s:
            await bench.clock.advance(apart_s)
    for job in jobs:
        assert (await bench.job(job)).state is State.RUNNING
    return jobs


async def lags_s(bench: Bench, jobs: list[Job], *, within_s: float = 120) -> list[float]:
    """Looks only, until the ends of all were seen; how long after its end each one was."""
    until_s = bench.clock.steady_s() + within_s
    wanted, found = {job.id for job in jobs}, dict[JobId, float]()
    while len(found) < len(jobs):
        assert bench.clock.steady_s() < until_s, f"only {len(found)} of {len(jobs)} were seen to end"
        await bench.look()
        for now in await bench.ledger.jobs(limit=200, states=(State.RUNNING,)):
            if now.id in wanted - found.keys() and now.seen_status == "succeeded":
                assert now.task_id is not None
                ended_at = bench.provider.tasks[now.task_id].ends_at
                found[now.id] = (bench.clock.now() - ended_at).total_seconds() + bench.provider.apart_s
        waits = [await watch.prepare() for watch in bench.runner.watches]
        await bench.clock.advance(max(0.02, min(*waits, 1.0)))
    return [found[job.id] for job in jobs]


# --- one process for all ---


async def test_one_process_looks_for_all_and_the_others_do_not_ask(shared: Bench) -> None:
    [job] = await running(shared)
    other = shared.beside()
    for _ in range(30):
        await shared.look()
        queries = len(shared.provider.queries)
        await other.look()
        assert len(shared.provider.queries) == queries
        await shared.clock.advance(1)
    assert (await shared.job(job)).seen_status == "succeeded"
    await other.round()
    assert (await shared.job(job)).state is State.SUCCEEDED, "what one saw any other takes up"


async def test_a_watch_that_falls_silent_is_replaced(shared: Bench) -> None:
    [job] = await running(shared)
    await shared.look()
    other = shared.beside()
    await other.look()
    await shared.clock.advance(POST_FOR_S + 0.1)
    [lag_s] = await lags_s(other, [job])
    assert lag_s < 2


async def test_a_watch_that_is_known_to_be_dead_is_replaced_at_once(shared: Bench) -> None:
    await running(shared)
    await shared.look()
    other = shared.beside()
    await shared.clock.advance(1)
    [watch] = other.runner.watches
    await watch.prepare()
    assert len(watch.looks) == 0
    await shared.ledger.expire_leases([shared.worker.name])
    await shared.clock.advance(1)
    await watch.prepare()
    assert len(watch.looks) == 1


def test_a_watch_that_leaves_hands_its_post_over(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        [first], [second] = bench.runner.watches, bench.beside().runner.watches
        await running(bench)
        looking = [asyncio.create_task(watch.run()) for watch in (first, second)]
        await bench.clock.sleep(2)
        assert (len(first.looks), len(second.looks)) == (1, 0)
        looking[0].cancel()
        await asyncio.gather(looking[0], return_exceptions=True)
        await bench.clock.sleep(1.5)
        assert len(second.looks) == 1
        looking[1].cancel()
        await asyncio.gather(*looking, return_exceptions=True)

    simulated(tmp_path, work)


def test_in_no_second_are_there_more_queries_than_the_account_may_send(tmp_path: Path) -> None:
    """Forty tasks, three processes that look, fetch links and bring clips home, and a gate shut once."""

    async def work(bench: Bench) -> list[float]:
        benches = [bench, bench.beside(), bench.beside()]
        bench.provider.takes_s = 40
        jobs = [await bench.submit(prompt=f"clip {number}") for number in range(40)]
        working = [asyncio.create_task(each.runner.run()) for each in benches]
        await bench.clock.sleep(20)
        bench.provider.fetches = [Throttled("429")]
        await bench.clock.sleep(100)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        for job in jobs:
            assert (await bench.job(job)).state is State.SUCCEEDED
        return [at_s for at_s, _ in bench.provider.queries]

    at_s = np.sort(simulated(tmp_path, work, replace(MANY, submits_per_s=40)))
    most = np.searchsorted(at_s, at_s + 1 - 1e-9, side="left") - np.arange(len(at_s))
    assert RATIONED.queries_per_s is not None
    assert most.max() <= RATIONED.queries_per_s


async def test_a_429_stops_the_looks_of_everybody(shared: Bench) -> None:
    await running(shared)
    other = shared.beside()
    shared.provider.fetches = [Throttled("Slow down.")]
    [watch] = shared.runner.watches
    while not shared.provider.queries:
        await shared.look()
        await shared.clock.advance(0.5)
    [(asked_s, _)] = shared.provider.queries
    shut_until_s = shared.clock.steady_s() + await other.ledger.take_turn(
        f"query|{shared.provider.account.name}", per_s=15
    )
    assert shut_until_s >= asked_s + 2
    with shared.moving():
        while len(shared.provider.queries) < 2:
            await shared.clock.advance(await watch.step())
    assert shared.provider.queries[1][0] >= asked_s + 2


# --- the list ---


async def test_many_are_seen_to_end_soon_by_few_requests(shared: Bench) -> None:
    shared.provider.pace = MANY
    shared.new_worker()
    jobs = await running(shared, 20, apart_s=0.2)
    seen_s = await lags_s(shared, jobs)
    assert max(seen_s) < 2
    assert shared.provider.list_looks > 0
    assert len(shared.provider.queries) < 20 * LOOKS_PER_CLIP


@pytest.mark.parametrize("lag_s", [5, 25, 500])
async def test_a_list_that_lags_behind_delays_nobody_for_long(shared: Bench, lag_s: float) -> None:
    shared.provider.pace, shared.provider.list_lag_s, shared.provider.takes_s = MANY, lag_s, 40
    shared.new_worker()
    jobs = await running(shared, 12)
    seen_s = await lags_s(shared, jobs)
    assert max(seen_s) < 4
    assert len(shared.provider.queries) < 12 * 3 * LOOKS_PER_CLIP


async def test_a_list_of_many_pages_is_read_as_far_as_it_helps(shared: Bench) -> None:
    shared.provider.pace, shared.provider.list_page_size = MANY, 4
    shared.new_worker()
    jobs = await running(shared, 20, apart_s=0.1)
    assert max(await lags_s(shared, jobs)) < 3


async def test_other_programs_tasks_on_the_list_are_left_alone(shared: Bench) -> None:
    shared.provider.pace = MANY
    shared.new_worker()
    jobs = []
    for _ in range(5):
        jobs += await running(shared, 2)
        for _ in range(60):
            shared.provider.stranger()
        await shared.clock.advance(1)
    assert max(await lags_s(shared, jobs)) < 3
    assert shared.provider.list_looks > 0
    assert {job.id for job in await shared.ledger.jobs(limit=99)} == {job.id for job in jobs}


async def test_a_list_that_always_fails_is_replaced_by_single_looks(shared: Bench) -> None:
    """Some endpoints may not list at all; nobody should wait for ever because of it."""
    shared.provider.pace = MANY
    shared.new_worker()
    jobs = await running(shared, 10)
    shared.provider.lists = [ProviderUnavailable("404")] * 10_000
    assert max(await lags_s(shared, jobs)) < 5
    assert 0 < shared.provider.list_looks < 20


async def test_what_a_list_showed_has_its_link_fetched_by_the_worker(shared: Bench) -> None:
    shared.provider.pace = MANY
    shared.new_worker()
    jobs = await running(shared, 10)
    for job in jobs:
        done = await shared.drive(job)
        assert done.state is State.SUCCEEDED
        assert done.result is not None
        assert shared.store.files[done.result["video_url"]] == shared.provider.data


# --- trouble ---


@pytest.mark.parametrize("trouble", [RuntimeError("odd"), ConnectionResetError("reset"), ZeroDivisionError()])
async def test_a_bug_in_a_look_is_recorded_and_looking_goes_on(
    bench: Bench, caplog: pytest.LogCaptureFixture, trouble: Exception
) -> None:
    [job] = await running(bench)
    bench.provider.fetches = [trouble] * 3
    await bench.let_pass(12)
    now = await bench.job(job)
    assert now.note == f"internal error, trying again: {type(trouble).__name__}"
    assert [record for record in caplog.records if record.levelno == logging.ERROR and record.exc_info]
    assert len(bench.provider.queries) <= 4, "and it does not spin"
    done = await bench.drive(job)
    assert (done.state, done.note) == (State.SUCCEEDED, None)


@pytest.mark.parametrize("trouble", [StorageFailed("The disk is full."), RuntimeError("a bug")])
async def test_a_ledger_that_cannot_be_read_for_a_while_ends_no_watch(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    [job] = await running(bench)
    reads, failures = bench.ledger.running, [trouble] * 3

    async def failing(*given: object, **named: object) -> object:
        if failures:
            raise failures.pop()
        return await reads(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.ledger, "running", failing)
    for _ in range(40):
        await bench.look()
        await bench.clock.advance(1)
    assert failures == []
    assert (await bench.job(job)).seen_status == "succeeded"


def test_a_ledger_that_is_away_is_asked_seldom_and_complained_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked_at_s: list[float] = []

    async def work(bench: Bench) -> None:
        async def away(*given: object, **named: object) -> object:
            asked_at_s.append(bench.clock.steady_s())
            raise StorageFailed("The ledger does not answer.")

        await running(bench)
        monkeypatch.setattr(bench.ledger, "running", away)
        bench.runner.watches[0].wake()
        watching = asyncio.create_task(bench.runner.watches[0].run())
        await bench.clock.sleep(60)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    simulated(tmp_path, work)
    assert 10 <= len(asked_at_s) <= 16, "1, 2, 4, 5, 5, ... s apart"
    assert [record.levelno for record in caplog.records].count(logging.WARNING) == 1


async def test_a_new_task_among_thousands_does_not_have_them_all_read_at_once(
    shared: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await running(shared)
    [watch] = shared.runner.watches
    reads, asked = shared.ledger.running, []

    async def counted(*given: object, **named: object) -> object:
        asked.append(1)
        return await reads(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(shared.ledger, "running", counted)
    for crowd, most in ((0, 21), (10_000, 2)):
        monkeypatch.setattr(type(watch.looks), "__len__", lambda _, crowd=crowd: crowd)
        asked.clear()
        for _ in range(20):
            watch.wake()
            await watch.prepare()
            await shared.clock.advance(0.2)
        assert 1 <= len(asked) <= most
    assert len(asked) < 3


def test_a_watch_outlives_everything_but_being_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(bench: Bench) -> None:
        [job] = await running(bench)
        monkeypatch.setattr(Watch, "prepare", prepare := Broken(Watch.prepare))
        monkeypatch.setattr(bench.provider, "fetch", fetch := Broken(bench.provider.fetch))
        watching = asyncio.create_task(bench.runner.watches[0].run())
        await bench.clock.sleep(90)
        assert not watching.done()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        assert prepare.times > 5
        assert fetch.times > 5
        assert (await bench.job(job)).seen_status == "succeeded"

    simulated(tmp_path, work)


class Broken:
    """Breaks five times."""

    def __init__(self, works: object) -> None:
        self.works, self.times = works, 0

    def __get__(self, watch: object, of: type | None = None) -> object:
        return lambda *given: self(watch, *given)

    async def __call__(self, *given: object) -> object:
        self.times += 1
        if self.times <= 5:
            raise RuntimeError("a bug")
        return await self.works(*given)  # type: ignore[operator]


async def test_one_task_that_only_makes_trouble_holds_up_no_other(shared: Bench) -> None:
    jobs = await running(shared, 3, apart_s=2)
    shared.provider.broken = {"task-1"}
    shared.provider.lists = [ProviderUnavailable("503")] * 1000
    assert max(await lags_s(shared, jobs[1:])) < 5
    assert (await shared.job(jobs[0])).note == "The answer is no JSON."


async def test_after_an_outage_everybody_is_seen_soon_and_nothing_is_said_any_more(shared: Bench) -> None:
    shared.provider.takes_s = 100
    jobs = await running(shared, 3)
    shared.provider.fetches = [ProviderUnavailable("503")] * 10_000
    shared.provider.lists = [ProviderUnavailable("503")] * 10_000
    for _ in range(90):
        await shared.look()
        await shared.clock.advance(1)
    assert len(shared.provider.queries) < 30, "who is down is not hammered"
    assert {(await shared.job(job)).note for job in jobs} == {"503"}
    shared.provider.fetches, shared.provider.lists = [], []
    assert max(await lags_s(shared, jobs)) < 12
    assert {(await shared.job(job)).note for job in jobs} == {None}


async def test_what_was_seen_survives_a_crash_right_after_the_look(shared: Bench) -> None:
    [job] = await running(shared)
    await shared.clock.advance(25)
    shared.die_at = "after_poll"
    with pytest.raises(FakeKill):
        await shared.look()
    shared.new_worker()
    assert (await shared.drive(job)).state is State.SUCCEEDED
    assert len(shared.provider.sent) == 1


async def test_a_task_that_was_cancelled_in_the_console_is_seen(shared: Bench) -> None:
    [job] = await running(shared)
    shared.provider.tasks[TaskId("task-1")].cancelled = True
    assert (await shared.drive(job)).state is State.CANCELLED


async def test_unknown_is_an_end_only_after_a_day(shared: Bench) -> None:
    [job] = await running(shared)
    shared.provider.tasks.clear()
    await shared.clock.advance(3600)
    await shared.let_pass(60)
    now = await shared.job(job)
    assert (now.state, now.note) == (State.RUNNING, "the provider does not show the task yet")
    await shared.clock.advance(23 * 3600)
    done = await shared.drive(job, within_s=900)
    assert done.error is not None
    assert done.error["code"] == "task_expired"


# --- clocks ---


@pytest.mark.parametrize("jump_s", [-3 * 86_400, -3600, -59, 59, 3600])
async def test_a_wall_clock_that_is_set_delays_no_look(shared: Bench, jump_s: float) -> None:
    shared.provider.takes_s = 60
    before = await running(shared, 2)
    await shared.look()
    shared.clock.jump(jump_s)
    shared.provider.apart_s = -jump_s  # the provider's clock was right all the time
    after = await running(shared, 2)
    assert max(await lags_s(shared, [*before, *after])) < 5


# --- a provider on this machine ---


async def test_the_preview_tells_how_far_it_is(bench: Bench) -> None:
    bench.provider.tells_progress, bench.provider.pace = True, replace(LOCAL, look_every_s=2)
    bench.new_worker()
    [job] = await running(bench)
    told = []
    for _ in range(8):
        await bench.look()
        told.append((await bench.job(job)).progress or 0)
        await bench.clock.advance(2)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(0.7)
    assert len(set(told)) == 8
    assert (await bench.drive(job)).progress is None


async def test_each_process_looks_after_its_own_jobs_on_this_machine(bench: Bench) -> None:
    mine, others = await running(bench, 2)
    watch = Watch(bench.shop, bench.provider, "w", lambda: None, only=lambda: [mine.id])
    await bench.clock.advance(21)
    while await watch.step() == 0:
        pass
    assert (await bench.job(mine)).seen_status == "succeeded"
    assert (await bench.job(others)).seen_status is None
    nothing = Watch(bench.shop, bench.provider, "w", lambda: None, only=list)
    assert await nothing.step() > 0
    assert len(bench.provider.queries) == 1


async def test_tasks_of_another_key_are_not_asked_for_with_this_one(shared: Bench) -> None:
    [job] = await running(shared)
    shared.provider.key = "key-2"
    shared.new_worker()
    for _ in range(30):
        await shared.look()
        await shared.clock.advance(1)
    assert shared.provider.queries == []
    shared.provider.key = "key-1"
    shared.new_worker()
    await lags_s(shared, [job])


async def test_who_waits_for_the_end_is_woken(shared: Bench) -> None:
    [job] = await running(shared)
    woken = []
    watch = Watch(shared.shop, shared.provider, "w", lambda: woken.append(1))
    await shared.clock.advance(30)
    while await watch.step() == 0:
        pass
    assert woken == [1]
    now = await shared.job(job)
    assert now.seen_status == TaskStatus.SUCCEEDED
    assert now.due_at <= shared.clock.now()
