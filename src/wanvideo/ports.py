"""What the jobs need of their neighbours: one small Protocol each. Adapters do not subclass them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Protocol

from wanvideo.contract.job import Attempt, Event, Job, JobEvent, JobId, Picture, State, TaskId
from wanvideo.contract.price import Cost
from wanvideo.contract.request import VideoRequest
from wanvideo.errors import WanvideoError

# --- Provider ---------------------------------------------------------------------------------------


class TaskStatus(StrEnum):
    """The provider's word for a task, in our spelling. A word we do not know counts as RUNNING."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Order:
    """One create, ready to be spelt in the provider's words. `omit` names fields the endpoint refuses."""

    request: VideoRequest
    seed: int
    picture_url: str
    omit: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TaskReport:
    """One answer to "how is the task?". `video_url` is signed: it is never logged or written down."""

    status: TaskStatus
    video_url: str | None = None
    expires_at: datetime | None = None
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    billed_s: float | None = None
    cost: Cost | None = None  # settled from usage, on success only
    prompt_seen: str | None = None  # the provider's `orig_prompt`
    progress: float | None = None  # 0..1 where the provider really knows it
    error: WanvideoError | None = None  # on FAILED
    passing: bool = False  # FAILED by the provider's own trouble: a new create is free and may work
    rejected_parameter: str | None = None  # FAILED because of size, fps or motion_strength
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:  # keeps the signed link out of logs and tracebacks
        return f"TaskReport(status={self.status.value!r}, error={self.error!r})"


@dataclass(frozen=True, slots=True)
class TaskListing:
    """One line of the provider's task list: status and times, no prompt and no link."""

    task_id: TaskId
    status: TaskStatus
    created_at: datetime
    ended_at: datetime | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that lies with the provider, and until when it may be used."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ClipStream:
    """The bytes of a finished clip from `offset_bytes` on. `total_bytes` counts the whole file if known."""

    chunks: AsyncIterator[bytes]
    total_bytes: int | None
    offset_bytes: int


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays and where: limits, uploads and quirks belong to it."""

    provider: str
    endpoint: str
    key_fingerprint: str

    @property
    def name(self) -> str:
        return f"{self.provider}|{self.endpoint}|{self.key_fingerprint}"


@dataclass(frozen=True, slots=True)
class Pace:
    """How a provider wants to be asked, until enough clips were made to learn from.

    `typical_s` is the usual time of one clip; `first_look_s` and `look_every_s` space the polls;
    `slots` is how many tasks may run at once for one account.
    """

    typical_s: float
    first_look_s: float
    look_every_s: float
    slots: int = 5


class Provider(Protocol):
    """A maker of clips. No method waits for a clip, and none retries: that is the jobs' business.

    `create` may cost money from the moment it is called. Errors: `errors.NotDelivered` when the request
    never left, `errors.Throttled`, a `ProviderError` that is not retryable when it was refused,
    `errors.SubmitUncertain` for everything that leaves doubt. `ready` does what can be done before, so that
    `create` sends at once. `ping` tells the provider's own time, where it has one. `fetch`, `list_tasks`
    and `cancel` raise retryable errors for anything short of a definite answer.
    """

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def account(self) -> Account: ...
    @property
    def pace(self) -> Pace: ...

    def estimate(self, request: VideoRequest) -> Cost: ...
    def body(self, order: Order) -> dict[str, Any]: ...
    def settled(self, request: VideoRequest, billed_s: float) -> Cost: ...
    async def upload(self, data: bytes, *, name: str) -> Upload: ...
    async def ready(self) -> None: ...
    async def create(self, body: Mapping[str, Any]) -> TaskId: ...
    async def fetch(self, task: TaskId) -> TaskReport: ...
    async def list_tasks(self, since_at: datetime, until_at: datetime) -> list[TaskListing]: ...
    async def cancel(self, task: TaskId) -> None: ...
    async def ping(self) -> datetime | None: ...
    def open_clip(self, url: str, *, offset_bytes: int = 0) -> AbstractAsyncContextManager[ClipStream]: ...
    async def close(self) -> None: ...


# --- VideoStore -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A file at its final place. `url` is durable: a path, or an object store's unsigned URL."""

    url: str
    size_bytes: int


class Keep(StrEnum):
    """What a stored file is."""

    CLIP = "clip"  # the result
    SOURCE = "source"  # the provider's own file beside a conformed clip


class VideoStore(Protocol):
    """Where clips and accepted pictures end up. A name is either absent or complete, never half-written.

    Raises: errors.StorageFailed when the disk is full, the folder read-only or the service away.
    """

    async def put_clip(self, job: Job, source: Path, kind: Keep) -> StoredObject: ...
    async def put_picture(self, data: bytes, *, sha256: str, suffix: str) -> str: ...
    async def picture(self, key: str) -> bytes: ...
    async def exists(self, url: str) -> bool: ...


# --- Ledger -----------------------------------------------------------------------------------------


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


class NoSlot(Enum):
    """All slots of the account are taken; nothing was written."""

    NO_SLOT = "no_slot"


class Ledger(Protocol):
    """The durable record. Every write is one transaction; a write with a stale fence changes nothing.

    Delays are relative (`_s`): the ledger adds them to its own clock. Methods that take a lease answer
    None when the lease was lost; the caller then drops what it has.
    """

    async def add_job(self, new: NewJob) -> Job: ...
    async def job(self, job_id: JobId) -> Job | None: ...
    async def jobs(self, *, limit: int, states: Sequence[State] = ()) -> list[Job]: ...
    async def find_jobs(self, part: str) -> list[JobId]: ...
    async def clip_for(self, cache_key: str) -> Job | None: ...
    async def claim(
        self,
        worker: str,
        *,
        states: Sequence[State],
        only: Sequence[JobId] | None,
        limit: int,
        lease_s: float,
        due: bool = True,
    ) -> list[Lease]: ...
    async def lease_owners(self) -> set[str]: ...
    async def expire_leases(self, owners: Collection[str]) -> None: ...
    async def next_due_s(self, *, states: Sequence[State], only: Sequence[JobId] | None) -> float | None: ...
    async def renew(self, lease: Lease, *, lease_s: float) -> bool: ...
    async def write(
        self,
        lease: Lease,
        changes: Mapping[str, Any],
        *,
        event: Event | None = None,
        data: Mapping[str, Any] | None = None,
        release_in_s: float | None = None,
    ) -> Lease | None: ...
    async def open_attempt(
        self, lease: Lease, attempt: Attempt, changes: Mapping[str, Any], *, slots: int
    ) -> Lease | NoSlot | None: ...
    async def close_attempt(
        self,
        lease: Lease,
        ending: Ending,
        changes: Mapping[str, Any],
        *,
        data: Mapping[str, Any] | None = None,
        release_in_s: float | None = None,
    ) -> Lease | None: ...
    async def record_task(self, job_id: JobId, number: int, task_id: TaskId) -> None: ...
    async def attempts(self, job_id: JobId) -> list[Attempt]: ...
    async def events(self, job_id: JobId, *, after_seq: int = 0) -> list[JobEvent]: ...
    async def ask_cancel(self, job_id: JobId, how: str) -> Job | None: ...
    async def known_tasks(self, task_ids: Sequence[TaskId]) -> set[TaskId]: ...
    async def latencies_s(
        self, provider: str, resolution: str, seconds: int, *, limit: int
    ) -> list[float]: ...
    async def upload(self, account: str, sha256: str, *, at_least_s: float) -> str | None: ...
    async def remember_upload(self, account: str, sha256: str, upload: Upload) -> None: ...
    async def forget_upload(self, account: str, sha256: str) -> None: ...
    async def quirks(self, endpoint: str) -> frozenset[str]: ...
    async def remember_quirk(self, endpoint: str, parameter: str) -> None: ...
    async def close(self) -> None: ...
