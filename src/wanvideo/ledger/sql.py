"""The ledger on a SQL database. Each method that writes is one transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from wanvideo.clock import Clock
from wanvideo.contract.job import Attempt, Event, Job, JobEvent, JobId, State, TaskId
from wanvideo.ledger import rows, schema, statements
from wanvideo.ledger.engine import Database
from wanvideo.ledger.migrations import migrate
from wanvideo.ports import Ending, Lease, NewJob, NoSlot, Upload


class SqlLedger:
    """Implements ports.Ledger. Open it with `SqlLedger.open`; it migrates the database by itself."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @classmethod
    async def open(cls, url: str, clock: Clock) -> SqlLedger:
        """Raises: StorageFailed when the file cannot be opened, SettingsInvalid for a wrong URL."""
        database = Database(url)
        try:
            async with database.writing() as connection:
                await connection.run_sync(migrate)
        except BaseException:
            await database.close()  # an open connection would keep the process from ending
            raise
        return cls(database, clock)

    async def close(self) -> None:
        await self._database.close()

    # --- jobs ---

    async def add_job(self, new: NewJob) -> Job:
        now = self._clock.now()
        async with self._database.writing() as connection:
            row = (
                await connection.execute(
                    insert(schema.jobs).values(**rows.row_of(new, now)).returning(*schema.jobs.c)
                )
            ).mappings()
            await connection.execute(statements.add_event(new.id, "created", State.QUEUED, now))
            return rows.job_of(row.one())

    async def job(self, job_id: JobId) -> Job | None:
        row = await self._first(select(schema.jobs).where(schema.jobs.c.id == job_id))
        return None if row is None else rows.job_of(row)

    async def jobs(self, *, limit: int, states: Sequence[State] = ()) -> list[Job]:
        return [rows.job_of(row) for row in await self._all(statements.list_jobs(states, limit))]

    async def find_jobs(self, part: str) -> list[JobId]:
        return [JobId(row["id"]) for row in await self._all(statements.find_jobs(part))]

    async def clip_for(self, cache_key: str) -> Job | None:
        row = await self._first(statements.clip_for(cache_key))
        return None if row is None else rows.job_of(row)

    async def ask_cancel(self, job_id: JobId, how: str) -> Job | None:
        now = self._clock.now()
        async with self._database.writing() as connection:
            row = (await connection.execute(statements.ask_cancel(job_id, how, now))).mappings().first()
            if row is None:
                return None
            await connection.execute(
                statements.add_event(job_id, "cancel_asked", row["state"], now, {"how": how})
            )
            return rows.job_of(row)

    # --- leases ---

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
        now = self._clock.now()
        statement = statements.claim(
            worker=worker,
            now=now,
            until=now + timedelta(seconds=lease_s),
            states=states,
            only=only,
            limit=limit,
            due=due,
        )
        async with self._database.writing() as connection:
            found = (await connection.execute(statement)).mappings().all()
        return [Lease(rows.job_of(row), worker) for row in found]

    async def lease_owners(self) -> set[str]:
        found = await self._all(statements.lease_owners(self._clock.now()))
        return {row["lease_owner"] for row in found}

    async def expire_leases(self, owners: Collection[str]) -> None:
        async with self._database.writing() as connection:
            await connection.execute(statements.expire_leases(owners, self._clock.now()))

    async def next_due_s(self, *, states: Sequence[State], only: Sequence[JobId] | None) -> float | None:
        async with self._database.reading() as connection:
            due_at = (await connection.execute(statements.next_due(states, only))).scalar()
        return None if due_at is None else max(0.0, (due_at - self._clock.now()).total_seconds())

    async def renew(self, lease: Lease, *, lease_s: float) -> bool:
        until = self._clock.now() + timedelta(seconds=lease_s)
        async with self._database.writing() as connection:
            held = await connection.execute(self._fenced(lease, {"lease_until": until}))
            return held.first() is not None

    async def write(
        self,
        lease: Lease,
        changes: Mapping[str, Any],
        *,
        event: Event | None = None,
        data: Mapping[str, Any] | None = None,
        release_in_s: float | None = None,
    ) -> Lease | None:
        async with self._database.writing() as connection:
            return await self._write(connection, lease, changes, event, data, release_in_s)

    # --- attempts ---

    async def open_attempt(
        self, lease: Lease, attempt: Attempt, changes: Mapping[str, Any], *, slots: int
    ) -> Lease | NoSlot | None:
        """Commit one approved create: after this the POST may leave, before it it may not."""
        async with self._database.writing() as connection:
            account = changes.get("account", lease.job.account)  # the key may have changed meanwhile
            taken = (await connection.execute(statements.active_count(account))).scalar_one()
            if taken >= slots:
                return NoSlot.NO_SLOT
            data = {"attempt": attempt.number, "body_sha256": attempt.body_sha256}
            written = await self._write(connection, lease, changes, Event.CLAIM, data, None)
            if written is not None:
                await connection.execute(insert(schema.attempts).values(**dataclasses.asdict(attempt)))
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
        table = schema.attempts
        async with self._database.writing() as connection:
            written = await self._write(connection, lease, changes, ending.event, data, release_in_s)
            if written is not None:
                await connection.execute(
                    update(table)
                    .where(table.c.job_id == lease.job.id, table.c.number == lease.job.attempt)
                    .values(
                        ended_at=self._clock.now(),
                        outcome=ending.event,
                        task_id=ending.task_id,
                        request_id=ending.request_id,
                        error=ending.error,
                    )
                )
            return written

    async def record_task(self, job_id: JobId, number: int, task_id: TaskId) -> None:
        """Keep a task id whose job was leased away meanwhile: a fact about the attempt needs no fence."""
        table = schema.attempts
        async with self._database.writing() as connection:
            await connection.execute(
                update(table)
                .where(table.c.job_id == job_id, table.c.number == number)
                .values(task_id=task_id)
            )

    async def attempts(self, job_id: JobId) -> list[Attempt]:
        table = schema.attempts
        found = await self._all(select(table).where(table.c.job_id == job_id).order_by(table.c.number))
        return [rows.attempt_of(row) for row in found]

    async def events(self, job_id: JobId, *, after_seq: int = 0) -> list[JobEvent]:
        table = schema.events
        found = await self._all(
            select(table).where(table.c.job_id == job_id, table.c.seq > after_seq).order_by(table.c.seq)
        )
        return [rows.event_of(row) for row in found]

    async def known_tasks(self, task_ids: Sequence[TaskId]) -> set[TaskId]:
        found = await self._all(statements.known_tasks(task_ids))
        return rows.task_ids_of([row["task_id"] for row in found])

    async def latencies_s(self, provider: str, resolution: str, billed_s: int, *, limit: int) -> list[float]:
        found = await self._all(statements.latencies(provider, resolution, billed_s, limit))
        return [row["latency_s"] for row in found]

    # --- what is known of the provider ---

    async def upload(self, account: str, sha256: str, *, at_least_s: float) -> str | None:
        until = self._clock.now() + timedelta(seconds=at_least_s)
        row = await self._first(statements.valid_upload(account, sha256, until))
        return None if row is None else str(row["url"])

    async def remember_upload(self, account: str, sha256: str, upload: Upload) -> None:
        table = schema.uploads
        async with self._database.writing() as connection:
            await connection.execute(delete(table).where(table.c.expires_at < self._clock.now()))
            values = {"url": upload.url, "expires_at": upload.expires_at}
            await connection.execute(
                upsert(table)
                .values(account=account, sha256=sha256, **values)
                .on_conflict_do_update(index_elements=["account", "sha256"], set_=values)
            )

    async def forget_upload(self, account: str, sha256: str) -> None:
        table = schema.uploads
        async with self._database.writing() as connection:
            await connection.execute(
                delete(table).where(table.c.account == account, table.c.sha256 == sha256)
            )

    async def quirks(self, endpoint: str) -> frozenset[str]:
        return frozenset(row["parameter"] for row in await self._all(statements.list_quirks(endpoint)))

    async def remember_quirk(self, endpoint: str, parameter: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(
                upsert(schema.quirks)
                .values(endpoint=endpoint, parameter=parameter, seen_at=self._clock.now())
                .on_conflict_do_nothing()
            )

    # --- inside ---

    def _fenced(self, lease: Lease, changes: Mapping[str, Any]) -> Any:
        return statements.fenced(lease.job.id, lease.worker, lease.fence, rows.changes_of(changes))

    async def _write(
        self,
        connection: AsyncConnection,
        lease: Lease,
        changes: Mapping[str, Any],
        event: Event | None,
        data: Mapping[str, Any] | None,
        release_in_s: float | None,
    ) -> Lease | None:
        now: datetime = self._clock.now()
        columns = {**changes, "updated_at": now}
        if release_in_s is not None:
            columns |= {
                "lease_owner": None,
                "lease_until": None,
                "due_at": now + timedelta(seconds=release_in_s),
            }
        row = (await connection.execute(self._fenced(lease, columns))).mappings().first()
        if row is None:
            return None
        if event is not None:
            await connection.execute(statements.add_event(lease.job.id, event, row["state"], now, data))
        return Lease(rows.job_of(row), lease.worker)

    async def _all(self, statement: Any) -> Sequence[Any]:
        async with self._database.reading() as connection:
            return (await connection.execute(statement)).mappings().all()

    async def _first(self, statement: Any) -> Any:
        found = await self._all(statement)
        return found[0] if found else None
