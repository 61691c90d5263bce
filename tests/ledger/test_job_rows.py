"""Jobs that are written down, joined, listed and wished away: the same suite for every database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from tests.ledger.conftest import Open, attempt_of, new_job
from tests.ledger.steps import QUEUED, claim, current, finished, held, over, running, sent

from wanvideo.clock import FakeClock
from wanvideo.contract.job import Event, Job, JobId, Picture, State, TaskId
from wanvideo.errors import JobConflict
from wanvideo.jobs.machine import OPEN
from wanvideo.ports import Lease, Ledger, Once


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


async def test_times_keep_their_microseconds_and_are_utc(ledger: Ledger, clock: FakeClock) -> None:
    await clock.advance(0.000001)
    job = await ledger.add_job(new_job())
    assert (await current(ledger, job.id)).created_at == clock.now()
    assert job.created_at.utcoffset() == timedelta(0)


# --- one job for identical requests ---


async def test_an_identical_request_joins_the_job_in_flight(ledger: Ledger) -> None:
    first = await ledger.add_job(new_job(cache_key="k"))
    assert await ledger.add_job(new_job(cache_key="k")) == first
    assert [event.event for event in await ledger.events(first.id)] == ["created"]
    assert len(await ledger.jobs(limit=9)) == 1


@pytest.mark.parametrize("state", list(State))
async def test_only_what_is_over_is_not_joined(ledger: Ledger, state: State) -> None:
    first = await ledger.add_job(new_job(cache_key="k"))
    [lease] = await claim(ledger, "w")
    await ledger.write(lease, {"state": state}, release_in_s=100)
    joined = (await ledger.add_job(new_job(cache_key="k"))).id == first.id
    assert joined is (state in OPEN)


async def test_a_job_that_is_not_shared_neither_joins_nor_is_joined(ledger: Ledger) -> None:
    made = [await ledger.add_job(new_job(cache_key="k", shared=shared)) for shared in (False, True, False)]
    assert len({job.id for job in made}) == 3
    assert await ledger.add_job(new_job(cache_key="k")) == made[1]


async def test_many_at_once_make_one_job(ledger: Ledger, open_ledger: Open) -> None:
    other = await open_ledger()
    made = await asyncio.gather(
        *(one.add_job(new_job(cache_key="k")) for _ in range(8) for one in (ledger, other))
    )
    assert len({job.id for job in made}) == 1
    assert len(await ledger.jobs(limit=99)) == 1


async def test_a_key_used_again_leads_to_the_same_job(ledger: Ledger) -> None:
    once = Once("ann", "key", "h" * 64)
    job = await ledger.add_job(new_job(), once)
    again = await ledger.add_job(new_job(), Once("ann", "key", "other" * 9))
    assert again == job
    assert await ledger.used_once("ann", "key") == (once, job.id), "the caller sees that the body differs"
    assert await ledger.used_once("bob", "key") is None
    assert (await ledger.add_job(new_job(), Once("bob", "key", "h" * 64))).id != job.id


async def test_a_key_leads_to_the_job_that_was_joined_also_when_that_is_over(ledger: Ledger) -> None:
    job = await ledger.add_job(new_job(cache_key="k"))
    once = Once("ann", "key", "h" * 64)
    assert await ledger.add_job(new_job(cache_key="k"), once) == job
    [lease] = await claim(ledger, "w")
    await ledger.write(lease, {"state": State.FAILED}, release_in_s=0)
    assert (await ledger.add_job(new_job(cache_key="k"), once)).id == job.id


async def test_one_key_many_at_once_make_one_job(ledger: Ledger, open_ledger: Open) -> None:
    other, once = await open_ledger(), Once("ann", "key", "h" * 64)
    made = await asyncio.gather(*(one.add_job(new_job(), once) for _ in range(8) for one in (ledger, other)))
    assert len({job.id for job in made}) == 1
    assert len(await ledger.jobs(limit=99)) == 1


async def test_how_it_differs_from_an_earlier_one_is_in_its_history(ledger: Ledger) -> None:
    told = await ledger.add_job(new_job(miss="the seed differs from j_1"))
    assert (await ledger.events(told.id))[0].data == {"miss": "the seed differs from j_1"}
    assert (await ledger.events((await ledger.add_job(new_job())).id))[0].data == {}


async def test_priority_and_limit_come_back(ledger: Ledger) -> None:
    job = await ledger.add_job(new_job(priority=7, max_cost_cny="1.5"))
    assert (job.priority, job.max_cost_cny) == (7, "1.5")


# --- again ---


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
async def test_a_retry_beside_an_identical_job_is_refused_and_names_it(ledger: Ledger, state: State) -> None:
    lease = await over(ledger, state, cache_key="k")
    rival = await ledger.add_job(new_job(cache_key="k"))
    with pytest.raises(JobConflict, match=rival.id) as refusal:
        await ledger.write(lease, {"state": State.QUEUED}, event=Event.RETRY, release_in_s=0)
    assert rival.id in refusal.value.hint
    assert (await current(ledger, lease.job.id)).state is state
    [held_rival] = await ledger.claim("w", states=QUEUED, only=[rival.id], limit=1, lease_s=9)
    await ledger.write(held_rival, {"state": State.FAILED}, release_in_s=0)
    assert await ledger.write(lease, {"state": State.QUEUED}, event=Event.RETRY, release_in_s=0)


async def test_asked_again_a_job_takes_over_the_new_request_and_keeps_its_past(
    ledger: Ledger, clock: FakeClock
) -> None:
    lease = await over(ledger, State.FAILED, owner="ann")
    picture = Picture("pictures/z.png", "y" * 64, "z" * 64, "image/png", 480, 480)
    new = new_job(
        request={"prompt": "a fox"}, picture=picture, cache_key="k", seed=5, estimate_cny="9.5",
        account="another", resolution="1080P", billed_s=7, warnings=("dear",), max_cost_cny="10",
        owner="bob", miss="the prompt differs",
    )  # fmt: skip
    await clock.advance(3)
    asked = await ledger.reask(lease, new, {"state": State.QUEUED, "error": None, "troubles": 0})
    assert asked is not None
    job = await current(ledger, lease.job.id)
    assert job == asked.job
    for name in (
        "request", "picture", "cache_key", "seed", "estimate_cny", "account", "resolution", "billed_s",
        "warnings", "max_cost_cny",
    ):  # fmt: skip
        assert getattr(job, name) == getattr(new, name), name
    assert (job.owner, job.created_at) == ("ann", lease.job.created_at)
    assert (job.state, job.due_at, job.lease_owner) == (State.QUEUED, clock.now(), None)
    event = (await ledger.events(job.id))[-1]
    assert (event.event, event.data) == (Event.RETRY, {"miss": "the prompt differs"})
    assert [found.id for found in await ledger.alike("dashscope", "z" * 64, limit=1)] == [job.id]
    assert await ledger.add_job(new_job(cache_key="k")) == job, "it is in flight under its new key"


async def test_asked_again_beside_an_identical_job_it_is_refused(ledger: Ledger) -> None:
    lease = await over(ledger, State.FAILED)
    rival = await ledger.add_job(new_job(cache_key="k"))
    with pytest.raises(JobConflict, match=rival.id):
        await ledger.reask(lease, new_job(cache_key="k"), {"state": State.QUEUED})
    alone = await ledger.reask(lease, new_job(cache_key="k", shared=False), {"state": State.QUEUED})
    assert alone is not None


async def test_asked_again_by_a_late_holder_nothing_changes(ledger: Ledger, clock: FakeClock) -> None:
    lease = await over(ledger, State.FAILED)
    await clock.advance(31)
    [_] = await ledger.claim("now", states=(State.FAILED,), only=None, limit=1, lease_s=9, due=False)
    before = await current(ledger, lease.job.id)
    assert await ledger.reask(lease, new_job(), {"state": State.QUEUED}) is None
    assert await current(ledger, lease.job.id) == before


# --- rescued ---


async def rescue(ledger: Ledger, clock: FakeClock, task: str, **changes: Any) -> Job:
    new = new_job(**changes)
    attempt = replace(attempt_of(Lease(replace_id(new.id), "w"), clock), reserved_cny=Decimal("1.5"))
    return await ledger.add_rescued(new, attempt, {"state": State.RUNNING, "task_id": TaskId(task)})


def replace_id(job_id: JobId) -> Job:
    """Just enough of a job for an attempt that has none yet."""
    when = datetime(2026, 1, 1, tzinfo=UTC)
    picture = Picture("", "", "", "", 1, 1)
    return Job(job_id, State.RUNNING, "dashscope", {}, picture, "", 0, "0", "", "", 0, when, when, when)


async def test_a_rescued_task_gets_a_job_and_an_attempt(ledger: Ledger, clock: FakeClock) -> None:
    job = await rescue(ledger, clock, "t")
    assert (job.state, job.task_id, job.attempt) == (State.RUNNING, "t", 1)
    [attempt] = await ledger.attempts(job.id)
    assert (attempt.task_id, attempt.outcome, attempt.reserved_cny) == ("t", "found", Decimal("1.5"))
    [event] = await ledger.events(job.id)
    assert (event.event, event.state, event.data) == ("rescued", State.RUNNING, {"task_id": "t"})
    assert await ledger.known_tasks([TaskId("t")]) == {"t"}


async def test_a_task_that_somebody_owns_is_not_rescued(ledger: Ledger, clock: FakeClock) -> None:
    owner = await running(ledger, clock, "t")
    with pytest.raises(JobConflict, match=owner.id):
        await rescue(ledger, clock, "t")
    late = await sent(ledger, clock, await held(ledger))
    await ledger.record_task(late.job.id, 1, TaskId("late"))
    with pytest.raises(JobConflict, match=late.job.id):
        await rescue(ledger, clock, "late")
    assert len(await ledger.jobs(limit=9)) == 2


async def test_a_task_is_rescued_once(ledger: Ledger, open_ledger: Open, clock: FakeClock) -> None:
    other = await open_ledger()
    tries = await asyncio.gather(
        *(rescue(one, clock, "t") for one in (ledger, other) * 4), return_exceptions=True
    )
    assert [isinstance(result, Job) for result in tries].count(True) == 1
    assert [isinstance(result, JobConflict) for result in tries].count(True) == 7


async def test_a_paid_task_is_rescued_also_beside_an_identical_job(ledger: Ledger, clock: FakeClock) -> None:
    waiting = await ledger.add_job(new_job(cache_key="k"))
    rescued = await rescue(ledger, clock, "t", cache_key="k")
    assert rescued.id != waiting.id
    assert await ledger.add_job(new_job(cache_key="k")) == waiting


# --- alike ---


async def test_earlier_jobs_of_a_picture_come_with_the_newest_of_the_provider(
    ledger: Ledger, clock: FakeClock
) -> None:
    def shot(source: str) -> Picture:
        return Picture("k", "a" * 64, source * 64, "image/png", 240, 240)

    made = []
    for source in "ppppqqqqqqq":
        made.append((await ledger.add_job(new_job(picture=shot(source)))).id)
        await clock.advance(1)
    await ledger.add_job(new_job(provider="preview", picture=shot("p")))
    found = [job.id for job in await ledger.alike("dashscope", "p" * 64, limit=3)]
    assert found == [*made[:-4:-1], *made[3:0:-1]], "three newest, then three of the picture"
    both = [job.id for job in await ledger.alike("dashscope", "q" * 64, limit=3)]
    assert both == made[:-4:-1], "none twice"
