"""Time as a value that is handed in, so that a test of a six-minute job runs in a millisecond."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time (aware, UTC), a steady count of seconds, and a sleep that can be cancelled."""

    def now(self) -> datetime: ...
    def steady_s(self) -> float: ...
    async def sleep(self, delay_s: float) -> None: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def steady_s(self) -> float:
        # counts on while a laptop sleeps, where the system can: a lease does not wait for it either
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


class FakeClock:
    """A clock that stands still until `advance` is called; sleepers wake in order of their deadline.

    With `auto=True` every sleep moves it on at once; sleeps side by side add up.
    """

    def __init__(self, start_at: datetime = datetime(2026, 1, 1, tzinfo=UTC), *, auto: bool = False) -> None:
        self._now = start_at
        self._steady_s = 0.0
        self._auto = auto
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    def steady_s(self) -> float:
        return self._steady_s

    async def sleep(self, delay_s: float) -> None:
        if delay_s <= 0:
            await asyncio.sleep(0)
            return
        if self._auto:
            self._step_to(self._steady_s + delay_s)
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._steady_s + delay_s, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Move time on and let everything that became due run."""
        until_s = self._steady_s + seconds
        while self._sleepers and self._sleepers[0][0] <= until_s:
            due_s, _, woken = heapq.heappop(self._sleepers)
            self._step_to(max(due_s, self._steady_s))
            if not woken.done():
                woken.set_result(None)
            for _ in range(20):  # a woken task may need several turns before it sleeps again
                await asyncio.sleep(0)
        self._step_to(until_s)

    def jump(self, seconds: float) -> None:
        """Change the wall clock alone, as a person or NTP would."""
        self._now += timedelta(seconds=seconds)

    def _step_to(self, steady_s: float) -> None:
        self._now += timedelta(seconds=steady_s - self._steady_s)
        self._steady_s = steady_s
