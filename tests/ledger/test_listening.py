"""PostgreSQL calls when there is work; what it does not tell is found by looking."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from sqlalchemy import text
from tests.ledger.conftest import attempt_of, new_job
from tests.ledger.steps import over, running
from tests.postgres import Server, cut_all, fresh_database, started

from wanvideo.clock import FakeClock
from wanvideo.contract.job import Event, State, TaskId
from wanvideo.ledger import listening, postgres
from wanvideo.ledger.sql import SqlLedger
from wanvideo.ledger.timekeeping import ProcessTime
from wanvideo.ports import Ending, Lease, Sighting, TaskStatus

SOON_S = 5.0


class Ear:
    """Counts the calls, and waits for the next."""

    def __init__(self) -> None:
        self.calls = 0
        self._next = asyncio.Event()

    def wake(self) -> None:
        self.calls += 1
        self._next.set()

    async def called(self) -> None:
        async with asyncio.timeout(SOON_S):
            await self._next.wait()
        self._next.clear()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with fresh_database() as made:
        yield made


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def ledger(url: str, clock: FakeClock) -> AsyncIterator[SqlLedger]:
    made = await SqlLedger.open(url, clock, time=ProcessTime(clock))
    yield made
    await made.close()


@pytest.fixture
async def ear(url: str, clock: FakeClock) -> AsyncIterator[Ear]:
    """Another process, which listens already."""
    other, made = await SqlLedger.open(url, clock), Ear()
    async with other.listening(made.wake):
        await made.called()  # it begins with a call: something may have happened before
        yield made
    await other.close()


Act = Callable[[], Awaitable[object]]


async def adds(ledger: SqlLedger, clock: FakeClock) -> Act:
    return lambda: ledger.add_job(new_job())


async def rescues(ledger: SqlLedger, clock: FakeClock) -> Act:
    lease = await over(ledger, State.FAILED)
    new = new_job()
    return lambda: ledger.add_rescued(
        new, attempt_of(lease, clock), {"state": State.RUNNING, "task_id": TaskId("t")}
    )


async def sees_an_end(ledger: SqlLedger, clock: FakeClock) -> Act:
    job = await running(ledger, clock, "t")
    return lambda: ledger.sight([Sighting(job.id, TaskId("t"), TaskStatus.SUCCEEDED, ended=True)])


async def asks_to_cancel(ledger: SqlLedger, clock: FakeClock) -> Act:
    job = await running(ledger, clock, "t")
    return lambda: ledger.ask_cancel(job.id, "keep")


async def of_running(ledger: SqlLedger, clock: FakeClock) -> Lease:
    await running(ledger, clock, "t")
    [lease] = await ledger.claim("w", states=(State.RUNNING,), only=None, limit=1, lease_s=9, due=False)
    return lease


async def puts_down(ledger: SqlLedger, clock: FakeClock) -> Act:
    lease = await of_running(ledger, clock)
    return lambda: ledger.release([lease], in_s=0)


async def writes_and_lets_go(ledger: SqlLedger, clock: FakeClock) -> Act:
    lease = await of_running(ledger, clock)
    return lambda: ledger.write(lease, {"note": "n"}, release_in_s=0)


async def frees_a_place(ledger: SqlLedger, clock: FakeClock) -> Act:
    lease = await of_running(ledger, clock)
    return lambda: ledger.write(lease, {"state": State.STORING})


async def closes_an_attempt(ledger: SqlLedger, clock: FakeClock) -> Act:
    lease = await of_running(ledger, clock)
    return lambda: ledger.close_attempt(lease, Ending(Event.LET_GO), {}, release_in_s=0)


async def retries(ledger: SqlLedger, clock: FakeClock) -> Act:
    lease = await over(ledger, State.FAILED)
    return lambda: ledger.write(lease, {"state": State.QUEUED}, event=Event.RETRY, release_in_s=0)


async def asks_again(ledger: SqlLedger, clock: FakeClock) -> Act:
    lease = await over(ledger, State.FAILED)
    return lambda: ledger.reask(lease, new_job(), {"state": State.QUEUED})


async def ends_the_leases_of_the_dead(ledger: SqlLedger, clock: FakeClock) -> Act:
    await of_running(ledger, clock)
    return lambda: ledger.expire_leases({"w"})


CALLS = [
    adds, rescues, sees_an_end, asks_to_cancel, puts_down, writes_and_lets_go, frees_a_place,
    closes_an_attempt, retries, asks_again, ends_the_leases_of_the_dead,
]  # fmt: skip


@pytest.mark.parametrize("prepared", CALLS, ids=lambda prepared: prepared.__name__)
async def test_whoever_makes_work_calls_the_others(
    ledger: SqlLedger, clock: FakeClock, url: str, prepared: Callable[[SqlLedger, FakeClock], Awaitable[Act]]
) -> None:
    act = await prepared(ledger, clock)
    other, ear = await SqlLedger.open(url, clock), Ear()
    async with other.listening(ear.wake):
        await ear.called()
        await act()
        await ear.called()
    await other.close()


async def test_what_is_due_later_calls_nobody(ledger: SqlLedger, clock: FakeClock, ear: Ear) -> None:
    lease = await of_running(ledger, clock)
    await asyncio.sleep(0.3)
    before = ear.calls
    await ledger.write(lease, {"note": "n"})
    await ledger.renew(lease, lease_s=30)
    await ledger.sight([Sighting(lease.job.id, TaskId("t"), TaskStatus.RUNNING, ended=False)])
    await ledger.release([lease], in_s=60)
    await asyncio.sleep(0.3)
    assert ear.calls == before


async def test_what_is_undone_calls_nobody(ledger: SqlLedger, clock: FakeClock, ear: Ear) -> None:
    await asyncio.sleep(0.1)
    before = ear.calls

    async def undone() -> None:
        async with ledger._database.writing() as turn:
            await turn.tell(new_job().id)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await undone()
    await asyncio.sleep(0.2)
    assert ear.calls == before


async def test_a_batch_calls_once(ledger: SqlLedger, clock: FakeClock, ear: Ear) -> None:
    jobs = [await running(ledger, clock, f"t{number}") for number in range(5)]
    await asyncio.sleep(0.3)
    before = ear.calls
    await ledger.sight([
        Sighting(job.id, TaskId(f"t{number}"), TaskStatus.SUCCEEDED, ended=True)
        for number, job in enumerate(jobs)
    ])  # fmt: skip
    await asyncio.sleep(0.3)
    assert ear.calls == before + 1


async def test_a_broken_connection_is_made_anew_and_begins_with_a_call(
    ledger: SqlLedger, url: str, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "FIRST_PAUSE_S", 0.05)
    for _ in range(2):
        await cut_all(url)
        await ear.called()
        await ledger.add_job(new_job())
        await ear.called()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of one's own, to be stopped."""
    made = started()
    yield made
    made.close()


async def test_a_server_that_goes_away_is_no_trouble_for_the_listener(
    server: Server, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "FIRST_PAUSE_S", 0.05)
    async with fresh_database(server.url) as url:
        ledger, ear = await SqlLedger.open(url, clock), Ear()
        server.stop()
        async with ledger.listening(ear.wake):
            await asyncio.sleep(0.3)
            assert ear.calls == 0
            server.start()
            await ear.called()
            await ledger.add_job(new_job())
            await ear.called()
            server.stop()
            await asyncio.sleep(0.2)
            server.start()
            await ear.called()
        await ledger.close()


async def test_a_peer_that_says_nothing_any_more_is_found_out(
    server: Server, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that swallows everything looks like a quiet one: the other end has to be asked."""
    monkeypatch.setattr(listening, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(listening, "PULSE_S", 0.05)
    monkeypatch.setattr(postgres, "ANSWER_S", 0.3)
    async with fresh_database(server.url) as url:
        ledger, ear = await SqlLedger.open(url, clock), Ear()
        async with ledger.listening(ear.wake):
            await ear.called()
            await asyncio.sleep(0.2)  # a few pulses do no harm
            async with ledger._database.reading() as turn:
                deaf = await turn.scalar(text("SELECT pid FROM pg_stat_activity WHERE query = 'SELECT 1'"))
            os.kill(deaf, signal.SIGSTOP)
            try:
                await ear.called()
                await ledger.add_job(new_job())
                await ear.called()
            finally:
                os.kill(deaf, signal.SIGCONT)
        await ledger.close()
