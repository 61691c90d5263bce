"""`wanvideo worker`: drives what others left, shares with its like, and leaves in good order."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from wanvideo.app import open_app
from wanvideo.contract.job import Job, JobId, State
from wanvideo.contract.request import parse_request
from wanvideo.jobs.intake import Asked
from wanvideo.jobs.machine import FINAL

from .conftest import OpenDesk
from .desk import ORDER, SIZE, Desk, Ran
from .desk import until as soon

QUICK = {
    "WANVIDEO_ABSENCE_GAP": "1",
    "WANVIDEO_SUBMIT_TIMEOUT": "2",
    "WANVIDEO_CONNECT_TIMEOUT": "0.5",
    "WANVIDEO_LEASE": "3",
}


def leave(desk: Desk, count: int, provider: str = "dashscope") -> list[Job]:
    """So many different jobs for whoever drives them, as `generate --no-wait` leaves them."""

    async def taken() -> list[Job]:
        async with open_app(desk.settings()) as app:
            orders = [
                parse_request(
                    {
                        "prompt": f"slow push in, take {number}",
                        "reference_image": desk.folder / "boat.png",
                        "duration": 2,
                        "size": SIZE,
                        "seed": 7,
                        "wan": {"audio": False, "template": "flying"},
                    }
                )
                for number in range(count)
            ]
            return [(await app.jobs.submit(order, provider, Asked())).job for order in orders]

    return asyncio.run(taken())


def until(so: Callable[[], object]) -> None:
    soon(so, within_s=60)


def over(desk: Desk, count: int = 1) -> bool:
    jobs = desk.jobs()
    return len(jobs) == count and all(job.state in FINAL for job in jobs)


def let_go(desk: Desk, worker: subprocess.Popen[str]) -> Ran:
    worker.send_signal(signal.SIGTERM)
    return desk.finish(worker)


def all_stored(desk: Desk, jobs: Sequence[Job]) -> None:
    """Every job has its clip, and each was paid for once."""
    assert [job.state for job in desk.jobs()] == [State.SUCCEEDED] * len(jobs)
    truth = desk.truth()
    assert len(truth["creates"]) == len(jobs)
    assert [task["status"] for task in truth["tasks"]] == ["SUCCEEDED"] * len(jobs)
    stored = [Path((job.result or {})["video_url"]) for job in desk.jobs()]
    assert len(set(stored)) == len(jobs)
    assert all(path.stat().st_size > 0 for path in stored)


def test_a_worker_makes_what_was_left_with_no_wait_and_leaves_when_told(wan: Desk) -> None:
    left = wan.run("generate", "slow push in", *ORDER, "--no-wait").succeeded()
    assert left.stdout.startswith("j_")
    assert wan.nothing_was_sent()
    worker = wan.start("worker")
    until(lambda: over(wan))
    another = leave(wan, 1)  # while it runs
    until(lambda: over(wan, 2))

    ended = let_go(wan, worker)
    assert (ended.code, ended.stdout) == (0, "")
    assert "worker: drives the jobs of SQLite" in ended.stderr
    assert ended.stderr.splitlines()[-2:] == ["worker: finishing what is in hand", "worker: left"]
    assert {job.state for job in wan.jobs()} == {State.SUCCEEDED}
    assert another[0].id in {job.id for job in wan.jobs()}
    assert len(wan.truth()["creates"]) == 2


def test_a_worker_that_is_told_to_leave_waits_for_the_answer_to_its_submit(open_desk: OpenDesk) -> None:
    desk = open_desk(faults=("submit:slow=2*1",), run_s=(4_000, 4_000))
    leave(desk, 2)
    worker = desk.start("worker", env={"WANVIDEO_RUNNING_TASKS": "1"})
    until(lambda: desk.truth()["creates"])
    told_s = time.monotonic()
    ended = let_go(desk, worker)
    assert ended.code == 0
    assert time.monotonic() - told_s < 5, "it does not wait for the clip"
    states = {job.state: job for job in desk.jobs()}
    assert states.keys() == {State.RUNNING, State.QUEUED}, "nothing new was begun"
    assert states[State.RUNNING].task_id == desk.truth()["tasks"][0]["task_id"]

    worker = desk.start("worker")
    until(lambda: over(desk, 2))
    assert let_go(desk, worker).code == 0
    all_stored(desk, desk.jobs())


def test_told_twice_it_leaves_at_once_and_another_goes_on_with_the_download(open_desk: OpenDesk) -> None:
    desk = open_desk(faults=("download:slow=30*1",))
    jobs = leave(desk, 1)
    worker = desk.start("worker")
    until(lambda: desk.truth()["downloads"])
    worker.send_signal(signal.SIGTERM)
    time.sleep(1)
    assert worker.poll() is None, "the clip that comes in is waited for"
    told_s = time.monotonic()
    ended = let_go(desk, worker)
    assert ended.code == 0
    assert time.monotonic() - told_s < 5
    assert "worker: leaving now" in ended.stderr
    assert desk.job().lease_owner is None, "nobody has to wait for its lease to end"

    desk.watch(jobs[0].id)
    all_stored(desk, jobs)


def test_told_twice_while_a_submit_is_out_nothing_is_lost(open_desk: OpenDesk) -> None:
    desk = open_desk(faults=("submit:slow=2*1",))
    jobs = leave(desk, 1)
    worker = desk.start("worker")
    until(lambda: desk.truth()["creates"])
    worker.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    ended = let_go(desk, worker)
    assert ended.code == 0
    assert desk.job().task_id == desk.truth()["tasks"][0]["task_id"], "the answer was written down"
    desk.watch(jobs[0].id)
    all_stored(desk, jobs)


def test_the_grace_ends_what_takes_too_long(open_desk: OpenDesk) -> None:
    desk = open_desk(faults=("download:slow=60*1",))
    jobs = leave(desk, 1)
    worker = desk.start("worker", "--grace", "1")
    until(lambda: desk.truth()["downloads"])
    told_s = time.monotonic()
    assert let_go(desk, worker).code == 0
    assert 0.9 < time.monotonic() - told_s < 6
    desk.watch(jobs[0].id)
    all_stored(desk, jobs)


def test_two_workers_on_one_sqlite_ledger_share_the_work(open_desk: OpenDesk) -> None:
    """With a quota that one of them cannot use up alone: it has at most 16 submits in hand."""
    desk = open_desk(run_s=(1_000, 1_000), max_running=40)
    quota = {"WANVIDEO_RUNNING_TASKS": "40", "WANVIDEO_SUBMIT_RATE": "50"}
    workers = [
        desk.start("worker", env={"DASHSCOPE_WORKSPACE_ID": name, **quota}) for name in ("ws-one", "ws-two")
    ]
    jobs = leave(desk, 30)
    until(lambda: over(desk, len(jobs)))
    for worker in workers:
        assert let_go(desk, worker).code == 0
    all_stored(desk, jobs)
    truth = desk.truth()
    by = [create["headers"]["x-dashscope-workspace"] for create in truth["creates"]]
    assert min(by.count("ws-one"), by.count("ws-two")) >= 5, by


def test_a_worker_without_a_key_makes_previews_and_leaves_the_rest_alone(open_desk: OpenDesk) -> None:
    desk = open_desk(run_s=(1_000, 1_000))
    free = JobId(desk.generate("--provider", "preview", "--no-wait").succeeded().stdout.strip())
    paid = leave(desk, 2)
    keyless = desk.start("worker", env={"DASHSCOPE_API_KEY": ""})
    until(lambda: {job.id: job.state for job in desk.jobs()}[free] is State.SUCCEEDED)
    assert [job.state for job in desk.jobs() if job.id != free] == [State.QUEUED] * 2
    assert desk.nothing_was_sent()

    began_s = time.monotonic()
    keyed = desk.start("worker")
    until(lambda: over(desk, 3))
    assert time.monotonic() - began_s < 12, "it is not kept from its jobs by one that cannot do them"
    for worker in (keyless, keyed):
        assert let_go(desk, worker).code == 0
    assert {job.state for job in desk.jobs()} == {State.SUCCEEDED}
    assert len(desk.truth()["creates"]) == len(paid)


def test_a_worker_and_a_person_side_by_side_look_after_the_account_once(open_desk: OpenDesk) -> None:
    desk = open_desk(run_s=(4_000, 6_000), submit_per_s=5, query_per_s=20)
    jobs = leave(desk, 6)
    worker = desk.start("worker")
    person = desk.start_generate()
    assert desk.finish(person).code == 0
    until(lambda: over(desk, len(jobs) + 1))
    assert let_go(desk, worker).code == 0
    all_stored(desk, [*jobs, desk.jobs()[0]])
    queries = desk.truth()["queries"]
    assert queries["query"]["peak_per_s"] + queries["list"]["peak_per_s"] <= 16
    assert queries["query"]["refused"] == queries["list"]["refused"] == queries["submit"]["refused"] == 0
    assert queries["submit"]["peak_per_s"] <= 5
    assert desk.truth()["peak_running"] <= 5


def test_a_worker_that_is_killed_is_followed_by_another_at_once(wan: Desk) -> None:
    jobs = leave(wan, 3)
    killed = wan.start("worker", env={"WANVIDEO_FAILPOINT": "after_post", **QUICK})
    assert wan.finish(killed).code == -9
    heir = wan.start("worker", env=QUICK)
    until(lambda: over(wan, len(jobs)))
    assert let_go(wan, heir).code == 0
    all_stored(wan, jobs)
