"""From an empty file, or an older one, to today's tables."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, insert, inspect, select, text
from tests.postgres import fresh_database

from wanvideo.clock import SystemClock
from wanvideo.contract.job import Picture
from wanvideo.errors import SettingsInvalid, StorageFailed
from wanvideo.jobs.machine import OPEN
from wanvideo.ledger import first_version, migrations, schema
from wanvideo.ledger.engine import sqlite_url
from wanvideo.ledger.migrations import MIGRATIONS, migrate
from wanvideo.ledger.opening import open_engine
from wanvideo.ledger.sql import SqlLedger

PICTURE = Picture("pictures/a.png", "a" * 64, "b" * 64, "image/png", 240, 240)


def shape(connection: Connection) -> dict[str, object]:
    """Tables, columns, keys and indexes, as the database itself tells them."""
    told = inspect(connection)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in told.get_columns(table)],
            told.get_pk_constraint(table)["constrained_columns"],
            sorted(
                (str(i["name"]), i["column_names"], bool(i["unique"]), condition(i))
                for i in told.get_indexes(table)
            ),
            sorted(u["column_names"] for u in told.get_unique_constraints(table)),
            told.get_table_options(table),
        )
        for table in told.get_table_names()
    }


def condition(index: Any) -> str:
    """Of a partial index, in one spelling."""
    options = index.get("dialect_options", {})
    return " ".join(str(options.get("sqlite_where", options.get("postgresql_where", ""))).split())


Inspect = Callable[[Callable[[Connection], Any]], Awaitable[Any]]


@pytest.fixture(params=["sqlite", "postgres"])
async def inside(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Inspect]:
    """Runs a function inside one transaction of an empty database, always the same one."""
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            url = sqlite_url(tmp_path / "ledger.db")
        else:
            url = await stack.enter_async_context(fresh_database(empty=True))
        engine = open_engine(url)
        stack.push_async_callback(engine.writer.dispose)

        async def run(work: Callable[[Connection], Any]) -> Any:
            async with engine.writer.begin() as connection:
                return await connection.run_sync(work)

        yield run


async def test_the_steps_lead_to_the_schema(inside: Inspect) -> None:
    assert await inside(migrate) == len(MIGRATIONS)
    stepped = await inside(shape)
    await inside(schema.metadata.drop_all)
    assert await inside(shape) == {}
    await inside(schema.metadata.create_all)
    assert await inside(shape) == stepped


async def test_migrating_again_changes_nothing(inside: Inspect) -> None:
    await inside(migrate)
    before = await inside(shape)
    await inside(migrate)
    assert await inside(shape) == before

    def versions(connection: Connection) -> list[int]:
        return list(connection.execute(select(schema.schema_version.c.version)).scalars())

    assert await inside(versions) == list(range(1, len(MIGRATIONS) + 1))


# --- a ledger of version 1 ---


def first(connection: Connection) -> None:
    """What version 1 left behind: a clip, two jobs in flight with one key, and one tried twice."""
    first_version.first_tables(connection)
    connection.execute(insert(first_version.schema_version).values(version=1, at=0))
    job = {
        "provider": "dashscope", "request": {"prompt": "harbour"}, "picture": asdict(PICTURE), "seed": 1,
        "estimate_cny": "0.366962", "account": "dashscope|x|k", "resolution": "720P", "billed_s": 3,
        "created_at": 1, "updated_at": 1, "due_at": 1, "warnings": [], "evidence": {}, "owner": "ann",
    }  # fmt: skip
    for number, (state, key, cost, tried) in enumerate([
        ("succeeded", "a", "0.36", 1), ("running", "b", None, 1), ("queued", "b", None, 1),
        ("cancelled", "c", "0.366962", 2), ("uncertain", "d", None, 1),
    ]):  # fmt: skip
        named = {"id": f"j_{number}", "state": state, "cache_key": key, "cost_cny": cost, "attempt": tried}
        connection.execute(insert(first_version.jobs).values(job | named))
        sent = {
            "job_id": f"j_{number}", "fence": 1, "endpoint": "x", "key_fingerprint": "k", "body_sha256": "s",
            "body": {}, "started_at": number,
        }  # fmt: skip
        for attempt in range(1, tried + 1):
            outcome = "not_delivered" if attempt < tried else "accepted"
            values = sent | {"number": attempt, "outcome": outcome}
            connection.execute(insert(first_version.attempts).values(values))


async def test_a_ledger_of_version_1_is_brought_up_with_all_that_is_in_it(inside: Inspect) -> None:
    await inside(first)
    await inside(migrate)
    brought = await inside(shape)
    jobs = {row.id: row for row in await inside(lambda c: c.execute(select(schema.jobs)).all())}
    assert len(jobs) == 5
    for row in jobs.values():
        assert (row.priority, row.max_cost_cny, row.shared) == (0, None, False)
        assert row.source_sha256 == PICTURE.source_sha256
        assert (row.request, row.owner) == ({"prompt": "harbour"}, "ann")
    attempts = await inside(lambda c: c.execute(select(schema.attempts)).all())
    estimate = Decimal("0.366962")
    assert {(row.job_id, row.number): (row.reserved_cny, row.settled_cny) for row in attempts} == {
        ("j_0", 1): (estimate, Decimal("0.36")),
        ("j_1", 1): (estimate, None),  # runs: still held back
        ("j_2", 1): (estimate, 0),  # back in the queue: it came to nothing
        ("j_3", 1): (estimate, 0),
        ("j_3", 2): (estimate, estimate),  # abandoned, and billed
        ("j_4", 1): (estimate, None),  # uncertain: may be billed
    }
    assert {(row.account, row.owner) for row in attempts} == {("dashscope|x|k", "ann")}
    await inside(schema.metadata.drop_all)
    await inside(migrate)
    assert await inside(shape) == brought, "old and new ledgers end up alike"


async def test_a_job_of_version_1_lives_on(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    with engine.begin() as connection:
        first(connection)
    engine.dispose()
    ledger = await SqlLedger.open(sqlite_url(tmp_path / "ledger.db"), SystemClock())
    found = await ledger.clip_for("a")
    assert found is not None
    assert found.picture == PICTURE
    held = await ledger.claim("w", states=OPEN, only=None, limit=9, lease_s=30)
    assert {lease.job.id for lease in held} == {"j_1", "j_2", "j_4"}
    assert await ledger.release(held, in_s=0) == 3
    await ledger.close()


async def test_a_step_that_fails_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE half (x)"))
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, broken))
    url = sqlite_url(tmp_path / "ledger.db")
    with pytest.raises(RuntimeError, match="power cut"):
        await SqlLedger.open(url, SystemClock())
    engine = create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    with engine.connect() as connection:
        assert shape(connection) == {}
    engine.dispose()


async def made_by_a_newer_version(path: Path) -> None:
    ledger = await SqlLedger.open(sqlite_url(path), SystemClock())
    await ledger.close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(
            text(f"INSERT INTO schema_version (version, at) VALUES ({len(MIGRATIONS) + 1}, 0)")
        )
    engine.dispose()


async def test_a_ledger_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    await made_by_a_newer_version(tmp_path / "ledger.db")
    with pytest.raises(SettingsInvalid, match="The ledger has version") as refusal:
        await SqlLedger.open(sqlite_url(tmp_path / "ledger.db"), SystemClock())
    assert "newer wanvideo" in refusal.value.hint


@pytest.mark.parametrize("trouble", ["newer", "no database"])
async def test_a_process_that_cannot_open_its_ledger_still_ends(tmp_path: Path, trouble: str) -> None:
    """A connection left open would keep its thread, and the process, alive."""
    path = tmp_path / "ledger.db"
    if trouble == "newer":
        await made_by_a_newer_version(path)
    else:
        path.write_bytes(b"this is no database" * 100)
    code = (
        "import asyncio; from wanvideo.clock import SystemClock; from wanvideo.ledger.sql import SqlLedger;"
        f"asyncio.run(SqlLedger.open({sqlite_url(path)!r}, SystemClock()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=20, check=False)
    assert done.returncode == 1
    assert b"SettingsInvalid" in done.stderr or b"StorageFailed" in done.stderr


async def test_a_file_that_is_no_ledger_says_so(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StorageFailed, match="not a database"):
        await SqlLedger.open(sqlite_url(tmp_path / "ledger.db"), SystemClock())
