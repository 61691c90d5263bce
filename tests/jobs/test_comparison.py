"""One line for each create: what both sides say of it, and the verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.fakes.bench import PICTURE, asked
from tests.fakes.provider import FakeProvider

from wanvideo.clock import FakeClock
from wanvideo.contract.job import Attempt, Event, Job, JobId, State, TaskId
from wanvideo.contract.price import cost_of
from wanvideo.jobs.comparison import MADE_NO_TASK, Line, Verdict, joined
from wanvideo.jobs.machine import MOVES
from wanvideo.ports import TaskListing, TaskReport, TaskStatus

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PROVIDER = FakeProvider(FakeClock(NOW))
TASK = TaskId("task-1")
PRICE = Decimal("0.60")
JOB = Job(
    id=JobId("j_000000000001"),
    state=State.SUCCEEDED,
    provider="dashscope",
    request=asked().model_dump(mode="json"),
    picture=PICTURE,
    cache_key="",
    seed=7,
    estimate_cny="0.60",
    account=PROVIDER.account.name,
    resolution="720P",
    billed_s=2,
    created_at=NOW,
    updated_at=NOW,
    due_at=NOW,
    attempt=1,
    task_id=TASK,
    result={"cost": {"cny": 0.6, "billed_s": 2, "basis": "usage"}},
)
ATTEMPT = Attempt(
    job_id=JOB.id,
    number=1,
    fence=1,
    endpoint=PROVIDER.account.endpoint,
    key_fingerprint=PROVIDER.account.key_fingerprint,
    body_sha256="",
    body={},
    started_at=NOW,
    outcome=Event.ACCEPTED,
    task_id=TASK,
    account=PROVIDER.account.name,
    reserved_cny=PRICE,
    settled_cny=PRICE,
)
LISTED = TaskListing(TASK, TaskStatus.SUCCEEDED, NOW + timedelta(seconds=1))
BILLED = TaskReport(
    TaskStatus.SUCCEEDED, billed_s=2, cost=cost_of("beijing", "720P", True, 2, basis="usage"), prompt_seen="x"
)


def line(
    *,
    job: Job | None = JOB,
    listed: TaskListing | None = LISTED,
    report: TaskReport | None = BILLED,
    **attempt: Any,
) -> Line:
    """The only line of one attempt."""
    (only,) = joined(
        PROVIDER,
        [replace(ATTEMPT, **attempt)],
        {JOB.id: job},
        {} if listed is None else {listed.task_id: listed},
        {} if report is None else {TASK: report},
        set(),
    )
    return only


def test_a_clip_that_was_made_and_settled_is_in_order() -> None:
    found = line()
    assert (found.verdict, found.why) == (Verdict.OK, "")
    assert (found.task_id, found.job_id, found.attempt) == (TASK, JOB.id, 1)
    assert (found.status, found.outcome, found.state) == (TaskStatus.SUCCEEDED, "accepted", "succeeded")
    assert (found.created_at, found.started_at, found.at) == (LISTED.created_at, NOW, LISTED.created_at)
    assert (found.billed_s, found.cost_cny, found.ours_cny) == (2, PRICE, PRICE)


@pytest.mark.parametrize("status", [TaskStatus.PENDING, TaskStatus.RUNNING])
def test_a_task_that_still_runs_is_accounted_for_and_not_billed_yet(status: TaskStatus) -> None:
    running = replace(JOB, state=State.RUNNING, result=None)
    found = line(job=running, listed=replace(LISTED, status=status), report=None, settled_cny=None)
    assert (found.verdict, found.billed_s, found.cost_cny) == (Verdict.OK, None, None)


def test_a_clip_that_waits_to_be_stored_is_in_order() -> None:
    found = line(job=replace(JOB, state=State.STORING, result=None), settled_cny=None)
    assert (found.verdict, found.cost_cny, found.ours_cny) == (Verdict.OK, PRICE, None)


@pytest.mark.parametrize("status", [TaskStatus.FAILED, TaskStatus.CANCELLED])
def test_a_task_without_a_clip_is_free(status: TaskStatus) -> None:
    failed = replace(JOB, state=State.FAILED, result=None)
    found = line(job=failed, listed=replace(LISTED, status=status), report=None, settled_cny=Decimal(0))
    assert (found.verdict, found.billed_s, found.cost_cny) == (Verdict.OK, 0, Decimal(0))
    wrong = line(job=failed, listed=replace(LISTED, status=status), report=None)
    assert (wrong.verdict, wrong.why) == (
        Verdict.BILL_DIFFERS,
        "the ledger has ¥0.60, the provider billed ¥0.00",
    )


def test_a_bill_that_is_not_what_the_ledger_has_is_told() -> None:
    found = line(settled_cny=Decimal("0.30"))
    assert (found.verdict, found.cost_cny, found.ours_cny) == (Verdict.BILL_DIFFERS, PRICE, Decimal("0.30"))
    assert found.why == "the ledger has ¥0.30, the provider billed ¥0.60"


def test_a_bill_that_is_not_what_the_user_was_told_is_told() -> None:
    told = replace(JOB, result={"cost": {"cny": 0.3, "billed_s": 1, "basis": "usage"}})
    assert line(job=told).why == "the result says ¥0.30, the provider billed ¥0.60"
    assert line(job=told, settled_cny=None).verdict is Verdict.BILL_DIFFERS


def test_the_result_of_a_later_attempt_is_not_held_against_an_earlier_one() -> None:
    later = replace(JOB, task_id=TaskId("task-2"), attempt=2, result={"cost": {"cny": 9.0}})
    assert line(job=later).verdict is Verdict.OK


def test_money_is_compared_exactly_and_not_by_its_spelling() -> None:
    assert line(settled_cny=Decimal("0.6000")).verdict is Verdict.OK
    found = line(settled_cny=Decimal("0.600001"))
    assert (found.verdict, found.why) == (
        Verdict.BILL_DIFFERS,
        "the ledger has ¥0.600001, the provider billed ¥0.60",
    )


def test_a_bill_without_a_tier_is_priced_by_the_request() -> None:
    found = line(report=replace(BILLED, cost=None))
    assert (found.verdict, found.cost_cny) == (Verdict.OK, PRICE)


def test_a_clip_whose_bill_is_not_told_is_no_mismatch_and_not_hidden() -> None:
    for report in (None, replace(BILLED, cost=None, billed_s=None), TaskReport(TaskStatus.UNKNOWN)):
        found = line(report=report)
        assert (found.verdict, found.cost_cny) == (Verdict.OK, None)
        assert found.why == "the provider does not tell what it billed"


def test_an_accepted_task_that_the_provider_does_not_know_is_missing() -> None:
    for report in (None, TaskReport(TaskStatus.UNKNOWN)):
        found = line(listed=None, report=report)
        assert (found.verdict, found.status, found.cost_cny) == (Verdict.MISSING, None, None)


def test_a_task_that_only_a_direct_question_shows_is_there() -> None:
    found = line(listed=None, report=replace(BILLED, submitted_at=NOW))
    assert (found.verdict, found.status, found.created_at) == (Verdict.OK, TaskStatus.SUCCEEDED, NOW)


@pytest.mark.parametrize("outcome", sorted(MADE_NO_TASK))
def test_an_attempt_that_made_no_task_is_in_order(outcome: Event) -> None:
    found = line(job=None, listed=None, report=None, task_id=None, outcome=outcome)
    assert (found.verdict, found.task_id, found.cost_cny) == (Verdict.OK, None, None)


@pytest.mark.parametrize("outcome", [None, Event.LOST, Event.LET_GO])
def test_an_attempt_without_an_answer_is_uncertain(outcome: Event | None) -> None:
    found = line(listed=None, report=None, task_id=None, outcome=outcome, settled_cny=None)
    assert found.verdict is Verdict.UNCERTAIN
    assert found.why


def test_every_way_out_of_a_submit_has_a_verdict() -> None:
    """Guards the lists above against an event that is new."""
    ways_out = {event for state, event in MOVES if state in (State.SUBMITTING, State.UNCERTAIN)}
    with_a_task = {Event.ACCEPTED, Event.FOUND}
    assert ways_out == MADE_NO_TASK | with_a_task | {Event.LOST}


def test_a_task_that_nobody_owns_is_unaccounted_whatever_became_of_it() -> None:
    bills = {TaskStatus.SUCCEEDED: PRICE, TaskStatus.FAILED: Decimal(0), TaskStatus.RUNNING: None}
    for status, cny in bills.items():
        reports = {TASK: BILLED} if status is TaskStatus.SUCCEEDED else {}
        (found,) = joined(PROVIDER, [], {}, {TASK: replace(LISTED, status=status)}, reports, set())
        assert (found.verdict, found.status, found.cost_cny) == (Verdict.UNACCOUNTED, status, cny)
        assert (found.job_id, found.attempt, found.started_at) == (None, None, None)


def test_a_task_of_an_attempt_that_is_not_looked_at_is_owned_all_the_same() -> None:
    (found,) = joined(PROVIDER, [], {}, {TASK: LISTED}, {TASK: BILLED}, {TASK})
    assert (found.verdict, found.cost_cny, found.why) == (Verdict.OK, PRICE, "an older attempt has it")


def test_two_attempts_cannot_share_one_task() -> None:
    other = replace(ATTEMPT, job_id=JobId("j_000000000002"))
    first, second = joined(PROVIDER, [ATTEMPT, other], {JOB.id: JOB}, {TASK: LISTED}, {TASK: BILLED}, set())
    assert sorted([first.verdict, second.verdict]) == [Verdict.MISSING, Verdict.OK]


def test_lines_come_in_the_order_of_time() -> None:
    early = replace(ATTEMPT, number=1, started_at=NOW - timedelta(hours=2), task_id=None, outcome="refused")
    stray = TaskListing(TaskId("task-9"), TaskStatus.RUNNING, NOW - timedelta(hours=1))
    found = joined(PROVIDER, [ATTEMPT, early], {JOB.id: JOB}, {TASK: LISTED, stray.task_id: stray}, {}, set())
    assert [one.task_id for one in found] == [None, "task-9", TASK]


def test_a_rescued_create_is_told_apart() -> None:
    assert line(body={"rescued": TASK}).rescued
    assert not line().rescued


def test_a_line_is_plain_json() -> None:
    assert line().as_json() == {
        "verdict": "ok",
        "why": "",
        "task_id": "task-1",
        "job_id": "j_000000000001",
        "attempt": 1,
        "status": "succeeded",
        "outcome": "accepted",
        "state": "succeeded",
        "rescued": False,
        "created_at": "2026-11-23T12:00:01+00:00",
        "started_at": "2026-11-23T12:00:00+00:00",
        "billed_s": 2,
        "cost_cny": 0.6,
        "ours_cny": 0.6,
    }
