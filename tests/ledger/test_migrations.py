"""From an empty file, or an older one, to today's tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, inspect, select, text

from wanvideo.clock import SystemClock
from wanvideo.errors import SettingsInvalid, StorageFailed
from wanvideo.ledger import migrations, schema
from wanvideo.ledger.engine import sqlite_url
from wanvideo.ledger.migrations import MIGRATIONS, migrate
from wanvideo.ledger.sql import SqlLedger


def shape(connection: Connection) -> dict[str, object]:
    """Tables, columns, keys and indexes, as the database itself tells them."""
    told = inspect(connection)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in told.get_columns(table)],
            told.get_pk_constraint(table)["constrained_columns"],
            sorted((str(i["name"]), i["column_names"], i["unique"]) for i in told.get_indexes(table)),
            sorted(u["column_names"] for u in told.get_unique_constraints(table)),
        )
        for table in told.get_table_names()
    }


def test_the_steps_lead_to_the_schema(tmp_path: Path) -> None:
    stepped, declared = (create_engine(f"sqlite:///{tmp_path / name}") for name in ("a.db", "b.db"))
    with stepped.begin() as one, declared.begin() as two:
        assert migrate(one) == len(MIGRATIONS)
        schema.metadata.create_all(two)
        assert shape(one) == shape(two)
    stepped.dispose()
    declared.dispose()


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.begin() as connection:
        migrate(connection)
        before = shape(connection)
        migrate(connection)
        assert shape(connection) == before
        versions = connection.execute(select(schema.schema_version.c.version)).scalars().all()
        assert versions == list(range(1, len(MIGRATIONS) + 1))
    engine.dispose()


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
