"""The durable record, judged through ports.Ledger: the same suite for every database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from tests.ledger.conftest import Open, attempt_of, new_job

from wanvideo.clock import FakeClock
from wanvideo.contract.job import Event, Job, JobId, State, TaskId
from wanvideo.jobs.machine import OPEN
from wanvideo.ports import Ending, Lease, Ledger, NoSlot, Upload

QUEUED = (State.QUEUED,)


async def claim(ledger: Ledger, worker: str, *, limit: int = 1, lease_s: float = 30) -> list[Lease]:
    return await ledger.claim(worker, states=OPEN, only=None, limit=limit, lease_s=lease_s)


async def held(ledger: Ledger, worker: str = "w") -> Lease:
    await ledger.add_job(new_job())
    [lease] = await claim(ledger, worker)
    return lease


async def sent(ledger: Ledger, clock: FakeClock, lease: Lease, slots: int = 5) -> Lease:
    opened = await ledger.open_attempt(
        lease, attempt_of(lease, clock), {"state": State.SUBMITTING, "attempt": 1}, slots=slots
    )
    assert isinstance(opened, Lease)
    return opened


async def current(ledger: Ledger, job_id: JobId) -> Job:
    found = await ledger.job(job_id)
    assert found is not None
    return found


# --- jobs ---


async def test_a_job_comes_back_as_it_was_written(ledger: Ledger, clock: FakeClock) -> None:
    new = new_job(owner="ann")
    job = await ledger.add_job(new)
    assert await ledger.job(job.id) == job
    assert (job.state, job.fence, job.attempt, job.created_at) == (State.QUEUED, 0, 0, clock.now())
    for name in ("request", "picture", "seed", "estimate_cny", "warnings", "owner", "billed_s"):
        assert getattr(job, name) == getattr(new, name), name


async def test_a_job_outlives_its_process(ledger: Ledger, open_ledger: Open) -> None:
    job = await ledger.add_job(new_job())
    await ledger.close()
    assert await (await open_ledger()).job(job.id) == job


async def test_an_unknown_job_is_none(ledger: Ledger) -> None:
    assert await ledger.job(JobId("j_nothing")) is None
    assert await ledger.ask_cancel(JobId("j_nothing"), "keep") is None
    assert not await ledger.attempts(JobId("j_nothing"))
    assert not await ledger.events(JobId("j_nothing"))


async def test_an_id_is_given_once(ledger: Ledger) -> None:
    job = await ledger.add_job(new_job())
    with pytest.raises(IntegrityError):
        await ledger.add_job(new_job(id=job.id))


async def test_jobs_are_listed_newest_first_and_by_state(ledger: Ledger, clock: FakeClock) -> None:
    made = []
    for _ in range(3):
        made.append((await ledger.add_job(new_job())).id)
        await clock.advance(1)
    assert [job.id for job in await ledger.jobs(limit=2)] == made[:0:-1]
    assert await ledger.jobs(limit=9, states=(State.FAILED,)) == []
    assert len(await ledger.jobs(limit=9, states=(State.FAILED, State.QUEUED))) == 3


async def test_a_part_of_an_id_finds_it_and_signs_mean_themselves(ledger: Ledger) -> None:
    job = await ledger.add_job(new_job(id=JobId("j_abcdef123456")))
    assert await ledger.find_jobs("f1234") == [job.id]
    assert await ledger.find_jobs("j%") == await ledger.find_jobs("j_a_") == []


# --- claiming ---


async def test_two_workers_never_hold_one_job(ledger: Ledger, open_ledger: Open) -> None:
    other = await open_ledger()
    for _ in range(12):
        await ledger.add_job(new_job())
    taken = await asyncio.gather(
        *(claim(one, f"w{number}", limit=2) for number in range(5) for one in (ledger, other))
    )
    ids = [lease.job.id for leases in taken for lease in leases]
    assert len(ids) == len(set(ids)) == 12


async def test_what_is_due_longest_is_claimed_first(ledger: Ledger, clock: FakeClock) -> None:
    first = await ledger.add_job(new_job())
    await clock.advance(1)
    await ledger.add_job(new_job())
    assert [lease.job.id for lease in await claim(ledger, "w")] == [first.id]


async def test_what_is_not_due_is_left_alone_unless_asked_for(ledger: Ledger, clock: FakeClock) -> None:
    lease = await held(ledger)
    await ledger.write(lease, {}, release_in_s=10)
    assert await claim(ledger, "w") == []
    asked = await ledger.claim("w", states=QUEUED, only=[lease.job.id], limit=1, lease_s=1, due=False)
    assert len(asked) == 1
    await ledger.write(asked[0], {}, release_in_s=10)
    await clock.advance(10)
    assert len(await claim(ledger, "w")) == 1


async def test_only_the_named_jobs_and_states_are_claimed(ledger: Ledger) -> None:
    one, _ = await ledger.add_job(new_job()), await ledger.add_job(new_job())
    assert await ledger.claim("w", states=(State.RUNNING,), only=None, limit=9, lease_s=1) == []
    assert await ledger.claim("w", states=QUEUED, only=[], limit=9, lease_s=1) == []
    leases = await ledger.claim("w", states=QUEUED, only=[one.id, JobId("j_x")], limit=9, lease_s=1)
    assert [lease.job.id for lease in leases] == [one.id]


async def test_a_lease_ends_by_itself_and_is_taken_over_with_a_higher_fence(
    ledger: Ledger, clock: FakeClock
) -> None:
    early = await held(ledger, "early")
    await clock.advance(29)
    assert await claim(ledger, "late") == []
    await clock.advance(1)
    [late] = await claim(ledger, "late")
    assert late.fence > early.fence


async def test_a_late_writer_changes_nothing_at_all(ledger: Ledger, clock: FakeClock) -> None:
    late = await sent(ledger, clock, await held(ledger, "late"))
    await clock.advance(31)
    [now] = await claim(ledger, "now")
    before, history = await current(ledger, late.job.id), await ledger.events(late.job.id)
    assert await ledger.write(late, {"note": "late"}, event=Event.STORED) is None
    assert not await ledger.renew(late, lease_s=30)
    ending = Ending(Event.ACCEPTED, TaskId("t"))
    assert await ledger.close_attempt(late, ending, {"state": State.RUNNING}) is None
    assert await ledger.open_attempt(late, attempt_of(late, clock, 2), {}, slots=9) is None
    assert await current(ledger, late.job.id) == before
    assert await ledger.events(late.job.id) == history
    assert (await ledger.attempts(late.job.id))[0].outcome is None
    assert await ledger.write(now, {"note": "now"}) is not None


async def test_one_worker_with_two_leases_of_a_job_writes_only_with_the_newer(
    ledger: Ledger, clock: FakeClock
) -> None:
    old = await held(ledger)
    await clock.advance(31)
    [new] = await claim(ledger, "w")
    assert await ledger.write(old, {"note": "old"}) is None
    assert await ledger.write(new, {"note": "new"}) is not None


async def test_a_renewed_lease_holds_on(ledger: Ledger, clock: FakeClock) -> None:
    lease = await held(ledger)
    await clock.advance(20)
    assert await ledger.renew(lease, lease_s=30)
    await clock.advance(20)
    assert await claim(ledger, "other") == []


async def test_a_released_job_is_free_and_its_former_holder_may_not_write(ledger: Ledger) -> None:
    lease = await held(ledger)
    released = await ledger.write(lease, {}, release_in_s=0)
    assert released is not None
    assert (released.job.lease_owner, released.job.lease_until) == (None, None)
    assert await ledger.write(lease, {"note": "again"}) is None
    assert len(await claim(ledger, "other")) == 1


async def test_the_leases_of_the_dead_end_at_once_and_no_others(ledger: Ledger, clock: FakeClock) -> None:
    await held(ledger, "dead")
    await held(ledger, "alive")
    assert await ledger.lease_owners() == {"dead", "alive"}
    await ledger.expire_leases({"dead"})
    assert await ledger.lease_owners() == {"alive"}
    [taken] = await claim(ledger, "heir", limit=9)
    assert taken.job.lease_owner == "heir"


async def test_when_to_look_again_is_told(ledger: Ledger, clock: FakeClock) -> None:
    assert await ledger.next_due_s(states=OPEN, only=None) is None
    lease = await held(ledger)
    assert await ledger.next_due_s(states=OPEN, only=None) == 30  # when the lease ends
    await ledger.write(lease, {}, release_in_s=7)
    assert await ledger.next_due_s(states=OPEN, only=None) == 7
    await clock.advance(60)
    assert await ledger.next_due_s(states=OPEN, only=[lease.job.id]) == 0
    assert await ledger.next_due_s(states=OPEN, only=[JobId("j_x")]) is None


# --- attempts ---


async def test_an_attempt_is_opened_and_closed_with_its_job(ledger: Ledger, clock: FakeClock) -> None:
    lease = await sent(ledger, clock, await held(ledger))
    [attempt] = await ledger.attempts(lease.job.id)
    assert attempt == attempt_of(lease, clock)
    await clock.advance(2)
    ending = Ending(Event.ACCEPTED, TaskId("t-1"), "request-1")
    closed = await ledger.close_attempt(lease, ending, {"state": State.RUNNING, "task_id": TaskId("t-1")})
    assert closed is not None
    assert (closed.job.state, closed.job.task_id) == (State.RUNNING, "t-1")
    [attempt] = await ledger.attempts(lease.job.id)
    assert (attempt.outcome, attempt.task_id, attempt.request_id) == ("accepted", "t-1", "request-1")
    assert attempt.ended_at == clock.now()


async def test_slots_are_counted_at_the_moment_of_the_attempt(
    ledger: Ledger, open_ledger: Open, clock: FakeClock
) -> None:
    other = await open_ledger()
    for _ in range(6):
        await ledger.add_job(new_job())
    leases = await claim(ledger, "w", limit=9)
    opened = await asyncio.gather(
        *(
            (ledger if number % 2 else other).open_attempt(
                lease, attempt_of(lease, clock), {"state": State.SUBMITTING, "attempt": 1}, slots=4
            )
            for number, lease in enumerate(leases)
        )
    )
    assert [isinstance(lease, Lease) for lease in opened].count(True) == 4
    assert opened.count(NoSlot.NO_SLOT) == 2
    assert len(await ledger.jobs(limit=9, states=(State.SUBMITTING,))) == 4


@pytest.mark.parametrize(("state", "counts"), [
    (State.QUEUED, False), (State.SUBMITTING, True), (State.UNCERTAIN, True), (State.RUNNING, True),
    (State.STORING, False), (State.FAILED, False),
])  # fmt: skip
async def test_a_slot_is_taken_while_a_task_may_run(
    ledger: Ledger, clock: FakeClock, state: State, counts: bool
) -> None:
    await ledger.write(await held(ledger), {"state": state}, release_in_s=100)
    lease = await held(ledger)
    opened = await ledger.open_attempt(lease, attempt_of(lease, clock), {}, slots=1)
    assert (opened is NoSlot.NO_SLOT) is counts


async def test_each_account_has_its_own_slots(ledger: Ledger, clock: FakeClock) -> None:
    await ledger.write(await held(ledger), {"state": State.RUNNING}, release_in_s=100)
    await ledger.add_job(new_job(account="another"))
    [lease] = await claim(ledger, "w")
    assert isinstance(await ledger.open_attempt(lease, attempt_of(lease, clock), {}, slots=1), Lease)
    [full] = [await held(ledger)]
    assert (
        await ledger.open_attempt(full, attempt_of(full, clock), {"account": "third"}, slots=0)
        is NoSlot.NO_SLOT
    )
    opened = await ledger.open_attempt(full, attempt_of(full, clock), {"account": "third"}, slots=1)
    assert isinstance(opened, Lease)


async def test_an_attempt_number_is_used_once(ledger: Ledger, clock: FakeClock) -> None:
    lease = await sent(ledger, clock, await held(ledger))
    with pytest.raises(IntegrityError):
        await ledger.open_attempt(lease, attempt_of(lease, clock), {"note": "twice"}, slots=9)
    assert (await current(ledger, lease.job.id)).note is None, "the whole transaction is undone"


async def test_a_task_belongs_to_one_job(ledger: Ledger) -> None:
    await ledger.write(await held(ledger), {"task_id": TaskId("t")}, release_in_s=100)
    other = await held(ledger)
    with pytest.raises(IntegrityError):
        await ledger.write(other, {"task_id": TaskId("t"), "note": "stolen"})
    assert (await current(ledger, other.job.id)).note is None


async def test_a_task_id_that_came_late_is_recorded_without_a_lease(ledger: Ledger, clock: FakeClock) -> None:
    lease = await sent(ledger, clock, await held(ledger))
    await ledger.record_task(lease.job.id, 1, TaskId("late"))
    assert (await ledger.attempts(lease.job.id))[0].task_id == "late"
    assert (await current(ledger, lease.job.id)).task_id is None
    assert await ledger.known_tasks([TaskId("late"), TaskId("x")]) == {"late"}
    assert await ledger.known_tasks([]) == set()


# --- events, wishes ---


async def test_history_is_kept_in_order_and_read_from_any_point(ledger: Ledger, clock: FakeClock) -> None:
    lease = await sent(ledger, clock, await held(ledger))
    await ledger.write(lease, {"state": State.RUNNING}, event=Event.ACCEPTED, data={"task_id": "t"})
    events = await ledger.events(lease.job.id)
    assert [event.event for event in events] == ["created", "claim", "accepted"]
    assert [event.state for event in events] == [State.QUEUED, State.SUBMITTING, State.RUNNING]
    assert events[-1].data == {"task_id": "t"}
    assert [event.seq for event in events] == sorted({event.seq for event in events})
    assert await ledger.events(lease.job.id, after_seq=events[1].seq) == events[2:]


async def test_a_wish_to_cancel_needs_no_lease_and_makes_the_job_due(
    ledger: Ledger, clock: FakeClock
) -> None:
    lease = await held(ledger)
    await ledger.write(lease, {}, release_in_s=500)
    asked = await ledger.ask_cancel(lease.job.id, "abandon")
    assert asked is not None
    assert (asked.cancel, asked.due_at) == ("abandon", clock.now())
    assert (await ledger.events(lease.job.id))[-1].data == {"how": "abandon"}


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.CANCELLED])
async def test_what_is_over_takes_no_wish(ledger: Ledger, state: State) -> None:
    lease = await held(ledger)
    await ledger.write(lease, {"state": state}, release_in_s=0)
    assert await ledger.ask_cancel(lease.job.id, "keep") is None
    assert (await current(ledger, lease.job.id)).cancel is None


# --- what is learned ---


async def finished(ledger: Ledger, clock: FakeClock, latency_s: float, **changes: object) -> Job:
    await ledger.add_job(new_job(**changes))
    [lease] = await claim(ledger, "w")
    done = {"state": State.SUCCEEDED, "latency_s": latency_s, "submitted_at": clock.now(), "result": {"a": 1}}
    written = await ledger.write(lease, done, release_in_s=0)
    assert written is not None
    await clock.advance(1)
    return written.job


async def test_the_newest_clip_of_a_key_answers(ledger: Ledger, clock: FakeClock) -> None:
    key = {"cache_key": "c" * 64}
    assert await ledger.clip_for("c" * 64) is None
    await finished(ledger, clock, 1, **key)
    newest = await finished(ledger, clock, 1, **key)
    await ledger.add_job(new_job(**key))  # the same key, still open
    found = await ledger.clip_for("c" * 64)
    assert found is not None
    assert found.id == newest.id
    assert await ledger.clip_for("d" * 64) is None


async def test_latencies_are_those_of_the_same_kind_newest_first(ledger: Ledger, clock: FakeClock) -> None:
    for latency_s in (10.0, 20.0, 30.0):
        await finished(ledger, clock, latency_s)
    await finished(ledger, clock, 99, resolution="1080P")
    await finished(ledger, clock, 98, billed_s=15)
    await finished(ledger, clock, 97, provider="preview")
    assert await ledger.latencies_s("dashscope", "720P", 3, limit=2) == [30.0, 20.0]


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


async def test_times_keep_their_microseconds_and_are_utc(ledger: Ledger, clock: FakeClock) -> None:
    await clock.advance(0.000001)
    job = await ledger.add_job(new_job())
    assert (await current(ledger, job.id)).created_at == clock.now()
    assert job.created_at.utcoffset() == timedelta(0)
