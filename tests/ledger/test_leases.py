"""Who may write to a job, and when: the same suite for every database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from tests.ledger.conftest import Open, attempt_of, new_job
from tests.ledger.steps import ACCOUNT, QUEUED, claim, current, held, running, sent

from wanvideo.clock import FakeClock
from wanvideo.contract.job import Event, JobId, State, TaskId
from wanvideo.jobs.machine import OPEN
from wanvideo.ports import Ending, Ledger, Sighting, TaskStatus


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


# --- the queue ---


async def queued(ledger: Ledger, *, slots: int = 5, limit: int = 9, **more: Any) -> list[JobId]:
    asked = {"provider": "dashscope", "account": ACCOUNT, "only": None, "lease_s": 30} | more
    leases = await ledger.claim_queued("w", slots=slots, limit=limit, **asked)
    return [lease.job.id for lease in leases]


async def test_no_more_are_taken_than_places_are_free(ledger: Ledger, clock: FakeClock) -> None:
    await running(ledger, clock, "t1")
    await running(ledger, clock, "t2")
    for _ in range(9):
        await ledger.add_job(new_job())
    assert len(await queued(ledger, slots=5, limit=2)) == 2
    assert len(await queued(ledger, slots=5)) == 1, "two run, and two are in somebody's hands"
    assert await queued(ledger, slots=5) == []
    await clock.advance(31)
    assert len(await queued(ledger, slots=5)) == 3, "hands that let go are free again"


async def test_a_place_is_free_as_soon_as_the_task_was_seen_to_end(ledger: Ledger, clock: FakeClock) -> None:
    job = await running(ledger, clock, "t")
    waiting = await ledger.add_job(new_job())
    assert await queued(ledger, slots=1) == []
    await ledger.sight([Sighting(job.id, TaskId("t"), TaskStatus.SUCCEEDED, ended=True)])
    assert await queued(ledger, slots=1) == [waiting.id]


async def test_the_queue_is_of_one_provider_and_what_is_due(ledger: Ledger) -> None:
    lease = await held(ledger)
    await ledger.write(lease, {}, release_in_s=5)
    await ledger.add_job(new_job(provider="preview"))
    await ledger.add_job(new_job())
    named = await ledger.add_job(new_job())
    assert await queued(ledger, only=[named.id]) == [named.id]
    assert len(await queued(ledger)) == 1


async def test_the_highest_priority_goes_first_then_the_oldest(ledger: Ledger, clock: FakeClock) -> None:
    made = []
    for priority in (0, 5, 0, 5):
        made.append((await ledger.add_job(new_job(priority=priority))).id)
        await clock.advance(1)
    assert await queued(ledger, slots=9) == [made[1], made[3], made[0], made[2]]


async def test_owners_take_turns_however_many_jobs_one_brings(ledger: Ledger, clock: FakeClock) -> None:
    made: dict[str | None, list[JobId]] = {"ann": [], "bob": [], None: []}
    for owner in ("ann", "ann", "ann", "ann", "bob", "bob", None):
        made[owner].append((await ledger.add_job(new_job(owner=owner))).id)
        await clock.advance(1)
    ann, bob, nobody = made["ann"], made["bob"], made[None]
    assert await queued(ledger, slots=9, limit=5) == [ann[0], bob[0], nobody[0], ann[1], bob[1]]


async def test_who_has_the_fewest_at_work_goes_first(ledger: Ledger, clock: FakeClock) -> None:
    await running(ledger, clock, "t1", owner="ann")
    await running(ledger, clock, "t2", owner="ann")
    await ledger.add_job(new_job(owner="bob"))
    await queued(ledger, limit=1)  # one of bob's is in somebody's hands
    late = {owner: await ledger.add_job(new_job(owner=owner)) for owner in ("ann", "bob", "eve")}
    assert await queued(ledger, slots=9) == [late[owner].id for owner in ("eve", "bob", "ann")]


async def test_who_waits_in_the_queue_is_told_why(ledger: Ledger, clock: FakeClock) -> None:
    later = await held(ledger)
    await ledger.write(later, {}, release_in_s=60)
    in_hand = await held(ledger)
    waiting, other = await ledger.add_job(new_job()), await ledger.add_job(new_job(provider="preview"))
    for note in ("waits for a place", "and nothing is said twice"):
        await ledger.note_waiting("dashscope", note, only=[JobId("j_x"), waiting.id])
    ids = (waiting.id, other.id, later.job.id, in_hand.job.id)
    notes = [(await current(ledger, job_id)).note for job_id in ids]
    assert notes == ["waits for a place", None, None, None]
    await clock.advance(60)
    await ledger.note_waiting("dashscope", "all others", only=None)
    assert (await current(ledger, later.job.id)).note == "all others"


async def test_slots_hold_for_all_who_ask_at_once(ledger: Ledger, open_ledger: Open) -> None:
    other = await open_ledger()
    for _ in range(20):
        await ledger.add_job(new_job())
    taken = await asyncio.gather(*(queued(one, slots=5, limit=2) for one in (ledger, other) * 5))
    ids = [job_id for some in taken for job_id in some]
    assert len(ids) == len(set(ids)) == 5


# --- putting down ---


async def test_many_are_put_down_at_once_and_come_due_together(ledger: Ledger, clock: FakeClock) -> None:
    for _ in range(5):
        await ledger.add_job(new_job())
    leases = await claim(ledger, "w", limit=5)
    assert await ledger.release(leases, in_s=7) == 5
    assert await ledger.next_due_s(states=OPEN, only=None) == 7
    job = await current(ledger, leases[0].job.id)
    assert (job.lease_owner, job.lease_until, job.due_at) == (None, None, clock.now() + timedelta(seconds=7))
    assert await ledger.release(leases, in_s=0) == 0, "they are not held any more"
    assert await ledger.release([], in_s=0) == 0


async def test_only_what_is_still_held_is_put_down(ledger: Ledger, clock: FakeClock) -> None:
    for _ in range(3):
        await ledger.add_job(new_job())
    late = await claim(ledger, "late", limit=3)
    await clock.advance(31)
    [taken] = await claim(ledger, "now", limit=1)
    assert await ledger.release([*late, *late], in_s=50) == 2
    assert (await current(ledger, taken.job.id)).lease_owner == "now"
    again = await ledger.renew(taken, lease_s=9)
    assert again, "the fence of the new holder is untouched"


async def test_leases_of_several_workers_are_put_down_together(ledger: Ledger) -> None:
    for _ in range(4):
        await ledger.add_job(new_job())
    both = [*await claim(ledger, "a", limit=2), *await claim(ledger, "b", limit=2)]
    assert await ledger.release(both, in_s=0) == 4
    assert await ledger.lease_owners() == set()


async def test_nothing_is_asked_of_no_state_and_no_limit(ledger: Ledger) -> None:
    await ledger.add_job(new_job())
    assert await claim(ledger, "w", limit=0) == []
    assert await ledger.claim("w", states=(), only=None, limit=9, lease_s=9) == []
    assert await ledger.next_due_s(states=(), only=None) is None
    assert await queued(ledger, limit=0) == await queued(ledger, slots=0) == []


# --- when to look ---


async def test_a_job_that_runs_quietly_holds_no_look_up(ledger: Ledger, clock: FakeClock) -> None:
    await running(ledger, clock, "t1")  # due in 100 s
    lease = await held(ledger)
    await ledger.write(lease, {}, release_in_s=20)
    assert await ledger.next_due_s(states=OPEN, only=None) == 20
    assert await ledger.next_due_s(states=(State.RUNNING,), only=None) == 100


async def test_a_job_that_is_held_wakes_nobody_before_its_lease_ends(ledger: Ledger) -> None:
    await held(ledger)
    assert await ledger.next_due_s(states=OPEN, only=None) == 30
    await ledger.add_job(new_job())
    assert await ledger.next_due_s(states=OPEN, only=None) == 0


async def test_a_list_of_names_may_be_as_long_as_it_likes(ledger: Ledger, clock: FakeClock) -> None:
    job = await running(ledger, clock, "t")
    waiting = await ledger.add_job(new_job())
    names = [JobId(f"j_other_{number}") for number in range(40_000)]
    many = [*names, job.id, waiting.id]
    assert await ledger.next_due_s(states=OPEN, only=many) == 0
    assert await ledger.next_due_s(states=OPEN, only=names) is None
    assert len(await ledger.running(ACCOUNT, only=many)) == 1
    assert await ledger.known_tasks([TaskId("t"), *map(TaskId, names)]) == {"t"}
    assert await queued(ledger, only=many) == [waiting.id]
    await clock.advance(100)
    [lease] = await ledger.claim("w", states=(State.RUNNING,), only=many, limit=9, lease_s=9)
    assert lease.job.id == job.id
