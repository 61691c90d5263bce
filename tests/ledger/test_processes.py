"""Real processes on one ledger: nothing is taken twice, nothing is overdrawn."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.child import PER_S, SLOTS, TURNS
from tests.ledger.conftest import new_job
from tests.postgres import fresh_database

from wanvideo.clock import SystemClock
from wanvideo.ledger.engine import sqlite_url
from wanvideo.ledger.sql import SqlLedger

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database: the first that opens it makes the tables."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "new" / "ledger.db")
    else:
        async with fresh_database(empty=True) as made:
            yield made


async def at_once(what: str, url: str, count: int) -> list[Any]:
    """What each of `count` processes says, all let go at the same moment."""
    return await asyncio.to_thread(_at_once, what, url, count)


def _at_once(what: str, url: str, count: int) -> list[Any]:
    children = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.ledger.child", what, url, f"w{number}"],
            cwd=ROOT,
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
    said = []
    for child in children:
        out, errors = child.communicate(timeout=90)
        assert child.returncode == 0, errors
        said.append(json.loads(out))
    return said


async def filled(url: str, count: int) -> list[str]:
    ledger = await SqlLedger.open(url, SystemClock())
    made = [(await ledger.add_job(new_job())).id for _ in range(count)]
    await ledger.close()
    return sorted(made)


async def test_processes_that_open_a_fresh_ledger_at_the_same_moment_all_work(url: str) -> None:
    assert await at_once("claim", url, 3) == [[]] * 3


async def test_four_processes_never_claim_the_same_job(url: str) -> None:
    made = await filled(url, 60)
    taken = await at_once("claim", url, 4)
    assert sorted(job_id for ids in taken for job_id in ids) == made


async def test_four_processes_never_take_more_places_than_there_are(url: str) -> None:
    made = await filled(url, 40)
    said = await at_once("submit", url, 4)
    assert sorted(job_id for each in said for job_id in each["done"]) == made
    assert 1 <= max(each["most"] for each in said) <= SLOTS


async def test_three_processes_never_overdraw_one_budget(url: str) -> None:
    spent = await at_once("spend", url, 3)
    assert sum(map(len, spent)) == 10


async def test_turns_of_three_processes_never_exceed_the_pace(url: str) -> None:
    instants_s = sorted(at for turns in await at_once("turns", url, 3) for at in turns)
    assert len(instants_s) == 3 * TURNS
    for first in instants_s:
        assert sum(first <= at < first + 1 for at in instants_s) <= PER_S
    assert instants_s[-1] == pytest.approx((3 * TURNS - 1) / PER_S, abs=0.001), "and none is wasted"


async def test_what_three_processes_ask_for_at_once_is_made_once(url: str) -> None:
    said = await at_once("add", url, 3)
    for which in (0, 1):  # identical requests; the same key
        for number in range(10):
            assert len({each[which][number] for each in said}) == 1
    ledger = await SqlLedger.open(url, SystemClock())
    made = Counter(job.cache_key.startswith("same") for job in await ledger.jobs(limit=99))
    await ledger.close()
    assert made == {True: 10, False: 10}
