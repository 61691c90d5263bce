"""One create for one approved attempt, whatever the provider answers, or does not."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.fakes.bench import Bench, FakeKill
from tests.fakes.provider import RATIONED

from wanvideo.contract.job import Event, State
from wanvideo.errors import CredentialsRejected, ProviderUnavailable
from wanvideo.jobs.failpoints import NAMES
from wanvideo.jobs.machine import OPEN
from wanvideo.jobs.policy import MAX_UNDELIVERED
from wanvideo.jobs.submit import submit
from wanvideo.ports import Pace


async def test_a_job_is_sent_once_made_and_stored(bench: Bench) -> None:
    done = await bench.drive(await bench.submit())
    assert done.state is State.SUCCEEDED
    assert len(bench.provider.sent) == 1
    assert done.result is not None
    assert bench.store.files[done.result["video_url"]] == bench.provider.data
    assert await bench.history(done.id) == ["created", "claim", "accepted", "provider_succeeded", "stored"]


async def test_the_result_says_what_was_measured_and_billed(bench: Bench) -> None:
    done = await bench.drive(await bench.submit(seed=7))
    result = await bench.jobs.result(done)
    assert (result.duration, result.fps, result.size, result.seed) == (2, 5, "240*240", 7)
    assert result.cost == {"cny": 0.6, "billed_s": 2, "basis": "usage"}
    assert result.task_id == done.task_id == "task-1"


async def test_the_attempt_is_on_disk_before_the_request_leaves(bench: Bench) -> None:
    job = await bench.submit()
    bench.die_at = "before_post"
    await bench.round()
    assert bench.provider.sent == []
    [attempt] = await bench.ledger.attempts(job.id)
    assert (attempt.number, attempt.outcome, attempt.body["input"]["prompt"]) == (1, None, "a harbour")
    assert (await bench.job(job)).state is State.SUBMITTING


@pytest.mark.parametrize(
    ("outcome", "state", "event"),
    [
        ("accept", State.RUNNING, Event.ACCEPTED),
        ("refuse", State.FAILED, Event.REFUSED),
        ("throttle", State.QUEUED, Event.THROTTLED),
        ("not_delivered", State.QUEUED, Event.NOT_DELIVERED),
        ("lost_with_task", State.UNCERTAIN, Event.LOST),
        ("lost_without_task", State.UNCERTAIN, Event.LOST),
        ("reset_with_task", State.UNCERTAIN, Event.LOST),
        ("the SDK breaks", State.UNCERTAIN, Event.LOST),
    ],
)
async def test_each_answer_leads_to_one_create_and_one_state(
    bench: Bench, outcome: str, state: State, event: Event
) -> None:
    job = await bench.submit()
    bench.provider.creates = [outcome]
    await bench.round()
    assert len(bench.provider.sent) == 1
    assert (await bench.job(job)).state is state
    [attempt] = await bench.ledger.attempts(job.id)
    assert attempt.outcome == event


@pytest.mark.parametrize(
    ("outcome", "settled_cny"),
    [
        ("accept", None),
        ("refuse", 0),
        ("throttle", 0),
        ("not_delivered", 0),
        ("refuse_parameter:fps", 0),
        ("lost_with_task", None),
        ("lost_without_task", None),
        ("the SDK breaks", None),
    ],
)
async def test_the_price_is_held_back_before_the_post_and_given_back_only_where_nothing_was_made(
    bench: Bench, outcome: str, settled_cny: int | None
) -> None:
    job = await bench.submit()
    bench.provider.creates = [outcome]
    await bench.round()
    [attempt] = await bench.ledger.attempts(job.id)
    assert attempt.reserved_cny == Decimal("0.6")
    assert attempt.settled_cny == settled_cny


async def test_the_attempt_costs_in_the_end_what_the_provider_billed(bench: Bench) -> None:
    bench.provider.billed_s = 3  # one second more than was estimated
    job = await bench.drive(await bench.submit())
    [attempt] = await bench.ledger.attempts(job.id)
    assert attempt.settled_cny == Decimal("0.9")
    assert job.cost_cny is not None
    assert Decimal(job.cost_cny) == Decimal("0.9")


async def test_a_throttled_create_shuts_the_gate_for_every_process(bench: Bench) -> None:
    bench.provider.pace = RATIONED
    bench.new_worker()
    other = bench.beside()
    bench.provider.creates = ["throttle"]
    first = await bench.submit(prompt="one")
    await bench.round()
    assert (await bench.job(first)).state is State.QUEUED
    asked_s = bench.clock.steady_s()
    await other.round()
    assert bench.clock.steady_s() - asked_s >= 2
    assert (await bench.job(first)).state is State.RUNNING
    assert len(bench.provider.sent) == 2


async def test_submits_leave_in_the_pace_that_the_account_allows(bench: Bench) -> None:
    bench.provider.pace = RATIONED
    bench.new_worker()
    for number in range(5):
        await bench.submit(prompt=f"clip {number}")
    await bench.round()
    times = [task.created_at for task in bench.provider.tasks.values()]
    apart_s = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(times)]
    assert apart_s == [pytest.approx(0.2, abs=1e-3)] * 4


async def test_a_refusal_ends_the_job_with_the_providers_own_words(bench: Bench) -> None:
    bench.provider.creates = ["refuse"]
    job = await bench.drive(await bench.submit())
    assert job.state is State.FAILED
    assert job.error is not None
    assert job.error["code"] == "content_rejected"
    assert job.error["provider_code"] == "DataInspectionFailed"
    assert job.error["job_id"] == job.id


async def test_a_request_that_never_left_is_sent_again_with_growing_pauses(bench: Bench) -> None:
    job = await bench.submit()
    bench.provider.creates = ["not_delivered"] * 3
    started_s = bench.clock.steady_s()
    await bench.drive(job, State.RUNNING)
    assert len(bench.provider.sent) == 4
    assert bench.clock.steady_s() - started_s >= 1 + 2 + 4


async def test_after_eight_undelivered_requests_the_job_fails_and_nothing_was_billed(bench: Bench) -> None:
    bench.provider.creates = ["not_delivered"] * 20
    job = await bench.drive(await bench.submit())
    assert job.state is State.FAILED
    assert job.error is not None
    assert job.error["code"] == "not_delivered"
    assert len(bench.provider.sent) == MAX_UNDELIVERED == 8


async def test_a_throttled_create_waits_longer_each_time_and_then_works(bench: Bench) -> None:
    job = await bench.submit()
    bench.provider.creates = ["throttle"] * 12  # more often than an undelivered one may fail
    assert (await bench.drive(job, State.RUNNING)).state is State.RUNNING
    assert len(bench.provider.sent) == 13


async def test_a_missing_slot_is_waited_for_without_sending(bench: Bench) -> None:
    bench.provider.pace = Pace(20, 15, 10, slots=1)
    first = await bench.submit(prompt="one")
    await bench.drive(first, State.RUNNING)
    second = await bench.submit(prompt="two")
    await bench.let_pass(3)
    waiting = await bench.job(second)
    assert waiting.state is State.QUEUED
    assert waiting.note == "waits for one of 1 places at the provider"
    assert len(bench.provider.sent) == 1
    await bench.drive(first)
    assert (await bench.drive(second)).state is State.SUCCEEDED


async def test_an_uncertain_submit_keeps_its_slot(bench: Bench) -> None:
    """It may run at the provider; another one on top could go over the account's limit."""
    bench.provider.pace = Pace(20, 15, 10, slots=1)
    bench.provider.creates = ["lost_with_task"]
    bench.provider.lists = [ProviderUnavailable("503")] * 3
    await bench.submit(prompt="one")
    await bench.submit(prompt="two")
    await bench.let_pass(2)
    assert len(bench.provider.sent) == 1


async def test_slots_belong_to_the_account_that_is_billed(bench: Bench) -> None:
    """A job that was queued under another key counts against the key it is sent with."""
    bench.provider.pace = Pace(20, 15, 10, slots=1)
    bench.provider.key = "old-key"
    waiting = await bench.submit(prompt="queued under the old key")
    bench.provider.key = "new-key"
    running = await bench.submit(prompt="fills the new key's slot")
    [lease] = await bench.ledger.claim(bench.worker.name, states=OPEN, only=[running.id], limit=1, lease_s=30)
    await bench.runner.handle(lease)
    await bench.let_pass(2)
    assert (await bench.job(waiting)).state is State.QUEUED
    assert len(bench.provider.sent) == 1


# --- before the POST ---


async def test_the_picture_goes_up_once_for_all_jobs_that_use_it(bench: Bench) -> None:
    await bench.submit(prompt="one")
    await bench.submit(prompt="two")
    await bench.round()
    assert len(bench.provider.uploaded) == 1
    assert len(bench.provider.sent) == 2


async def test_an_upload_is_used_again_only_while_it_is_valid_for_another_hour(bench: Bench) -> None:
    await bench.drive(await bench.submit())
    await bench.clock.advance(46.9 * 3600)
    await bench.drive(await bench.submit(), State.RUNNING)
    assert len(bench.provider.uploaded) == 1
    await bench.clock.advance(0.2 * 3600)
    await bench.submit()
    await bench.round()
    assert len(bench.provider.uploaded) == 2


async def test_trouble_with_the_upload_is_tried_again_and_sends_nothing(bench: Bench) -> None:
    bench.provider.uploads = [ProviderUnavailable("503"), ProviderUnavailable("503")]
    job = await bench.submit()
    await bench.round()
    assert (await bench.job(job)).note == "try 1 of 8, again in 1 s: 503"
    assert bench.provider.sent == []
    assert (await bench.drive(job)).state is State.SUCCEEDED
    assert len(bench.provider.sent) == 1


async def test_a_wrong_key_ends_the_job_before_anything_is_sent(bench: Bench) -> None:
    bench.provider.uploads = [CredentialsRejected("No.")]
    job = await bench.drive(await bench.submit())
    assert job.state is State.FAILED
    assert job.error is not None
    assert job.error["code"] == "credentials_rejected"
    assert bench.provider.sent == []


# --- fields that the vendor's page does not have ---


async def test_a_refused_extra_field_is_left_out_once_and_told(bench: Bench) -> None:
    bench.provider.creates = ["refuse_parameter:fps"]
    job = await bench.drive(await bench.submit())
    assert job.state is State.SUCCEEDED
    assert "fps" in bench.provider.sent[0]["parameters"]
    assert "fps" not in bench.provider.sent[1]["parameters"]
    assert len(bench.provider.sent) == 2
    assert job.result is not None
    assert [w for w in job.result["warnings"] if "parameter fps" in w]


async def test_later_jobs_leave_a_refused_field_out_from_the_start(bench: Bench) -> None:
    bench.provider.creates = ["refuse_parameter:fps"]
    await bench.drive(await bench.submit())
    await bench.drive(await bench.submit())
    assert len(bench.provider.sent) == 3
    assert "fps" not in bench.provider.sent[2]["parameters"]


async def test_jobs_that_were_out_together_each_get_their_second_try(bench: Bench) -> None:
    """The first refusal teaches the ledger; the second must not be read as "it was left out already"."""
    bench.provider.endings = ["refused:fps", "refused:fps"]
    first, second = await bench.submit(prompt="one"), await bench.submit(prompt="two")
    assert (await bench.drive(first)).state is State.SUCCEEDED
    assert (await bench.drive(second)).state is State.SUCCEEDED
    assert len(bench.provider.sent) == 4


async def test_a_field_that_is_refused_even_when_left_out_ends_the_job(bench: Bench) -> None:
    bench.provider.creates = ["refuse_parameter:fps", "refuse_parameter:fps"]
    job = await bench.drive(await bench.submit())
    assert job.state is State.FAILED
    assert len(bench.provider.sent) == 2


async def test_a_field_of_the_vendors_page_is_never_dropped(bench: Bench) -> None:
    bench.provider.creates = ["refuse_parameter:seed"]
    job = await bench.drive(await bench.submit())
    assert job.state is State.FAILED
    assert len(bench.provider.sent) == 1


# --- a worker that is stopped, or dies ---


async def test_a_worker_that_is_stopped_waits_for_the_answer_and_writes_it_down(bench: Bench) -> None:
    job = await bench.submit()
    bench.provider.creates = ["hang"]
    close, writing, go_on = bench.ledger.close_attempt, asyncio.Event(), asyncio.Event()

    async def slow_close(*given: Any, **named: Any) -> Any:
        writing.set()
        await go_on.wait()
        return await close(*given, **named)

    bench.ledger.close_attempt = slow_close  # type: ignore[method-assign]
    working = asyncio.create_task(bench.round())
    await bench.provider.posted.wait()
    await impatience(working)  # while the answer is out
    bench.provider.answer.set()
    await writing.wait()
    await impatience(working)  # and while it is being written down
    go_on.set()
    with contextlib.suppress(asyncio.CancelledError):
        await working
    now = await bench.job(job)
    assert (now.state, now.task_id) == (State.RUNNING, "task-1")
    assert (await bench.ledger.attempts(job.id))[0].outcome == "accepted"


@pytest.mark.parametrize(("slept_s", "sent"), [(14, 1), (16, 0)])
async def test_a_machine_that_slept_after_the_commit_does_not_send_what_others_may_take_for_lost(
    bench: Bench, slept_s: float, sent: int
) -> None:
    job = await bench.submit()

    def nap(name: str) -> None:
        if name == "before_post":
            bench.clock._step_to(bench.clock.steady_s() + slept_s)

    [lease] = await bench.runner.claim(None)
    await submit(replace(bench.shop, failpoint=nap), lease)
    assert len(bench.provider.sent) == sent
    done = await bench.drive(job)
    assert (done.state, len(bench.provider.sent)) == (State.SUCCEEDED, 1)
    assert [attempt.outcome for attempt in await bench.ledger.attempts(job.id)] == (
        ["accepted"] if sent else ["not_delivered", "accepted"]
    )


async def impatience(working: asyncio.Task[int]) -> None:
    """Ctrl-C, three times: it must go on all the same."""
    for _ in range(3):
        working.cancel()
        await asyncio.sleep(0.02)
    assert not working.done()


async def test_a_job_found_in_submitting_is_never_sent_again(bench: Bench) -> None:
    job = await bench.submit()
    bench.die_at = "after_post"  # the task exists, nobody wrote it down
    await bench.round()
    await bench.round()
    assert (await bench.job(job)).state is State.SUBMITTING  # the dead worker's lease still holds
    done = await bench.drive(job)
    assert done.state is State.SUCCEEDED
    assert len(bench.provider.sent) == 1
    assert len(bench.provider.tasks) == 1
    assert "lost" in await bench.history(job.id)


async def test_a_late_answer_is_kept_by_the_next_look(bench: Bench) -> None:
    """The lease was lost during the POST: the late worker may not write the job, but the id is a fact."""
    job = await bench.submit()
    bench.provider.creates = ["hang"]
    [late] = await bench.ledger.claim("late", states=OPEN, only=None, limit=1, lease_s=30)
    slow = asyncio.create_task(bench.runner.handle(late))
    await bench.provider.posted.wait()
    await bench.clock.advance(31)
    bench.new_worker()
    bench.provider.lists = [ProviderUnavailable("503")]
    await bench.round()
    assert (await bench.job(job)).state is State.UNCERTAIN
    bench.provider.answer.set()
    await slow
    assert (await bench.job(job)).state is State.UNCERTAIN  # the late worker wrote nothing to the job
    assert (await bench.ledger.attempts(job.id))[0].task_id == "task-1"
    done = await bench.drive(job)
    assert (done.state, done.task_id) == (State.SUCCEEDED, "task-1")
    assert len(bench.provider.sent) == 1


@pytest.mark.parametrize("moment", [name for name in NAMES if name not in ("during_conform", "after_source")])
async def test_a_worker_may_die_at_any_moment(bench: Bench, moment: str) -> None:
    job = await bench.submit()
    bench.die_at = moment
    done = await bench.drive(job)
    assert bench.kills == 1, "it never came by that moment"
    assert done.state is State.SUCCEEDED
    assert len(bench.provider.billed("a harbour")) == 1


@pytest.mark.parametrize("moment", ["during_conform", "after_source", "before_stored"])
async def test_a_worker_may_die_while_the_clip_is_conformed_and_put_in_place(
    bench: Bench, moment: str
) -> None:
    job = await bench.submit(fps=4)
    bench.die_at = moment
    assert (await bench.drive(job)).state is State.SUCCEEDED
    assert bench.kills == 1
    assert len(bench.provider.billed("a harbour")) == 1


async def test_a_kill_is_not_swallowed_by_the_runner(bench: Bench) -> None:
    await bench.submit()
    bench.die_at = "before_upload"
    [lease] = await bench.ledger.claim("w", states=OPEN, only=None, limit=1, lease_s=30)
    with pytest.raises(FakeKill):
        await bench.runner.handle(lease)
