"""What makes a commit durable in a SQLite file, and what a wrong address says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from wanvideo.errors import SettingsInvalid
from wanvideo.ledger.engine import BUSY_TIMEOUT_MS, SqliteFile, sqlite_url
from wanvideo.ledger.opening import open_engine

FULL = 2


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[SqliteFile]:
    made = SqliteFile(make_url(sqlite_url(tmp_path / "ledger.db")))
    yield made
    await made.writer.dispose()
    await made.reader.dispose()


@pytest.mark.parametrize("which", ["writer", "reader"])
async def test_every_connection_is_durable_and_waits_for_the_others(file: SqliteFile, which: str) -> None:
    engine: AsyncEngine = getattr(file, which)
    async with engine.connect() as connection:
        found = {
            name: (await connection.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("synchronous", "journal_mode", "busy_timeout", "foreign_keys")
        }
    assert found == {
        "synchronous": FULL, "journal_mode": "wal", "busy_timeout": BUSY_TIMEOUT_MS, "foreign_keys": 1
    }  # fmt: skip


async def test_a_writer_holds_the_write_lock_from_its_first_word(file: SqliteFile) -> None:
    """A claim that reads first and locks later could be overtaken between the two."""
    begun: list[str] = []
    for engine in (file.writer, file.reader):
        async with engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            await raw.set_trace_callback(begun.append)
            await connection.execute(text("SELECT 1"))
    assert [line for line in begun if line.startswith("BEGIN")] == ["BEGIN IMMEDIATE", "BEGIN"]


@pytest.mark.parametrize("url", ["nonsense", "mysql+pymysql://x/y", "postgresql://u:p@host:port/db"])
def test_an_address_that_is_not_served_names_the_variable(url: str) -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        open_engine(url)
    assert refusal.value.field == "WANVIDEO_DATABASE_URL"


async def test_the_plain_sqlite_address_works_too(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'deep' / 'ledger.db'}")
    async with engine.writer.begin() as connection:
        await connection.execute(text("CREATE TABLE t (x)"))
    assert (tmp_path / "deep" / "ledger.db").exists()
    await engine.writer.dispose()
    await engine.reader.dispose()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsInvalid, match="ledger's folder"):
        open_engine(sqlite_url(tmp_path / "file" / "ledger.db"))
