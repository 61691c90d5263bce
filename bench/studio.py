"""A provider for benches: tasks that run as long as its draws say, a real task list, quotas that it counts.

It implements ports.Provider on whichever clock it is given; every request takes a round trip of that clock.
"""

from __future__ import annotations

import itertools
import sys
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.fakes.clips import FPS, SECONDS, SIZE, clip_bytes

from wanvideo.clock import Clock
from wanvideo.contract.job import TaskId
from wanvideo.contract.price import Cost, cost_of
from wanvideo.contract.request import VideoRequest, parse_request
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

PAGE = 100
ROUND_TRIP_S = 0.1


@dataclass(slots=True)
class Task:
    """Seconds since 1970. `starts_s` is later than `created_s` when all slots were taken."""

    id: TaskId
    created_s: float
    starts_s: float
    ends_s: float


class Studio:
    """Clips of 2 s that cost nothing to make. `runs_s` draws how long each task runs."""

    name = "dashscope"
    model = "wan2.6-i2v-flash"
    account = Account("dashscope", "https://simulated/api/v1", "key")

    def __init__(self, clock: Clock, pace: Pace, runs_s: Iterator[float], round_trip_s: float) -> None:
        self.clock, self.pace, self.runs_s, self.round_trip_s = clock, pace, runs_s, round_trip_s
        self.tasks: dict[TaskId, Task] = {}
        self._order: list[Task] = []  # by time of creation
        self._created_s: list[float] = []
        self._slots_free_s = [0.0] * pace.slots
        self.queries_s: list[float] = []  # when each left
        self.creates = 0
        self.fetches = 0
        self.lists = 0
        self._ids = itertools.count()
        self._data = clip_bytes()

    def now_s(self) -> float:
        return self.clock.now().timestamp()

    def make(self, created_s: float, ends_s: float | None = None) -> Task:
        """A task as a create makes it: it runs as soon as a slot is free."""
        starts_s = created_s
        if ends_s is None:
            first = min(range(len(self._slots_free_s)), key=self._slots_free_s.__getitem__)
            starts_s = max(created_s, self._slots_free_s[first])
            ends_s = self._slots_free_s[first] = starts_s + next(self.runs_s)
        task = Task(TaskId(f"task-{next(self._ids)}"), created_s, starts_s, ends_s)
        self.tasks[task.id] = task
        self._order.append(task)
        self._created_s.append(created_s)
        return task

    def status(self, task: Task) -> TaskStatus:
        now_s = self.now_s()
        if now_s >= task.ends_s:
            return TaskStatus.SUCCEEDED
        return TaskStatus.RUNNING if now_s >= task.starts_s else TaskStatus.PENDING

    # --- the port ---

    def estimate(self, request: VideoRequest) -> Cost:
        return cost_of("beijing", request.resolution, request.wan.audio, request.billed_s)

    def settled(self, request: VideoRequest, billed_s: float) -> Cost:
        return cost_of("beijing", request.resolution, request.wan.audio, billed_s, basis="usage")

    def body(self, order: Order) -> dict[str, Any]:
        return {
            "model": self.model,
            "input": {"prompt": order.request.prompt, "img_url": order.picture_url},
            "parameters": {"seed": order.seed, "size": order.request.size, "fps": order.request.fps},
        }

    async def upload(self, data: bytes, *, name: str) -> Upload:  # noqa: ARG002 - the port's names
        await self.clock.sleep(self.round_trip_s)
        return Upload(f"oss://simulated/{name}", self.clock.now() + timedelta(days=2))

    async def ready(self) -> None: ...

    async def create(self, body: Mapping[str, Any]) -> TaskId:  # noqa: ARG002 - as above
        self.creates += 1
        await self.clock.sleep(self.round_trip_s / 2)
        task = self.make(self.now_s())
        await self.clock.sleep(self.round_trip_s / 2)
        return task.id

    async def fetch(self, task: TaskId) -> TaskReport:
        self.fetches += 1
        self.queries_s.append(self.clock.steady_s())
        await self.clock.sleep(self.round_trip_s / 2)
        made = self.tasks[task]
        status = self.status(made)
        await self.clock.sleep(self.round_trip_s / 2)
        if status is not TaskStatus.SUCCEEDED:
            return TaskReport(status)
        ended_at = datetime.fromtimestamp(made.ends_s, self.clock.now().tzinfo)
        return TaskReport(
            status,
            video_url=f"https://simulated/{task}.mp4",
            expires_at=ended_at + timedelta(days=1),
            submitted_at=datetime.fromtimestamp(made.created_s, ended_at.tzinfo),
            ended_at=ended_at,
            billed_s=SECONDS,
            cost=cost_of("beijing", "720P", True, SECONDS, basis="usage"),
        )

    async def list_page(self, since_at: datetime, until_at: datetime, page_no: int) -> TaskPage:
        """The vendor's filter knows whole seconds, and means the whole of its last one."""
        self.lists += 1
        self.queries_s.append(self.clock.steady_s())
        await self.clock.sleep(self.round_trip_s / 2)
        first = bisect_left(self._created_s, int(since_at.timestamp()))
        last = bisect_right(self._created_s, int(until_at.timestamp()) + 0.999_999)
        newest = last - (page_no - 1) * PAGE
        lines = [
            TaskListing(task.id, self.status(task), datetime.fromtimestamp(task.created_s, since_at.tzinfo))
            for task in reversed(self._order[max(first, newest - PAGE) : max(first, newest)])
        ]
        await self.clock.sleep(self.round_trip_s / 2)
        return TaskPage(tuple(lines), -(-(last - first) // PAGE), last - first)

    async def cancel(self, task: TaskId) -> None:
        raise NotImplementedError

    async def ping(self) -> datetime | None:
        return self.clock.now()

    def open_clip(self, url: str, *, offset_bytes: int = 0) -> AbstractAsyncContextManager[ClipStream]:
        del url
        return self._clip(offset_bytes)

    async def close(self) -> None: ...

    @asynccontextmanager
    async def _clip(self, offset_bytes: int) -> AsyncIterator[ClipStream]:
        async def chunks() -> AsyncIterator[bytes]:
            yield self._data[offset_bytes:]

        await self.clock.sleep(self.round_trip_s)
        yield ClipStream(chunks(), len(self._data), offset_bytes)


def small(prompt: str) -> VideoRequest:
    """A request that the studio's clip answers byte for byte."""
    fields = {"prompt": prompt, "duration": SECONDS, "fps": FPS, "size": SIZE, "reference_image": "a.png"}
    return parse_request(fields)
