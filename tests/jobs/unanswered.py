"""Submits and tasks in few words: seconds since noon, and what stands out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from wanvideo.contract.job import JobId, TaskId
from wanvideo.jobs.likeness import Facts
from wanvideo.jobs.unanswered import Sent, Task

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HARBOUR, FOG = Facts("a harbour", 2, "720P", True), Facts("a mountain in the fog", 2, "720P", True)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def sent(started_s: float = 0, lost_s: float | None = None, name: str = "j_1", **more: Any) -> Sent:
    """Lost after a second, if not said otherwise. Each has its own body, if not said otherwise."""
    rest: dict[str, Any] = {"body_sha256": name, "facts": HARBOUR, "reach": timedelta(seconds=75)}
    lost_at = at(started_s + 1 if lost_s is None else lost_s)
    return Sent(JobId(name), started_at=at(started_s), lost_at=lost_at, **(rest | more))


def task(made_s: float, name: str = "task-1", **more: Any) -> Task:
    """One that still runs, if not said otherwise."""
    return Task(TaskId(name), at(made_s), **more)
