"""What every face calls: ask, look, wait, cancel, retry."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.fakes.bench import Bench, asked

from wanvideo.contract.job import State
from wanvideo.errors import (
    ContentRejected,
    CostLimitExceeded,
    JobCancelled,
    JobConflict,
    JobNotFound,
    SettingsInvalid,
)
from wanvideo.jobs.intake import Asked
from wanvideo.ports import Account


async def test_asking_sends_nothing(bench: Bench) -> None:
    job = await bench.submit()
    assert job.state is State.QUEUED
    assert (bench.provider.sent, bench.provider.uploaded) == ([], [])


async def test_an_offer_shows_the_exact_body_and_cost_and_leaves_no_trace(bench: Bench) -> None:
    offer = await bench.jobs.offer(asked(), "dashscope")
    assert offer.cost.cny == Decimal("0.6")
    assert offer.body["parameters"]["seed"] == "(drawn when sent)"
    assert not offer.cached
    assert await bench.jobs.jobs(limit=10) == []
    assert bench.store.files == {}
    assert (bench.provider.sent, bench.provider.uploaded) == ([], [])


async def test_an_offer_says_that_an_earlier_clip_would_answer(bench: Bench) -> None:
    await bench.drive(await bench.submit())
    assert (await bench.jobs.offer(asked(), "dashscope")).cached


async def test_a_clip_above_the_limit_is_refused_before_anything_is_written(bench: Bench) -> None:
    with pytest.raises(CostLimitExceeded, match=r"¥0\.60; the limit is ¥0\.59"):
        await bench.jobs.submit(asked(), "dashscope", Asked(max_cost_cny=Decimal("0.59")))
    assert await bench.jobs.jobs(limit=10) == []
    taken = await bench.jobs.submit(asked(), "dashscope", Asked(max_cost_cny=Decimal("0.6")))
    assert taken.job.state is State.QUEUED


async def test_a_seed_is_drawn_when_none_is_given_and_kept(bench: Bench) -> None:
    job = await bench.submit()
    await bench.drive(job)
    assert bench.provider.sent[0]["parameters"]["seed"] == job.seed
    assert (await bench.submit(seed=0)).seed == 0


async def test_an_identical_request_gets_the_earlier_clip_and_costs_nothing(bench: Bench) -> None:
    first = await bench.drive(await bench.submit())
    taken = await bench.jobs.submit(asked(), "dashscope")
    assert taken.cached
    assert taken.job.id == first.id
    assert (await bench.jobs.result(taken.job, cached=True)).cached
    assert len(bench.provider.sent) == 1


async def test_a_clip_whose_file_is_gone_answers_nobody(bench: Bench) -> None:
    first = await bench.drive(await bench.submit())
    assert first.result is not None
    del bench.store.files[first.result["video_url"]]
    taken = await bench.jobs.submit(asked(), "dashscope")
    assert not taken.cached
    assert taken.job.id != first.id


@pytest.mark.parametrize("change", [{"prompt": "other"}, {"seed": 5}, {"fps": 4}, {"wan": {"audio": False}}])
async def test_another_request_gets_another_clip(bench: Bench, change: dict[str, object]) -> None:
    await bench.drive(await bench.submit())
    assert not (await bench.jobs.submit(asked(**change), "dashscope")).cached


async def test_a_failed_job_answers_nobody(bench: Bench) -> None:
    bench.provider.creates = ["refuse"]
    await bench.drive(await bench.submit())
    assert not (await bench.jobs.submit(asked(), "dashscope")).cached


async def test_a_provider_that_is_not_set_up_is_named(bench: Bench) -> None:
    with pytest.raises(SettingsInvalid, match="preview is not set up"):
        await bench.jobs.submit(asked(), "preview")


async def test_bytes_and_keys_in_links_are_not_kept_in_the_ledger(bench: Bench) -> None:
    job = await bench.submit(reference_image=b"\x89PNG")
    assert job.request["reference_image"] == "(4 bytes)"
    job = await bench.submit(reference_image="https://x.test/a.png?Signature=SIGNEDSECRET")
    assert job.request["reference_image"] == "https://x.test/a.png"
    job = await bench.submit(reference_image="data:image/png;base64,AAAA")
    assert "AAAA" not in job.request["reference_image"]


# --- looking ---


async def test_a_job_is_found_by_the_end_of_its_id(bench: Bench) -> None:
    job = await bench.submit()
    assert (await bench.jobs.job(job.id[-6:])).id == job.id


async def test_an_unknown_or_ambiguous_id_is_refused(bench: Bench) -> None:
    one, two = await bench.submit(), await bench.submit()
    with pytest.raises(JobNotFound, match="no job"):
        await bench.jobs.job("j_nothing")
    shared = one.id[:9]
    assert two.id.startswith(shared)
    with pytest.raises(JobNotFound, match="fits several jobs") as refusal:
        await bench.jobs.job(shared)
    assert one.id in refusal.value.hint
    with pytest.raises(JobNotFound):
        await bench.jobs.job("j_")


async def test_ids_sort_by_time(bench: Bench) -> None:
    first = await bench.submit()
    await bench.clock.advance(1)
    second = await bench.submit()
    assert first.id < second.id
    assert [job.id for job in await bench.jobs.jobs(limit=10)] == [second.id, first.id]


async def test_a_snapshot_tells_how_long_it_takes_and_stops_counting_at_the_end(bench: Bench) -> None:
    job = await bench.drive(await bench.submit(), State.RUNNING)
    assert (await bench.jobs.snapshot(job)).outlook == "usually about 20 s"
    done = await bench.drive(job)
    elapsed_s = (await bench.jobs.snapshot(done)).elapsed_s
    await bench.clock.advance(1000)
    assert (await bench.jobs.snapshot(done)).elapsed_s == elapsed_s
    assert (await bench.jobs.snapshot(done)).outlook == ""


async def test_following_ends_with_the_job(bench: Bench) -> None:
    done = await bench.drive(await bench.submit())
    assert [snapshot.job.state async for snapshot in bench.jobs.follow(done.id)] == [State.SUCCEEDED]


async def test_the_result_is_the_clip_or_the_error_never_something_between(bench: Bench) -> None:
    waiting = await bench.submit()
    with pytest.raises(JobConflict, match="still queued"):
        await bench.jobs.result(waiting)
    with pytest.raises(JobCancelled):
        await bench.jobs.result(await bench.jobs.cancel(waiting.id))
    bench.provider.creates = ["refuse"]
    failed = await bench.drive(await bench.submit())
    with pytest.raises(ContentRejected) as refusal:
        await bench.jobs.result(failed)
    assert (refusal.value.job_id, refusal.value.provider_code) == (failed.id, "DataInspectionFailed")


# --- changing ---


@pytest.mark.parametrize("how", ["succeeded", "failed", "cancelled"])
async def test_what_is_over_cannot_be_cancelled(bench: Bench, how: str) -> None:
    bench.provider.endings = [{"succeeded": "succeed"}.get(how, how)]
    done = await bench.drive(await bench.submit())
    assert done.state == how
    with pytest.raises(JobConflict, match=f"already {how}"):
        await bench.jobs.cancel(done.id)


async def test_an_uncertain_job_is_not_cancelled_but_resolved(bench: Bench) -> None:
    bench.provider.creates = ["lost_with_task"]
    job = await bench.drive(await bench.submit(), State.UNCERTAIN)
    with pytest.raises(JobConflict) as refusal:
        await bench.jobs.cancel(job.id)
    assert "--give-up" in refusal.value.hint


async def test_a_retry_makes_a_new_clip_under_the_same_job_and_keeps_its_history(bench: Bench) -> None:
    bench.provider.endings = ["failed"]
    failed = await bench.drive(await bench.submit())
    again = await bench.jobs.retry(failed.id)
    assert (again.id, again.state, again.error, again.task_id) == (failed.id, State.QUEUED, None, None)
    done = await bench.drive(again)
    assert (done.state, done.attempt, done.task_id) == (State.SUCCEEDED, 2, "task-2")
    assert [attempt.task_id for attempt in await bench.jobs.attempts(failed.id)] == ["task-1", "task-2"]
    history = await bench.history(failed.id)
    assert history.index("provider_failed") < history.index("retry") < history.index("stored")


async def test_a_retried_job_forgets_an_old_wish_to_cancel(bench: Bench) -> None:
    job = await bench.submit()
    await bench.jobs.cancel(job.id)
    await bench.jobs.retry(job.id)
    assert (await bench.drive(job)).state is State.SUCCEEDED


async def test_a_retry_gets_its_tries_back(bench: Bench) -> None:
    bench.provider.endings = ["trouble"] * 4
    job = await bench.drive(await bench.submit())
    assert job.state is State.FAILED
    await bench.jobs.retry(job.id)
    assert (await bench.drive(job)).state is State.SUCCEEDED


async def test_what_succeeded_or_still_runs_is_not_retried(bench: Bench) -> None:
    job = await bench.submit()
    with pytest.raises(JobConflict, match="queued cannot be retried"):
        await bench.jobs.retry(job.id)
    await bench.drive(job)
    with pytest.raises(JobConflict, match="succeeded cannot be retried"):
        await bench.jobs.retry(job.id)
    assert len(bench.provider.sent) == 1


async def test_a_job_sent_to_another_endpoint_is_not_driven_from_here(bench: Bench) -> None:
    job = await bench.drive(await bench.submit(), State.RUNNING)
    assert (await bench.jobs.reachable(job.id)).id == job.id
    moved = type(
        "Moved", (type(bench.provider),), {"account": Account("dashscope", "https://other.test", "k")}
    )
    bench.provider.__class__ = moved
    with pytest.raises(JobConflict, match=r"https://other\.test"):
        await bench.jobs.reachable(job.id)
