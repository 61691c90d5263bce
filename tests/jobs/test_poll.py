"""Looking at a task: only a definite answer ends a job."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from tests.fakes.bench import Bench

from wanvideo.contract.job import Job, State, TaskId
from wanvideo.errors import AccessDenied, CredentialsRejected, ProviderUnavailable, Throttled
from wanvideo.ports import Sighting, TaskStatus


async def running(bench: Bench, **fields: Any) -> Job:
    return await bench.drive(await bench.submit(**fields), State.RUNNING)


@pytest.mark.parametrize(
    "trouble",
    [
        ProviderUnavailable("500"),
        Throttled("429"),
        CredentialsRejected("401"),
        AccessDenied("403"),
        RuntimeError("the SDK read HTML as JSON"),
        ConnectionResetError("reset"),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
async def test_a_failed_look_never_ends_a_job(bench: Bench, trouble: Exception) -> None:
    job = await running(bench)
    bench.provider.fetches = [trouble] * 5
    done = await bench.drive(job)
    assert done.state is State.SUCCEEDED
    assert len(bench.provider.sent) == 1


async def test_while_looks_fail_the_job_says_why_it_waits(bench: Bench) -> None:
    job = await running(bench)
    bench.provider.fetches = [ProviderUnavailable("Bad Gateway")] * 3
    await bench.let_pass(12)
    assert (await bench.job(job)).note == "Bad Gateway"
    await bench.let_pass(3)
    now = await bench.job(job)
    assert (now.state, now.note) == (State.RUNNING, None)


async def test_a_task_that_is_not_visible_yet_is_waited_for(bench: Bench) -> None:
    job = await running(bench)
    hidden = bench.provider.tasks.popitem()
    await bench.let_pass(30)
    now = await bench.job(job)
    assert (now.state, now.seen_status) == (State.RUNNING, None)
    assert now.note == "the provider does not show the task yet"
    bench.provider.tasks = dict([hidden])
    done = await bench.drive(job)
    assert (done.state, done.note) == (State.SUCCEEDED, None)


async def test_a_worker_that_finds_the_task_not_visible_leaves_it_to_the_watch(bench: Bench) -> None:
    """The list showed its end, and asked for its link the provider does not know it (yet)."""
    job = await running(bench)
    await bench.clock.advance(21)
    bench.provider.fetches = [TaskStatus.UNKNOWN]
    await bench.ledger.sight([Sighting(job.id, TaskId("task-1"), TaskStatus.SUCCEEDED, ended=True)])
    for lease in await bench.runner.claim(None):
        await bench.runner.handle(lease)
    now = await bench.job(job)
    assert (now.state, now.seen_status) == (State.RUNNING, None)
    assert now.note == "the provider does not show the task yet"
    assert (await bench.drive(job)).state is State.SUCCEEDED


@pytest.mark.parametrize("trouble", [ProviderUnavailable("502"), RuntimeError("odd"), Throttled("429")])
async def test_trouble_when_the_end_is_asked_for_is_told_and_asked_again(
    bench: Bench, trouble: Exception
) -> None:
    job = await running(bench)
    await bench.clock.advance(21)
    bench.provider.fetches = [trouble] * 2
    await bench.ledger.sight([Sighting(job.id, TaskId("task-1"), TaskStatus.SUCCEEDED, ended=True)])
    for lease in await bench.runner.claim(None):
        await bench.runner.handle(lease)
    now = await bench.job(job)
    assert now.state is State.RUNNING
    assert now.note
    assert (await bench.drive(job)).state is State.SUCCEEDED


async def test_a_task_that_is_unknown_after_a_day_has_expired(bench: Bench) -> None:
    job = await running(bench)
    await bench.clock.advance(86_400 - 60)
    bench.provider.tasks.clear()
    await bench.round()
    assert (await bench.job(job)).state is State.RUNNING
    await bench.clock.advance(120)
    done = await bench.drive(job)
    assert done.state is State.FAILED
    assert done.error is not None
    assert (done.error["code"], done.error["task_id"]) == ("task_expired", "task-1")


async def test_the_providers_own_trouble_is_tried_twice_more_and_then_final(bench: Bench) -> None:
    bench.provider.endings = ["trouble"] * 5
    done = await bench.drive(await bench.submit())
    assert done.state is State.FAILED
    assert len(bench.provider.sent) == 3
    assert (await bench.history(done.id)).count("provider_trouble") == 2
    assert done.error is not None
    assert (done.error["code"], done.error["provider_code"]) == ("provider_failed", "InternalError")


async def test_after_passing_trouble_the_clip_is_made(bench: Bench) -> None:
    bench.provider.endings = ["trouble"]
    done = await bench.drive(await bench.submit())
    assert (done.state, done.task_id, done.attempt) == (State.SUCCEEDED, "task-2", 2)
    assert len(bench.provider.billed("a harbour")) == 1


async def test_what_a_look_told_of_an_earlier_task_is_not_taken_for_the_newer_one(bench: Bench) -> None:
    """This process saw the first task fail, another one made the second: whose end is that? Paid once."""
    bench.provider.endings = ["trouble"]
    job = await running(bench)
    other = bench.beside()
    await bench.clock.advance(25)
    await bench.look()
    for _ in range(2):
        await other.let_pass(6)
    assert (await bench.job(job)).task_id == "task-2"
    await bench.clock.advance(25)
    await bench.ledger.sight([Sighting(job.id, TaskId("task-2"), TaskStatus.SUCCEEDED, ended=True)])
    done = await bench.drive(job)
    assert (done.state, done.task_id) == (State.SUCCEEDED, "task-2")
    assert len(bench.provider.billed("a harbour")) == 1


async def test_any_other_failure_is_final(bench: Bench) -> None:
    bench.provider.endings = ["failed"]
    done = await bench.drive(await bench.submit())
    assert done.state is State.FAILED
    assert len(bench.provider.sent) == 1


async def test_a_task_that_fails_for_an_extra_field_is_made_once_more_without_it(bench: Bench) -> None:
    bench.provider.endings = ["refused:size"]
    done = await bench.drive(await bench.submit())
    assert done.state is State.SUCCEEDED
    assert ["size" in body["parameters"] for body in bench.provider.sent] == [True, False]
    assert await bench.ledger.quirks(bench.provider.account.endpoint) == {"size"}


async def test_a_task_that_was_cancelled_elsewhere_cancels_the_job(bench: Bench) -> None:
    bench.provider.endings = ["cancelled"]
    assert (await bench.drive(await bench.submit())).state is State.CANCELLED


async def test_a_success_whose_link_comes_later_is_asked_for_again(bench: Bench) -> None:
    job = await running(bench)
    fetch, told = bench.provider.fetch, []

    async def without_link(task: object) -> object:
        report = await fetch(task)  # type: ignore[arg-type]
        told.append(report.status)
        return dataclasses.replace(report, video_url=None) if told.count(TaskStatus.SUCCEEDED) < 3 else report

    bench.provider.fetch = without_link  # type: ignore[method-assign, assignment]
    assert (await bench.drive(job)).state is State.SUCCEEDED


async def test_how_long_clips_take_is_learned(bench: Bench) -> None:
    for _ in range(3):
        await bench.drive(await bench.submit())
    job = await running(bench)
    assert (await bench.shop.expected(job)).learned_from == 3
    looks = bench.provider.looks
    await bench.drive(job)
    assert bench.provider.looks - looks <= 12
    assert "left" in (await bench.jobs.snapshot(await running(bench))).outlook


# --- cancelling ---


async def test_a_queued_job_is_cancelled_at_once_without_any_worker(bench: Bench) -> None:
    job = await bench.submit()
    assert (await bench.jobs.cancel(job.id)).state is State.CANCELLED
    await bench.let_pass(5)
    assert bench.provider.sent == []


async def test_a_cancel_while_the_picture_goes_up_stops_the_submit(bench: Bench) -> None:
    job = await bench.submit()
    upload = bench.provider.upload

    async def slow_upload(data: bytes, *, name: str) -> object:
        await bench.jobs.cancel(job.id)
        return await upload(data, name=name)

    bench.provider.upload = slow_upload  # type: ignore[method-assign, assignment]
    await bench.round()
    assert (await bench.job(job)).state is State.CANCELLED
    assert bench.provider.sent == []


async def test_a_cancel_during_the_post_is_honoured_as_soon_as_the_task_is_known(bench: Bench) -> None:
    job = await bench.submit()
    bench.provider.wait_s = 15
    bench.die_at = "after_accept"
    await bench.ledger.ask_cancel(job.id, "keep")
    [lease] = await bench.ledger.claim("w", states=(State.QUEUED,), only=None, limit=1, lease_s=30)
    assert lease.job.cancel == "keep"
    await bench.runner.handle(lease)
    assert (await bench.job(job)).state is State.CANCELLED


async def test_a_task_that_did_not_start_yet_is_cancelled_and_costs_nothing(bench: Bench) -> None:
    bench.provider.wait_s = 15
    job = await running(bench)
    await bench.jobs.cancel(job.id)
    done = await bench.drive(job)
    assert done.state is State.CANCELLED
    assert bench.provider.billed("a harbour") == []


async def test_a_running_task_cannot_be_cancelled_so_its_clip_is_kept_and_that_is_said(bench: Bench) -> None:
    job = await running(bench)
    await bench.jobs.cancel(job.id)
    await bench.round()
    now = await bench.job(job)
    assert now.state is State.RUNNING
    assert "too late" in str(now.note)
    done = await bench.drive(job)
    assert done.state is State.SUCCEEDED
    assert [warning for warning in (await bench.jobs.result(done)).warnings if "too late" in warning]


async def test_a_running_task_may_be_abandoned_and_its_cost_is_counted(bench: Bench) -> None:
    job = await running(bench)
    await bench.jobs.cancel(job.id, abandon=True)
    done = await bench.drive(job)
    assert (done.state, done.cost_cny) == (State.CANCELLED, done.estimate_cny)


async def test_a_cancel_that_gets_no_answer_is_asked_again(bench: Bench) -> None:
    bench.provider.wait_s = 15
    job = await running(bench)
    bench.provider.cancels = [ProviderUnavailable("503"), Throttled("429")]
    await bench.jobs.cancel(job.id)
    assert (await bench.drive(job)).state is State.CANCELLED
    assert len(bench.provider.tasks) == 1
