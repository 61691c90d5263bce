"""Jobs as they are written down, joined, found and wished away."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.exc import IntegrityError

from wanvideo.contract.job import Attempt, Event, Job, JobEvent, JobId, State, TaskId
from wanvideo.errors import JobConflict
from wanvideo.ledger import rows
from wanvideo.ledger.database import Transaction
from wanvideo.ledger.statements import jobs, money
from wanvideo.ledger.writing import Writing
from wanvideo.ports import Lease, NewJob, Once

_NEWEST_BESIDES = 5


class JobRows(Writing):
    """The part of ports.Ledger that needs no lease, but for `reask`."""

    async def add_job(self, new: NewJob, once: Once | None = None) -> Job:
        """One transaction. Two processes that add the same at once get the same job."""
        async with self._database.writing() as turn:
            if once is not None and not await self._takes(turn, once, new.id):
                used = await turn.first(jobs.used_once(once.owner, once.key))
                assert used is not None
                found = await turn.first(jobs.one_job(JobId(used.job_id)))
                assert found is not None
                return rows.job_of(found)
            job, fresh = await self._insert_or_join(turn, new)
            if once is not None and not fresh:
                await turn.run(jobs.once_leads_to(once, job.id))
            return job

    async def _takes(self, turn: Transaction, once: Once, job_id: JobId) -> bool:
        return await turn.first(jobs.use_once(once, job_id, await turn.now())) is not None

    async def _insert_or_join(self, turn: Transaction, new: NewJob) -> tuple[Job, bool]:
        now = await turn.now()
        while True:
            added = await turn.first(jobs.add_job(rows.row_of(new, now)))
            if added is not None:
                data = {"miss": new.miss} if new.miss else {}
                await turn.run(jobs.add_event(new.id, "created", State.QUEUED, now, data))
                await turn.tell(new.id)
                return rows.job_of(added), True
            joined = await turn.first(jobs.in_flight(new.cache_key))
            if joined is not None:  # else it ended between the two statements: once more
                return rows.job_of(joined), False

    async def add_rescued(self, new: NewJob, attempt: Attempt, changes: Mapping[str, Any]) -> Job:
        """The task is paid for, so it is written down even beside an identical job in flight."""
        task_id = changes.get("task_id", attempt.task_id)
        try:
            async with self._database.writing() as turn:
                await turn.lock(f"task {task_id}")
                owner = await turn.first(money.owner_of_task(TaskId(task_id)))
                if owner is not None:
                    raise _owned(task_id, owner.id)
                now = await turn.now()
                columns = rows.row_of(new, now) | {"attempt": attempt.number, "task_id": task_id}
                columns |= rows.changes_of(changes)
                added = await turn.first(jobs.add_job(columns))
                if added is None:
                    added = await turn.first(jobs.add_job(columns | {"shared": False}))
                assert added is not None
                found = dataclasses.replace(
                    attempt,
                    job_id=new.id,
                    task_id=task_id,
                    outcome=attempt.outcome or Event.FOUND,
                    ended_at=attempt.ended_at or now,
                )
                await turn.run(money.add_attempt(dataclasses.asdict(found)))
                await turn.run(jobs.add_event(new.id, "rescued", added.state, now, {"task_id": task_id}))
                await turn.tell(new.id)
                return rows.job_of(added)
        except IntegrityError as error:
            if "task_id" not in str(error.orig):
                raise
            raise _owned(task_id, None) from None

    async def used_once(self, owner: str, key: str) -> tuple[Once, JobId] | None:
        row = await self._first(jobs.used_once(owner, key))
        return None if row is None else (Once(owner, key, row.body_sha256), JobId(row.job_id))

    async def job(self, job_id: JobId) -> Job | None:
        row = await self._first(jobs.one_job(job_id))
        return None if row is None else rows.job_of(row)

    async def jobs(self, *, limit: int, states: Sequence[State] = ()) -> list[Job]:
        return [rows.job_of(row) for row in await self._all(jobs.list_jobs(states, limit))]

    async def find_jobs(self, part: str) -> list[JobId]:
        return [JobId(row.id) for row in await self._all(jobs.find_jobs(part))]

    async def clip_for(self, cache_key: str) -> Job | None:
        row = await self._first(jobs.clip_for(cache_key))
        return None if row is None else rows.job_of(row)

    async def alike(self, provider: str, source_sha256: str, *, limit: int) -> list[Job]:
        """At most `limit` jobs of the picture, and the five newest of the provider besides."""
        async with self._database.reading() as turn:
            found = [
                *await turn.all(jobs.of_picture(provider, source_sha256, limit)),
                *await turn.all(jobs.newest(provider, min(limit, _NEWEST_BESIDES))),
            ]
        each = {job.id: job for job in map(rows.job_of, found)}
        return sorted(each.values(), key=lambda job: (job.created_at, job.id), reverse=True)

    async def ask_cancel(self, job_id: JobId, how: str) -> Job | None:
        async with self._database.writing() as turn:
            now = await turn.now()
            row = await turn.first(jobs.ask_cancel(job_id, how, now))
            if row is None:
                return None
            await turn.run(jobs.add_event(job_id, "cancel_asked", row.state, now, {"how": how}))
            await turn.tell(job_id)
            return rows.job_of(row)

    async def reask(self, lease: Lease, new: NewJob, changes: Mapping[str, Any]) -> Lease | None:
        try:
            async with self._database.writing() as turn:
                anew = rows.born_anew(new, await turn.now()) | dict(changes)
                data = {"miss": new.miss} if new.miss else None
                return await self._write(turn, lease, anew, Event.RETRY, data, 0)
        except IntegrityError as error:
            raise await self._refusal(error, new.cache_key, lease) from None

    async def events(self, job_id: JobId, *, after_seq: int = 0) -> list[JobEvent]:
        return [rows.event_of(row) for row in await self._all(jobs.history(job_id, after_seq))]


def _owned(task_id: str, job_id: str | None) -> JobConflict:
    whose = f"to the job {job_id}" if job_id else "to another job"
    return JobConflict(f"The task {task_id} belongs {whose} already.", job_id=job_id, task_id=task_id)
