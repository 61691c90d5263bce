"""Tasks at the provider: which ones may be running, and what a look told of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Float,
    Select,
    String,
    Text,
    Update,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)

from wanvideo.contract.job import ENDED_AT_PROVIDER, State
from wanvideo.ledger.columns import Instant
from wanvideo.ledger.schema import jobs


def running(account: str) -> Select[Any]:
    """Plain columns, no JSON: there may be ten thousand."""
    return select(
        jobs.c.id,
        jobs.c.task_id,
        jobs.c.resolution,
        jobs.c.billed_s,
        func.coalesce(jobs.c.submitted_at, jobs.c.updated_at).label("submitted_at"),
        jobs.c.seen_status,
    ).where(
        jobs.c.account == account,
        jobs.c.state == State.RUNNING,
        jobs.c.task_id.is_not(None),
        or_(jobs.c.seen_status.is_(None), jobs.c.seen_status.not_in(ENDED_AT_PROVIDER)),
    )


def sight() -> Update:
    """Run once for each sighting, in one batch. An end that was seen is never unseen."""
    ended = bindparam("seen_ended", type_=Boolean)  # a worker should take the job up
    over = bindparam("seen_over", type_=Boolean)  # the word itself says that the task has ended
    return (
        update(jobs)
        .where(
            jobs.c.id == bindparam("seen_job", type_=String),
            jobs.c.task_id == bindparam("seen_task", type_=Text),
            jobs.c.state == State.RUNNING,
            # spelt out: NOT IN is filled in at each execution, and a batch is compiled once
            or_(
                over,
                jobs.c.seen_status.is_(None),
                and_(*(jobs.c.seen_status != end for end in ENDED_AT_PROVIDER)),
            ),
        )
        .values(
            seen_status=func.coalesce(bindparam("seen_word", type_=String), jobs.c.seen_status),
            note=func.nullif(func.coalesce(bindparam("seen_note", type_=Text), jobs.c.note), ""),
            progress=func.coalesce(bindparam("seen_progress", type_=Float), jobs.c.progress),
            updated_at=bindparam("seen_at", type_=Instant),
            due_at=case((ended, bindparam("seen_at", type_=Instant)), else_=jobs.c.due_at),
        )
    )
