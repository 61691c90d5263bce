"""How many jobs a second the ledger hands out and takes back: in batches, beside one at a time.

    .venv/bin/python bench/ledger.py [ROUNDS]

Each round claims and reschedules 10,000 due jobs in batches of 200 (`claim`, `release`), then some of them
one by one (`claim` of one, `write`), which is the usual way. Both databases write to the disk before they
answer. PostgreSQL is started here, on a unix socket; its tables are analysed once, as its autovacuum would.
Rounds are interleaved, so that a busy moment of the machine meets all alike; the table shows medians.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
from sqlalchemy import insert, text, update
from tests.ledger.conftest import new_job
from tests.postgres import Server, fresh_database

from machine import machine
from wanvideo.clock import SystemClock
from wanvideo.contract.job import State
from wanvideo.ledger import rows, schema
from wanvideo.ledger.engine import sqlite_url
from wanvideo.ledger.sql import SqlLedger

ROUNDS = 5
JOBS = 10_000
BATCH = 200
SINGLES = 500
TARGET_PER_S = 10_000
STATES = (State.SUBMITTING, State.UNCERTAIN, State.RUNNING, State.STORING)


async def fill(ledger: SqlLedger) -> None:
    """Jobs whose tasks run, as a busy day leaves them."""
    async with ledger._database.writing() as turn:
        now = await turn.now()
        made = [
            rows.row_of(new_job(), now) | {"state": State.RUNNING, "task_id": f"task-{number}"}
            for number in range(JOBS)
        ]
        await turn.run(insert(schema.jobs), made)
    async with ledger._database.writing() as turn:
        await turn.run(text("ANALYZE jobs"))


async def make_due(ledger: SqlLedger) -> None:
    async with ledger._database.writing() as turn:
        await turn.run(update(schema.jobs).values(due_at=await turn.now() - timedelta(seconds=1)))


async def in_batches(ledger: SqlLedger) -> float:
    """Jobs a second."""
    done, started_s = 0, time.perf_counter()
    while leases := await ledger.claim("w", states=STATES, only=None, limit=BATCH, lease_s=30):
        done += await ledger.release(leases, in_s=600)
    assert done == JOBS
    return done / (time.perf_counter() - started_s)


async def one_by_one(ledger: SqlLedger) -> float:
    started_s = time.perf_counter()
    for _ in range(SINGLES):
        [lease] = await ledger.claim("w", states=STATES, only=None, limit=1, lease_s=30)
        assert await ledger.write(lease, {}, release_in_s=600)
    return SINGLES / (time.perf_counter() - started_s)


async def measured_per_s(rounds: int) -> tuple[dict[str, str], dict[tuple[str, str], list[float]]]:
    """What each database calls itself, and its jobs a second. The first round warms up and is not counted."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = Server()
        stack.callback(server.close)
        urls = {
            "SQLite": sqlite_url(Path(folder) / "ledger.db"),
            "PostgreSQL": await stack.enter_async_context(fresh_database(server.url)),
        }
        ledgers = {name: await SqlLedger.open(url, SystemClock()) for name, url in urls.items()}
        words = {name: (await ledger.probe()).partition(",")[0] for name, ledger in ledgers.items()}
        for ledger in ledgers.values():
            stack.push_async_callback(ledger.close)
            await fill(ledger)
        for number in range(rounds + 1):
            for name, ledger in ledgers.items():
                for way in (in_batches, one_by_one):
                    await make_due(ledger)
                    per_s = await way(ledger)
                    if number:
                        found[name, way.__name__].append(per_s)
    return words, found


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    words, found = asyncio.run(measured_per_s(rounds))
    print(f"{machine()}; medians of {rounds} rounds of {JOBS:,} jobs\n")
    print(
        f"{'jobs a second':<18} {f'batches of {BATCH}':>15} {'fastest':>9} {'target':>9} {'one by one':>12}"
    )
    missed = 0
    for name in words:
        batches, singles = found[name, "in_batches"], found[name, "one_by_one"]
        median = statistics.median(batches)
        missed += median < TARGET_PER_S
        kind = words[name].partition(" at ")[0]
        print(
            f"{kind:<18} {median:>15,.0f} {max(batches):>9,.0f} {TARGET_PER_S:>9,}"
            f" {statistics.median(singles):>11,.0f}"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
