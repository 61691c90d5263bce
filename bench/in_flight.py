"""What 10,000 jobs in flight cost one process: memory, and how much of one core.

    .venv/bin/python bench/in_flight.py [--seconds 60] [--jobs 10000] [--row "SQLite, in flight"]

Real time. The engine is the product's own, on a real ledger and a real folder of clips, with 15 queries a
second. "In flight": none of the tasks ends meanwhile, so this is what it costs that they run. "And ending":
tasks of 1,000 to 3,000 s, so that about five clips a second end, and each is downloaded, checked, stored and
committed; that work has no target. The provider is simulated in the same process, with quotas as wide as
needed: its own work is in the figures, the network and the vendor's SDK are not.

Beside it, on the same ledger, the usual way: every job is due each 15 s, is claimed, fetched and written
back, sixteen at a time; a clip that is done is only noted as such.

Each row is a process of its own with a ledger filled anew. `cpu`: its CPU time, with all threads, over wall
time, after a start-up of 15 s. `rss`: the most it ever had. `looks/s` would be 667 for the usual way to keep
its 15 s. `late s`: from the end of a task until its clip was stored (noted, for the usual way), on average.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import update

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.fakes.bench import PICTURE
from tests.postgres import Server, fresh_database

import past
from machine import machine
from studio import ROUND_TRIP_S, Studio, small
from wanvideo.clock import SystemClock
from wanvideo.contract.job import State
from wanvideo.jobs.runner import Runner
from wanvideo.jobs.worker import this_worker
from wanvideo.jobs.workshop import Workshop
from wanvideo.ledger import schema
from wanvideo.ledger.engine import sqlite_url
from wanvideo.ledger.sql import SqlLedger
from wanvideo.ports import Pace, TaskStatus
from wanvideo.storage.local import LocalStore

JOBS = 10_000
SECONDS = 60.0
START_UP_S = 15.0
RUNS_S = (1000.0, 3000.0)
LEARNED = 200
USUAL_EVERY_S = 15.0
USUAL_HANDS = 16
TARGET_CPU, TARGET_RSS_MB = 0.15, 350
QUERIES_PER_S = 15.0
IN_FLIGHT, ENDING, USUAL = "in flight", "and ending", "the usual way"
ROWS = tuple(f"{ledger}, {way}" for way in (IN_FLIGHT, ENDING, USUAL) for ledger in ("SQLite", "PostgreSQL"))
LATER_S = 3600.0
"""So much later the tasks end where none is to end."""


@dataclass(frozen=True)
class Outcome:
    cpu: float
    rss_mb: float
    looks_per_s: float
    ended: int
    late_s: float
    in_flight: int
    load: float


@dataclass(frozen=True)
class Site:
    """Where the jobs of a row are."""

    studio: Studio
    ledger: SqlLedger
    folder: Path
    clock: SystemClock


def lives_s(count: int) -> Iterator[tuple[float, float]]:
    """Ages and running times of tasks, as one meets them when as many begin as end."""
    chance = np.random.default_rng(1)
    while count:
        age_s, run_s = float(chance.uniform(0, RUNS_S[1])), float(chance.uniform(*RUNS_S))
        if age_s < run_s:
            count -= 1
            yield age_s, run_s


async def fill(site: Site, count: int, *, later_s: float) -> None:
    """Running jobs, the first of which end after the start-up and `later_s`, and finished ones to learn
    from.
    """
    now, account, made = site.clock.now(), site.studio.account, []
    for number, (age_s, run_s) in enumerate(sorted(lives_s(count), reverse=True)):
        at = now - timedelta(seconds=age_s)
        task = site.studio.make(at.timestamp(), at.timestamp() + run_s + START_UP_S + later_s)
        made.append(past.running(small(f"clip {number}"), PICTURE, account, at, task_id=task.id))
    for number, run_s in enumerate(np.random.default_rng(2).uniform(*RUNS_S, LEARNED)):
        request, at = small(f"an earlier clip {number}"), now - timedelta(hours=2)
        url = f"{site.folder}/{number}.mp4"
        made.append(past.finished(request, PICTURE, account, at, url=url, latency_s=float(run_s)))
    await past.write(site.ledger, made)


async def engine(site: Site) -> None:
    shop = Workshop(
        ledger=site.ledger,
        providers={site.studio.name: site.studio},
        store=LocalStore(site.folder / "clips"),
        clock=site.clock,
        work_dir=site.folder / "work",
    )
    await Runner(shop, this_worker()).run()


async def usual(site: Site) -> None:
    async with site.ledger._database.writing() as turn:
        due = update(schema.jobs).where(schema.jobs.c.state == State.RUNNING)
        await turn.run(due.values(due_at=site.clock.now()))
    await asyncio.gather(*(poll_for_ever(site) for _ in range(USUAL_HANDS)))


async def poll_for_ever(site: Site) -> None:
    while True:
        leases = await site.ledger.claim("usual", states=(State.RUNNING,), only=None, limit=1, lease_s=30)
        for lease in leases:
            assert lease.job.task_id is not None
            report = await site.studio.fetch(lease.job.task_id)
            over = report.status is TaskStatus.SUCCEEDED
            changes = {"state": State.SUCCEEDED} if over else {}
            await site.ledger.write(lease, changes, release_in_s=USUAL_EVERY_S)
        if not leases:
            await site.clock.sleep(0.25)


async def measured(row: str, url: str, count: int, seconds: float, folder: Path) -> Outcome:
    clock = SystemClock()
    way: Callable[[Site], Awaitable[None]] = usual if row.endswith(USUAL) else engine
    begin = count + round(6 * (START_UP_S + seconds))  # so that there are as many at the end
    pace = Pace(75, 15, 3, 2 * begin, submits_per_s=5, queries_per_s=QUERIES_PER_S)
    site = Site(Studio(clock, pace, iter(()), ROUND_TRIP_S), await SqlLedger.open(url, clock), folder, clock)
    await fill(site, begin, later_s=LATER_S if row.endswith(IN_FLIGHT) else 0.0)
    working = asyncio.ensure_future(way(site))
    await asyncio.sleep(START_UP_S)
    cpu_s, wall_s, asked = time.process_time(), time.monotonic(), len(site.studio.queries_s)
    await asyncio.wait([working], timeout=seconds)
    cpu_s, wall_s = time.process_time() - cpu_s, time.monotonic() - wall_s
    asked = len(site.studio.queries_s) - asked
    working.cancel()
    [problem] = await asyncio.gather(working, return_exceptions=True)
    if not isinstance(problem, asyncio.CancelledError):
        raise SystemExit(f"{row}: {problem!r}")
    done = await site.ledger.jobs(limit=begin, states=(State.SUCCEEDED,))
    ends_s = {task.id: task.ends_s for task in site.studio.tasks.values()}
    late_s = [job.updated_at.timestamp() - ends_s[job.task_id] for job in done if job.task_id in ends_s]
    left = len(await site.ledger.running(site.studio.account.name, only=None))
    await site.ledger.close()
    return Outcome(
        cpu=cpu_s / wall_s,
        rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        looks_per_s=asked / wall_s,
        ended=len(late_s),
        late_s=float(np.mean(late_s or [np.nan])),
        in_flight=left,
        load=os.getloadavg()[0],
    )


async def in_own_process(row: str, count: int, seconds: float, server: Server) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        async with fresh_database(server.url) as database:
            url = database if row.startswith("PostgreSQL") else sqlite_url(Path(folder) / "ledger.db")
            words = [sys.executable, __file__, "--row", row, "--jobs", str(count), "--seconds", str(seconds)]
            run = await asyncio.to_thread(
                subprocess.run, [*words, "--url", url, "--folder", folder], stdout=subprocess.PIPE, check=True
            )
    return Outcome(**json.loads(run.stdout))


async def table(rows: list[str], count: int, seconds: float) -> int:
    print(f"{machine()}\n{count:,} jobs in flight, {seconds:g} s each, round trip {ROUND_TRIP_S:g} s\n")
    print(f"{'':<26} {'cpu':>7} {'target':>7} {'rss MB':>7} {'target':>7} {'looks/s':>8} {'ended':>6} "
          f"{'late s':>7} {'in flight':>10} {'load':>5}")  # fmt: skip
    missed = 0
    server = Server()
    try:
        for row in rows:
            out = await in_own_process(row, count, seconds, server)
            judged = row.endswith(IN_FLIGHT)
            late = f"{out.late_s:.1f}" if out.ended else ""
            cpu, rss = (f"{TARGET_CPU:.0%}", f"{TARGET_RSS_MB}") if judged else ("", "")
            missed += judged and (out.cpu > TARGET_CPU or out.rss_mb > TARGET_RSS_MB)
            print(
                f"{row:<26} {out.cpu:>7.1%} {cpu:>7} {out.rss_mb:>7.0f} {rss:>7} {out.looks_per_s:>8.1f} "
                f"{out.ended:>6} {late:>7} {out.in_flight:>10,} {out.load:>5.1f}",
                flush=True,
            )
    finally:
        server.close()
    return int(missed > 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--row", choices=ROWS, action="append", help="only this one; may be given again")
    parser.add_argument("--url", help=argparse.SUPPRESS)  # in the process of a row
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.url:
        [row] = asked.row
        out = asyncio.run(measured(row, asked.url, asked.jobs, asked.seconds, Path(asked.folder)))
        print(json.dumps(asdict(out)))
        return 0
    return asyncio.run(table(asked.row or list(ROWS), asked.jobs, asked.seconds))


if __name__ == "__main__":
    sys.exit(main())
