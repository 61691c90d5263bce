"""Numbered, one-way steps from an empty database to today's schema. A test compares the outcome with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, inspect, select, text

from wanvideo.errors import SettingsInvalid
from wanvideo.ledger import schema
from wanvideo.ledger.first_version import first_tables
from wanvideo.ledger.second_version import shared_work

MIGRATIONS: tuple[Callable[[Connection], None], ...] = (first_tables, shared_work)
"""Step n brings version n-1 to n. Never edit a step that was released; add one."""

_ONE_AT_A_TIME = 0x77616E  # "wan": any number of ours


def migrate(connection: Connection) -> int:
    """Bring the ledger to the newest version inside the caller's transaction, and return that version.

    Raises: SettingsInvalid when the ledger was written by a newer wanvideo.
    """
    if connection.dialect.name == "postgresql":  # on SQLite the transaction itself excludes all others
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
    table = schema.schema_version
    if inspect(connection).has_table(table.name):
        done = connection.execute(select(table.c.version).order_by(table.c.version.desc())).scalar() or 0
    else:
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
