"""What all processes of an account share: the same suite for every database."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest
from tests.ledger.conftest import Open, new_job
from tests.ledger.steps import ACCOUNT, claim, current, held, running, sent

from wanvideo.clock import FakeClock
from wanvideo.contract.job import JobId, State, TaskId
from wanvideo.ports import Ledger, RunningTask, Sighting, TaskStatus, Upload


async def test_an_upload_is_found_while_it_is_valid_long_enough(ledger: Ledger, clock: FakeClock) -> None:
    upload = Upload("oss://a", clock.now() + timedelta(hours=2))
    await ledger.remember_upload("account", "s", upload)
    assert await ledger.upload("account", "s", at_least_s=7200) == "oss://a"
    assert await ledger.upload("account", "s", at_least_s=7201) is None
    assert await ledger.upload("other", "s", at_least_s=1) is None
    await ledger.remember_upload("account", "s", Upload("oss://b", clock.now() + timedelta(hours=48)))
    assert await ledger.upload("account", "s", at_least_s=7201) == "oss://b"


async def test_quirks_belong_to_an_endpoint_and_are_remembered_once(ledger: Ledger) -> None:
    for _ in range(2):
        await ledger.remember_quirk("https://x.test", "fps")
    await ledger.remember_quirk("https://x.test", "size")
    assert await ledger.quirks("https://x.test") == {"fps", "size"}
    assert await ledger.quirks("https://y.test") == frozenset()


# --- tasks ---


async def test_tasks_that_may_be_running_are_told(ledger: Ledger, clock: FakeClock) -> None:
    job = await running(ledger, clock, "t1")
    await running(ledger, clock, "other", account="another")
    await sent(ledger, clock, await held(ledger))
    [task] = await ledger.running(ACCOUNT, only=None)
    assert task == RunningTask(job.id, TaskId("t1"), "720P", 3, clock.now(), None)
    assert await ledger.running(ACCOUNT, only=[JobId("j_x")]) == []
    assert await ledger.running(ACCOUNT, only=[job.id]) == [task]


async def test_what_a_look_told_is_written_for_all_at_once(ledger: Ledger, clock: FakeClock) -> None:
    jobs = [await running(ledger, clock, f"t{number}") for number in range(3)]
    await clock.advance(5)
    await ledger.sight([
        Sighting(jobs[0].id, TaskId("t0"), TaskStatus.RUNNING, ended=False, progress=0.5),
        Sighting(jobs[1].id, TaskId("t1"), TaskStatus.SUCCEEDED, ended=True),
        Sighting(jobs[2].id, TaskId("another"), TaskStatus.FAILED, ended=True),
    ])  # fmt: skip
    now = [await current(ledger, job.id) for job in jobs]
    assert [(job.seen_status, job.progress) for job in now] == [
        ("running", 0.5),
        ("succeeded", None),
        (None, None),
    ]
    later = jobs[0].due_at
    assert [job.due_at for job in now] == [later, clock.now(), later]
    assert now[0].updated_at == clock.now()
    assert {task.job_id for task in await ledger.running(ACCOUNT, only=None)} == {jobs[0].id, jobs[2].id}
    [due] = await claim(ledger, "w", limit=9)
    assert due.job.id == jobs[1].id
    await ledger.sight([])


async def test_an_end_that_was_seen_is_never_unseen(ledger: Ledger, clock: FakeClock) -> None:
    job = await running(ledger, clock, "t")
    for status, ended in ((TaskStatus.SUCCEEDED, True), (TaskStatus.RUNNING, False)):
        await ledger.sight([Sighting(job.id, TaskId("t"), status, ended, progress=None)])
    assert (await current(ledger, job.id)).seen_status == "succeeded"
    await ledger.sight([Sighting(job.id, TaskId("t"), TaskStatus.FAILED, ended=True)])
    assert (await current(ledger, job.id)).seen_status == "failed", "one end may correct another"


async def test_a_progress_that_is_not_told_stays(ledger: Ledger, clock: FakeClock) -> None:
    job = await running(ledger, clock, "t")
    for progress in (0.25, None):
        await ledger.sight([Sighting(job.id, TaskId("t"), TaskStatus.RUNNING, False, progress)])
    assert (await current(ledger, job.id)).progress == 0.25


async def test_a_look_that_told_nothing_leaves_the_word_and_says_why(
    ledger: Ledger, clock: FakeClock
) -> None:
    job = await running(ledger, clock, "t")
    looks: list[tuple[TaskStatus, str | None]] = [
        (TaskStatus.PENDING, None),
        (TaskStatus.UNKNOWN, "502\0 Bad Gateway"),
        (TaskStatus.RUNNING, None),
        (TaskStatus.RUNNING, ""),
    ]
    told = []
    for status, note in looks:
        await ledger.sight([Sighting(job.id, TaskId("t"), status, ended=False, note=note)])
        now = await current(ledger, job.id)
        told.append((now.seen_status, now.note))
    assert told == [
        ("pending", None),
        ("pending", "502 Bad Gateway"),
        ("running", "502 Bad Gateway"),
        ("running", None),
    ]
    assert [task.task_id for task in await ledger.running(ACCOUNT, only=None)] == ["t"]


async def test_a_task_that_is_forgotten_has_ended(ledger: Ledger, clock: FakeClock) -> None:
    job = await running(ledger, clock, "t")
    await ledger.sight([Sighting(job.id, TaskId("t"), TaskStatus.UNKNOWN, ended=True)])
    now = await current(ledger, job.id)
    assert (now.seen_status, now.due_at) == ("unknown", clock.now())
    assert await ledger.running(ACCOUNT, only=None) == []


async def test_a_sighting_of_a_job_that_went_on_changes_nothing(ledger: Ledger, clock: FakeClock) -> None:
    job = await running(ledger, clock, "t")
    [lease] = await ledger.claim("w", states=(State.RUNNING,), only=None, limit=1, lease_s=9, due=False)
    written = await ledger.write(lease, {"state": State.STORING})
    assert written is not None
    await ledger.sight([Sighting(job.id, TaskId("t"), TaskStatus.RUNNING, ended=False)])
    assert await current(ledger, job.id) == written.job


# --- gates ---


async def test_turns_are_evenly_apart_for_all(ledger: Ledger, open_ledger: Open, clock: FakeClock) -> None:
    other = await open_ledger()
    waits = [await one.take_turn("gate", per_s=5) for one in (ledger, other, ledger)]
    assert waits == [0, 0.2, 0.4]
    assert await ledger.take_turn("another", per_s=5) == 0
    await clock.advance(10)
    assert await ledger.take_turn("gate", per_s=5) == 0, "turns that nobody took are not saved up"
    assert await ledger.take_turn("gate", per_s=5) == 0.2


async def test_turns_asked_at_once_are_all_different(ledger: Ledger, open_ledger: Open) -> None:
    other = await open_ledger()
    waits = await asyncio.gather(*(one.take_turn("g", per_s=10) for one in (ledger, other) * 5))
    assert sorted(waits) == pytest.approx([number / 10 for number in range(10)])


async def test_a_shut_gate_pauses_everybody_and_opens_gently(
    ledger: Ledger, open_ledger: Open, clock: FakeClock
) -> None:
    other = await open_ledger()
    await ledger.take_turn("g", per_s=10)
    assert await ledger.shut_gate("g") == 2
    assert await other.take_turn("g", per_s=10) == 2
    assert await other.take_turn("g", per_s=10) == 2.2, "at first half as fast"
    assert await other.shut_gate("g") == pytest.approx(3.24)
    for _ in range(9):
        longest = await ledger.shut_gate("g")
    assert longest == 60
    await clock.advance(3600)
    waits = [await ledger.take_turn("g", per_s=10) for _ in range(80)]
    steps = [round(after - before, 5) for before, after in itertools.pairwise(waits)]
    assert steps[0] == pytest.approx(6.4)
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] == pytest.approx(0.1), "until the full pace is back"


async def test_a_gate_that_was_never_used_can_be_shut(ledger: Ledger) -> None:
    assert await ledger.shut_gate("g") == 2
    assert await ledger.take_turn("g", per_s=1) == 2


# --- posts ---


async def test_a_post_has_one_holder_until_it_is_left_or_runs_out(
    ledger: Ledger, open_ledger: Open, clock: FakeClock
) -> None:
    other = await open_ledger()
    assert await ledger.hold_post("watch", "a", for_s=10)
    assert not await other.hold_post("watch", "b", for_s=10)
    await clock.advance(9)
    assert await ledger.hold_post("watch", "a", for_s=10), "kept"
    await clock.advance(9)
    assert not await other.hold_post("watch", "b", for_s=10)
    await other.leave_post("watch", "b")
    assert not await other.hold_post("watch", "b", for_s=10), "only its holder leaves it"
    await ledger.leave_post("watch", "a")
    assert await other.hold_post("watch", "b", for_s=10)
    await clock.advance(10)
    assert await ledger.hold_post("watch", "a", for_s=10)


async def test_only_one_of_many_gets_a_post(ledger: Ledger, open_ledger: Open) -> None:
    other = await open_ledger()
    got = await asyncio.gather(
        *(one.hold_post("watch", f"w{number}", for_s=9) for number, one in enumerate((ledger, other) * 4))
    )
    assert got.count(True) == 1


async def test_the_posts_of_the_dead_are_free_at_once(ledger: Ledger, clock: FakeClock) -> None:
    await ledger.hold_post("watch", "dead", for_s=100)
    await ledger.hold_post("audit", "alive", for_s=100)
    await ledger.hold_post("old", "gone", for_s=1)
    await clock.advance(2)
    assert await ledger.lease_owners() == {"dead", "alive"}
    await ledger.expire_leases({"dead"})
    assert await ledger.hold_post("watch", "heir", for_s=9)
    assert not await ledger.hold_post("audit", "heir", for_s=9)
    await ledger.expire_leases(set())


# --- the database itself ---


async def test_a_probe_writes_reads_and_says_which_database(ledger: Ledger) -> None:
    words = await ledger.probe()
    assert words.startswith(("SQLite 3", "PostgreSQL "))
    assert await ledger.probe() == words
    assert await ledger.lease_owners() == set(), "it leaves nothing behind"


async def test_several_that_probe_at_the_same_moment_do_not_find_the_ledger_broken(ledger: Ledger) -> None:
    words = await asyncio.gather(*(ledger.probe() for _ in range(20)))
    assert len(set(words)) == 1


async def test_listening_can_be_left(ledger: Ledger) -> None:
    async with ledger.listening(lambda: None):
        await ledger.add_job(new_job())
    assert 0 < ledger.look_every_s <= 1
