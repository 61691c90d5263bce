"""Opening a database: the pragmas and transaction kinds that make a commit durable and a claim exclusive."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from wanvideo.errors import SettingsInvalid, StorageFailed

BUSY_TIMEOUT_MS = 30_000


def sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


class Database:
    """A writer and readers of one database, each use one transaction.

    Raises, wherever it is used: StorageFailed when the file is full, locked, read-only, damaged or gone.
    """

    def __init__(self, url: str) -> None:
        self._writer, self._reader = open_engines(url)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Commits at the end of the block; undone when it raises."""
        try:
            async with self._writer.begin() as connection:
                yield connection
        except DatabaseError as error:
            raise _unusable(error) from None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Sees one moment of the database, and holds nobody up."""
        try:
            async with self._reader.connect() as connection:
                yield connection
        except DatabaseError as error:
            raise _unusable(error) from None

    async def close(self) -> None:
        await self._writer.dispose()
        await self._reader.dispose()


def _unusable(error: DatabaseError) -> Exception:
    if isinstance(error, IntegrityError | ProgrammingError | DataError):
        return error  # a mistake of ours, not the database's trouble
    return StorageFailed(
        f"The ledger cannot be used: {error.orig}.",
        hint="Check the folder's rights and free space, or set OUTPUT_DIR to another folder.",
    )


def open_engines(url: str) -> tuple[AsyncEngine, AsyncEngine]:
    """A writer and a reader. On SQLite one connection writes (BEGIN IMMEDIATE); readers never block it.

    Raises: SettingsInvalid for a URL that is no SQLite URL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsInvalid("This is not a database URL.", field="WANVIDEO_DATABASE_URL") from None
    if parsed.get_backend_name() != "sqlite":
        raise SettingsInvalid(
            f"{parsed.get_backend_name()} is not supported; this version keeps its ledger in SQLite.",
            field="WANVIDEO_DATABASE_URL",
            hint="Write sqlite+aiosqlite:///PATH, or leave it out.",
        )
    parsed = parsed.set(drivername="sqlite+aiosqlite")
    if parsed.database and parsed.database != ":memory:":
        try:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsInvalid(
                f"The ledger's folder {Path(parsed.database).parent} cannot be made: {error.strerror}.",
                field="OUTPUT_DIR",
            ) from None
    writer = create_async_engine(parsed, pool_size=1, max_overflow=0, hide_parameters=True)
    reader = create_async_engine(parsed, pool_size=4, max_overflow=4, hide_parameters=True)
    for engine, begin in ((writer, "BEGIN IMMEDIATE"), (reader, "BEGIN")):
        event.listen(engine.sync_engine, "connect", _on_connect)
        event.listen(engine.sync_engine, "begin", _begin_with(begin))
    return writer, reader


def _on_connect(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: `begin` below says which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "synchronous = FULL",  # NORMAL may lose the last commits at a power cut: never before a paid POST
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    _use_wal(cursor)
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """Readers beside a writer. SQLite does not wait by itself for the lock that the first switch needs."""
    until_s = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode")
            if cursor.fetchone()[0] != "wal":
                cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until_s:
                raise
            time.sleep(0.02)  # only while several processes open the same new file


def _begin_with(statement: str) -> Any:
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    return begin
