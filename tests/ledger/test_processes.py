"""Real processes on one file: nothing is taken twice, and a fresh file is opened by all at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.ledger.conftest import new_job

from wanvideo.clock import SystemClock
from wanvideo.ledger.engine import sqlite_url
from wanvideo.ledger.sql import SqlLedger

CLAIM_ALL = """
import asyncio, json, sys
from pathlib import Path
from wanvideo.clock import SystemClock
from wanvideo.contract.job import State
from wanvideo.ledger.engine import sqlite_url
from wanvideo.ledger.sql import SqlLedger

async def main(path, worker):
    print("ready", flush=True)
    sys.stdin.readline()
    ledger = await SqlLedger.open(sqlite_url(Path(path)), SystemClock())
    taken = []
    while leases := await ledger.claim(worker, states=(State.QUEUED,), only=None, limit=2, lease_s=60):
        taken += [lease.job.id for lease in leases]
        await asyncio.sleep(0)
    await ledger.close()
    print(json.dumps(taken))

asyncio.run(main(*sys.argv[1:]))
"""


def run_at_once(path: Path, count: int) -> list[list[str]]:
    """What each of `count` processes claimed, all let go at the same moment."""
    children = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", CLAIM_ALL, str(path), f"w{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    taken = []
    for child in children:
        out, errors = child.communicate(timeout=60)
        assert child.returncode == 0, errors
        taken.append(json.loads(out))
    return taken


async def test_four_processes_never_claim_the_same_job(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = await SqlLedger.open(sqlite_url(path), SystemClock())
    made = [(await ledger.add_job(new_job())).id for _ in range(60)]
    await ledger.close()
    taken = run_at_once(path, 4)
    assert sorted(job_id for ids in taken for job_id in ids) == sorted(made)


def test_processes_that_open_a_fresh_file_at_the_same_moment_all_work(tmp_path: Path) -> None:
    assert run_at_once(tmp_path / "new" / "ledger.db", 3) == [[]] * 3
