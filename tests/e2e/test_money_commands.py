"""The account against the ledger, by the real command line: clips that nobody here asked for are found."""

from __future__ import annotations

import base64
import json
import urllib.request
from fractions import Fraction
from typing import Any

import av

from .conftest import OpenDesk
from .desk import KEY, Desk, until

CREATE = "/services/aigc/video-generation/video-synthesis"


def another_program_makes(desk: Desk, *, duration: int = 3, **words: Any) -> str:
    """A create that never went through this ledger, and whose answer nobody kept; the task's id."""
    assert desk.emulator is not None
    picture = base64.b64encode((desk.folder / "boat.png").read_bytes()).decode()
    body = {
        "model": "wan2.6-i2v-flash",
        "input": {"img_url": f"data:image/png;base64,{picture}", "prompt": "boats drift", **words},
        "parameters": {"resolution": "720P", "duration": duration, "audio": False},
    }
    request = urllib.request.Request(
        desk.emulator.base_url + CREATE,
        json.dumps(body).encode(),
        {
            "Authorization": f"Bearer {KEY}",
            "Content-Type": "application/json",
            "X-DashScope-Async": "enable",
        },
    )
    without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with without_proxy.open(request, timeout=20) as answer:
        return str(json.load(answer)["output"]["task_id"])


def all_ended(desk: Desk) -> bool:
    return all(task["status"] in ("SUCCEEDED", "FAILED") for task in desk.truth()["tasks"])


def test_a_clip_of_another_program_is_named_brought_home_and_then_accounted_for(wan: Desk) -> None:
    ours = wan.make()
    theirs = another_program_makes(wan)
    until(lambda: all_ended(wan))

    audit = wan.run("audit")
    assert audit.code == 9
    (line,) = [line for line in audit.stdout.splitlines() if theirs in line]
    assert line.startswith("unaccounted ")
    assert "¥0.45" in line
    assert any(
        line.startswith("ok ") and str(ours.task_id) in line and ours.job_id in line
        for line in audit.stdout.splitlines()
    )
    assert "creates      1 approved here, 2 at the provider" in audit.stdout
    assert "error: 1 line does not add up: 1 unaccounted." in audit.stderr
    assert "[audit_failed]" in audit.stderr

    looked = wan.run("rescue").succeeded()
    (line,) = [line for line in looked.stdout.splitlines() if theirs in line]
    assert "¥0.45" in line
    assert "23 h 5" in line
    assert "boats drift" in line
    assert [job.id for job in wan.jobs()] == [ours.job_id], "looking changes nothing"

    brought = wan.run("rescue", "--all").succeeded()
    assert brought.path.is_file()
    assert "¥0.45" in brought.stderr
    with av.open(str(brought.path)) as clip:
        video = clip.streams.video[0]
        # as the provider made it: four to three at 720P, 30 frames a second
        assert (video.width, video.height, video.average_rate) == (1108, 830, Fraction(30))
    rescued = wan.jobs()[0]
    assert (rescued.task_id, rescued.state) == (theirs, "succeeded")
    assert rescued.result is not None
    assert rescued.result["source_url"] is None
    assert rescued.result["cost"] == {"cny": 0.45, "billed_s": 3, "basis": "usage"}

    after = wan.run("audit", "--json").succeeded()
    assert after.json["clean"]
    assert after.json["creates"] == {"approved": 1, "rescued": 1, "at_provider": 2}
    truth = wan.truth()
    assert (after.json["billed_s"], after.json["cost_cny"]) == (truth["billed_s"], truth["billed_cny"])
    assert len(truth["creates"]) == 2
    spent = wan.run("spend", "--json").succeeded().json
    assert (spent["today"]["spent_cny"], spent["today"]["clips"]) == (truth["billed_cny"], 2)
    assert wan.run("rescue").stderr.endswith("belongs to a job here\n")


def test_a_task_that_still_runs_can_be_taken_over_by_its_name(open_desk: OpenDesk) -> None:
    desk = open_desk(run_s=(3000, 3000))
    task = another_program_makes(desk, duration=2, prompt=None)
    assert desk.run("rescue", "--json").succeeded().json["orphans"] == []
    taken = desk.run("rescue", "--adopt", task, "--json").succeeded()
    (adopted,) = taken.json["adopted"]
    assert (adopted["task_id"], adopted["state"], adopted["cost_cny"]) == (task, "succeeded", 0.3)
    again = desk.run("rescue", "--adopt", task)
    assert again.code == 1
    assert adopted["job_id"] in again.stderr
    assert desk.run("audit").code == 0


def test_an_audit_reads_every_page_of_the_list(open_desk: OpenDesk) -> None:
    desk = open_desk(list_page_max=2, max_running=9)
    tasks = {another_program_makes(desk, duration=2) for _ in range(5)}
    until(lambda: all_ended(desk))
    told = desk.run("audit", "--json", "--hours", "1")
    assert told.code == 9
    assert {line["task_id"] for line in told.json["lines"]} == tasks
    assert told.json["unaccounted"] == {"count": 5, "cost_cny": 1.5}
    assert told.json["error"]["code"] == "audit_failed"


def test_where_the_list_fails_nothing_is_claimed(open_desk: OpenDesk) -> None:
    desk = open_desk(faults=("list:503",))
    another_program_makes(desk)
    for words in (["audit"], ["rescue", "--all"]):
        told = desk.run(*words)
        assert (told.code, told.stdout) == (4, "")
        assert "[provider_unavailable" in told.stderr
    assert desk.jobs() == []


def test_a_clip_that_a_lost_submit_may_have_made_is_not_taken_away_from_it(open_desk: OpenDesk) -> None:
    """Were it rescued, its own job would find an empty list, take that for proof, and pay once more."""
    desk = open_desk(faults=("submit:drop*1", "list:503"))
    left = desk.run(
        "generate",
        "slow push in",
        "--image",
        "boat.png",
        "--size",
        "320*240",
        "--duration",
        "2",
        "--timeout",
        "3",
    )
    assert left.code == 8
    job = desk.job()
    assert job.state == "uncertain"
    assert desk.emulator is not None
    desk.emulator.clear_faults()
    (task,) = desk.truth()["tasks"]

    refused = desk.run("rescue", "--all", "--json")
    assert refused.code == 1
    assert [(one["task_id"], one["may_be_of"]) for one in refused.json["orphans"]] == [
        (task["task_id"], job.id)
    ]
    assert (refused.json["adopted"], refused.json["error"]["job_id"]) == ([], job.id)
    audit = desk.run("audit", "--json")
    assert audit.code == 9
    assert audit.json["verdicts"] == {"uncertain": 1, "unaccounted": 1}

    assert desk.watch(job.id).task_id == task["task_id"]
    assert len(desk.truth()["creates"]) == 1
    assert desk.run("audit").code == 0
