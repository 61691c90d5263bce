"""Benches in simulated time: whole processes run side by side, and minutes pass in moments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from bench.simulation import SimulatedClock, SimulatedLoop, run
from tests.fakes.bench import Bench
from tests.fakes.provider import RATIONED

from wanvideo.ledger.engine import sqlite_url
from wanvideo.ledger.sql import SqlLedger
from wanvideo.ports import Pace

T = TypeVar("T")


def simulated(folder: Path, work: Callable[[Bench], Awaitable[T]], pace: Pace = RATIONED) -> T:
    """What `work` gives back, done on a fresh bench."""
    loop = SimulatedLoop()
    clock = SimulatedClock(loop)

    async def whole() -> T:
        bench = Bench(folder, await SqlLedger.open(sqlite_url(folder / "ledger.db"), clock), clock)
        bench.provider.pace = pace
        bench.new_worker()
        try:
            return await work(bench)
        finally:
            await bench.ledger.close()

    return run(whole(), loop)
