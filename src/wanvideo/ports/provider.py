"""A maker of clips: what it is asked, what it answers, how it wants to be asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from wanvideo.contract.job import TaskId
from wanvideo.contract.price import Cost
from wanvideo.contract.request import VideoRequest
from wanvideo.errors import WanvideoError


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
    resolution: str | None = None  # the tier and the sound that were billed, where usage names them
    sound: bool | None = None
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
class TaskPage:
    """One page of the task list. `pages` and `total` count the whole answer to the same question."""

    tasks: tuple[TaskListing, ...]
    pages: int
    total: int


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
    `slots` is how many tasks may run at once for one account. `submits_per_s` and `queries_per_s` are
    shared by all processes that use the account. None means a provider on this machine: nothing is
    rationed, and each process looks after its own tasks.
    """

    typical_s: float
    first_look_s: float
    look_every_s: float
    slots: int = 5
    submits_per_s: float | None = None
    queries_per_s: float | None = None


class Provider(Protocol):
    """A maker of clips. No method waits for a clip, and none retries: that is the jobs' business.

    `create` may cost money from the moment it is called. Errors: `errors.NotDelivered` when the request
    never left, `errors.Throttled`, a `ProviderError` that is not retryable when it was refused,
    `errors.SubmitUncertain` for everything that leaves doubt. `ready` does what can be done before, so that
    `create` sends at once. `ping` tells the provider's own time, where it has one. `fetch`, `list_page`
    and `cancel` send one request each and raise retryable errors for anything short of a definite answer.
    A page of the list holds the tasks that were created in the window, newest first; where the vendor's
    filter is not sure to be exact it may hold others too, which the caller leaves out.
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
    async def list_page(self, since_at: datetime, until_at: datetime, page_no: int) -> TaskPage: ...
    async def cancel(self, task: TaskId) -> None: ...
    async def ping(self) -> datetime | None: ...
    def open_clip(self, url: str, *, offset_bytes: int = 0) -> AbstractAsyncContextManager[ClipStream]: ...
    async def close(self) -> None: ...
