"""The ledger on a SQL database. Each method that writes is one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from wanvideo.clock import Clock
from wanvideo.errors import StorageFailed
from wanvideo.ledger.attempts import Attempts
from wanvideo.ledger.database import Database
from wanvideo.ledger.job_rows import JobRows
from wanvideo.ledger.leases import Leases
from wanvideo.ledger.migrations import migrate
from wanvideo.ledger.opening import open_engine
from wanvideo.ledger.sharing import Sharing
from wanvideo.ledger.statements import sharing
from wanvideo.ledger.timekeeping import Timekeeper


class SqlLedger(JobRows, Leases, Attempts, Sharing):
    """Implements ports.Ledger. Open it with `SqlLedger.open`; it migrates the database by itself."""

    @classmethod
    async def open(cls, url: str, clock: Clock, *, time: Timekeeper | None = None) -> SqlLedger:
        """`time` is for tests: by itself SQLite goes by `clock`, and PostgreSQL by its own clock.

        Raises: StorageFailed when the database cannot be opened, SettingsInvalid for a wrong URL.
        """
        engine = open_engine(url)
        database = Database(engine, time or engine.timekeeper(clock))
        try:
            await database.migrate(migrate)
        except BaseException:
            await database.close()  # an open connection would keep the process from ending
            raise
        return cls(database)

    @property
    def look_every_s(self) -> float:
        return self._database.engine.look_every_s

    def listening(self, wake: Callable[[], None]) -> AbstractAsyncContextManager[None]:
        return self._database.engine.listening(wake)

    async def probe(self) -> str:
        post = f"probe|{secrets.token_hex(8)}"  # its own: others may probe at the same moment
        async with self._database.writing() as turn:
            now = await turn.now()
            await turn.run(sharing.hold_post(post, post, now, now))
            words = await turn.words()
        async with self._database.reading() as turn:
            if await turn.first(sharing.post(post)) is None:
                raise StorageFailed("The ledger cannot be used: what was written is not there.")
        await self.leave_post(post, post)
        return words

    async def close(self) -> None:
        await self._database.close()
