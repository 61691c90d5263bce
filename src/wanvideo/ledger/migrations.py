"""Numbered, one-way steps from an empty file to today's schema. A test compares the outcome with `schema`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, inspect, select

from wanvideo.errors import SettingsInvalid
from wanvideo.ledger import schema


def _first_tables(connection: Connection) -> None:
    schema.metadata.create_all(connection)


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_first_tables,)
"""Step n brings version n-1 to n. Never edit a step that was released; add one."""


def migrate(connection: Connection) -> int:
    """Bring the ledger to the newest version inside the caller's transaction, and return that version.

    Raises: SettingsInvalid when the ledger was written by a newer wanvideo.
    """
    table = schema.schema_version
    if inspect(connection).has_table(table.name):
        done = connection.execute(select(table.c.version).order_by(table.c.version.desc())).scalar() or 0
    else:
        table.create(connection)
        done = 0
    if done > len(MIGRATIONS):
        raise SettingsInvalid(
            f"The ledger has version {done}; this wanvideo knows up to {len(MIGRATIONS)}.",
            field="WANVIDEO_DATABASE_URL",
            hint="Use the newer wanvideo, or another OUTPUT_DIR.",
        )
    for version, step in enumerate(MIGRATIONS[done:], start=done + 1):
        step(connection)
        connection.execute(table.insert().values(version=version, at=datetime.now(UTC)))
    return len(MIGRATIONS)
