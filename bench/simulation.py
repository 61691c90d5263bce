"""Simulated time for benches: an event loop whose clock jumps to the next thing that is due.

Real threads (SQLite, file work) are waited for in real time, and take no simulated time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import aiosqlite

T = TypeVar("T")
START_AT = datetime(2026, 1, 1, tzinfo=UTC)


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc,valid-type]  # chosen at run time
    """Instead of sleeping it moves the loop's clock, unless a thread still works."""

    loop: SimulatedLoop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
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

    def run_in_executor(self, *arguments: Any) -> Any:
        work = super().run_in_executor(*arguments)
        self._count(work)
        return work

    def _count(self, work: Any) -> None:
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
    plain = aiosqlite.Connection._execute

    async def counted(self: Any, *arguments: Any, **named: Any) -> Any:
        loop.busy_threads += 1
        try:
            return await plain(self, *arguments, **named)
        finally:
            loop.busy_threads -= 1

    aiosqlite.Connection._execute = counted  # type: ignore[method-assign]
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(work)
    finally:
        aiosqlite.Connection._execute = plain  # type: ignore[method-assign]
        asyncio.set_event_loop(None)
        loop.close()
