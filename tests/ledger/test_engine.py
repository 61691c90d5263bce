"""What makes a commit durable, and what a wrong address says."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from wanvideo.errors import SettingsInvalid
from wanvideo.ledger.engine import BUSY_TIMEOUT_MS, open_engines, sqlite_url

FULL = 2


@pytest.mark.parametrize("which", [0, 1], ids=["writer", "reader"])
async def test_every_connection_is_durable_and_waits_for_the_others(tmp_path: Path, which: int) -> None:
    engines = open_engines(sqlite_url(tmp_path / "ledger.db"))
    async with engines[which].connect() as connection:
        found = {
            name: (await connection.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("synchronous", "journal_mode", "busy_timeout", "foreign_keys")
        }
    assert found == {
        "synchronous": FULL, "journal_mode": "wal", "busy_timeout": BUSY_TIMEOUT_MS, "foreign_keys": 1
    }  # fmt: skip
    for engine in engines:
        await engine.dispose()


async def test_a_writer_holds_the_write_lock_from_its_first_word(tmp_path: Path) -> None:
    """A claim that reads first and locks later could be overtaken between the two."""
    begun: list[str] = []
    writer, reader = open_engines(sqlite_url(tmp_path / "ledger.db"))
    for engine in (writer, reader):
        async with engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            await raw.set_trace_callback(begun.append)
            await connection.execute(text("SELECT 1"))
    assert [line for line in begun if line.startswith("BEGIN")] == ["BEGIN IMMEDIATE", "BEGIN"]
    for engine in (writer, reader):
        await engine.dispose()


@pytest.mark.parametrize("url", ["postgresql://host/db", "nonsense", "mysql+pymysql://x/y"])
def test_an_address_that_is_not_served_names_the_variable(url: str) -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        open_engines(url)
    assert refusal.value.field == "WANVIDEO_DATABASE_URL"


async def test_the_plain_sqlite_address_works_too(tmp_path: Path) -> None:
    writer, reader = open_engines(f"sqlite:///{tmp_path / 'deep' / 'ledger.db'}")
    async with writer.begin() as connection:
        await connection.execute(text("CREATE TABLE t (x)"))
    assert (tmp_path / "deep" / "ledger.db").exists()
    await writer.dispose()
    await reader.dispose()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsInvalid, match="ledger's folder"):
        open_engines(sqlite_url(tmp_path / "file" / "ledger.db"))
