"""The ledger on a PostgreSQL server: durable commits, its clock, locks by name, a call when work comes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from sqlalchemy import event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InvalidatePoolError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from wanvideo.clock import Clock
from wanvideo.contract.job import JobId
from wanvideo.errors import SettingsInvalid, StorageFailed
from wanvideo.ledger.columns import read_json
from wanvideo.ledger.listening import listening
from wanvideo.ledger.timekeeping import DatabaseTime, Timekeeper

FIELD: Final = "WANVIDEO_DATABASE_URL"
CHANNEL: Final = "wanvideo"
CONNECT_S: Final = 10
ANSWER_S: Final = 60
IDLE_S: Final = 20.0
"""A machine that freezes, or loses its power, in the middle of a transaction keeps its locks no longer than
this. Without it they would stay until TCP gives the connection up, by default after two hours."""

# Ten connections at most: nine that come and go, and the one that listens.
_KEPT, _BESIDES = 4, 6

_OPTIONS: Final = {"host": "host", "port": "port", "ssl": "ssl", "sslmode": "ssl"}
"""Options that a URL may carry, and the driver's names of them."""

# A commit is an answer: never before it is on disk. A stricter setting of the server stays.
_DURABLE = """SELECT set_config('synchronous_commit', 'on', false)
 WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')"""
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_NOTIFY = text("SELECT pg_notify(:channel, :job_id)")


class Postgres:
    """Writers and readers share one pool. Not for pgbouncer in transaction mode: it cannot listen there.

    Raises: SettingsInvalid when asyncpg is missing or the URL has an option that is not known.
    """

    look_every_s = 1.0  # beside what `listening` tells

    def __init__(self, url: URL) -> None:
        self._url = _understood(url)
        driver = _driver()
        self.troubles: tuple[type[Exception], ...] = (
            DBAPIError, OSError, driver.PostgresError, driver.InterfaceError
        )  # fmt: skip
        self.writer = create_async_engine(
            self._url,
            pool_size=_KEPT,
            max_overflow=_BESIDES,
            hide_parameters=True,
            json_deserializer=read_json,
            isolation_level="READ COMMITTED",
            connect_args={
                "timeout": CONNECT_S,
                "command_timeout": ANSWER_S,
                "server_settings": {
                    "application_name": "wanvideo",
                    "idle_in_transaction_session_timeout": f"{IDLE_S * 1000:.0f}",
                },
            },
        )
        self.reader = self.writer.execution_options(isolation_level="REPEATABLE READ")
        event.listen(self.writer.sync_engine, "connect", _make_durable)
        event.listen(self.writer.sync_engine, "checkout", _only_living)

    def timekeeper(self, clock: Clock) -> Timekeeper:  # noqa: ARG002 - its own clock rules, not a machine's
        return DatabaseTime()

    async def lock(self, connection: AsyncConnection, name: str) -> None:
        await connection.execute(_LOCK, {"name": name})

    async def tell(self, connection: AsyncConnection, job_id: JobId) -> None:
        await connection.execute(_NOTIFY, {"channel": CHANNEL, "job_id": job_id})

    def listening(self, wake: Callable[[], None]) -> AbstractAsyncContextManager[None]:
        return listening(self.writer, CHANNEL, wake, self.troubles)

    async def words(self, connection: AsyncConnection) -> str:
        version = (await connection.execute(text("SHOW server_version"))).scalar()
        fsync = (await connection.execute(text("SHOW fsync"))).scalar()
        safe = "" if fsync == "on" else f", fsync is {fsync}: a power cut may lose what was paid for"
        return f"PostgreSQL {version} {self._place}{safe}"

    @property
    def _place(self) -> str:
        host = self._url.host or self._url.query.get("host") or "localhost"
        port = f":{self._url.port}" if self._url.port else ""
        return f"at {host}{port}, database {self._url.database or self._url.username or '(default)'}"

    def unusable(self, error: Exception) -> Exception | None:
        cause = error.orig if isinstance(error, DBAPIError) else error
        state = str(getattr(cause, "sqlstate", None) or "")
        if state.startswith("28"):
            return SettingsInvalid(
                f"PostgreSQL {self._place}, refuses the user or the password.",
                field=FIELD,
                hint="Correct the user and password in the URL.",
            )
        if state == "3D000":
            return SettingsInvalid(
                f"There is no such database: PostgreSQL {self._place}.",
                field=FIELD,
                hint=f"Create it, for example with `createdb {self._url.database}`.",
            )
        if state == "42501":
            return SettingsInvalid(
                f"The user {self._url.username} may not do this: {self._quoted(cause)}.",
                field=FIELD,
                hint="Grant the user the right to create and use tables in this database.",
            )
        if isinstance(error, IntegrityError | ProgrammingError | DataError):
            return None  # a mistake of ours, not the database's trouble
        return StorageFailed(
            f"The ledger cannot be used: PostgreSQL {self._place}: {self._quoted(cause)}.",
            hint="Check that the server runs and can be reached; wanvideo tries again by itself.",
        )

    def _quoted(self, cause: BaseException | None) -> str:
        """The first line of what went wrong, without the driver's class names and without the password."""
        if isinstance(cause, TimeoutError):
            return "no answer in time"
        if isinstance(cause, OSError) and cause.strerror:
            words = cause.strerror
        else:
            words = str(cause).partition("\n")[0].rpartition(">: ")[2] or type(cause).__name__
        password = str(self._url.password or "")
        return (words.replace(password, "***") if password else words).rstrip(".")


def _driver() -> Any:
    try:
        # asyncpg carries no types
        import asyncpg  # type: ignore[import-untyped]
    except ImportError:
        raise SettingsInvalid(
            "PostgreSQL needs a driver that is not installed: asyncpg.",
            field=FIELD,
            hint='pip install "wanvideo[postgres]"',
        ) from None
    return asyncpg


def _understood(url: URL) -> URL:
    unknown = sorted(set(url.query) - set(_OPTIONS))
    if unknown:
        raise SettingsInvalid(
            f"The database URL has an option that is not known: {', '.join(unknown)}.",
            field=FIELD,
            hint=f"Leave it out. Known are {', '.join(sorted(_OPTIONS))}.",
        )
    query = {_OPTIONS[name]: value for name, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query)


def _make_durable(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(_DURABLE)
    cursor.close()
    connection.commit()


def _only_living(connection: Any, _record: Any, _proxy: Any) -> None:
    """A connection that the server has closed meanwhile is replaced; asking costs nothing, unlike a ping."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
