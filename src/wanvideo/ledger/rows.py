"""Rows to values and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

from sqlalchemy import Row

from wanvideo.contract.job import ENDED_AT_PROVIDER, Attempt, Job, JobEvent, JobId, Picture, State, TaskId
from wanvideo.ledger.schema import jobs
from wanvideo.ports import NewJob, RunningTask, Sighting, Spending, TaskStatus

_JOB_FIELDS = tuple(field.name for field in fields(Job))
_STATE, _PICTURE, _WARNINGS = map(_JOB_FIELDS.index, ("state", "picture", "warnings"))
_job_columns = itemgetter(*(jobs.c.keys().index(name) for name in _JOB_FIELDS))
_NOT_COLUMNS = ("miss",)
_BORN_WITH = (
    "request", "picture", "source_sha256", "cache_key", "seed", "estimate_cny", "account", "resolution",
    "billed_s", "warnings", "max_cost_cny", "shared",
)  # fmt: skip


def job_of(row: Row[Any]) -> Job:
    """Of a row with all columns of `jobs`. By position: this runs ten thousand times a second."""
    values = list(_job_columns(row))
    values[_STATE] = State(values[_STATE])
    values[_PICTURE] = Picture(**values[_PICTURE])
    values[_WARNINGS] = tuple(values[_WARNINGS])
    return Job(*values)


def row_of(new: NewJob, now: datetime) -> dict[str, Any]:
    """A fresh job: queued, due at once."""
    columns = asdict(new)
    for name in _NOT_COLUMNS:
        del columns[name]
    return {
        **columns,
        "source_sha256": new.picture.source_sha256,
        "warnings": list(new.warnings),
        "state": State.QUEUED,
        "created_at": now,
        "updated_at": now,
        "due_at": now,
        "evidence": {},
    }


def born_anew(new: NewJob, now: datetime) -> dict[str, Any]:
    """The columns in which a job that is asked again under another request is like a fresh one."""
    columns = row_of(new, now)
    return {name: columns[name] for name in _BORN_WITH}


def changes_of(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of a Job's fields as column values."""
    plain = {name: _storable(value) for name, value in changes.items()}
    if "warnings" in plain:
        plain["warnings"] = list(plain["warnings"])
    return plain


def _storable(value: Any) -> Any:
    # PostgreSQL takes no NUL in a text, and a note may quote whatever a server sent
    return value.replace("\0", "") if type(value) is str else value


def attempt_of(row: Row[Any]) -> Attempt:
    return Attempt(**row._asdict())


def event_of(row: Row[Any]) -> JobEvent:
    return JobEvent(
        seq=row.seq,
        job_id=JobId(row.job_id),
        at=row.at,
        event=row.event,
        state=State(row.state),
        data=row.data,
    )


def task_of(row: Row[Any]) -> RunningTask:
    job_id, task_id, resolution, billed_s, submitted_at, seen_status = tuple(row)  # quicker than by name
    return RunningTask(JobId(job_id), TaskId(task_id), resolution, billed_s, submitted_at, seen_status)


def sighting_row(seen: Sighting, now: datetime) -> dict[str, Any]:
    told = seen.ended or seen.status is not TaskStatus.UNKNOWN
    return {
        "seen_job": seen.job_id,
        "seen_task": seen.task_id,
        "seen_word": seen.status.value if told else None,
        "seen_over": told and seen.status.value in ENDED_AT_PROVIDER,
        "seen_ended": seen.ended,
        "seen_progress": seen.progress,
        "seen_note": _storable(seen.note),
        "seen_at": now,
    }


def spending_of(spent: Sequence[Row[Any]], saved: Sequence[Row[Any]]) -> list[Spending]:
    """One line for each owner and provider that spent or saved anything."""
    money = {(row.owner, row.provider): row for row in spent}
    hits = {(row.owner, row.provider): row for row in saved}
    found = []
    for owner, provider in sorted(money.keys() | hits.keys(), key=lambda who: (who[0] or "", who[1])):
        paid, hit = money.get((owner, provider)), hits.get((owner, provider))
        found.append(
            Spending(
                owner=owner,
                provider=provider,
                settled_cny=paid.settled_cny if paid else Decimal(0),
                reserved_cny=paid.reserved_cny if paid else Decimal(0),
                clips=paid.clips if paid else 0,
                saved_cny=hit.saved_cny if hit else Decimal(0),
                hits=hit.hits if hit else 0,
            )
        )
    return found
