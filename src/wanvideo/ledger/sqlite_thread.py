"""SQLite on a thread of its own, with one trip there for a statement and its rows.

aiosqlite makes four (cursor, execute, fetch, close), and each wakes a thread and the event loop. Short
statements are all that we have, so the trips were most of what they cost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from aiosqlite import Connection

T = TypeVar("T")
_CHUNK = 64  # of an iteration over a cursor, which nobody does here


class Cursor:
    """What SQLAlchemy asks of aiosqlite's cursor. The rows are there as soon as the statement has run."""

    def __init__(self, connection: SqliteThread) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Cursor:
        return self

    async def execute(self, statement: str, parameters: Iterable[Any] = ()) -> Cursor:
        return await self._connection.trip(partial(self._run, "execute", statement, parameters))

    async def executemany(self, statement: str, parameters: Iterable[Iterable[Any]]) -> Cursor:
        return await self._connection.trip(partial(self._run, "executemany", statement, parameters))

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._rows = []

    def _run(self, how: str, statement: str, parameters: Any) -> Cursor:
        """On the thread."""
        cursor = self._connection.plain.cursor()
        try:
            getattr(cursor, how)(statement, parameters)
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()
        return self


class SqliteThread(Connection):
    """aiosqlite's connection, as SQLAlchemy uses it."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connect, _CHUNK)
        self._thread.daemon = True
        self._first = ""
        self._unsure = False  # somebody stopped waiting for a trip: what became of it is not known

    @property
    def plain(self) -> sqlite3.Connection:
        """The connection itself, for the thread alone."""
        return self._conn

    def cursor(self) -> Any:
        return Cursor(self)

    def begin_with_next(self, statement: str) -> None:
        """Run this before the next statement, on the same trip."""
        self._first = statement

    async def trip(self, work: Callable[[], T]) -> T:
        """Have `work` done on the thread."""
        first, self._first = self._first, ""
        away: Any = self._execute  # it carries no types
        try:
            answer: T = await away(partial(self._led, first, work) if first else work)
        except Exception:
            raise
        except BaseException:
            self._unsure = True
            raise
        return answer

    def _led(self, first: str, work: Callable[[], T]) -> T:
        self.plain.execute(first)
        return work()

    async def commit(self) -> None:
        if self._busy():
            await self.trip(self.plain.commit)

    async def rollback(self) -> None:
        if self._busy():
            await self.trip(self.plain.rollback)
            self._unsure = False

    def _busy(self) -> bool:
        """Whether there is, or may be, a transaction to end."""
        if self._unsure or self.in_transaction:
            return True
        self._first = ""
        return False
