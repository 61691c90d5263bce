"""The values that go into the ledger and come out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from wanvideo.contract.job import Event, Job, JobId, Picture, TaskId
from wanvideo.ports.provider import TaskStatus


@dataclass(frozen=True, slots=True)
class NewJob:
    """What a job is born with."""

    id: JobId
    provider: str
    request: dict[str, Any]
    picture: Picture
    cache_key: str
    seed: int
    estimate_cny: str
    account: str
    resolution: str
    billed_s: int
    warnings: tuple[str, ...] = ()
    owner: str | None = None
    priority: int = 0
    max_cost_cny: str | None = None
    shared: bool = True  # an identical request may join it while it is in flight
    miss: str = ""  # in words: how it differs from the nearest earlier job


@dataclass(frozen=True, slots=True)
class Once:
    """An idempotency key as a caller sent it, and the hash of the body it came with."""

    owner: str
    key: str
    body_sha256: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write one job until `lease_until`; every write carries the fence."""

    job: Job
    worker: str

    @property
    def fence(self) -> int:
        return self.job.fence


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended: the event, and the task or the error that came of it."""

    event: Event
    task_id: TaskId | None = None
    request_id: str | None = None
    error: dict[str, Any] | None = None
    settled_cny: Decimal | None = None  # what the attempt cost in the end; None while that is open


class NoSlot(Enum):
    """All slots of the account are taken; nothing was written."""

    NO_SLOT = "no_slot"


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `cny` yuan may be spent or reserved by attempts that started at or after `since_at`."""

    cny: Decimal
    since_at: datetime


@dataclass(frozen=True, slots=True)
class OverBudget:
    """The attempt does not fit into the budget beside what is spent and reserved; nothing was written."""

    spent_cny: Decimal


@dataclass(frozen=True, slots=True)
class RunningTask:
    """A task at the provider that is not known to have ended: what the watch looks after."""

    job_id: JobId
    task_id: TaskId
    resolution: str
    billed_s: int
    submitted_at: datetime
    seen_status: str | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a look told of a task. `ended`: a worker should take the job up now.

    UNKNOWN without `ended` means that the look told nothing: the former word stays. `note` says why in
    words; an empty one takes the former note back, and None leaves it.
    """

    job_id: JobId
    task_id: TaskId
    status: TaskStatus
    ended: bool
    progress: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """Money of one owner with one provider: what was settled, and what open attempts still hold."""

    owner: str | None
    provider: str
    settled_cny: Decimal
    reserved_cny: Decimal
    clips: int  # attempts that were billed
    saved_cny: Decimal  # what cache hits did not cost
    hits: int
