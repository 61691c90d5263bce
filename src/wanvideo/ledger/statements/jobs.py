"""Writing jobs and their history down, and finding them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, Select, Update, insert, select, update

# this Insert's ON CONFLICT is spelt the same on SQLite, whose own Insert does not compile for PostgreSQL
from sqlalchemy.dialects.postgresql import insert as insert_or

from wanvideo.contract.job import JobId
from wanvideo.ledger.schema import FINAL, IN_FLIGHT, STORED, events, jobs, once
from wanvideo.ports import Once


def add_job(values: Mapping[str, Any]) -> Insert:
    """Adds nothing, and returns nothing, while an identical job is in flight."""
    return (
        insert_or(jobs)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["cache_key"], index_where=IN_FLIGHT)
        .returning(*jobs.c)
    )


def in_flight(cache_key: str) -> Select[Any]:
    """The job that an identical request joins; at most one, by a unique index."""
    return select(jobs).where(jobs.c.cache_key == cache_key, IN_FLIGHT)


def use_once(key: Once, job_id: JobId, now: datetime) -> Insert:
    """Returns nothing when the key was used before."""
    return (
        insert_or(once)
        .values(owner=key.owner, key=key.key, body_sha256=key.body_sha256, job_id=job_id, at=now)
        .on_conflict_do_nothing(index_elements=["owner", "key"])
        .returning(once.c.job_id)
    )


def used_once(owner: str, key: str) -> Select[Any]:
    return select(once.c.body_sha256, once.c.job_id).where(once.c.owner == owner, once.c.key == key)


def once_leads_to(key: Once, job_id: JobId) -> Update:
    return update(once).where(once.c.owner == key.owner, once.c.key == key.key).values(job_id=job_id)


def add_event(
    job_id: JobId, event: str, state: str, now: datetime, data: Mapping[str, Any] | None = None
) -> Insert:
    return insert(events).values(job_id=job_id, at=now, event=event, state=state, data=dict(data or {}))


def history(job_id: JobId, after_seq: int) -> Select[Any]:
    return select(events).where(events.c.job_id == job_id, events.c.seq > after_seq).order_by(events.c.seq)


def one_job(job_id: JobId) -> Select[Any]:
    return select(jobs).where(jobs.c.id == job_id)


def list_jobs(states: Sequence[str], limit: int) -> Select[Any]:
    found = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit)
    return found.where(jobs.c.state.in_(states)) if states else found


def find_jobs(part: str) -> Select[Any]:
    """Ids that contain `part`: people paste the short form from a file's name."""
    return select(jobs.c.id).where(jobs.c.id.contains(part, autoescape=True)).limit(5)


def clip_for(cache_key: str) -> Select[Any]:
    """The newest stored clip of a cache key."""
    return (
        select(jobs).where(jobs.c.cache_key == cache_key, STORED).order_by(jobs.c.created_at.desc()).limit(1)
    )


def of_picture(provider: str, source_sha256: str, limit: int) -> Select[Any]:
    """The newest jobs of a picture."""
    return (
        select(jobs)
        .where(jobs.c.provider == provider, jobs.c.source_sha256 == source_sha256)
        .order_by(jobs.c.created_at.desc())
        .limit(limit)
    )


def newest(provider: str, limit: int) -> Select[Any]:
    return select(jobs).where(jobs.c.provider == provider).order_by(jobs.c.created_at.desc()).limit(limit)


def ask_cancel(job_id: JobId, how: str, now: datetime) -> Update:
    """Leave a wish that the next step honours. A write to a job that needs no lease."""
    return (
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state.not_in(FINAL))
        .values(cancel=how, due_at=now, updated_at=now)
        .returning(*jobs.c)
    )
