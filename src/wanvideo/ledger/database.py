"""Transactions on the ledger's database, whichever it is, and the errors they may end with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, CursorResult, Executable, Row
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from wanvideo.clock import Clock
from wanvideo.contract.job import JobId
from wanvideo.errors import StorageFailed
from wanvideo.ledger.timekeeping import Timekeeper


class Engine(Protocol):
    """One kind of database: what it does in its own way."""

    writer: AsyncEngine
    reader: AsyncEngine
    look_every_s: float
    troubles: tuple[type[Exception], ...]
    """What its driver may raise, connecting or connected."""

    def timekeeper(self, clock: Clock) -> Timekeeper:
        """Whose clock rules here."""

    def unusable(self, error: Exception) -> Exception | None:
        """The error to raise instead, without a word of the URL's password; None for a mistake of ours."""

    async def lock(self, connection: AsyncConnection, name: str) -> None:
        """Hold everybody else who asks for `name` up until this transaction ends."""

    async def tell(self, connection: AsyncConnection, job_id: JobId) -> None:
        """Wake the processes that listen, once this transaction is committed."""

    def listening(self, wake: Callable[[], None]) -> AbstractAsyncContextManager[None]: ...
    async def words(self, connection: AsyncConnection) -> str:
        """Which database this is."""


class Transaction:
    """One transaction, with the time that rules in it."""

    def __init__(self, connection: AsyncConnection, engine: Engine, time: Timekeeper) -> None:
        self._connection = connection
        self._engine = engine
        self._time = time
        self._now: datetime | None = None
        self._told = False

    async def now(self) -> datetime:
        """The time, asked once: all of a transaction happens at one moment. After a lock, not before."""
        if self._now is None:
            self._now = await self._time.now(self._connection)
        return self._now

    async def run(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> None:
        await self._execute(statement, rows)

    async def all(self, statement: Executable) -> Sequence[Row[Any]]:
        return (await self._execute(statement)).all()

    async def first(self, statement: Executable) -> Row[Any] | None:
        found = await self.all(statement)
        return found[0] if found else None

    async def scalar(self, statement: Executable) -> Any:
        return (await self._execute(statement)).scalar()

    async def _execute(
        self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        try:
            return await self._connection.execute(statement, rows)
        except TimeoutError:
            # a connection that is not answered would hold up the next one who gets it, too
            await self._connection.invalidate()
            raise

    async def lock(self, name: str) -> None:
        await self._engine.lock(self._connection, name)

    async def tell(self, job_id: JobId) -> None:
        """Wake others at the commit. Once is enough: whoever wakes looks for everything that is due."""
        if not self._told:
            self._told = True
            await self._engine.tell(self._connection, job_id)

    async def words(self) -> str:
        return await self._engine.words(self._connection)


class Database:
    """A writer and readers of one database, each use one transaction.

    Raises, wherever it is used: StorageFailed when the database is full, locked, read-only, damaged or
    away; the next use tries anew.
    """

    def __init__(self, engine: Engine, time: Timekeeper) -> None:
        self.engine = engine
        self._time = time

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """Commits at the end of the block; undone when it raises."""
        with self._told():
            async with self.engine.writer.begin() as connection:
                yield Transaction(connection, self.engine, self._time)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Sees one moment of the database, and holds nobody up."""
        with self._told():
            async with self.engine.reader.connect() as connection:
                yield Transaction(connection, self.engine, self._time)

    async def migrate(self, steps: Callable[[Connection], int]) -> None:
        with self._told():
            async with self.engine.writer.begin() as connection:
                await connection.run_sync(steps)

    async def close(self) -> None:
        await self.engine.writer.dispose()
        await self.engine.reader.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """The driver's errors in our words; what is a mistake of ours passes as it is."""
        try:
            yield
        except NoConnectionFree:
            raise StorageFailed(
                "The ledger cannot be used: no connection became free in time.",
                hint="It is busy; wanvideo tries again by itself.",
            ) from None
        except self.engine.troubles as error:
            raise self.engine.unusable(error) or error from None
