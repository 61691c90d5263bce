"""The tables. Times are microseconds since 1970 (UTC), money is micro-yuan; see `columns`."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)

from wanvideo.contract.job import State
from wanvideo.ledger.columns import Instant, Yuan

OPEN = (State.QUEUED, State.SUBMITTING, State.UNCERTAIN, State.RUNNING, State.STORING)
"""States that a worker takes up."""

FINAL = (State.SUCCEEDED, State.FAILED, State.CANCELLED)
"""States that a job leaves only when it is retried."""

IN_FLIGHT = text("shared AND state NOT IN ('succeeded', 'failed', 'cancelled')")
"""A job that an identical request joins. Literal, for it must be the very words of the index."""

STORED = text("state = 'succeeded'")
"""A job with a clip that may answer a later request. Literal, as above."""

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
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("max_cost_cny", String(32)),
    Column("shared", Boolean, nullable=False, server_default=false()),
    Column("source_sha256", String(64), nullable=False, server_default=""),
    Index("jobs_due", "state", "due_at"),
    Index("jobs_account", "account", "state", "seen_status", "owner"),
    Index("jobs_created", "created_at"),
    Index("jobs_picture", "provider", "source_sha256", "created_at"),
    # A lease is taken, renewed and ended far more often than anything else is written. With no index on its
    # columns, and room on each page, PostgreSQL writes it without touching an index: four times as fast.
    postgresql_with={"fillfactor": 60},
)

# Two jobs of one cache key can never be in flight at once, whoever writes them down.
Index(
    "jobs_single_flight",
    jobs.c.cache_key,
    unique=True,
    sqlite_where=IN_FLIGHT,
    postgresql_where=IN_FLIGHT,
)

Index("jobs_cache_key", jobs.c.cache_key, jobs.c.created_at, sqlite_where=STORED, postgresql_where=STORED)

_TIMED = jobs.c.latency_s.is_not(None)
Index(
    "jobs_latency",
    jobs.c.provider,
    jobs.c.resolution,
    jobs.c.billed_s,
    jobs.c.submitted_at,
    sqlite_where=_TIMED,
    postgresql_where=_TIMED,
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
    Column("account", Text, nullable=False, server_default=""),
    Column("owner", Text),
    Column("reserved_cny", Yuan, nullable=False, server_default="0"),
    Column("settled_cny", Yuan),
    Index("attempts_task", "task_id"),
    Index("attempts_money", "started_at", "settled_cny", "reserved_cny"),
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

gates = Table(
    "gates",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next_at", Instant, nullable=False),
    Column("slowdown", Float, nullable=False),
)

posts = Table(
    "posts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("until", Instant, nullable=False),
)

once = Table(
    "once",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_sha256", String(64), nullable=False),
    Column("job_id", String(32), nullable=False),
    Column("at", Instant, nullable=False),
)

cache_hits = Table(
    "cache_hits",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("job_id", String(32), nullable=False),
    Column("owner", Text),
    Column("saved_cny", Yuan, nullable=False),
    Column("at", Instant, nullable=False),
    Index("cache_hits_at", "at"),
)

schema_version = Table(
    "schema_version", metadata, Column("version", Integer, primary_key=True), Column("at", Instant)
)
