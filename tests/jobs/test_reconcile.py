"""A submit that was never answered is left only by proof."""

from __future__ import annotations

import asyncio

import pytest
from tests.fakes.bench import Bench

from wanvideo.contract.job import Job, State
from wanvideo.errors import JobConflict, ProviderUnavailable
from wanvideo.ports import Pace


async def lost(bench: Bench, outcome: str, **fields: object) -> Job:
    job = await bench.submit(**fields)
    bench.provider.creates = [outcome]
    await bench.round()
    now = await bench.job(job)
    assert now.state is State.UNCERTAIN
    return now


async def test_the_task_that_was_made_is_found_and_its_clip_stored(bench: Bench) -> None:
    job = await lost(bench, "lost_with_task")
    done = await bench.drive(job)
    assert (done.state, done.task_id) == (State.SUCCEEDED, "task-1")
    assert len(bench.provider.sent) == 1
    assert "found" in await bench.history(job.id)


async def test_it_is_sent_again_only_after_two_empty_lists_past_the_submits_reach(bench: Bench) -> None:
    """Thirty seconds apart, and the second not before the provider must have made the task, if ever."""
    job = await lost(bench, "lost_without_task")
    await bench.let_pass(70)
    assert len(bench.provider.sent) == 1
    assert (await bench.job(job)).state is State.UNCERTAIN
    assert bench.provider.list_looks >= 1
    await bench.let_pass(8)
    assert bench.provider.list_looks >= 2
    assert len(bench.provider.sent) == 2
    assert "proved_absent" in await bench.history(job.id)
    assert (await bench.drive(job)).state is State.SUCCEEDED


async def test_looking_more_often_does_not_prove_absence_sooner(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    for _ in range(5):
        await bench.clock.advance(5)
        leases = await bench.ledger.claim(
            bench.worker.name, states=(State.UNCERTAIN,), only=[job.id], limit=1, lease_s=30, due=False
        )
        await bench.runner.handle(leases[0])
    assert bench.provider.list_looks == 5
    assert (await bench.job(job)).state is State.UNCERTAIN


async def test_a_task_that_the_list_shows_late_is_still_found(bench: Bench) -> None:
    bench.provider.list_lag_s = 20
    job = await lost(bench, "lost_with_task")
    done = await bench.drive(job)
    assert done.state is State.SUCCEEDED
    assert len(bench.provider.sent) == 1


async def test_a_list_that_cannot_be_read_proves_nothing(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    bench.provider.lists = [ProviderUnavailable("503")] * 6
    await bench.let_pass(60)
    assert len(bench.provider.sent) == 1
    assert "503" in str((await bench.job(job)).note) or bench.provider.lists == []
    assert (await bench.drive(job)).state is State.SUCCEEDED


async def test_of_several_tasks_the_one_with_our_prompt_is_adopted_when_they_have_ended(bench: Bench) -> None:
    job = await lost(bench, "lost_with_task")
    bench.provider.stranger("a mountain in the fog")
    await bench.let_pass(5)
    waiting = await bench.job(job)
    assert waiting.state is State.UNCERTAIN
    assert "2 tasks of that moment still run" in str(waiting.note)
    done = await bench.drive(job)
    assert (done.state, done.task_id) == (State.SUCCEEDED, "task-1")
    assert len(bench.provider.sent) == 1


async def test_a_clip_of_the_same_words_a_few_minutes_away_is_no_proof_of_absence(bench: Bench) -> None:
    bench.provider.stranger("a harbour")
    await bench.clock.advance(300)
    job = await lost(bench, "lost_without_task")
    await bench.let_pass(400)
    waiting = await bench.job(job)
    assert waiting.state is State.UNCERTAIN
    assert "task-1" in str(waiting.note)
    assert f"wanvideo jobs resolve {job.id}" in str(waiting.note)
    assert len(bench.provider.sent) == 1


async def test_somebody_elses_clip_is_let_go_and_the_job_made_after_all(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    stranger = bench.provider.stranger("a mountain in the fog")
    done = await bench.drive(job)
    history = await bench.history(job.id)
    assert history.index("found") < history.index("let_go") < history.index("proved_absent")
    assert (done.state, done.task_id != stranger.id) == (State.SUCCEEDED, True)
    assert len(bench.provider.sent) == 2
    assert len(bench.provider.billed("a harbour")) == 1


async def test_a_clip_of_another_length_is_let_go_as_well(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task", duration=3)
    bench.provider.stranger("a harbour")  # the fake bills 2 s
    await bench.let_pass(90)
    assert "let_go" in await bench.history(job.id)


@pytest.mark.parametrize("ending", ["failed", "trouble", "cancelled", "refused:fps"])
async def test_a_failed_stranger_does_not_decide_over_our_job(bench: Bench, ending: str) -> None:
    """It was adopted before our own task showed up in the list; its failure says nothing about ours."""
    bench.provider.endings = [ending]
    bench.provider.stranger("another prompt")
    await bench.clock.advance(1.5)
    job = await bench.submit()
    bench.provider.creates = ["lost_with_task"]
    bench.provider.takes_s = 100
    bench.provider.list_lag_s = 1.2
    done = await bench.drive(job, within_s=1200)
    assert (done.state, done.task_id) == (State.SUCCEEDED, "task-2")
    assert len(bench.provider.sent) == 1
    assert "let_go" in await bench.history(job.id)
    assert await bench.ledger.quirks(bench.provider.account.endpoint) == frozenset()


async def test_a_task_that_is_being_answered_to_another_job_is_not_adopted(bench: Bench) -> None:
    """Two submits are out; one is lost without a task. Taking the other one's task would pay for it twice."""
    await bench.submit(prompt="slow")
    await bench.submit(prompt="quick")
    made = bench.provider.make_task
    created = asyncio.Event()

    async def slow_create(body: dict[str, object]) -> object:
        bench.provider.sent.append(dict(body))
        if body["input"]["prompt"] == "quick":  # type: ignore[index]
            raise ProviderUnavailable("502")
        task = made(dict(body))
        created.set()
        await bench.provider.answer.wait()
        return task.id

    bench.provider.create = slow_create  # type: ignore[method-assign, assignment]
    [first, second] = await bench.ledger.claim(
        bench.worker.name, states=(State.QUEUED,), only=None, limit=2, lease_s=3600
    )
    if first.job.request["prompt"] == "quick":
        first, second = second, first
    out = asyncio.create_task(bench.runner.handle(first))
    await created.wait()
    await bench.runner.handle(second)
    await bench.let_pass(5)
    assert (await bench.job(second.job)).state is State.UNCERTAIN
    assert (await bench.job(second.job)).task_id is None
    bench.provider.answer.set()
    await out
    assert (await bench.job(first.job)).task_id == "task-1"
    del bench.provider.create
    await bench.drive(first.job)
    assert (await bench.drive(second.job)).state is State.SUCCEEDED
    assert len(bench.provider.billed("slow")) == len(bench.provider.billed("quick")) == 1


async def test_of_two_lost_submits_and_one_task_the_prompt_tells_whose_it_is(bench: Bench) -> None:
    """The other is proved absent by two lists in which only a known task stands."""
    first, second = await bench.submit(prompt="one"), await bench.submit(prompt="two")
    bench.provider.creates = ["lost_with_task", "lost_without_task"]
    await bench.round()
    task = next(iter(bench.provider.tasks.values()))
    theirs, ours = (first, second) if task.body["input"]["prompt"] == "two" else (second, first)
    assert (await bench.drive(ours)).task_id == task.id
    assert (await bench.drive(theirs)).state is State.SUCCEEDED
    assert "proved_absent" in await bench.history(theirs.id)
    assert "proved_absent" not in await bench.history(ours.id)
    assert len(bench.provider.sent) == 3
    assert len(bench.provider.billed("one")) == len(bench.provider.billed("two")) == 1


async def test_past_the_reach_of_the_list_nothing_is_proved(bench: Bench) -> None:
    """The provider forgets tasks after 24 hours: an empty list two days later says nothing."""
    job = await bench.submit()
    bench.die_at = "after_post"
    await bench.round()
    await bench.clock.advance(2 * 86_400)
    await bench.let_pass(90)
    waiting = await bench.job(job)
    assert waiting.state is State.UNCERTAIN
    assert "wanvideo jobs resolve" in str(waiting.note)
    assert len(bench.provider.sent) == 1


# --- a person decides ---


async def test_a_person_adopts_a_task(bench: Bench) -> None:
    job = await lost(bench, "lost_with_task")
    bench.provider.stranger()
    await bench.let_pass(5)
    await bench.jobs.resolve(job.id, "adopt", "task-1")
    assert (await bench.drive(job)).task_id == "task-1"


async def test_a_person_cannot_adopt_a_task_of_another_job(bench: Bench) -> None:
    done = await bench.drive(await bench.submit(prompt="done"))
    job = await lost(bench, "lost_without_task")
    with pytest.raises(JobConflict, match="belongs to a job"):
        await bench.jobs.resolve(job.id, "adopt", done.task_id)


async def test_a_person_resubmits(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    await bench.jobs.resolve(job.id, "resubmit")
    assert (await bench.drive(job)).state is State.SUCCEEDED
    assert len(bench.provider.sent) == 2


async def test_a_person_gives_up_and_the_cost_is_counted(bench: Bench) -> None:
    job = await lost(bench, "lost_with_task")
    given_up = await bench.jobs.resolve(job.id, "give_up")
    assert given_up.state is State.FAILED
    assert given_up.error is not None
    assert given_up.error["code"] == "submit_uncertain"
    assert given_up.cost_cny == given_up.estimate_cny


async def test_only_an_uncertain_job_is_resolved(bench: Bench) -> None:
    job = await bench.submit()
    with pytest.raises(JobConflict):
        await bench.jobs.resolve(job.id, "give_up")


async def test_many_lost_submits_do_not_block_each_others_slots_for_ever(bench: Bench) -> None:
    bench.provider.pace = Pace(20, 15, 10, slots=2)
    first = await lost(bench, "lost_without_task", prompt="one")
    second = await bench.submit(prompt="two")
    assert (await bench.drive(second)).state is State.SUCCEEDED
    assert (await bench.drive(first)).state is State.SUCCEEDED


async def test_blanks_around_the_prompt_do_not_make_it_a_strangers(bench: Bench) -> None:
    job = await lost(bench, "lost_with_task", prompt=" a  harbour ")
    for task in bench.provider.tasks.values():  # the provider tidies the text it gives back
        task.body["input"]["prompt"] = "a harbour"
    assert (await bench.drive(job)).state is State.SUCCEEDED
    assert len(bench.provider.sent) == 1


async def test_another_key_proves_nothing(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    bench.provider.key = "key-2"
    await bench.let_pass(300)
    waiting = await bench.job(job)
    assert waiting.state is State.UNCERTAIN
    assert "key-1" in str(waiting.note)
    assert len(bench.provider.sent) == 1


async def test_a_second_lost_submit_of_a_job_waits_for_a_person(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    bench.provider.creates = ["lost_without_task"]
    await bench.let_pass(600)
    waiting = await bench.job(job)
    assert len(bench.provider.sent) == 2
    assert waiting.state is State.UNCERTAIN
    assert "once before" in str(waiting.note)


async def test_a_wrong_clock_proves_nothing(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    bench.provider.ahead_s = 3600.0
    await bench.let_pass(300)
    assert "clock" in str((await bench.job(job)).note)
    assert len(bench.provider.sent) == 1


async def test_a_link_in_the_prompt_does_not_make_the_task_a_strangers(bench: Bench) -> None:
    """The record of the attempt is redacted; the prompt that the provider gives back is not."""
    job = await lost(bench, "lost_with_task", prompt="as on https://x.test/a.png?Signature=abc, slowly")
    assert (await bench.drive(job)).state is State.SUCCEEDED
    assert len(bench.provider.sent) == 1
