"""Attempts: what was sent, what it holds back, what it cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CompoundSelect, Insert, Select, Update, case, func, insert, select, update

from wanvideo.contract.job import JobId, TaskId
from wanvideo.ledger.schema import attempts, cache_hits, jobs
from wanvideo.ledger.statements.membership import among

_NOTHING = Decimal(0)


def add_attempt(values: Mapping[str, Any]) -> Insert:
    return insert(attempts).values(**values)


def change_attempt(job_id: JobId, number: int, changes: Mapping[str, Any]) -> Update:
    return update(attempts).where(attempts.c.job_id == job_id, attempts.c.number == number).values(**changes)


def attempts_of(job_id: JobId) -> Select[Any]:
    return select(attempts).where(attempts.c.job_id == job_id).order_by(attempts.c.number)


def attempts_since(since_at: datetime) -> Select[Any]:
    return select(attempts).where(attempts.c.started_at >= since_at).order_by(attempts.c.started_at)


def known_tasks(task_ids: Collection[TaskId]) -> Select[Any]:
    """Which of these tasks some attempt of ours already owns."""
    return select(attempts.c.task_id).where(among(attempts.c.task_id, task_ids))


def owner_of_task(task_id: TaskId) -> CompoundSelect[Any]:
    """The job that owns a task, by itself or by one of its attempts."""
    by_attempt = select(attempts.c.job_id.label("id")).where(attempts.c.task_id == task_id)
    by_job = select(jobs.c.id).where(jobs.c.task_id == task_id)
    return by_attempt.union_all(by_job).limit(1)


def spent(since_at: datetime) -> Select[Any]:
    """What attempts cost since then, an open one as much as it holds back."""
    counted = func.coalesce(attempts.c.settled_cny, attempts.c.reserved_cny)
    return select(func.coalesce(func.sum(counted), _NOTHING)).where(attempts.c.started_at >= since_at)


def spending(since_at: datetime) -> Select[Any]:
    """Sums of the attempts by owner and provider."""
    open_cny = case((attempts.c.settled_cny.is_(None), attempts.c.reserved_cny), else_=_NOTHING)
    billed = case((attempts.c.settled_cny > _NOTHING, 1), else_=0)
    return (
        select(
            attempts.c.owner,
            jobs.c.provider,
            func.coalesce(func.sum(attempts.c.settled_cny), _NOTHING).label("settled_cny"),
            func.sum(open_cny).label("reserved_cny"),
            func.sum(billed).label("clips"),
        )
        .join(jobs, jobs.c.id == attempts.c.job_id)
        .where(attempts.c.started_at >= since_at)
        .group_by(attempts.c.owner, jobs.c.provider)
    )


def savings(since_at: datetime) -> Select[Any]:
    """Sums of the cache hits by owner and provider."""
    return (
        select(
            cache_hits.c.owner,
            jobs.c.provider,
            func.sum(cache_hits.c.saved_cny).label("saved_cny"),
            func.count().label("hits"),
        )
        .join(jobs, jobs.c.id == cache_hits.c.job_id)
        .where(cache_hits.c.at >= since_at)
        .group_by(cache_hits.c.owner, jobs.c.provider)
    )


def add_hit(job_id: JobId, owner: str | None, saved_cny: Decimal, now: datetime) -> Insert:
    return insert(cache_hits).values(job_id=job_id, owner=owner, saved_cny=saved_cny, at=now)


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
