"""Retrying: the history stays, and a refusal wants an answer."""

from __future__ import annotations

import pytest
from tests.fakes.bench import Bench, asked

from wanvideo.contract.job import Job, State
from wanvideo.errors import JobConflict, RequestInvalid
from wanvideo.jobs.intake import Asked


async def refused(bench: Bench) -> Job:
    bench.provider.creates = ["refuse"]
    job = await bench.submit(seed=3)
    return await bench.drive(job)


async def test_a_refused_request_is_not_sent_again_as_it_was(bench: Bench) -> None:
    job = await refused(bench)
    with pytest.raises(RequestInvalid, match="would be refused again") as told:
        await bench.jobs.retry(job.id)
    assert told.value.field == "prompt"
    assert "--set prompt=" in told.value.hint
    assert (await bench.job(job)).state is State.FAILED
    assert len(bench.provider.sent) == 1


async def test_it_is_when_a_person_says_so(bench: Bench) -> None:
    job = await refused(bench)
    again = await bench.jobs.retry(job.id, as_it_is=True)
    assert (await bench.drive(again)).state is State.SUCCEEDED
    assert len(bench.provider.sent) == 2


async def test_a_change_makes_another_request_under_the_same_job(bench: Bench) -> None:
    job = await refused(bench)
    again = await bench.jobs.retry(job.id, {"prompt": "a calm harbour", "wan": {"audio": False}})
    done = await bench.drive(again)
    assert (done.id, done.state, done.seed, done.attempt) == (job.id, State.SUCCEEDED, 3, 2)
    assert done.request["prompt"] == "a calm harbour"
    assert done.cache_key != job.cache_key
    assert done.picture == job.picture, "the picture is kept and not read again"
    prompts = [attempt.body["input"]["prompt"] for attempt in await bench.ledger.attempts(job.id)]
    assert prompts == ["a harbour", "a calm harbour"]
    assert "retry" in await bench.history(job.id)


async def test_a_change_is_held_to_the_contract_and_changes_nothing_when_it_breaks_it(bench: Bench) -> None:
    job = await refused(bench)
    for change in ({"prompt": ""}, {"duration": 99}, {"nonsense": 1}):
        with pytest.raises(RequestInvalid):
            await bench.jobs.retry(job.id, change)
    now = await bench.job(job)
    assert (now.state, now.request) == (State.FAILED, job.request)


async def test_another_size_needs_the_picture_again(bench: Bench) -> None:
    job = await refused(bench)
    with pytest.raises(RequestInvalid, match="cropped") as told:
        await bench.jobs.retry(job.id, {"size": "320*240"})
    assert told.value.field == "size"
    with_picture = {"size": "320*240", "reference_image": "other.png"}
    again = await bench.jobs.retry(job.id, with_picture)
    assert (again.state, again.request["size"]) == (State.QUEUED, "320*240")


async def test_a_retry_does_not_make_what_another_job_is_making(bench: Bench) -> None:

    bench.provider.endings = ["failed"]
    taken = await bench.jobs.submit(asked(), "dashscope", Asked())
    failed = await bench.drive(taken.job)
    other = (await bench.jobs.submit(asked(), "dashscope", Asked())).job
    assert other.id != failed.id
    with pytest.raises(JobConflict, match=other.id):
        await bench.jobs.retry(failed.id)
