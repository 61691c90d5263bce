"""A job as everybody sees it: ids, states, events, and the record the ledger keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NewType

JobId = NewType("JobId", str)
"""Ours: `j_` and 12 characters, sortable by time."""
TaskId = NewType("TaskId", str)
"""The provider's."""


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"  # waits for its turn; nothing was sent
    SUBMITTING = "submitting"  # the paid POST is on its way; from here a crash means `uncertain`
    UNCERTAIN = "uncertain"  # the POST left and was not answered: it may be billed
    RUNNING = "running"  # the provider has a task
    STORING = "storing"  # the clip is made and being brought home
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED_AT_PROVIDER = ("succeeded", "failed", "cancelled", "unknown")
"""Words of `seen_status` after which a task holds no place at the provider any more."""


class Event(StrEnum):
    """What can happen to a job."""

    CLAIM = "claim"
    ACCEPTED = "accepted"
    NOT_DELIVERED = "not_delivered"
    THROTTLED = "throttled"
    REFUSED = "refused"
    LOST = "lost"
    FOUND = "found"
    PROVED_ABSENT = "proved_absent"
    GIVEN_UP = "given_up"
    LET_GO = "let_go"
    PROVIDER_SUCCEEDED = "provider_succeeded"
    PROVIDER_FAILED = "provider_failed"
    PROVIDER_TROUBLE = "provider_trouble"
    PARAMETER_DROPPED = "parameter_dropped"
    TASK_EXPIRED = "task_expired"
    TASK_CANCELLED = "task_cancelled"
    STORED = "stored"
    RESULT_EXPIRED = "result_expired"
    CANCEL = "cancel"
    ABANDON = "abandon"
    AT_RISK = "at_risk"  # no move: the clip is not stored, and its link dies soon
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Picture:
    """The accepted reference picture: where its bytes lie, their hashes, its size and what was adjusted."""

    key: str  # the store's key of the bytes that are sent; "" for an oss:// picture we never saw
    sha256: str
    source_sha256: str
    media_type: str
    width_px: int
    height_px: int
    url: str = ""  # oss:// as given, when the picture already lies with the provider


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the ledger. Times are aware UTC; money is yuan as text to keep it exact."""

    id: JobId
    state: State
    provider: str
    request: dict[str, Any]  # VideoRequest as JSON, the picture by name
    picture: Picture
    cache_key: str
    seed: int
    estimate_cny: str
    account: str  # who pays and where: provider, endpoint, key fingerprint
    resolution: str
    billed_s: int
    created_at: datetime
    updated_at: datetime
    due_at: datetime
    fence: int = 0
    lease_owner: str | None = None
    lease_until: datetime | None = None
    attempt: int = 0
    troubles: int = 0  # how often the provider's own trouble sent it back to the queue
    task_id: TaskId | None = None
    submitted_at: datetime | None = None
    latency_s: float | None = None  # from the submit until the finished clip was seen
    expires_at: datetime | None = None  # when the provider's link dies
    seen_status: str | None = None  # the provider's latest word
    progress: float | None = None  # 0..1, only where it is known (the preview)
    note: str | None = None  # why it waits, in words
    cancel: str | None = None  # asked for: "keep" or "abandon"
    warnings: tuple[str, ...] = ()
    error: dict[str, Any] | None = None  # the problem body
    result: dict[str, Any] | None = None  # VideoResult as JSON
    cost_cny: str | None = None  # settled, or the estimate for a task that was abandoned
    store_tries: int = 0
    owner: str | None = None
    priority: int = 0  # higher goes first
    max_cost_cny: str | None = None  # the caller's own limit, looked at once more before the submit
    evidence: dict[str, Any] = field(default_factory=dict)  # what reconcile has seen so far


@dataclass(frozen=True, slots=True)
class Attempt:
    """One approved create: written down durably before the POST leaves."""

    job_id: JobId
    number: int
    fence: int
    endpoint: str
    key_fingerprint: str
    body_sha256: str
    body: dict[str, Any]  # as sent; the picture's URL is not signed
    started_at: datetime
    ended_at: datetime | None = None
    outcome: str | None = None  # the Event that ended it
    task_id: TaskId | None = None
    request_id: str | None = None
    error: dict[str, Any] | None = None
    account: str = ""  # as in Job
    owner: str | None = None
    reserved_cny: Decimal = Decimal(0)  # held back before the POST: counts until it is settled
    settled_cny: Decimal | None = None  # what it cost in the end; 0 when it came to nothing


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One line of a job's history, append-only. `seq` grows over the whole ledger."""

    seq: int
    job_id: JobId
    at: datetime
    event: str
    state: State
    data: dict[str, Any]
