"""Whose clock rules in a ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from wanvideo.clock import Clock

_ITS_TIME = text("SELECT clock_timestamp()")


class Timekeeper(Protocol):
    """Tells the time by which leases, due times and turns are judged."""

    async def now(self, connection: AsyncConnection) -> datetime: ...


class ProcessTime:
    """The process's own clock: right where all processes share one machine, and in tests."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def now(self, connection: AsyncConnection) -> datetime:  # noqa: ARG002 - the protocol's name
        return self._clock.now()


class DatabaseTime:
    """The database's clock: machines whose clocks differ still agree on a lease. One short query."""

    async def now(self, connection: AsyncConnection) -> datetime:
        found: datetime = (await connection.execute(_ITS_TIME)).scalar_one()
        return found
