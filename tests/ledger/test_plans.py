"""How SQLite finds rows: with an index, however many jobs there are.

Timing would only tell of this machine.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, text
from tests.ledger.conftest import new_job

from wanvideo.contract.job import JobId, State, TaskId
from wanvideo.ledger import rows, schema
from wanvideo.ledger.migrations import migrate
from wanvideo.ledger.statements import jobs, leases, money, tasks

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONLY = [JobId("j_1"), JobId("j_2")]
WATCHED = (State.RUNNING, State.STORING, State.UNCERTAIN)

STATEMENTS: dict[str, Any] = {
    "add_job": jobs.add_job(rows.row_of(new_job(), NOW)),
    "in_flight": jobs.in_flight("k"),
    "one_job": jobs.one_job(JobId("j_1")),
    "list_jobs": jobs.list_jobs((), 20),
    "list_jobs of a state": jobs.list_jobs((State.FAILED,), 20),
    "clip_for": jobs.clip_for("k"),
    "of_picture": jobs.of_picture("dashscope", "s", 20),
    "newest": jobs.newest("dashscope", 5),
    "history": jobs.history(JobId("j_1"), 0),
    "claim": leases.claim(
        worker="w", now=NOW, until=NOW, states=WATCHED, only=None, limit=200
    ),
    "claim some": leases.claim(worker="w", now=NOW, until=NOW, states=WATCHED, only=ONLY, limit=9),
    "claim_these": leases.claim_these(ONLY, "w", NOW, NOW),
    "release": leases.release({JobId("j_1"): 1}, "w", NOW, NOW),
    "places_taken": leases.places_taken("a"),
    "places_taken by others": leases.places_taken("a", but=JobId("j_1")),
    "places_by_owner": leases.places_by_owner("a"),
    "about_to_submit": leases.about_to_submit("dashscope", NOW),
    "heads_of_queue": leases.heads_of_queue("dashscope", NOW, None, 5),
    "heads_of_queue of some": leases.heads_of_queue("dashscope", NOW, ONLY, 5),
    "silent": leases.silent("dashscope", NOW, None),
    "note_waiting": leases.note_waiting("dashscope", "why", NOW, None),
    "first_due": leases.first_due(schema.OPEN, None, NOW),
    "first_due of some": leases.first_due(schema.OPEN, ONLY, NOW),
    "first_freed": leases.first_freed(schema.OPEN, None, NOW),
    "lease_owners": leases.lease_owners(NOW),
    "expire_leases": leases.expire_leases(["w"], NOW),
    "running": tasks.running("a"),
    "sight": tasks.sight(),
    "latencies": money.latencies("dashscope", "720P", 3, 50),
    "spent": money.spent(NOW),
    "spending": money.spending(NOW),
    "savings": money.savings(NOW),
    "known_tasks": money.known_tasks([TaskId("t")]),
    "owner_of_task": money.owner_of_task(TaskId("t")),
}  # fmt: skip


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """Some jobs of each kind, and what SQLite knows of them: a plan may change once it knows the numbers."""
    path: Path = tmp_path_factory.mktemp("plans") / "ledger.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate(connection)
        made, sent = [], []
        for number in range(2000):
            state = list(State)[number % 50] if number % 50 < len(State) else State.SUCCEEDED
            at = NOW + timedelta(seconds=number)
            new = new_job(shared=False, cache_key=f"key {number % 50}")
            columns = rows.row_of(new, at) | {"state": state, "due_at": at}
            made.append(columns | {"latency_s": 5.0 if state is State.SUCCEEDED else None})
            sent.append({
                "job_id": new.id, "number": 1, "fence": 1, "endpoint": "", "key_fingerprint": "",
                "body_sha256": "", "body": {}, "started_at": at, "task_id": f"t{number}",
            })  # fmt: skip
        connection.execute(insert(schema.jobs), made)
        connection.execute(insert(schema.attempts), sent)
        connection.execute(text("ANALYZE"))
    engine.dispose()
    opened = sqlite3.connect(path)
    yield opened
    opened.close()


def plan(ledger: sqlite3.Connection, statement: Any) -> list[str]:
    engine = create_engine("sqlite://")
    compiled = statement.compile(engine, compile_kwargs={"render_postcompile": True})
    values = [None] * len(compiled.positiontup or ())  # a plan does not depend on them
    return [row[3] for row in ledger.execute(f"EXPLAIN QUERY PLAN {compiled}", values)]


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_reads_all_jobs(ledger: sqlite3.Connection, name: str) -> None:
    steps = plan(ledger, STATEMENTS[name])
    big = ("jobs", "attempts", "events", "cache_hits")
    whole = [step for step in steps if step.split()[:1] == ["SCAN"] and step.split()[1] in big]
    ordered = "SCAN jobs USING INDEX jobs_created"  # newest first, and it stops at its limit
    assert [step for step in whole if step != ordered] == [], steps
    assert not whole or name in ("list_jobs", "list_jobs of a state", "newest")


@pytest.mark.parametrize(("name", "index"), [
    ("clip_for", "jobs_cache_key (cache_key=?)"),
    ("in_flight", "jobs_single_flight (cache_key=?)"),
    ("of_picture", "jobs_picture (provider=? AND source_sha256=?)"),
    ("claim", "jobs_due (state=? AND due_at<?)"),
    ("heads_of_queue", "jobs_due (state=? AND due_at<?)"),
    ("places_taken", "COVERING INDEX jobs_account (account=? AND state=?)"),
    ("places_by_owner", "COVERING INDEX jobs_account (account=? AND state=?)"),
    ("running", "jobs_account (account=? AND state=?)"),
    ("first_due", "jobs_due (state=?"),
    ("latencies", "jobs_latency (provider=? AND resolution=? AND billed_s=?)"),
    ("spent", "COVERING INDEX attempts_money (started_at>?)"),
])  # fmt: skip
def test_the_index_meant_for_a_statement_is_used(ledger: sqlite3.Connection, name: str, index: str) -> None:
    assert any(index in step for step in plan(ledger, STATEMENTS[name])), plan(ledger, STATEMENTS[name])


@pytest.mark.parametrize("name", ["clip_for", "of_picture", "latencies", "list_jobs"])
def test_the_newest_come_in_order_without_sorting(ledger: sqlite3.Connection, name: str) -> None:
    sorting = [step for step in plan(ledger, STATEMENTS[name]) if "TEMP B-TREE FOR ORDER BY" in step]
    assert sorting == []
