"""What the parts of the ledger share: transactions, and the one fenced write to a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Executable, Row
from sqlalchemy.exc import IntegrityError

from wanvideo.contract.job import Event, State
from wanvideo.errors import JobConflict
from wanvideo.ledger import rows
from wanvideo.ledger.database import Database, Transaction
from wanvideo.ledger.statements import jobs, leases
from wanvideo.ports import Lease

_AT_PROVIDER = (State.SUBMITTING, State.UNCERTAIN, State.RUNNING)
"""A job that leaves these frees a place, and a queued one may go."""


class Writing:
    """A database, and a job's lease as the right to write to it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def _all(self, statement: Executable) -> Sequence[Row[Any]]:
        async with self._database.reading() as turn:
            return await turn.all(statement)

    async def _first(self, statement: Executable) -> Row[Any] | None:
        async with self._database.reading() as turn:
            return await turn.first(statement)

    async def _write(
        self,
        turn: Transaction,
        lease: Lease,
        changes: Mapping[str, Any],
        event: Event | None,
        data: Mapping[str, Any] | None,
        release_in_s: float | None,
    ) -> Lease | None:
        job, now = lease.job, await turn.now()
        columns = rows.changes_of(changes) | {"updated_at": now}
        if release_in_s is not None:
            columns |= {
                "lease_owner": None,
                "lease_until": None,
                "due_at": now + timedelta(seconds=release_in_s),
            }
        row = await turn.first(leases.fenced(job.id, lease.worker, lease.fence, columns))
        if row is None:
            return None
        if event is not None:
            await turn.run(jobs.add_event(job.id, event, row.state, now, data))
        frees = job.state in _AT_PROVIDER and row.state not in _AT_PROVIDER
        if frees or release_in_s == 0:
            await turn.tell(job.id)
        return Lease(rows.job_of(row), lease.worker)

    async def _refusal(self, error: IntegrityError, cache_key: str, lease: Lease) -> Exception:
        """What to raise when the database refused a row: JobConflict when an identical job is in flight.

        Any other refusal is a mistake of ours and stays what it is.
        """
        words = str(error.orig)
        if "jobs.cache_key" not in words and "jobs_single_flight" not in words:
            return error
        other = await self._first(jobs.in_flight(cache_key))
        named = f"the job {other.id}, which is {other.state}," if other else "another job"
        hint = f"Follow it with `wanvideo jobs watch {other.id}`." if other else "Try again."
        return JobConflict(
            f"An identical request is in flight already: {named} makes the same clip.",
            job_id=lease.job.id,
            hint=hint,
        )
