"""One suite for every ledger: a new implementation is added to `OPENERS` and has to pass all of it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import fresh_database

from wanvideo.clock import Clock, FakeClock
from wanvideo.contract.job import Attempt, JobId, Picture
from wanvideo.ledger.engine import sqlite_url
from wanvideo.ledger.sql import SqlLedger
from wanvideo.ledger.timekeeping import ProcessTime
from wanvideo.ports import Lease, Ledger, NewJob

Open = Callable[[], Awaitable[Ledger]]


@asynccontextmanager
async def sqlite_file(folder: Path, clock: Clock) -> AsyncIterator[Open]:
    async def opened() -> Ledger:
        return await SqlLedger.open(sqlite_url(folder / "ledger.db"), clock)

    yield opened


@asynccontextmanager
async def postgres_database(folder: Path, clock: Clock) -> AsyncIterator[Open]:
    """Judged by the test's clock; `test_postgres.py` proves whose clock rules otherwise."""
    async with fresh_database() as url:

        async def opened() -> Ledger:
            return await SqlLedger.open(url, clock, time=ProcessTime(clock))

        yield opened


OPENERS = {"sqlite": sqlite_file, "postgres": postgres_database}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=OPENERS)
async def open_ledger(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock
) -> AsyncIterator[Open]:
    """Opens the same ledger once more, as another process would."""
    made: list[Ledger] = []
    async with OPENERS[request.param](tmp_path, clock) as opener:

        async def opened() -> Ledger:
            made.append(await opener())
            return made[-1]

        yield opened
        for ledger in made:
            await ledger.close()


@pytest.fixture
async def ledger(open_ledger: Open) -> Ledger:
    return await open_ledger()


_numbers = itertools.count()


def new_job(**changes: Any) -> NewJob:
    number = next(_numbers)
    values: dict[str, Any] = {
        "id": JobId(f"j_{number:012d}"),
        "provider": "dashscope",
        "request": {"prompt": "海港 harbour", "duration": 2.5},
        "picture": Picture("pictures/a.png", "a" * 64, "b" * 64, "image/png", 240, 240),
        "cache_key": f"{number:064d}",
        "seed": 2**31 - 1,
        "estimate_cny": "0.366962",
        "account": "dashscope|https://x.test|key",
        "resolution": "720P",
        "billed_s": 3,
        "warnings": ("cropped",),
        "owner": None,
    }
    return NewJob(**(values | changes))


def attempt_of(lease: Lease, clock: Clock, number: int = 1) -> Attempt:
    return Attempt(
        job_id=lease.job.id,
        number=number,
        fence=lease.fence,
        endpoint="https://x.test",
        key_fingerprint="key",
        body_sha256="d" * 64,
        body={"input": {"prompt": "海港"}},
        started_at=clock.now(),
    )
