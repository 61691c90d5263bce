"""The money: what is about to be sent, what it holds back, and what came of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from wanvideo.contract.job import Attempt, Event, JobId, TaskId
from wanvideo.ledger import rows
from wanvideo.ledger.statements import leases, money
from wanvideo.ledger.writing import Writing
from wanvideo.ports import Budget, Ending, Lease, NoSlot, OverBudget, Spending

_THE_BUDGET = "budget"


class Attempts(Writing):
    """The part of ports.Ledger that is asked before a POST leaves, and told what it cost."""

    async def open_attempt(
        self,
        lease: Lease,
        attempt: Attempt,
        changes: Mapping[str, Any],
        *,
        slots: int,
        budget: Budget | None = None,
    ) -> Lease | NoSlot | OverBudget | None:
        """Commit one approved create: after this the POST may leave, before it it may not."""
        async with self._database.writing() as turn:
            account = changes.get("account", lease.job.account)  # the key may have changed meanwhile
            await turn.lock(f"account {account}")
            if await turn.scalar(leases.places_taken(account, but=lease.job.id)) >= slots:
                return NoSlot.NO_SLOT
            if budget is not None and attempt.reserved_cny > 0:
                await turn.lock(_THE_BUDGET)  # it counts all accounts; always after the account's own lock
                spent = await turn.scalar(money.spent(budget.since_at))
                if spent + attempt.reserved_cny > budget.cny:
                    return OverBudget(spent)
            data = {"attempt": attempt.number, "body_sha256": attempt.body_sha256}
            written = await self._write(turn, lease, changes, Event.CLAIM, data, None)
            if written is not None:
                await turn.run(money.add_attempt(dataclasses.asdict(attempt)))
            return written

    async def close_attempt(
        self,
        lease: Lease,
        ending: Ending,
        changes: Mapping[str, Any],
        *,
        data: Mapping[str, Any] | None = None,
        release_in_s: float | None = None,
    ) -> Lease | None:
        """Write down how the latest attempt ended, together with what that means for the job."""
        async with self._database.writing() as turn:
            written = await self._write(turn, lease, changes, ending.event, data, release_in_s)
            if written is not None:
                columns: dict[str, Any] = {
                    "ended_at": await turn.now(),
                    "outcome": ending.event,
                    "task_id": ending.task_id,
                    "request_id": ending.request_id,
                    "error": ending.error,
                }
                if ending.settled_cny is not None:
                    columns["settled_cny"] = ending.settled_cny
                await turn.run(money.change_attempt(lease.job.id, lease.job.attempt, columns))
            return written

    async def record_task(self, job_id: JobId, number: int, task_id: TaskId) -> None:
        """Keep a task id whose job was leased away meanwhile: a fact about the attempt needs no fence."""
        async with self._database.writing() as turn:
            await turn.lock(f"task {task_id}")  # it may be being rescued this moment
            await turn.run(money.change_attempt(job_id, number, {"task_id": task_id}))

    async def attempts(self, job_id: JobId) -> list[Attempt]:
        return [rows.attempt_of(row) for row in await self._all(money.attempts_of(job_id))]

    async def attempts_since(self, since_at: datetime) -> list[Attempt]:
        """Oldest first."""
        return [rows.attempt_of(row) for row in await self._all(money.attempts_since(since_at))]

    async def spent_cny(self, since_at: datetime) -> Decimal:
        """What attempts that started since then cost; an open one counts with what it holds back."""
        async with self._database.reading() as turn:
            return Decimal(await turn.scalar(money.spent(since_at)))

    async def spending(self, since_at: datetime) -> list[Spending]:
        async with self._database.reading() as turn:
            return rows.spending_of(
                await turn.all(money.spending(since_at)), await turn.all(money.savings(since_at))
            )

    async def note_hit(self, job_id: JobId, owner: str | None, saved_cny: Decimal) -> None:
        async with self._database.writing() as turn:
            await turn.run(money.add_hit(job_id, owner, saved_cny, await turn.now()))

    async def known_tasks(self, task_ids: Sequence[TaskId]) -> set[TaskId]:
        found = await self._all(money.known_tasks(task_ids))
        return {TaskId(row.task_id) for row in found}

    async def latencies_s(self, provider: str, resolution: str, seconds: int, *, limit: int) -> list[float]:
        found = await self._all(money.latencies(provider, resolution, seconds, limit))
        return [row.latency_s for row in found]
