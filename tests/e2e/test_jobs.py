"""`wanvideo jobs`: what is listed and shown, and what cancel, retry and resolve truthfully can do."""

from __future__ import annotations

import pytest

from wanvideo.errors import WaitTimeout

from .conftest import OpenDesk
from .desk import Desk, job_id_in, until

VIEW = [
    "job_id", "state", "provider", "prompt", "duration", "fps", "size", "seed", "task_id", "attempt",
    "created_at", "updated_at", "elapsed_s", "outlook", "note", "progress", "at_risk", "expires_at",
    "estimate_cny", "cost_cny", "warnings", "error", "result",
]  # fmt: skip


def test_jobs_are_listed_newest_first_and_shown_with_their_history(desk: Desk) -> None:
    first = desk.generate("--no-wait", "--json").succeeded().json
    assert list(first) == ["job_id", "state"]
    assert first["state"] == "queued"
    second = desk.run("generate", "pan left", "--image", "boat.png", "--no-wait").succeeded()
    assert second.stdout.startswith("j_")

    listed = desk.run("jobs", "list", "--limit", "5", "--json").succeeded().json["jobs"]
    assert [list(job) for job in listed] == [VIEW, VIEW]
    assert [job["job_id"] for job in listed] == [second.stdout.strip(), first["job_id"]]
    one = desk.run("jobs", "list", "--limit", "1", "--state", "queued", "--json").json
    assert [job["job_id"] for job in one["jobs"]] == [second.stdout.strip()]
    table = desk.run("jobs", "list").stdout.splitlines()
    assert len(table) == 2
    assert "queued" in table[0]
    assert "pan left" in table[0]

    watched = desk.run("jobs", "watch", first["job_id"][-6:]).succeeded()
    assert watched.path.exists()
    shown = desk.run("jobs", "show", first["job_id"], "--json").json
    assert list(shown) == [*VIEW, "history", "attempts"]
    events = [event["event"] for event in shown["history"]]
    assert events == ["created", "claim", "accepted", "provider_succeeded", "stored"]
    words = desk.run("jobs", "show", first["job_id"]).stdout
    assert str(watched.path) in words
    assert "stored -> succeeded" in words


def test_what_is_not_there_or_makes_no_sense_is_said_plainly(desk: Desk) -> None:
    unknown = desk.run("jobs", "show", "j_000000000000", "--json")
    assert (unknown.code, unknown.json["code"]) == (2, "job_not_found")
    state = desk.run("jobs", "list", "--state", "sleeping", "--json")
    assert (state.code, state.json["field"]) == (2, "state")
    assert "succeeded" in state.json["hint"]
    both = desk.run("jobs", "resolve", "j_000000000000", "--give-up", "--resubmit", "--json")
    assert (both.code, both.json["code"]) == (2, "invalid_request")


def test_a_queued_job_is_cancelled_for_nothing_and_can_be_retried(wan: Desk) -> None:
    job_id = wan.generate("--no-wait").succeeded().stdout.strip()
    cancelled = wan.run("jobs", "cancel", job_id, "--json").succeeded().json
    assert cancelled == {"job_id": job_id, "state": "cancelled", "cost_cny": 0.0}
    assert wan.truth()["creates"] == []
    again = wan.run("jobs", "cancel", job_id, "--json")
    assert (again.code, again.json["code"]) == (1, "job_conflict")
    watched = wan.run("jobs", "watch", job_id, "--json")
    assert (watched.code, watched.json["code"]) == (7, "cancelled")

    retried = wan.run("jobs", "retry", job_id, "--json").succeeded().json
    assert retried["job_id"] == job_id
    assert wan.paid_once()
    done = wan.run("jobs", "retry", job_id, "--json")
    assert (done.code, done.json["code"]) == (1, "job_conflict")


def started(desk: Desk, status: str) -> str:
    """Leave a job at the provider in this status; the process that sent it has gone."""
    left = desk.start_generate()
    until(lambda: [task["status"] for task in desk.truth()["tasks"]] == [status])
    until(lambda: desk.job().task_id)
    left.kill()
    return job_id_in(desk.finish(left).stderr)


def test_a_task_that_waits_at_the_provider_is_cancelled_there(open_desk: OpenDesk) -> None:
    desk = open_desk(pending_s=(3_000_000, 3_000_000))
    job_id = started(desk, "PENDING")
    cancelled = desk.run("jobs", "cancel", job_id).succeeded()
    assert cancelled.stdout == f"{job_id}\n"
    assert "nothing was billed" in cancelled.stderr
    assert [task["status"] for task in desk.truth()["tasks"]] == ["CANCELED"]


def test_a_running_task_cannot_be_cancelled_and_is_kept_or_abandoned_at_its_price(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk(run_s=(3_000_000, 3_000_000))
    job_id = started(desk, "RUNNING")
    refused = desk.run("jobs", "cancel", job_id)
    assert refused.code == 4
    assert refused.stdout == ""
    assert "already runs; it will be billed" in refused.stderr
    assert "--abandon" in refused.stderr
    assert desk.job().state == "running"

    abandoned = desk.run("jobs", "cancel", job_id, "--abandon", "--json").succeeded().json
    assert abandoned == {"job_id": job_id, "state": "cancelled", "cost_cny": 0.3}


@pytest.fixture
def uncertain(open_desk: OpenDesk) -> Desk:
    """A submit was lost, and the account's task list does not answer."""
    desk = open_desk(faults=("submit:drop*1", "list:503"))
    with pytest.raises(WaitTimeout):
        desk.make(timeout_s=1.5)
    assert desk.job().state == "uncertain"
    return desk


def test_a_person_may_name_the_task_of_a_lost_submit(uncertain: Desk) -> None:
    job_id = uncertain.job().id
    refused = uncertain.run("jobs", "cancel", job_id, "--json")
    assert (refused.code, refused.json["code"]) == (1, "job_conflict")
    assert "--give-up" in refused.json["hint"]
    (task,) = uncertain.truth()["tasks"]
    adopted = uncertain.run("jobs", "resolve", job_id, "--adopt", task["task_id"], "--json").succeeded().json
    assert adopted == {"job_id": job_id, "state": "running"}
    uncertain.watch(job_id)
    assert len(uncertain.truth()["creates"]) == 1
    assert uncertain.paid_once()


def test_a_person_may_give_a_lost_submit_up(uncertain: Desk) -> None:
    job_id = uncertain.job().id
    ended = uncertain.run("jobs", "resolve", job_id, "--give-up").succeeded()
    assert ended.stdout == f"{job_id}  failed\n"
    shown = uncertain.job()
    assert shown.error is not None
    assert shown.error["code"] == "submit_uncertain"
    assert shown.cost_cny == "0.30", "it may have been billed, and is counted so"
    assert len(uncertain.truth()["creates"]) == 1
