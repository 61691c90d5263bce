"""Tasks and their life: PENDING, RUNNING, and one of the three ends, on the clock of the service."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from wanvideo_emulator.accounts import Caller
from wanvideo_emulator.clock import WallClock
from wanvideo_emulator.codes import Refused
from wanvideo_emulator.media import Picture
from wanvideo_emulator.options import Options
from wanvideo_emulator.order import Order

Status = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED"]
STATUSES: tuple[Status, ...] = ("PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED")
GIVE_UP_S = 3 * 3600
"""After this long without a result the service fails a task with InternalError.Timeout."""
VALIDATION_S = 0.2
"""A task whose fields are wrong fails this soon after it was scheduled."""


@dataclass
class Task:
    """One task as the service keeps it. `failure` is decided at creation and shows when the run is over."""

    task_id: str
    request_id: str
    caller: Caller
    order: Order
    picture: Picture | None
    submitted_at: float
    pending_s: float
    run_s: float
    failure: Refused | None = None
    fate: str = ""
    """`stuck`, `pending`, `unknown` or `nourl` when a fault chose it."""
    status: Status = "PENDING"
    scheduled_at: float | None = None
    ended_at: float | None = None
    clip: asyncio.Future[Path] | None = None
    clip_ready_at: float = 0.0
    link_path: str = ""
    link_query: str = ""
    seed: int = 0

    @property
    def lane(self) -> tuple[str, str]:
        """Account and model: what shares the running slots."""
        return self.caller.account, self.order.model

    @property
    def billed_s(self) -> int:
        return self.order.duration_s if self.status == "SUCCEEDED" else 0


@dataclass
class Board:
    """All tasks of the emulator, in the order of their creation.

    `start_clip` is called when a task that will succeed starts to run, `publish` just before it shows as
    SUCCEEDED.
    """

    options: Options
    clock: WallClock
    draws: random.Random
    start_clip: Callable[[Task], asyncio.Future[Path]]
    publish: Callable[[Task], None]
    tasks: dict[str, Task] = field(default_factory=dict)
    _active: dict[str, Task] = field(default_factory=dict)
    peak_running: int = 0
    """The most tasks of one account and model that ever ran at once."""
    _next_at: float | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, task: Task) -> None:
        self.tasks[task.task_id] = task
        self._active[task.task_id] = task
        self._changed.set()

    def in_progress(self, account: str, model: str) -> int:
        return sum(task.lane == (account, model) for task in self._active.values())

    def find(self, task_id: str, account: str) -> Task | None:
        """The task as this account may see it: its own, and younger than 24 h."""
        self.refresh()
        task = self.tasks.get(task_id)
        if task is None or task.caller.account != account:
            return None
        return task if self.clock.now() < task.submitted_at + self.options.task_ttl_s else None

    def of_account(self, account: str) -> list[Task]:
        """What a list may show: younger than 24 h, past the lag; newest first."""
        self.refresh()
        now = self.clock.now()
        return [
            task
            for task in reversed(self.tasks.values())
            if task.caller.account == account
            and self.options.list_lag_s <= now - task.submitted_at < self.options.task_ttl_s
        ]

    def cancel(self, task: Task) -> None:
        """Raises Refused (400) unless the task is still PENDING."""
        self.refresh()
        if task.status != "PENDING":
            raise Refused("UnsupportedOperation")
        task.status = "CANCELED"
        task.ended_at = self.clock.now()
        self._leave(task)

    def wake(self) -> None:
        """Look again now: the clock jumped."""
        self._changed.set()

    def draw_pending_s(self) -> float:
        span = self.options.pending_s
        if span is not None:
            return self.draws.uniform(*span)
        # Documented samples queue 30-40 ms; one recorded real task queued 9.5 s.
        return self.draws.uniform(1.0, 10.0) if self.draws.random() < 0.03 else self.draws.uniform(0.03, 0.05)

    def draw_run_s(self) -> float:
        span = self.options.run_s
        if span is not None:
            return self.draws.uniform(*span)
        return min(180.0, max(45.0, self.draws.lognormvariate(4.28, 0.13)))

    def refresh(self) -> None:
        """Make the moves that are due; cheap when there are none."""
        if self._changed.is_set() or (self._next_at is not None and self.clock.now() >= self._next_at):
            self.step()

    async def run(self) -> None:
        """Move tasks on as their time comes, until cancelled."""
        while True:
            self._changed.clear()
            wait_s = self.step()
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def step(self) -> float | None:
        """Make every move that is due. Returns the seconds to the next one, None when nothing is waiting."""
        now = self.clock.now()
        due_in: list[float] = []
        # Counted once, so that a long queue stays cheap; a slot freed here is filled in the next pass.
        running = Counter(task.lane for task in self._active.values() if task.status == "RUNNING")
        for task in list(self._active.values()):
            if task.status == "PENDING":
                wait_s = self._try_to_start(task, now, running)
            else:
                wait_s = self._try_to_end(task, now)
            if wait_s is not None:
                due_in.append(wait_s)
        wait_s = min(due_in, default=None)
        self._next_at = None if wait_s is None else now + wait_s
        return wait_s

    def _try_to_start(self, task: Task, now: float, running: Counter[tuple[str, str]]) -> float | None:
        if task.fate == "pending":
            return None
        wait_s = task.submitted_at + task.pending_s / self.options.speed - now
        if wait_s > 0:
            return wait_s
        if running[task.lane] >= self.options.max_running:
            return None
        running[task.lane] += 1
        self.peak_running = max(self.peak_running, running[task.lane])
        task.status = "RUNNING"
        task.scheduled_at = now
        if task.failure is None and task.fate != "stuck":
            task.clip = self.start_clip(task)
            task.clip.add_done_callback(lambda _: self._clip_done(task))
        return self._try_to_end(task, now)

    def _clip_done(self, task: Task) -> None:
        task.clip_ready_at = self.clock.now()
        self._changed.set()

    def _try_to_end(self, task: Task, now: float) -> float | None:
        assert task.scheduled_at is not None
        if task.fate == "stuck":
            give_up_at = task.scheduled_at + GIVE_UP_S
            if now < give_up_at:
                return give_up_at - now
            self._fail(task, Refused("InternalError.Timeout"), give_up_at)
            return None
        due_at = task.scheduled_at + task.run_s / self.options.speed
        if now < due_at:
            return due_at - now
        if task.failure is not None:
            self._fail(task, task.failure, due_at)
        elif task.clip is None or not task.clip.done():
            # Rendering takes longer than the run was to be; its end wakes the board.
            return None
        elif task.clip.cancelled() or task.clip.exception() is not None:
            self._fail(task, Refused("InternalError.Algo"), now)
        else:
            # After a jump of the clock the end lies in the past, where it would have been.
            task.ended_at = max(due_at, task.clip_ready_at or now)
            self.publish(task)
            task.status = "SUCCEEDED"
            self._leave(task)
        return None

    def _fail(self, task: Task, failure: Refused, ended_at: float) -> None:
        task.failure = failure
        task.ended_at = ended_at
        task.status = "FAILED"
        self._leave(task)

    def _leave(self, task: Task) -> None:
        del self._active[task.task_id]
        if task.picture is not None:
            task.picture = replace(task.picture, data=b"")
        # A slot is free: whoever waits for it must be looked at again, in this pass or the next.
        self._changed.set()
