"""Taking jobs up, holding them, and putting them down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from wanvideo.contract.job import Event, JobId, State
from wanvideo.ledger import rows
from wanvideo.ledger.statements import leases, money
from wanvideo.ledger.writing import Writing
from wanvideo.ports import Lease


class Leases(Writing):
    """The part of ports.Ledger that keeps workers out of each other's way."""

    async def claim(
        self,
        worker: str,
        *,
        states: Sequence[State],
        only: Sequence[JobId] | None,
        limit: int,
        lease_s: float,
        due: bool = True,
    ) -> list[Lease]:
        """What is due longest comes first."""
        if limit <= 0 or not states:
            return []
        async with self._database.writing() as turn:
            now = await turn.now()
            found = await turn.all(
                leases.claim(
                    worker=worker,
                    now=now,
                    until=now + timedelta(seconds=lease_s),
                    states=states,
                    only=only,
                    limit=limit,
                    due=due,
                )
            )
        claimed = [Lease(rows.job_of(row), worker) for row in found]
        return sorted(claimed, key=lambda lease: lease.job.due_at)

    async def claim_queued(
        self,
        worker: str,
        *,
        provider: str,
        account: str,
        slots: int,
        only: Sequence[JobId] | None,
        limit: int,
        lease_s: float,
    ) -> list[Lease]:
        """Nothing is looked for while no place is free. A queue of 10,000 jobs costs about 30 ms."""
        async with self._database.writing() as turn:
            await turn.lock(f"account {account}")
            now = await turn.now()
            free = slots - await turn.scalar(leases.places_taken(account))
            if min(free, limit) <= 0:
                return []
            at_work: Counter[str | None] = Counter()
            for row in await turn.all(leases.about_to_submit(provider, now)):
                at_work[row.owner] += row.places
            most = min(limit, free - at_work.total())
            if most <= 0:
                return []
            for row in await turn.all(leases.places_by_owner(account)):
                at_work[row.owner] += row.places
            heads = await turn.all(leases.heads_of_queue(provider, now, only, most))
            place = {job_id: number for number, job_id in enumerate(fairly(heads, at_work)[:most])}
            if not place:
                return []
            until = now + timedelta(seconds=lease_s)
            claimed = await turn.all(leases.claim_these(list(place), worker, now, until))
        found = [Lease(rows.job_of(row), worker) for row in claimed]
        return sorted(found, key=lambda lease: place[lease.job.id])

    async def note_waiting(self, provider: str, note: str, *, only: Sequence[JobId] | None) -> None:
        async with self._database.reading() as turn:
            silent = await turn.first(leases.silent(provider, await turn.now(), only).limit(1))
        if silent is not None:
            async with self._database.writing() as turn:
                now = await turn.now()
                await turn.run(leases.note_waiting(provider, note, now, only))

    async def release(self, held: Sequence[Lease], *, in_s: float) -> int:
        if not held:
            return 0
        released = 0
        async with self._database.writing() as turn:
            now = await turn.now()
            due_at = now + timedelta(seconds=in_s)
            for worker in sorted({lease.worker for lease in held}):
                # by id, as all batches are; of two leases of one job only the later can still hold
                of_worker = sorted((lease.job.id, lease.fence) for lease in held if lease.worker == worker)
                fences = dict(of_worker)
                released += len(await turn.all(leases.release(fences, worker, due_at, now)))
            if in_s == 0 and released:
                await turn.tell(held[0].job.id)
        return released

    async def lease_owners(self) -> set[str]:
        async with self._database.reading() as turn:
            return {row.owner for row in await turn.all(leases.lease_owners(await turn.now()))}

    async def expire_leases(self, owners: Collection[str]) -> None:
        if not owners:
            return
        async with self._database.writing() as turn:
            freed = await turn.all(leases.expire_leases(owners, await turn.now()))
            await turn.run(leases.free_posts(owners))
            if freed:
                await turn.tell(JobId(freed[0].id))

    async def next_due_s(self, *, states: Sequence[State], only: Sequence[JobId] | None) -> float | None:
        if not states:
            return None
        async with self._database.reading() as turn:
            now = await turn.now()
            due_at = await turn.scalar(leases.first_due(states, only, now))
            if due_at is None or due_at > now:  # else one waits already, and no lease matters
                freed_at = await turn.scalar(leases.first_freed(states, only, now))
                due_at = min((at for at in (due_at, freed_at) if at is not None), default=None)
        return None if due_at is None else max(0.0, (due_at - now).total_seconds())

    async def renew(self, lease: Lease, *, lease_s: float) -> bool:
        async with self._database.writing() as turn:
            until = await turn.now() + timedelta(seconds=lease_s)
            held = leases.fenced(lease.job.id, lease.worker, lease.fence, {"lease_until": until})
            return await turn.first(held) is not None

    async def write(
        self,
        lease: Lease,
        changes: Mapping[str, Any],
        *,
        event: Event | None = None,
        data: Mapping[str, Any] | None = None,
        release_in_s: float | None = None,
        settled_cny: Decimal | None = None,
    ) -> Lease | None:
        """Raises: JobConflict when a job that comes back to the queue is in flight as another one already."""
        job = lease.job
        try:
            async with self._database.writing() as turn:
                written = await self._write(turn, lease, changes, event, data, release_in_s)
                if written is not None and settled_cny is not None:
                    settled = {"settled_cny": settled_cny}
                    await turn.run(money.change_attempt(job.id, job.attempt, settled))
                return written
        except IntegrityError as error:
            raise await self._refusal(error, job.cache_key, lease) from None


def fairly(heads: Sequence[Row[Any]], at_work: Mapping[str | None, int]) -> list[JobId]:
    """Whose turn it is: the highest priority; then the owner with the fewest jobs at work, where each
    further job counts as if those before it were at work already; then the oldest.
    """

    def rank(row: Row[Any]) -> tuple[int, int, datetime, str]:
        return -row.priority, at_work.get(row.owner, 0) + row.turn, row.created_at, row.id

    return [JobId(row.id) for row in sorted(heads, key=rank)]
