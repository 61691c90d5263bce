"""What is sent, what it holds back and what it cost: the same suite for every database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from tests.ledger.conftest import Open, attempt_of, new_job
from tests.ledger.steps import QUEUED, claim, current, finished, held, sent

from wanvideo.clock import FakeClock
from wanvideo.contract.job import Event, State, TaskId
from wanvideo.ports import Budget, Ending, Lease, Ledger, NoSlot, OverBudget, Spending


async def test_an_attempt_is_opened_and_closed_with_its_job(ledger: Ledger, clock: FakeClock) -> None:
    lease = await sent(ledger, clock, await held(ledger))
    [attempt] = await ledger.attempts(lease.job.id)
    assert attempt == attempt_of(lease, clock)
    await clock.advance(2)
    ending = Ending(Event.ACCEPTED, TaskId("t-1"), "request-1")
    closed = await ledger.close_attempt(lease, ending, {"state": State.RUNNING, "task_id": TaskId("t-1")})
    assert closed is not None
    assert (closed.job.state, closed.job.task_id) == (State.RUNNING, "t-1")
    [attempt] = await ledger.attempts(lease.job.id)
    assert (attempt.outcome, attempt.task_id, attempt.request_id) == ("accepted", "t-1", "request-1")
    assert attempt.ended_at == clock.now()


async def test_slots_are_counted_at_the_moment_of_the_attempt(
    ledger: Ledger, open_ledger: Open, clock: FakeClock
) -> None:
    other = await open_ledger()
    for _ in range(6):
        await ledger.add_job(new_job())
    leases = await claim(ledger, "w", limit=9)
    opened = await asyncio.gather(
        *(
            (ledger if number % 2 else other).open_attempt(
                lease, attempt_of(lease, clock), {"state": State.SUBMITTING, "attempt": 1}, slots=4
            )
            for number, lease in enumerate(leases)
        )
    )
    assert [isinstance(lease, Lease) for lease in opened].count(True) == 4
    assert opened.count(NoSlot.NO_SLOT) == 2
    assert len(await ledger.jobs(limit=9, states=(State.SUBMITTING,))) == 4


@pytest.mark.parametrize(("state", "counts"), [
    (State.QUEUED, False), (State.SUBMITTING, True), (State.UNCERTAIN, True), (State.RUNNING, True),
    (State.STORING, False), (State.FAILED, False),
])  # fmt: skip
async def test_a_slot_is_taken_while_a_task_may_run(
    ledger: Ledger, clock: FakeClock, state: State, counts: bool
) -> None:
    await ledger.write(await held(ledger), {"state": state}, release_in_s=100)
    lease = await held(ledger)
    opened = await ledger.open_attempt(lease, attempt_of(lease, clock), {}, slots=1)
    assert (opened is NoSlot.NO_SLOT) is counts


async def test_each_account_has_its_own_slots(ledger: Ledger, clock: FakeClock) -> None:
    await ledger.write(await held(ledger), {"state": State.RUNNING}, release_in_s=100)
    await ledger.add_job(new_job(account="another"))
    [lease] = await claim(ledger, "w")
    assert isinstance(await ledger.open_attempt(lease, attempt_of(lease, clock), {}, slots=1), Lease)
    [full] = [await held(ledger)]
    assert (
        await ledger.open_attempt(full, attempt_of(full, clock), {"account": "third"}, slots=0)
        is NoSlot.NO_SLOT
    )
    opened = await ledger.open_attempt(full, attempt_of(full, clock), {"account": "third"}, slots=1)
    assert isinstance(opened, Lease)


async def test_an_attempt_number_is_used_once(ledger: Ledger, clock: FakeClock) -> None:
    lease = await sent(ledger, clock, await held(ledger))
    with pytest.raises(IntegrityError):
        await ledger.open_attempt(lease, attempt_of(lease, clock), {"note": "twice"}, slots=9)
    assert (await current(ledger, lease.job.id)).note is None, "the whole transaction is undone"


async def test_a_task_belongs_to_one_job(ledger: Ledger) -> None:
    await ledger.write(await held(ledger), {"task_id": TaskId("t")}, release_in_s=100)
    other = await held(ledger)
    with pytest.raises(IntegrityError):
        await ledger.write(other, {"task_id": TaskId("t"), "note": "stolen"})
    assert (await current(ledger, other.job.id)).note is None


async def test_a_task_id_that_came_late_is_recorded_without_a_lease(ledger: Ledger, clock: FakeClock) -> None:
    lease = await sent(ledger, clock, await held(ledger))
    await ledger.record_task(lease.job.id, 1, TaskId("late"))
    assert (await ledger.attempts(lease.job.id))[0].task_id == "late"
    assert (await current(ledger, lease.job.id)).task_id is None
    assert await ledger.known_tasks([TaskId("late"), TaskId("x")]) == {"late"}
    assert await ledger.known_tasks([]) == set()


async def test_latencies_are_those_of_the_same_kind_newest_first(ledger: Ledger, clock: FakeClock) -> None:
    for latency_s in (10.0, 20.0, 30.0):
        await finished(ledger, clock, latency_s)
    await finished(ledger, clock, 99, resolution="1080P")
    await finished(ledger, clock, 98, billed_s=15)
    await finished(ledger, clock, 97, provider="preview")
    assert await ledger.latencies_s("dashscope", "720P", 3, limit=2) == [30.0, 20.0]


# --- budget ---


async def opened(
    ledger: Ledger, clock: FakeClock, cny: str, budget: Budget | None = None, **changes: Any
) -> Lease | NoSlot | OverBudget | None:
    new = new_job(**changes)
    await ledger.add_job(new)
    [lease] = await ledger.claim("w", states=QUEUED, only=[new.id], limit=1, lease_s=30)
    attempt = replace(
        attempt_of(lease, clock), reserved_cny=Decimal(cny), owner=new.owner, account=new.account
    )
    now = {"state": State.SUBMITTING, "attempt": 1}
    return await ledger.open_attempt(lease, attempt, now, slots=99, budget=budget)


async def ended(ledger: Ledger, lease: object, cny: str | None) -> None:
    assert isinstance(lease, Lease)
    ending = Ending(Event.REFUSED, settled_cny=None if cny is None else Decimal(cny))
    assert await ledger.close_attempt(lease, ending, {"state": State.FAILED}, release_in_s=0)


async def test_a_budget_counts_what_was_spent_and_what_is_held_back(ledger: Ledger, clock: FakeClock) -> None:
    start = clock.now()
    budget = Budget(Decimal("1.000000"), start)
    first = await opened(ledger, clock, "0.6", budget)
    assert isinstance(first, Lease)
    assert await opened(ledger, clock, "0.400001", budget) == OverBudget(Decimal("0.6"))
    await ended(ledger, first, "0.3")
    assert await ledger.spent_cny(start) == Decimal("0.3")
    second = await opened(ledger, clock, "0.7", budget)
    assert isinstance(second, Lease), "to the last millionth"
    assert await opened(ledger, clock, "0.000001", budget) == OverBudget(Decimal(1))
    assert isinstance(await opened(ledger, clock, "0", budget), Lease), "what costs nothing always fits"


async def test_over_budget_nothing_is_written(ledger: Ledger, clock: FakeClock) -> None:
    assert isinstance(await opened(ledger, clock, "2", Budget(Decimal(1), clock.now())), OverBudget)
    [job] = await ledger.jobs(limit=9)
    assert (job.state, job.attempt) == (State.QUEUED, 0)
    assert await ledger.attempts(job.id) == []


async def test_what_was_spent_before_does_not_count(ledger: Ledger, clock: FakeClock) -> None:
    await ended(ledger, await opened(ledger, clock, "5"), "5")
    await clock.advance(1)
    assert isinstance(await opened(ledger, clock, "1", Budget(Decimal(1), clock.now())), Lease)
    assert [attempt.reserved_cny for attempt in await ledger.attempts_since(clock.now())] == [Decimal(1)]


async def test_two_accounts_cannot_overdraw_one_budget(
    ledger: Ledger, open_ledger: Open, clock: FakeClock
) -> None:
    other, budget = await open_ledger(), Budget(Decimal(4), clock.now())
    tries = await asyncio.gather(
        *(
            opened(one, clock, "1", budget, account=account)
            for account in ("a", "b", "c", "d")
            for one in (ledger, other)
        )
    )
    assert [isinstance(result, Lease) for result in tries].count(True) == 4
    assert await ledger.spent_cny(budget.since_at) == 4


async def test_a_step_of_the_job_settles_its_latest_attempt(ledger: Ledger, clock: FakeClock) -> None:
    lease = await opened(ledger, clock, "1.5")
    assert isinstance(lease, Lease)
    written = await ledger.write(lease, {"state": State.STORING}, settled_cny=Decimal("1.234567"))
    assert written is not None
    [attempt] = await ledger.attempts(lease.job.id)
    assert attempt.settled_cny == Decimal("1.234567")
    assert await ledger.spent_cny(clock.now()) == Decimal("1.234567")
    stale = replace(lease, job=replace(lease.job, fence=0))
    assert await ledger.write(stale, {}, settled_cny=Decimal(9)) is None
    assert await ledger.spent_cny(clock.now()) == Decimal("1.234567"), "a late writer settles nothing"


async def test_an_attempt_does_not_count_its_own_place(ledger: Ledger, clock: FakeClock) -> None:
    """A job that comes back to be sent once more may still be counted as running."""
    lease = await sent(ledger, clock, await held(ledger), slots=1)
    again = await ledger.open_attempt(lease, attempt_of(lease, clock, 2), {"attempt": 2}, slots=1)
    assert isinstance(again, Lease)


async def test_spending_is_told_by_owner_and_provider(ledger: Ledger, clock: FakeClock) -> None:
    await ended(ledger, await opened(ledger, clock, "1", owner="ann"), "0.9")
    await ended(ledger, await opened(ledger, clock, "1", owner="ann"), "0")
    await opened(ledger, clock, "2", owner="ann")
    await opened(ledger, clock, "4", provider="preview")
    clip = (await ledger.jobs(limit=1))[0]
    await ledger.note_hit(clip.id, "ann", Decimal("0.366962"))
    await ledger.note_hit(clip.id, "ann", Decimal("0.366962"))
    assert await ledger.spending(clock.now()) == [
        Spending(None, "preview", Decimal(0), Decimal(4), 0, Decimal(0), 0),
        Spending("ann", "dashscope", Decimal("0.9"), Decimal(2), 1, Decimal(0), 0),
        Spending("ann", "preview", Decimal(0), Decimal(0), 0, Decimal("0.733924"), 2),
    ]
    assert await ledger.spending(clock.now() + timedelta(seconds=1)) == []


async def test_sums_of_money_are_exact(ledger: Ledger, clock: FakeClock) -> None:
    for _ in range(10):
        await opened(ledger, clock, "0.1")
    assert await ledger.spent_cny(clock.now()) == 1
    assert await ledger.spent_cny(clock.now() + timedelta(days=1)) == 0
