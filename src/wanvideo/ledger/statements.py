"""Every statement, named. The same ones serve each database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, Select, Update, case, func, insert, or_, select, update

from wanvideo.contract.job import JobId, State, TaskId
from wanvideo.ledger.schema import ACTIVE_AT_PROVIDER, attempts, events, jobs, quirks, uploads


def _claimable(
    now: datetime, states: Sequence[State], only: Sequence[JobId] | None, *, due: bool
) -> Select[Any]:
    """Jobs in these states that nobody holds, and that are due unless `due` is false."""
    found = select(jobs.c.id).where(
        jobs.c.state.in_(states), or_(jobs.c.lease_until.is_(None), jobs.c.lease_until <= now)
    )
    if due:
        found = found.where(jobs.c.due_at <= now)
    return found if only is None else found.where(jobs.c.id.in_(only))


def claim(
    *,
    worker: str,
    now: datetime,
    until: datetime,
    states: Sequence[State],
    only: Sequence[JobId] | None,
    limit: int,
    due: bool = True,
) -> Update:
    """Lease due jobs to one worker; the fence grows, so an earlier holder can write no more."""
    chosen = _claimable(now, states, only, due=due).order_by(jobs.c.due_at).limit(limit)
    return (
        update(jobs)
        .where(jobs.c.id.in_(chosen.with_for_update(skip_locked=True)))
        .values(lease_owner=worker, lease_until=until, fence=jobs.c.fence + 1)
        .returning(*jobs.c)
    )


def next_due(states: Sequence[State], only: Sequence[JobId] | None) -> Select[Any]:
    """When the next job of these states may be claimed: due, and its lease over."""
    at = case((jobs.c.lease_until > jobs.c.due_at, jobs.c.lease_until), else_=jobs.c.due_at)
    found = select(func.min(at)).where(jobs.c.state.in_(states))
    return found if only is None else found.where(jobs.c.id.in_(only))


def fenced(job_id: JobId, worker: str, fence: int, changes: Mapping[str, Any]) -> Update:
    """Write to one job, only while this worker's lease holds: a late writer changes no row."""
    return (
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.fence == fence, jobs.c.lease_owner == worker)
        .values(**changes)
        .returning(*jobs.c)
    )


def expire_leases(owners: Collection[str], now: datetime) -> Update:
    """End the leases of workers that are known to be dead."""
    return (
        update(jobs)
        .where(jobs.c.lease_owner.in_(owners), jobs.c.lease_until > now)
        .values(lease_until=now, due_at=now)
    )


def lease_owners(now: datetime) -> Select[Any]:
    return select(jobs.c.lease_owner).where(jobs.c.lease_until > now).distinct()


def active_count(account: str) -> Select[Any]:
    """How many of the account's slots are or may be taken."""
    return select(func.count()).where(jobs.c.account == account, jobs.c.state.in_(ACTIVE_AT_PROVIDER))


def ask_cancel(job_id: JobId, how: str, now: datetime) -> Update:
    """Leave a wish that the next step honours. The one write to a job that needs no lease."""
    final = (State.SUCCEEDED, State.FAILED, State.CANCELLED)
    return (
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state.not_in(final))
        .values(cancel=how, due_at=now, updated_at=now)
        .returning(*jobs.c)
    )


def add_event(
    job_id: JobId, event: str, state: str, now: datetime, data: Mapping[str, Any] | None = None
) -> Insert:
    return insert(events).values(job_id=job_id, at=now, event=event, state=state, data=dict(data or {}))


def list_jobs(states: Sequence[State], limit: int) -> Select[Any]:
    found = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit)
    return found.where(jobs.c.state.in_(states)) if states else found


def find_jobs(part: str) -> Select[Any]:
    """Ids that contain `part`: people paste the short form from a file's name."""
    return select(jobs.c.id).where(jobs.c.id.contains(part, autoescape=True)).limit(5)


def clip_for(cache_key: str) -> Select[Any]:
    """The newest stored clip of a cache key."""
    return (
        select(jobs)
        .where(jobs.c.cache_key == cache_key, jobs.c.state == State.SUCCEEDED)
        .order_by(jobs.c.created_at.desc())
        .limit(1)
    )


def known_tasks(task_ids: Collection[TaskId]) -> Select[Any]:
    """Which of these tasks some attempt of ours already owns."""
    return select(attempts.c.task_id).where(attempts.c.task_id.in_(task_ids))


def latencies(provider: str, resolution: str, billed_s: int, limit: int) -> Select[Any]:
    """How long the latest clips of this kind took, in seconds."""
    return (
        select(jobs.c.latency_s)
        .where(
            jobs.c.provider == provider,
            jobs.c.resolution == resolution,
            jobs.c.billed_s == billed_s,
            jobs.c.latency_s.is_not(None),
        )
        .order_by(jobs.c.submitted_at.desc())
        .limit(limit)
    )


def valid_upload(account: str, sha256: str, until: datetime) -> Select[Any]:
    return select(uploads.c.url).where(
        uploads.c.account == account, uploads.c.sha256 == sha256, uploads.c.expires_at >= until
    )


def list_quirks(endpoint: str) -> Select[Any]:
    return select(quirks.c.parameter).where(quirks.c.endpoint == endpoint)
