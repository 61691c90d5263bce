"""Real processes on one ledger: nothing is taken twice, nothing is overdrawn."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
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


class Crew:
    """Processes that wait for work, so that none of a test's time goes into starting them."""

    def __init__(self, count: int) -> None:
        self._members = [
            subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "tests.ledger.child"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(count)
        ]
        assert [self._answer(member) for member in self._members] == ["ready\n"] * count

    async def at_once(self, what: str, url: str, count: int) -> list[Any]:
        """What each of `count` processes says, all let go at the same moment."""
        return await asyncio.to_thread(self._at_once, what, url, count)

    def _at_once(self, what: str, url: str, count: int) -> list[Any]:
        members = self._members[:count]
        for number, member in enumerate(members):
            assert member.stdin is not None
            print(json.dumps([what, url, f"w{number}"]), file=member.stdin, flush=True)
        return [json.loads(self._answer(member)) for member in members]

    def _answer(self, member: subprocess.Popen[str]) -> str:
        assert member.stdout is not None
        assert member.stderr is not None
        return member.stdout.readline() or pytest.fail(member.stderr.read())

    def dismiss(self) -> None:
        for member in self._members:
            _, errors = member.communicate(timeout=20)
            assert (member.returncode, errors) == (0, "")


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    made = Crew(4)
    yield made
    made.dismiss()


async def filled(url: str, count: int) -> list[str]:
    ledger = await SqlLedger.open(url, SystemClock())
    made = [(await ledger.add_job(new_job())).id for _ in range(count)]
    await ledger.close()
    return sorted(made)


async def test_processes_that_open_a_fresh_ledger_at_the_same_moment_all_work(crew: Crew, url: str) -> None:
    assert await crew.at_once("claim", url, 3) == [[]] * 3


async def test_four_processes_never_claim_the_same_job(crew: Crew, url: str) -> None:
    made = await filled(url, 60)
    taken = await crew.at_once("claim", url, 4)
    assert sorted(job_id for ids in taken for job_id in ids) == made


async def test_four_processes_never_take_more_places_than_there_are(crew: Crew, url: str) -> None:
    made = await filled(url, 40)
    said = await crew.at_once("submit", url, 4)
    assert sorted(job_id for each in said for job_id in each["done"]) == made
    assert 1 <= max(each["most"] for each in said) <= SLOTS


async def test_three_processes_never_overdraw_one_budget(crew: Crew, url: str) -> None:
    spent = await crew.at_once("spend", url, 3)
    assert sum(map(len, spent)) == 10


async def test_turns_of_three_processes_never_exceed_the_pace(crew: Crew, url: str) -> None:
    instants_s = sorted(at for turns in await crew.at_once("turns", url, 3) for at in turns)
    assert len(instants_s) == 3 * TURNS
    for first in instants_s:
        assert sum(first <= at < first + 1 for at in instants_s) <= PER_S
    assert instants_s[-1] == pytest.approx((3 * TURNS - 1) / PER_S, abs=0.001), "and none is wasted"


async def test_what_three_processes_ask_for_at_once_is_made_once(crew: Crew, url: str) -> None:
    said = await crew.at_once("add", url, 3)
    for which in (0, 1):  # identical requests; the same key
        for number in range(10):
            assert len({each[which][number] for each in said}) == 1
    ledger = await SqlLedger.open(url, SystemClock())
    made = Counter(job.cache_key.startswith("same") for job in await ledger.jobs(limit=99))
    await ledger.close()
    assert made == {True: 10, False: 10}
