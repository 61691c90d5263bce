"""The ledger in a SQLite file: the pragmas and transaction kinds that make a commit durable."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from wanvideo.clock import Clock
from wanvideo.contract.job import JobId
from wanvideo.errors import SettingsInvalid, StorageFailed
from wanvideo.ledger.columns import read_json
from wanvideo.ledger.sqlite_thread import SqliteThread
from wanvideo.ledger.timekeeping import ProcessTime, Timekeeper

BUSY_TIMEOUT_MS = 30_000


def sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


class SqliteFile:
    """One connection writes (BEGIN IMMEDIATE), others read; a writer never blocks them.

    Raises: SettingsInvalid when the file's folder cannot be made.
    """

    look_every_s = 0.25  # nothing tells of the changes of other processes, and a look costs 0.1 ms
    troubles: tuple[type[Exception], ...] = (DBAPIError, OSError)

    def __init__(self, url: URL) -> None:
        self._url = url = url.set(drivername="sqlite+aiosqlite")
        self._file = url.database or ":memory:"
        if self._file != ":memory:":
            try:
                Path(self._file).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise SettingsInvalid(
                    f"The ledger's folder {Path(self._file).parent} cannot be made: {error.strerror}.",
                    field="OUTPUT_DIR",
                ) from None
        self.writer, self.reader = (
            create_async_engine(
                url,
                async_creator=self._connect,
                pool_size=size,
                max_overflow=besides,
                hide_parameters=True,
                json_deserializer=read_json,
            )
            for size, besides in ((1, 0), (4, 4))
        )
        for engine, begin in ((self.writer, _begin_writing), (self.reader, _begin_reading)):
            event.listen(engine.sync_engine, "connect", _on_connect)
            event.listen(engine.sync_engine, "begin", begin)

    async def _connect(self) -> SqliteThread:
        arguments, options = self.writer.dialect.create_connect_args(self._url)
        connection = SqliteThread(partial(sqlite3.connect, *arguments, **options))
        await connection
        return connection

    def timekeeper(self, clock: Clock) -> Timekeeper:
        return ProcessTime(clock)

    def unusable(self, error: Exception) -> Exception | None:
        if isinstance(error, IntegrityError | ProgrammingError | DataError):
            return None  # a mistake of ours, not the file's trouble
        cause = error.orig if isinstance(error, DBAPIError) else error
        return StorageFailed(
            f"The ledger cannot be used: {cause}.",
            hint="Check the folder's rights and free space, or set OUTPUT_DIR to another folder.",
        )

    async def lock(self, connection: AsyncConnection, name: str) -> None:
        """A writer is alone already."""

    async def tell(self, connection: AsyncConnection, job_id: JobId) -> None:
        """SQLite tells nobody; others look every `look_every_s`."""

    @asynccontextmanager
    async def listening(self, wake: Callable[[], None]) -> AsyncIterator[None]:  # noqa: ARG002 - nobody calls
        yield

    async def words(self, connection: AsyncConnection) -> str:
        mode = (await connection.execute(text("PRAGMA journal_mode"))).scalar()
        kind = "write-ahead log" if mode == "wal" else f"journal mode {mode}"
        return f"SQLite {sqlite3.sqlite_version}, {kind}, {self._file}"


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


def _begin_writing(connection: Connection) -> None:
    """The time of a transaction is taken when nobody else writes any more: so not on the next trip."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    """What is seen is the moment of the first statement anyhow."""
    driver: Any = connection.connection.driver_connection
    driver.begin_with_next("BEGIN")
