"""Step 2: money at its attempts, single flight, fair turns. Frozen: later changes are later steps."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    false,
    select,
    text,
    update,
)
from sqlalchemy.schema import CreateColumn

from wanvideo.ledger import first_version
from wanvideo.ledger.columns import micro_yuan

_CHUNK_ROWS = 500
_SERIAL = BigInteger().with_variant(Integer, "sqlite")
_FREE_OUTCOMES = ("not_delivered", "throttled", "refused", "parameter_dropped", "proved_absent")
_NO_TASK = ("succeeded", "failed", "cancelled", "queued")

_new = MetaData()
_job_columns = Table(
    "jobs",
    _new,
    Column("id", String(32), primary_key=True),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("max_cost_cny", String(32)),
    Column("shared", Boolean, nullable=False, server_default=false()),
    Column("source_sha256", String(64), nullable=False, server_default=""),
)
_attempt_columns = Table(
    "attempts",
    _new,
    Column("job_id", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("account", Text, nullable=False, server_default=""),
    Column("owner", Text),
    Column("reserved_cny", BigInteger, nullable=False, server_default="0"),
    Column("settled_cny", BigInteger),
)
_new_tables = (
    Table(
        "gates",
        _new,
        Column("name", Text, primary_key=True),
        Column("next_at", BigInteger, nullable=False),
        Column("slowdown", Float, nullable=False),
    ),
    Table(
        "posts",
        _new,
        Column("name", Text, primary_key=True),
        Column("owner", Text, nullable=False),
        Column("until", BigInteger, nullable=False),
    ),
    Table(
        "once",
        _new,
        Column("owner", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("body_sha256", String(64), nullable=False),
        Column("job_id", String(32), nullable=False),
        Column("at", BigInteger, nullable=False),
    ),
    Table(
        "cache_hits",
        _new,
        Column("seq", _SERIAL, primary_key=True, autoincrement=True),
        Column("job_id", String(32), nullable=False),
        Column("owner", Text),
        Column("saved_cny", BigInteger, nullable=False),
        Column("at", BigInteger, nullable=False),
        Index("cache_hits_at", "at"),
    ),
)
_INDEXES = (
    "CREATE INDEX jobs_cache_key ON jobs (cache_key, created_at) WHERE state = 'succeeded'",
    "CREATE INDEX jobs_account ON jobs (account, state, seen_status, owner)",
    "CREATE INDEX jobs_picture ON jobs (provider, source_sha256, created_at)",
    """CREATE UNIQUE INDEX jobs_single_flight ON jobs (cache_key)
       WHERE shared AND state NOT IN ('succeeded', 'failed', 'cancelled')""",
    """CREATE INDEX jobs_latency ON jobs (provider, resolution, billed_s, submitted_at)
       WHERE latency_s IS NOT NULL""",
    "CREATE INDEX attempts_money ON attempts (started_at, settled_cny, reserved_cny)",
)


def shared_work(connection: Connection) -> None:
    """Jobs of version 1 stay unshared: two of them may well be in flight with one cache key."""
    for table in (_job_columns, _attempt_columns):
        for column in table.columns:
            if not column.primary_key:
                spelt = CreateColumn(column).compile(dialect=connection.dialect)
                connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {spelt}"))
    for new in _new_tables:
        new.create(connection)
    for name in ("jobs_cache_key", "jobs_account"):
        connection.execute(text(f"DROP INDEX {name}"))
    for words in _INDEXES:
        connection.execute(text(words))
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE jobs SET (fillfactor = 60)"))
    _name_pictures(connection)
    _price_attempts(connection)


def _name_pictures(connection: Connection) -> None:
    old, new = first_version.jobs, _job_columns
    write = update(new).where(new.c.id == bindparam("of")).values(source_sha256=bindparam("source"))
    for rows in _chunks(connection, select(old.c.id, old.c.picture)):
        connection.execute(
            write, [{"of": row["id"], "source": row["picture"].get("source_sha256", "")} for row in rows]
        )


def _price_attempts(connection: Connection) -> None:
    """What each attempt held back and cost, as far as version 1 wrote it down at the job."""
    old, jobs, new = first_version.attempts, first_version.jobs, _attempt_columns
    found = select(
        old.c.job_id, old.c.number, old.c.outcome, jobs.c.attempt, jobs.c.account, jobs.c.owner,
        jobs.c.state, jobs.c.estimate_cny, jobs.c.cost_cny,
    ).join(jobs, jobs.c.id == old.c.job_id)  # fmt: skip
    write = (
        update(new)
        .where(new.c.job_id == bindparam("of"), new.c.number == bindparam("nth"))
        .values(
            account=bindparam("payer"),
            owner=bindparam("whose"),
            reserved_cny=bindparam("reserved"),
            settled_cny=bindparam("settled"),
        )
    )
    for rows in _chunks(connection, found):
        connection.execute(write, [_priced(row) for row in rows])


def _priced(row: Any) -> dict[str, Any]:
    settled: int | None = None
    if row["outcome"] in _FREE_OUTCOMES:
        settled = 0
    elif row["number"] == row["attempt"] and row["cost_cny"] is not None:
        settled = micro_yuan(Decimal(row["cost_cny"]))
    elif row["number"] != row["attempt"] or row["state"] in _NO_TASK:
        settled = 0  # it came to nothing, as a later attempt or the state of the job shows
    return {
        "of": row["job_id"],
        "nth": row["number"],
        "payer": row["account"],
        "whose": row["owner"],
        "reserved": micro_yuan(Decimal(row["estimate_cny"])),
        "settled": settled,
    }


def _chunks(connection: Connection, found: Any) -> Iterator[list[Any]]:
    rows = connection.execute(found).mappings().all()
    for start in range(0, len(rows), _CHUNK_ROWS):
        yield list(rows[start : start + _CHUNK_ROWS])
