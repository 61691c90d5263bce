"""Rows to values and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from wanvideo.contract.job import Attempt, Job, JobEvent, JobId, Picture, State, TaskId
from wanvideo.ports import NewJob

_JOB_FIELDS = {field.name for field in fields(Job)}


def job_of(row: RowMapping) -> Job:
    values: dict[str, Any] = {name: row[name] for name in _JOB_FIELDS}
    values["state"] = State(values["state"])
    values["picture"] = Picture(**values["picture"])
    values["warnings"] = tuple(values["warnings"])
    return Job(**values)


def row_of(new: NewJob, now: datetime) -> dict[str, Any]:
    """A fresh job: queued, due at once."""
    return {
        **asdict(new),
        "warnings": list(new.warnings),
        "state": State.QUEUED,
        "created_at": now,
        "updated_at": now,
        "due_at": now,
        "evidence": {},
    }


def changes_of(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of a Job's fields as column values."""
    plain = dict(changes)
    if "warnings" in plain:
        plain["warnings"] = list(plain["warnings"])
    return plain


def attempt_of(row: RowMapping) -> Attempt:
    return Attempt(**{str(name): value for name, value in row.items()})


def event_of(row: RowMapping) -> JobEvent:
    return JobEvent(
        seq=row["seq"],
        job_id=JobId(row["job_id"]),
        at=row["at"],
        event=row["event"],
        state=State(row["state"]),
        data=row["data"],
    )


def task_ids_of(values: list[Any]) -> set[TaskId]:
    return {TaskId(value) for value in values if value is not None}
