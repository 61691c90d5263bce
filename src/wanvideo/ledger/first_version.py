"""Step 1: the tables as version 1 made them. Frozen: never follow a change of `schema` here."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

Instant = BigInteger  # microseconds since 1970

metadata = MetaData()

# SQLite gives a growing number only to a column declared INTEGER PRIMARY KEY.
_SERIAL = BigInteger().with_variant(Integer, "sqlite")

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("provider", String(32), nullable=False),
    Column("request", JSON, nullable=False),
    Column("picture", JSON, nullable=False),
    Column("cache_key", String(64), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("estimate_cny", String(32), nullable=False),
    Column("account", Text, nullable=False),
    Column("resolution", String(8), nullable=False),
    Column("billed_s", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("fence", BigInteger, nullable=False, default=0),
    Column("lease_owner", Text),
    Column("lease_until", Instant),
    Column("attempt", Integer, nullable=False, default=0),
    Column("troubles", Integer, nullable=False, default=0),
    Column("task_id", Text, unique=True),  # two jobs can never own one task
    Column("submitted_at", Instant),
    Column("latency_s", Float),
    Column("expires_at", Instant),
    Column("seen_status", String(16)),
    Column("progress", Float),
    Column("note", Text),
    Column("cancel", String(8)),
    Column("warnings", JSON, nullable=False),
    Column("error", JSON(none_as_null=True)),
    Column("result", JSON(none_as_null=True)),
    Column("cost_cny", String(32)),
    Column("store_tries", Integer, nullable=False, default=0),
    Column("owner", Text),
    Column("evidence", JSON, nullable=False),
    Index("jobs_due", "state", "due_at"),
    Index("jobs_cache_key", "cache_key", "state"),
    Index("jobs_account", "account", "state"),
    Index("jobs_created", "created_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("job_id", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("key_fingerprint", String(16), nullable=False),
    Column("body_sha256", String(64), nullable=False),
    Column("body", JSON, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", String(32)),
    Column("task_id", Text),
    Column("request_id", Text),
    Column("error", JSON(none_as_null=True)),
    Index("attempts_task", "task_id"),
)

events = Table(
    "events",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("job_id", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("event", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("data", JSON, nullable=False),
    Index("events_job", "job_id", "seq"),
)

uploads = Table(
    "uploads",
    metadata,
    Column("account", Text, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("url", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

quirks = Table(
    "quirks",
    metadata,
    Column("endpoint", Text, primary_key=True),
    Column("parameter", String(32), primary_key=True),
    Column("seen_at", Instant, nullable=False),
)

schema_version = Table(
    "schema_version", metadata, Column("version", Integer, primary_key=True), Column("at", Instant)
)


def first_tables(connection: Connection) -> None:
    metadata.create_all(connection)
