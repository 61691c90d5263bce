"""Simulated time for benches: an event loop whose clock jumps to the next thing that is due.

Real threads (SQLite, file work) are waited for in real time, and take no simulated time.
"""

from __future__ import annotations

import asyncio
import queue
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from unittest import mock

import aiosqlite.core

T = TypeVar("T")
START_AT = datetime(2026, 1, 1, tzinfo=UTC)


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of sleeping it moves the loop's clock, unless a thread still works."""

    loop: SimulatedLoop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if timeout is not None and timeout <= 0:
            return ready
        while not ready and self.loop.busy_threads > 0:
            ready = super().select(1.0)
        if not ready and timeout:
            self.loop.now_s += timeout
        return ready


class SimulatedLoop(asyncio.SelectorEventLoop):
    """`time()` is simulated seconds since the start."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.busy_threads = 0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now_s

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        work = super().run_in_executor(executor, func, *args)
        self.counts(work)
        return work

    def counts(self, work: Any) -> None:
        """A thread is busy until this future is done."""
        self.busy_threads += 1

        def done(_: Any) -> None:
            self.busy_threads -= 1

        work.add_done_callback(done)


class SimulatedClock:
    """Implements clock.Clock on a SimulatedLoop."""

    start_at = START_AT

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return START_AT + timedelta(seconds=self._loop.time())

    def steady_s(self) -> float:
        return self._loop.time()

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(max(delay_s, 0.0))


def run(work: Coroutine[Any, Any, T], loop: SimulatedLoop) -> T:
    """Run to the end in simulated time. SQLite's own threads are counted among those that work."""

    class CountedQueue(queue.SimpleQueue):  # type: ignore[type-arg]  # as aiosqlite fills it
        def put_nowait(self, item: Any) -> None:
            if item[0] is not None:
                loop.counts(item[0])
            super().put_nowait(item)

    try:
        asyncio.set_event_loop(loop)
        with mock.patch.object(aiosqlite.core, "SimpleQueue", CountedQueue):
            return loop.run_until_complete(work)
    finally:
        asyncio.set_event_loop(None)
        loop.close()
