"""A ledger in a file costs few trips to SQLite's thread, and none leaves a transaction behind."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.ledger.conftest import new_job

from wanvideo.clock import FakeClock
from wanvideo.contract.job import JobId
from wanvideo.errors import StorageFailed
from wanvideo.ledger.engine import sqlite_url
from wanvideo.ledger.sql import SqlLedger
from wanvideo.ledger.sqlite_thread import SqliteThread


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqlLedger]:
    opened = await SqlLedger.open(sqlite_url(tmp_path / "ledger.db"), FakeClock())
    await opened.add_job(new_job(id=JobId("j_1"), cache_key="j_1"))
    await opened.job(JobId("j_1"))  # opens the connection that reads
    yield opened
    await opened.close()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked of SQLite's threads."""
    made: list[Any] = []
    plain = SqliteThread._execute

    async def counted(self: SqliteThread, work: Any, *arguments: Any, **named: Any) -> Any:
        made.append(work)
        return await plain(self, work, *arguments, **named)  # type: ignore[no-untyped-call]  # it has no types

    monkeypatch.setattr(SqliteThread, "_execute", counted)
    return made


async def test_a_row_is_read_in_two_trips(ledger: SqlLedger, trips: list[Any]) -> None:
    assert await ledger.job(JobId("j_1")) is not None
    assert len(trips) == 2  # BEGIN and the statement with its rows; ROLLBACK


async def test_a_row_is_written_in_three_trips(ledger: SqlLedger, trips: list[Any]) -> None:
    await ledger.leave_post("post", "worker")
    assert len(trips) == 3  # BEGIN IMMEDIATE, the statement, COMMIT


async def test_a_transaction_sees_one_moment(ledger: SqlLedger) -> None:
    count = text("SELECT count(*) FROM jobs")
    async with ledger._database.reading() as turn:
        assert await turn.scalar(count) == 1
        await ledger.add_job(new_job(id=JobId("j_2"), cache_key="j_2"))
        assert await turn.scalar(count) == 1
    async with ledger._database.reading() as turn:
        assert await turn.scalar(count) == 2


async def test_a_transaction_in_which_nothing_was_asked_leaves_nothing_behind(ledger: SqlLedger) -> None:
    async with ledger._database.reading():
        pass
    async with ledger._database.writing() as turn:
        await turn.run(text("DELETE FROM jobs"))
    assert await ledger.job(JobId("j_1")) is None


async def test_somebody_who_stops_waiting_leaves_no_transaction_open(ledger: SqlLedger) -> None:
    """Whatever the thread was doing then: the next one reads what is there now, and can write."""
    for turns in range(40):
        task = asyncio.create_task(ledger.jobs(limit=10))
        writing = asyncio.create_task(ledger.add_job(new_job()))
        for _ in range(turns % 20):
            await asyncio.sleep(0)
        task.cancel()
        writing.cancel()
        await asyncio.gather(task, writing, return_exceptions=True)
        added = await ledger.add_job(new_job())
        assert await ledger.job(added.id) is not None


async def test_a_rollback_makes_sure_when_it_is_not_known_what_became_of_a_begin() -> None:
    connection = SqliteThread(lambda: sqlite3.connect(":memory:", check_same_thread=False))
    await connection
    hold = threading.Event()
    connection._tx.put_nowait((None, lambda: hold.wait(10)))  # so that nothing was begun yet
    connection.begin_with_next("BEGIN")
    reading = asyncio.create_task(connection.cursor().execute("SELECT 1"))
    await asyncio.sleep(0)
    reading.cancel()
    rolling_back = asyncio.create_task(connection.rollback())
    await asyncio.sleep(0)
    hold.set()
    await asyncio.gather(reading, rolling_back, return_exceptions=True)
    assert not connection.in_transaction
    await connection.close()


async def test_a_refused_statement_leaves_the_ledger_usable(ledger: SqlLedger, tmp_path: Path) -> None:
    with pytest.raises(StorageFailed):
        async with ledger._database.reading() as turn:
            await turn.all(text("SELECT 1 FROM nowhere"))
    async with ledger._database.reading() as turn:
        assert await turn.scalar(text("SELECT 1")) == 1


async def test_options_of_the_url_still_count(tmp_path: Path) -> None:
    opened = await SqlLedger.open(f"sqlite:///{tmp_path / 'ledger.db'}?cached_statements=7", FakeClock())
    assert await opened.jobs(limit=1) == []
    await opened.close()
