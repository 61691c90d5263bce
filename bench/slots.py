"""How full the slots are kept while jobs wait: our engine beside two pools of five that poll for themselves.

    .venv/bin/python bench/slots.py [JOBS]

500 jobs that run 20 to 90 s, on 5 slots, in simulated time; each row sees the same draws. The engine is the
product's own, with its ledger (SQLite), its runner and its watch, and begins without having seen any clip;
each finished clip is downloaded, checked and stored. `idle`: the share of slot-seconds with no task at the
provider, as long as a job waits in the queue. `to refill`: from the end of a task to the next one's start.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.fakes.bench import DATA, PICTURE
from tests.fakes.store import FakeStore

from machine import machine
from simulation import START_AT, SimulatedClock, SimulatedLoop, run
from studio import ROUND_TRIP_S, Studio, small
from wanvideo.contract.job import State
from wanvideo.jobs.accepting import Accepted, Given
from wanvideo.jobs.intake import Asked
from wanvideo.jobs.runner import Runner
from wanvideo.jobs.service import Jobs
from wanvideo.jobs.worker import this_worker
from wanvideo.jobs.workshop import Workshop
from wanvideo.ledger.engine import sqlite_url
from wanvideo.ledger.sql import SqlLedger
from wanvideo.ports import Pace

JOBS = 500
SLOTS = 5
SEED = 7
TARGET_IDLE = 0.02
SDK_1 = (0, 1, 1, 2, 2, 2, 4, 4, 4)  # and then every 5 s


@dataclass
class Outcome:
    """Seconds since the start. `tasks`: when each began to run and when it ended."""

    tasks: list[tuple[float, float]]
    queries: int

    @property
    def waited_s(self) -> float:
        """How long jobs waited in the queue: until the last one began."""
        return max(start_s for start_s, _ in self.tasks)

    @property
    def idle(self) -> float:
        busy_s = sum(min(end_s, self.waited_s) - start_s for start_s, end_s in self.tasks)
        return 1 - busy_s / (SLOTS * self.waited_s)

    def gaps_s(self) -> list[float]:
        """From each end to the start that fills the place, in order."""
        ends = sorted(end_s for _, end_s in self.tasks)
        starts = sorted(start_s for start_s, _ in self.tasks)[SLOTS:]
        return [start_s - end_s for start_s, end_s in zip(starts, ends, strict=False)]


class Anything:
    """Pictures that need no reading."""

    async def read(self, request: object) -> Given:
        del request
        return Given(DATA, PICTURE.source_sha256)

    async def accept(self, given: Given, request: object) -> Accepted:
        del given, request
        return Accepted(PICTURE, DATA, ".png", ())


def ours(runs_s: list[float], folder: Path) -> Outcome:
    loop = SimulatedLoop()
    clock = SimulatedClock(loop)

    async def simulate() -> Outcome:
        pace = Pace(75, 15, 3, SLOTS, submits_per_s=5, queries_per_s=15)
        studio = Studio(clock, pace, iter(runs_s), ROUND_TRIP_S)
        ledger = await SqlLedger.open(sqlite_url(folder / "ledger.db"), clock)
        shop = Workshop(
            ledger=ledger,
            providers={studio.name: studio},
            store=FakeStore(),
            clock=clock,
            work_dir=folder / "work",
        )
        runner = Runner(shop, this_worker())
        jobs = Jobs(shop, Anything(), "bench", runner.wake)
        for number in range(len(runs_s)):
            await jobs.submit(small(f"clip {number}"), studio.name, Asked(cache="off"))
        working = asyncio.create_task(runner.run())
        while len(studio.tasks) < len(runs_s) or await ledger.jobs(limit=1, states=tuple(State)[:5]):
            await clock.sleep(5)
        runner.stop()
        await working
        made = await ledger.jobs(limit=len(runs_s))
        assert {job.state for job in made} == {State.SUCCEEDED}, "a clip is missing"
        assert studio.creates == len(runs_s), "a clip was paid twice"
        await ledger.close()
        start_s = START_AT.timestamp()
        tasks = [(task.starts_s - start_s, task.ends_s - start_s) for task in studio.tasks.values()]
        return Outcome(tasks, len(studio.queries_s))

    return run(simulate(), loop)


def pool(runs_s: list[float], first_s: tuple[float, ...], then_s: float) -> Outcome:
    """Five workers: each submits a job, polls until it is done, and takes the next one."""
    free_s = [0.0] * SLOTS
    out = Outcome([], 0)
    for run_s in runs_s:
        worker = min(range(SLOTS), key=free_s.__getitem__)
        start_s = free_s[worker] + ROUND_TRIP_S / 2
        now_s = start_s + ROUND_TRIP_S / 2
        for sleep_s in _sleeps(first_s, then_s):
            now_s += sleep_s
            out.queries += 1
            seen_s = now_s + ROUND_TRIP_S / 2
            now_s += ROUND_TRIP_S
            if seen_s >= start_s + run_s:
                break
        free_s[worker] = now_s
        out.tasks.append((start_s, start_s + run_s))
    return out


def _sleeps(first_s: tuple[float, ...], then_s: float) -> Iterator[float]:
    return itertools.chain(first_s, itertools.repeat(then_s))


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else JOBS
    runs_s = [float(run_s) for run_s in np.random.default_rng(SEED).uniform(20, 90, count)]
    print(f"{machine()}\n{count} jobs of U(20, 90) s on {SLOTS} slots, round trip {ROUND_TRIP_S:g} s\n")
    began_s = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        rows = {"wanvideo": ours(runs_s, Path(folder))}
    took_s = time.process_time() - began_s
    rows["pool, SDK 1.x wait"] = pool(runs_s, SDK_1, 5)
    rows["pool, fixed 15 s"] = pool(runs_s, (), 15)
    print(
        f"{'':<20} {'idle':>7} {'target':>7} {'to refill s':>12} {'p95':>6} {'requests/job':>13} {'hours':>6}"
    )
    for name, out in rows.items():
        told = f"{TARGET_IDLE:.0%}" if name == "wanvideo" else ""
        gaps_s = np.asarray(out.gaps_s())
        print(
            f"{name:<20} {out.idle:>7.2%} {told:>7} {gaps_s.mean():>12.2f} {np.percentile(gaps_s, 95):>6.2f}"
            f" {out.queries / count:>13.1f} {max(end_s for _, end_s in out.tasks) / 3600:>6.2f}"
        )
    print(f"\nwanvideo took {took_s:.0f} s of CPU time for all of it")
    return int(rows["wanvideo"].idle > TARGET_IDLE)


if __name__ == "__main__":
    sys.exit(main())
