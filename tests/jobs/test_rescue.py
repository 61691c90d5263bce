"""Clips that nobody here asked for: found, priced, and brought home only when somebody says so."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.fakes.bench import Bench, asked
from tests.fakes.clips import clip_bytes
from tests.fakes.provider import FakeTask

from wanvideo.clock import FakeClock
from wanvideo.contract.job import Job, State, TaskId
from wanvideo.contract.price import cost_of
from wanvideo.errors import JobConflict, ProviderUnavailable
from wanvideo.jobs import account, rescue
from wanvideo.jobs.audit import audit
from wanvideo.jobs.rescue import Orphan, adopt, adopt_all, named, orphans
from wanvideo.jobs.workshop import Workshop, request_of
from wanvideo.ports import TaskReport, TaskStatus

PRICE = Decimal("0.60")


def patient(bench: Bench) -> Workshop:
    """The bench's shop with a clock that does not make the test wait for tries."""
    return replace(bench.shop, clock=FakeClock(bench.clock.now(), auto=True))


async def found(bench: Bench) -> list[Orphan]:
    return await orphans(patient(bench), bench.provider, hours=24)


async def stray(bench: Bench, **body: Any) -> FakeTask:
    """A finished task of another program."""
    task = bench.provider.make_task({"input": {"prompt": "boats drift", **body}})
    await bench.clock.advance(bench.provider.takes_s + 1)
    return task


async def brought_home(bench: Bench, orphan: Orphan) -> Job:
    return await bench.drive(await adopt(bench.shop, bench.provider, orphan))


# --- finding ---


async def test_a_finished_clip_that_nobody_owns_is_found_with_its_price_and_its_time(bench: Bench) -> None:
    await bench.drive(await bench.submit())
    task = await stray(bench)
    (orphan,) = await found(bench)
    assert (orphan.task_id, orphan.created_at, orphan.rival) == (task.id, task.created_at, None)
    assert (orphan.report.prompt_seen, orphan.report.billed_s, orphan.cost_cny) == ("boats drift", 2, PRICE)
    left_s = orphan.link_left_s(bench.clock.now())
    assert left_s == (task.ends_at + timedelta(days=1) - bench.clock.now()).total_seconds()
    assert orphan.link_left_s(bench.clock.now() + timedelta(days=3)) == 0
    assert len(await bench.ledger.jobs(limit=9)) == 1


async def test_what_runs_failed_or_is_owned_is_no_find(bench: Bench) -> None:
    await bench.drive(await bench.submit())
    bench.provider.endings = ["fail"]
    await stray(bench)
    bench.provider.make_task({"input": {"prompt": "still running"}})
    assert await found(bench) == []


async def test_where_the_provider_cannot_be_asked_in_full_nothing_is_claimed(bench: Bench) -> None:
    await stray(bench)
    bench.provider.lists = [ProviderUnavailable("503")] * account.TRIES
    with pytest.raises(ProviderUnavailable):
        await found(bench)


async def test_a_find_is_plain_json_without_its_link(bench: Bench) -> None:
    await stray(bench)
    (orphan,) = await found(bench)
    told = json.dumps(orphan.as_json(bench.clock.now()))
    assert "Signature" not in told
    assert json.loads(told) == {
        "task_id": "task-1",
        "created_at": "2026-01-01T00:00:00+00:00",
        "prompt": "boats drift",
        "resolution": "720P",
        "billed_s": 2,
        "cost_cny": 0.6,
        "link_expires_at": "2026-01-02T00:00:20+00:00",
        "link_left_s": 86_399.0,
        "may_be_of": None,
    }


# --- bringing home ---


async def test_a_rescued_clip_is_stored_byte_for_byte_with_its_price(bench: Bench) -> None:
    """It has neither the size nor the rate of the request that stands in for the unknown one."""
    task = await stray(bench)
    (orphan,) = await found(bench)
    done = await brought_home(bench, orphan)
    assert (done.state, done.task_id, done.attempt) == (State.SUCCEEDED, task.id, 1)
    assert done.result is not None
    assert bench.store.files[done.result["video_url"]] == clip_bytes()
    assert (done.result["size"], done.result["fps"], done.result["duration"]) == ("240*240", 5, 2)
    assert done.result["source_url"] is None
    assert done.result["cost"] == {"cny": 0.6, "billed_s": 2, "basis": "usage"}
    assert done.cost_cny is not None
    assert Decimal(done.cost_cny) == PRICE
    assert done.warnings == (rescue.RESCUED,)
    assert done.request["prompt"] == "boats drift"
    assert bench.provider.sent == []
    assert (await bench.history(done.id))[0] == "rescued"


async def test_the_attempt_that_stands_for_it_is_settled_on_the_day_it_was_made(bench: Bench) -> None:
    task = await stray(bench)
    await bench.clock.advance(7200)
    (orphan,) = await found(bench)
    job = await adopt(bench.shop, bench.provider, orphan)
    (attempt,) = await bench.ledger.attempts(job.id)
    assert (attempt.number, attempt.outcome, attempt.task_id) == (1, "found", task.id)
    assert (attempt.reserved_cny, attempt.settled_cny) == (PRICE, PRICE)
    assert (attempt.started_at, attempt.account) == (task.created_at, bench.provider.account.name)
    assert await bench.ledger.spent_cny(task.created_at) == PRICE


async def test_after_a_rescue_the_audit_is_clean_and_nothing_is_left_to_find(bench: Bench) -> None:
    await bench.drive(await bench.submit())
    await stray(bench)
    assert not (await audit(patient(bench), bench.provider, hours=24)).is_clean
    for orphan in await found(bench):
        await brought_home(bench, orphan)
    after = await audit(patient(bench), bench.provider, hours=24)
    assert (after.is_clean, after.approved, after.rescued, after.at_provider) == (True, 1, 1, 2)
    assert await found(bench) == []


@pytest.mark.parametrize("prompt", [None, "", "  \n "])
async def test_a_task_that_tells_no_prompt_comes_home_too(bench: Bench, prompt: str | None) -> None:
    await stray(bench, prompt=prompt)
    (orphan,) = await found(bench)
    done = await brought_home(bench, orphan)
    assert done.state is State.SUCCEEDED
    assert done.request["prompt"] == "rescued task-1"
    assert done.warnings == (rescue.RESCUED, rescue.NO_PROMPT)


async def test_a_prompt_of_any_length_and_with_a_secret_in_it_is_written_down_safely(bench: Bench) -> None:
    await stray(bench, prompt="https://h/p.png?Signature=abc " + "雪" * 3000)
    (orphan,) = await found(bench)
    job = await adopt(bench.shop, bench.provider, orphan)
    assert len(job.request["prompt"]) == 1500
    assert "abc" not in job.request["prompt"]


@pytest.mark.parametrize(
    ("changes", "size", "duration", "audio"),
    [
        ({"resolution": "1080P", "sound": False}, "1920*1080", 2, False),
        ({"resolution": "720P", "sound": True, "billed_s": 1.0}, "1280*720", 2, True),
        ({"resolution": "720P", "sound": None, "billed_s": 40.0}, "1280*720", 15, True),
        ({"resolution": None, "sound": None, "billed_s": None, "cost": None}, "1920*1080", 5, True),
    ],
)
async def test_its_request_fits_what_was_billed(
    bench: Bench, changes: dict[str, Any], size: str, duration: int, audio: bool
) -> None:
    await stray(bench)
    (orphan,) = await found(bench)
    seen = replace(orphan, report=replace(orphan.report, **changes))
    job = await adopt(bench.shop, bench.provider, seen)
    request = request_of(job)
    assert (request.size, request.duration, request.fps) == (size, duration, 30)
    assert (request.wan.audio, request.resolution) == (audio, job.resolution)
    assert job.billed_s == (5 if seen.report.billed_s is None else seen.report.billed_s)
    assert ("cost" in changes) == (rescue.NO_PRICE in job.warnings)


async def test_it_answers_no_request_and_joins_none(bench: Bench) -> None:
    """Nobody knows its picture: an order in the same words makes its own clip."""
    await stray(bench, prompt="a harbour")
    (orphan,) = await found(bench)
    await brought_home(bench, orphan)
    taken = await bench.jobs.submit(asked(prompt="a harbour"), "dashscope")
    assert not taken.cached
    assert (await bench.drive(taken.job)).state is State.SUCCEEDED
    assert len(bench.provider.sent) == 1


async def test_a_clip_whose_link_dies_meanwhile_ends_as_what_it_is(bench: Bench) -> None:
    await stray(bench)
    (orphan,) = await found(bench)
    job = await adopt(bench.shop, bench.provider, orphan)
    bench.provider.downloads = ["expired"] * 3
    done = await bench.drive(job)
    assert (done.state, (done.error or {})["code"]) == (State.FAILED, "result_expired")


# --- by name ---


async def test_a_task_that_still_runs_may_be_taken_over_by_name(bench: Bench) -> None:
    task = bench.provider.make_task({"input": {"prompt": "boats drift"}})
    orphan = await named(patient(bench), bench.provider, task.id)
    job = await adopt(bench.shop, bench.provider, orphan)
    (attempt,) = await bench.ledger.attempts(job.id)
    assert (attempt.settled_cny, attempt.reserved_cny) == (None, Decimal("2.5"))  # 5 s of 1080P with sound
    done = await bench.drive(job)
    assert done.state is State.SUCCEEDED
    assert Decimal(done.cost_cny or 0) == PRICE
    assert (await bench.ledger.attempts(job.id))[0].settled_cny == PRICE
    assert bench.store.files[(done.result or {})["video_url"]] == clip_bytes()


@pytest.mark.parametrize("ending", ["trouble", "fail:fps"])
async def test_a_rescued_task_that_fails_is_never_made_anew(bench: Bench, ending: str) -> None:
    """A failed task is free, but what this one was made from is not here."""
    bench.provider.endings = [ending]
    task = bench.provider.make_task({"input": {"prompt": "boats drift"}})
    done = await bench.drive(
        await adopt(bench.shop, bench.provider, await named(patient(bench), bench.provider, task.id))
    )
    assert (done.state, (done.error or {})["code"]) == (State.FAILED, "provider_failed")
    assert bench.provider.sent == []
    assert (await bench.ledger.attempts(done.id))[0].settled_cny == Decimal(0)


async def test_a_rescued_job_that_failed_cannot_be_made_anew_by_hand_either(bench: Bench) -> None:
    bench.provider.endings = ["fail"]
    task = bench.provider.make_task({"input": {"prompt": "boats drift"}})
    done = await bench.drive(
        await adopt(bench.shop, bench.provider, await named(patient(bench), bench.provider, task.id))
    )
    try:
        again = await bench.jobs.retry(done.id)
    except JobConflict:
        pass
    else:
        assert (await bench.drive(again)).state is State.FAILED
    assert bench.provider.sent == []


async def test_what_is_unknown_or_came_to_nothing_is_refused(bench: Bench) -> None:
    with pytest.raises(JobConflict, match="knows no task task-9"):
        await named(patient(bench), bench.provider, TaskId("task-9"))
    bench.provider.endings = ["fail"]
    failed = await stray(bench)
    with pytest.raises(JobConflict, match="is failed: there is no clip"):
        await named(patient(bench), bench.provider, failed.id)
    assert await bench.ledger.jobs(limit=9) == []


async def test_a_task_that_a_job_owns_is_refused_with_the_jobs_name(bench: Bench) -> None:
    job = await bench.drive(await bench.submit())
    assert job.task_id is not None
    orphan = await named(patient(bench), bench.provider, job.task_id)
    with pytest.raises(JobConflict, match=job.id):
        await adopt(bench.shop, bench.provider, orphan)


async def test_two_rescues_at_once_make_one_job(bench: Bench) -> None:
    await stray(bench)
    (orphan,) = await found(bench)
    await adopt(bench.shop, bench.provider, orphan)
    with pytest.raises(JobConflict):
        await adopt(bench.shop, bench.provider, orphan)
    assert len(await bench.ledger.jobs(limit=9)) == 1


# --- never at the cost of another job ---


async def lost(bench: Bench, outcome: str) -> Job:
    bench.provider.creates = [outcome]
    return await bench.drive(await bench.submit(), State.UNCERTAIN)


@pytest.mark.parametrize("seconds", [-600, 0, 600])
async def test_a_task_that_a_lost_submit_may_have_made_is_left_for_it(bench: Bench, seconds: float) -> None:
    """Taken away, its submit would see an empty list, take it for proof, and pay a second time."""
    job = await lost(bench, "lost_with_task")
    (task,) = bench.provider.tasks.values()
    task.created_at += timedelta(seconds=seconds)
    await bench.clock.advance(1200)
    (orphan,) = await found(bench)
    assert orphan.rival == job.id
    assert orphan.as_json(bench.clock.now())["may_be_of"] == job.id
    with pytest.raises(JobConflict) as caught:
        await adopt(bench.shop, bench.provider, orphan)
    assert f"wanvideo jobs resolve {job.id} --adopt {task.id}" in caught.value.hint
    assert (await named(patient(bench), bench.provider, task.id)).rival == job.id


async def test_a_task_that_a_submit_on_its_way_may_have_made_is_left_alone_too(bench: Bench) -> None:
    """A process that was killed around its POST."""
    bench.die_at = "after_post"
    job = await bench.submit()
    await bench.round()
    await bench.clock.advance(bench.provider.takes_s + 1)
    assert (await bench.job(job)).state is State.SUBMITTING
    (orphan,) = await found(bench)
    assert orphan.rival == job.id
    await bench.clock.advance(7200)
    later = await stray(bench)  # by a clock that may be wrong: the submit has no end yet
    assert [one.rival for one in await found(bench) if one.task_id == later.id] == [job.id]


async def test_a_task_of_another_hour_is_nobodys_rival(bench: Bench) -> None:
    old = await stray(bench)
    await bench.clock.advance(3600)
    await lost(bench, "lost_without_task")
    (orphan,) = await found(bench)
    assert (orphan.task_id, orphan.rival) == (old.id, None)


async def test_once_the_lost_submit_is_given_up_its_task_can_be_rescued(bench: Bench) -> None:
    job = await lost(bench, "lost_with_task")
    await bench.jobs.resolve(job.id, "give_up")
    await bench.clock.advance(60)
    (orphan,) = await found(bench)
    assert (await brought_home(bench, orphan)).state is State.SUCCEEDED


# --- many ---


async def test_one_refusal_keeps_none_of_the_others_from_coming_home(bench: Bench) -> None:
    first, second = await stray(bench), await stray(bench)
    seen = await found(bench)
    jobs, trouble = await adopt_all(
        patient(bench), bench.provider, seen, ["task-9", first.id, first.id, second.id]
    )
    assert [job.task_id for job in jobs] == [first.id, second.id]
    assert isinstance(trouble, JobConflict)


async def test_all_means_all_that_were_found(bench: Bench) -> None:
    tasks = [await stray(bench) for _ in range(3)]
    jobs, trouble = await adopt_all(patient(bench), bench.provider, await found(bench), None)
    assert ([job.task_id for job in jobs], trouble) == ([task.id for task in tasks], None)
    for job in jobs:
        assert (await bench.drive(job)).state is State.SUCCEEDED


def test_a_task_that_the_provider_prices_by_no_tier_has_no_price_of_ours() -> None:
    orphan = Orphan(TaskId("t"), FakeClock().now(), TaskReport(TaskStatus.SUCCEEDED, billed_s=2))
    assert orphan.cost_cny is None
    assert orphan.link_left_s(FakeClock().now()) is None
    priced = replace(orphan, report=replace(orphan.report, cost=cost_of("beijing", "720P", True, 2)))
    assert priced.cost_cny == PRICE
