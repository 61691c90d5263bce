"""From a database URL to an engine that serves it."""

from __future__ import annotations

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from wanvideo.errors import SettingsInvalid
from wanvideo.ledger.database import Engine
from wanvideo.ledger.engine import SqliteFile
from wanvideo.ledger.postgres import FIELD, Postgres


def open_engine(url: str) -> Engine:
    """Connects to nothing yet. Raises: SettingsInvalid for a URL that is not served."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # neither may be quoted: a URL can hold a password
        raise SettingsInvalid("This is not a database URL.", field=FIELD) from None
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        return SqliteFile(parsed)
    if kind in ("postgresql", "postgres"):
        return Postgres(parsed)
    raise SettingsInvalid(
        f"{kind} is not supported; the ledger lives in SQLite or PostgreSQL.",
        field=FIELD,
        hint="Write sqlite+aiosqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE, or leave it out.",
    )
