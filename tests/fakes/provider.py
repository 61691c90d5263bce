"""A provider whose every answer is scripted, and that keeps the books: who was billed for what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.fakes.clips import clip_bytes

from wanvideo.clock import Clock
from wanvideo.contract.job import TaskId
from wanvideo.contract.price import Cost, cost_of
from wanvideo.contract.request import VideoRequest
from wanvideo.errors import (
    CancelRefused,
    ContentRejected,
    NotDelivered,
    ProviderFailed,
    ProviderRefused,
    ProviderUnavailable,
    ResultExpired,
    SubmitUncertain,
    Throttled,
)
from wanvideo.ports import (
    Account,
    ClipStream,
    Order,
    Pace,
    TaskListing,
    TaskPage,
    TaskReport,
    TaskStatus,
    Upload,
)

SIGNATURE = "Signature=SIGNEDSECRET"
DAY_S = 86_400
LOCAL = Pace(20, 15, 10, 5)
"""As on this machine: nothing is rationed, and every process looks for itself."""
RATIONED = Pace(20, 15, 3, 5, submits_per_s=5, queries_per_s=15)
"""As DashScope: one process looks for all, in turns."""


@dataclass
class FakeTask:
    """One task on the provider's side. It waits, runs, and ends as `ending` says."""

    id: TaskId
    body: dict[str, Any]
    created_at: datetime
    wait_s: float
    takes_s: float
    ending: str
    cancelled: bool = False

    def status(self, now: datetime) -> TaskStatus:
        age_s = (now - self.created_at).total_seconds()
        if self.cancelled:
            return TaskStatus.CANCELLED
        if age_s < self.wait_s:
            return TaskStatus.PENDING
        if age_s < self.takes_s:
            return TaskStatus.RUNNING
        if self.ending == "succeed":
            return TaskStatus.SUCCEEDED
        return TaskStatus.CANCELLED if self.ending == "cancelled" else TaskStatus.FAILED

    @property
    def billed(self) -> bool:
        """Whether this task costs money in the end."""
        return self.ending == "succeed" and not self.cancelled

    @property
    def ends_at(self) -> datetime:
        return self.created_at + timedelta(seconds=self.takes_s)


@dataclass
class FakeProvider:
    """Implements ports.Provider. Lists are scripts: their first entry is what happens next."""

    clock: Clock
    name: str = "dashscope"
    model: str = "wan2.6-i2v-flash"
    key: str = "key-1"
    pace: Pace = LOCAL
    creates: list[str] = field(default_factory=list)  # accept when empty
    endings: list[str] = field(default_factory=list)  # succeed when empty
    fetches: list[Exception | TaskStatus] = field(default_factory=list)  # a status is told without more
    lists: list[Exception] = field(default_factory=list)
    uploads: list[Exception] = field(default_factory=list)
    cancels: list[Exception] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)
    data: bytes = field(default_factory=clip_bytes)
    wait_s: float = 0.0
    takes_s: float = 20.0
    billed_s: float = 2
    list_lag_s: float = 0.0
    list_page_size: int = 100
    ahead_s: float = 0.0  # how far its clock is ahead of ours by what a ping tells
    apart_s: float = 0.0  # how far its clock is ahead of ours in everything
    cancel_frees: bool = True  # a task that did not start yet can be cancelled
    tells_progress: bool = False
    broken: set[str] = field(default_factory=set)  # tasks to which no fetch is ever answered

    def __post_init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.tasks: dict[TaskId, FakeTask] = {}
        self.uploaded: list[str] = []
        self.offsets: list[int] = []
        self.looks = 0
        self.list_looks = 0
        self.queries: list[tuple[float, str]] = []  # when what was asked: a task's id, or "list"
        self.stalls = ""  # the next request of this kind hangs until its event in `stalled` is set
        self.stalled: list[asyncio.Event] = []
        self.answer = asyncio.Event()  # lets a hanging create go on
        self.posted = asyncio.Event()  # a create has arrived

    # --- the port ---

    @property
    def account(self) -> Account:
        return Account(self.name, "https://fake.test/api/v1", self.key)

    def estimate(self, request: VideoRequest) -> Cost:
        return cost_of("beijing", request.resolution, request.wan.audio, request.billed_s)

    def settled(self, request: VideoRequest, billed_s: float) -> Cost:
        return cost_of("beijing", request.resolution, request.wan.audio, billed_s, basis="usage")

    def body(self, order: Order) -> dict[str, Any]:
        asked = {"fps": order.request.fps, "size": order.request.size, "seed": order.seed}
        kept = {name: value for name, value in asked.items() if name not in order.omit}
        return {"input": {"prompt": order.request.prompt, "img_url": order.picture_url}, "parameters": kept}

    async def upload(self, data: bytes, *, name: str) -> Upload:
        await self._stall("upload")
        if self.uploads:
            raise self.uploads.pop(0)
        self.uploaded.append(name)
        return Upload(f"oss://fake/{name}", self._now() + timedelta(hours=48))

    async def ready(self) -> None:
        """Nothing to prepare."""

    async def ping(self) -> datetime | None:
        return self._now() + timedelta(seconds=self.ahead_s)

    async def create(self, body: Mapping[str, Any]) -> TaskId:
        began_s = self.clock.steady_s()
        await self._stall("create")
        if self.clock.steady_s() - began_s > 60:
            raise SubmitUncertain("Given up before it arrived.")
        self.sent.append(dict(body))
        self.posted.set()
        outcome = self.creates.pop(0) if self.creates else "accept"
        if outcome == "hang":
            await self.answer.wait()
            outcome = "accept"
        if outcome in ("accept", "lost_with_task", "reset_with_task"):
            return await self._made(dict(body), outcome)
        if outcome == "lost_without_task":
            raise SubmitUncertain("Nothing came back.")
        if outcome == "not_delivered":
            raise NotDelivered("Connection refused.")
        if outcome == "throttle":
            raise Throttled("Slow down.", provider_code="Throttling.RateQuota")
        if outcome == "refuse":
            raise ContentRejected("The prompt is not allowed.", provider_code="DataInspectionFailed")
        if outcome.startswith("refuse_parameter:"):
            name = outcome.partition(":")[2]
            raise ProviderRefused(f"{name} is not supported.", field=name)
        raise RuntimeError(outcome)

    async def _made(self, body: dict[str, Any], outcome: str) -> TaskId:
        task = self.make_task(body)
        if outcome == "accept":
            await self._stall("answer")
            return task.id
        if outcome == "reset_with_task":
            raise ProviderUnavailable("502 Bad Gateway")
        raise SubmitUncertain("The connection was reset after the request left.")

    async def fetch(self, task: TaskId) -> TaskReport:
        self.looks += 1
        self.queries.append((self.clock.steady_s(), task))
        await self._stall("fetch")
        if self.fetches:
            scripted = self.fetches.pop(0)
            if isinstance(scripted, TaskStatus):
                return TaskReport(scripted)
            raise scripted
        if task in self.broken:
            raise ProviderUnavailable("The answer is no JSON.")
        made, now = self.tasks.get(task), self._now()
        if made is None or (now - made.created_at).total_seconds() > DAY_S:
            return TaskReport(TaskStatus.UNKNOWN)
        status = made.status(now)
        if status is TaskStatus.SUCCEEDED:
            return TaskReport(
                status,
                video_url=f"https://fake.test/{task}.mp4?Expires=1&{SIGNATURE}",
                expires_at=made.ends_at + timedelta(days=1),
                billed_s=self.billed_s,
                cost=cost_of("beijing", "720P", True, self.billed_s, basis="usage"),
                resolution="720P",
                sound=True,
                prompt_seen=made.body["input"].get("prompt"),
            )
        if status is TaskStatus.FAILED:
            kind, _, name = made.ending.partition(":")
            return TaskReport(
                status,
                error=ProviderFailed("It failed.", provider_code="InternalError"),
                passing=kind == "trouble",
                rejected_parameter=name or None,
            )
        age_s = (now - made.created_at).total_seconds()
        return TaskReport(status, progress=age_s / made.takes_s if self.tells_progress else None)

    async def list_page(self, since_at: datetime, until_at: datetime, page_no: int) -> TaskPage:
        self.list_looks += 1
        self.queries.append((self.clock.steady_s(), "list"))
        await self._stall("list")
        if self.lists:
            raise self.lists.pop(0)
        now = self._now()
        first_at, last_at = since_at.replace(microsecond=0), until_at.replace(microsecond=999_999)
        found = [
            TaskListing(task.id, task.status(now), task.created_at)
            for task in reversed(self.tasks.values())
            if first_at <= task.created_at <= last_at  # the vendor's filter knows whole seconds
            if self.list_lag_s <= (now - task.created_at).total_seconds() <= DAY_S
        ]
        first = (page_no - 1) * self.list_page_size
        page = tuple(found[first : first + self.list_page_size])
        return TaskPage(page, -(-len(found) // self.list_page_size), len(found))

    async def cancel(self, task: TaskId) -> None:
        await self._stall("cancel")
        if self.cancels:
            raise self.cancels.pop(0)
        made = self.tasks[task]
        if not self.cancel_frees or made.status(self._now()) is not TaskStatus.PENDING:
            raise CancelRefused("The task already runs.")
        made.cancelled = True

    def open_clip(self, url: str, *, offset_bytes: int = 0) -> AbstractAsyncContextManager[ClipStream]:
        return self._clip(offset_bytes)

    async def close(self) -> None:
        """Nothing to close."""

    def _now(self) -> datetime:
        return self.clock.now() + timedelta(seconds=self.apart_s)

    async def _stall(self, kind: str) -> None:
        if self.stalls == kind:
            self.stalls = ""
            self.stalled.append(asyncio.Event())
            await self.stalled[-1].wait()

    # --- what a test does behind the scenes ---

    def make_task(self, body: dict[str, Any]) -> FakeTask:
        """A task as a create makes it; also for one that somebody else made."""
        ending = self.endings.pop(0) if self.endings else "succeed"
        task = FakeTask(
            TaskId(f"task-{len(self.tasks) + 1}"), body, self._now(), self.wait_s, self.takes_s, ending
        )
        self.tasks[task.id] = task
        return task

    def stranger(self, prompt: str = "not ours") -> FakeTask:
        return self.make_task({"input": {"prompt": prompt}})

    def billed(self, prompt: str) -> list[FakeTask]:
        """The tasks with this prompt that cost money."""
        return [
            task for task in self.tasks.values() if task.billed and task.body["input"]["prompt"] == prompt
        ]

    @asynccontextmanager
    async def _clip(self, offset_bytes: int) -> AsyncIterator[ClipStream]:
        fault = self.downloads.pop(0) if self.downloads else ""
        self.offsets.append(offset_bytes)
        if fault == "expired":
            raise ResultExpired("The clip's link has expired.")
        if fault == "unavailable":
            raise ProviderUnavailable("503")
        await self._stall("download")
        if fault == "hang":
            await self.answer.wait()
        start = 0 if fault == "no_range" else offset_bytes
        data = self.data
        if fault == "wrong_bytes":
            middle = len(data) // 2
            data = data[:middle] + bytes(len(data) - middle)

        async def chunks() -> AsyncIterator[bytes]:
            for at in range(start, len(data), 4096):
                if fault == "cut" and at - start >= 8192:
                    raise ProviderUnavailable("The download of the clip broke off.")
                yield data[at : at + 4096]

        yield ClipStream(chunks(), None if fault == "no_length" else len(data), start)
