"""A submit that was never answered is left only by proof; no clip is paid for twice, or lost on the way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import pytest
from tests.fakes.bench import Bench
from tests.fakes.provider import RATIONED
from tests.jobs.losing import fetches, held, idle, look, lost

from wanvideo.contract.job import Job, State, TaskId
from wanvideo.errors import JobConflict, ProviderUnavailable
from wanvideo.jobs.reconcile import found

FOG = "a mountain in the fog"


async def lost_at_once(bench: Bench, outcomes: Sequence[str], *fields: dict[str, Any]) -> list[Job]:
    """Several jobs whose submits are lost in the same moment, in the order in which they were sent."""
    jobs = [await bench.submit(**each) for each in fields]
    bench.provider.creates = list(outcomes)
    await bench.round()
    lost_jobs = [await bench.job(job) for job in jobs]
    assert {job.state for job in lost_jobs} == {State.UNCERTAIN}
    attempts = {job.id: (await bench.ledger.attempts(job.id))[0].body for job in jobs}
    return sorted(lost_jobs, key=lambda job: bench.provider.sent.index(attempts[job.id]))


def task_of(bench: Bench, job: Job) -> str:
    """The task that was made with the job's prompt."""
    (task,) = [
        task.id
        for task in bench.provider.tasks.values()
        if task.body["input"]["prompt"] == job.request["prompt"]
    ]
    return task


# --- one lost submit ---


async def test_the_task_that_was_made_is_found_and_its_clip_stored(bench: Bench) -> None:
    job = await lost(bench, "lost_with_task")
    done = await bench.drive(job)
    assert (done.state, done.task_id) == (State.SUCCEEDED, "task-1")
    assert len(bench.provider.sent) == 1
    assert "found" in await bench.history(job.id)
    assert any("never answered" in warning for warning in done.warnings)


async def test_it_is_sent_again_only_after_two_empty_lists(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    await idle(bench, 70)
    assert len(bench.provider.sent) == 1
    assert "looking once more in 75 s" in str((await bench.job(job)).note)
    await bench.let_pass(8)
    assert (bench.provider.list_looks, len(bench.provider.sent)) == (2, 2)
    assert "proved_absent" in await bench.history(job.id)
    assert (await bench.drive(job)).state is State.SUCCEEDED


async def test_a_task_that_the_list_shows_late_is_still_found(bench: Bench) -> None:
    bench.provider.list_lag_s = 20
    job = await lost(bench, "lost_with_task")
    done = await bench.drive(job)
    assert done.state is State.SUCCEEDED
    assert len(bench.provider.sent) == 1


async def test_a_list_that_cannot_be_read_proves_nothing(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    bench.provider.lists = [ProviderUnavailable("503")] * 6
    await idle(bench, 60)
    now = await bench.job(job)
    assert len(bench.provider.sent) == 1
    assert now.note == f"looking for the task: 503 To decide yourself: `wanvideo jobs resolve {job.id}`"
    assert (await bench.drive(job)).state is State.SUCCEEDED


async def test_past_the_reach_of_the_list_nothing_is_proved(bench: Bench) -> None:
    """The provider forgets tasks after 24 hours: an empty list two days later says nothing."""
    job = await bench.submit()
    bench.die_at = "after_post"
    await bench.round()
    await bench.clock.advance(2 * 86_400)
    await idle(bench, 90)
    waiting = await bench.job(job)
    assert waiting.state is State.UNCERTAIN
    assert "wanvideo jobs resolve" in str(waiting.note)
    assert len(bench.provider.sent) == 1


async def test_another_key_proves_nothing(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    bench.provider.key = "key-2"
    await idle(bench, 300)
    waiting = await bench.job(job)
    assert waiting.state is State.UNCERTAIN
    assert "key-1" in str(waiting.note)
    assert len(bench.provider.sent) == 1


async def test_an_answer_that_came_to_a_worker_without_its_lease_is_taken(bench: Bench) -> None:
    """The process was frozen while it waited; what it wrote down at last is a fact."""
    job = await lost(bench, "lost_with_task")
    await bench.ledger.record_task(job.id, 1, TaskId("task-1"))
    bench.provider.lists = [ProviderUnavailable("not even asked")]
    now = await look(bench, job)
    assert (now.state, now.task_id, now.evidence) == (State.RUNNING, "task-1", {})
    assert bench.provider.list_looks == 0


# --- strangers in the list ---


async def test_of_several_tasks_the_one_with_our_prompt_is_adopted_when_they_have_ended(bench: Bench) -> None:
    job = await lost(bench, "lost_with_task")
    bench.provider.stranger(FOG)
    await bench.let_pass(5)
    waiting = await bench.job(job)
    assert waiting.state is State.UNCERTAIN
    assert "2 tasks of that moment still run" in str(waiting.note)
    done = await bench.drive(job)
    assert (done.state, done.task_id) == (State.SUCCEEDED, "task-1")
    assert len(bench.provider.sent) == 1
    assert fetches(bench, "task-2") == 1


async def test_somebody_elses_clip_is_let_go_and_the_job_made_after_all(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task")
    stranger = bench.provider.stranger(FOG)
    done = await bench.drive(job)
    history = await bench.history(job.id)
    assert history.index("found") < history.index("let_go") < history.index("proved_absent")
    assert (done.state, done.task_id != stranger.id) == (State.SUCCEEDED, True)
    assert len(bench.provider.sent) == 2
    assert len(bench.provider.billed("a harbour")) == 1


async def test_a_clip_of_another_length_is_let_go_and_not_taken_for_a_strangers(bench: Bench) -> None:
    """The words are ours: who knows why it is shorter."""
    job = await lost(bench, "lost_without_task", duration=3)
    bench.provider.stranger("a harbour")  # the fake bills 2 s
    await idle(bench, 300)
    assert "let_go" in await bench.history(job.id)
    waiting = await bench.job(job)
    assert (waiting.state, len(bench.provider.sent)) == (State.UNCERTAIN, 1)
    assert "task-1 (2 s instead of 3 s)" in str(waiting.note)


async def test_a_clip_of_nearly_our_words_is_neither_adopted_nor_taken_for_a_strangers(bench: Bench) -> None:
    job = await lost(bench, "lost_without_task", prompt="a harbour at dawn")
    bench.provider.stranger("a harbour at dawn!")
    await idle(bench, 300)
    waiting = await bench.job(job)
    assert (waiting.state, len(bench.provider.sent)) == (State.UNCERTAIN, 1)
    assert "task-1" in str(waiting.note)


async def test_a_clip_of_the_same_words_a_few_minutes_away_is_no_proof_of_absence(bench: Bench) -> None:
    bench.provider.stranger("a harbour")
    await bench.clock.advance(300)
    job = await lost(bench, "lost_without_task")
    await idle(bench, 400)
    waiting = await bench.job(job)
    assert waiting.state is State.UNCERTAIN
    assert "task-1" in str(waiting.note)
    assert f"wanvideo jobs resolve {job.id}" in str(waiting.note)
    assert len(bench.provider.sent) == 1


async def test_two_clips_of_our_words_and_moment_take_a_person(bench: Bench) -> None:
    job = await lost(bench, "lost_with_task")
    bench.provider.stranger("a harbour")
    await idle(bench, 200)
    waiting = await bench.job(job)
    assert (waiting.state, len(bench.provider.sent)) == (State.UNCERTAIN, 1)
    assert "2 tasks of the account could be this one: " in str(waiting.note)
    await bench.jobs.resolve(job.id, "adopt", "task-1")
    assert (await bench.drive(job)).task_id == "task-1"


@pytest.mark.parametrize("ending", ["failed", "trouble", "cancelled", "refused:fps"])
async def test_a_failed_stranger_does_not_decide_over_our_job(bench: Bench, ending: str) -> None:
    """It was adopted before our own task showed up in the list; its failure says nothing about ours."""
    bench.provider.endings = [ending]
    bench.provider.stranger(FOG)
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


async def test_a_task_that_never_ends_is_waited_for_less_and_less_often_and_then_not_at_all(
    bench: Bench,
) -> None:
    bench.provider.takes_s = 1e9
    bench.provider.stranger(FOG)
    bench.provider.takes_s = 20.0
    job = await lost(bench, "lost_with_task")
    await idle(bench, 60)
    assert (await bench.job(job)).state is State.UNCERTAIN, "it may have the same words"
    looks = bench.provider.list_looks
    await idle(bench, 600)
    assert bench.provider.list_looks - looks <= 30
    await bench.clock.advance(3.5 * 3600)
    done = await bench.drive(job)
    assert (done.state, done.task_id) == (State.SUCCEEDED, "task-2")


async def test_blanks_around_the_prompt_do_not_make_it_a_strangers(bench: Bench) -> None:
    job = await lost(bench, "lost_with_task", prompt=" a  harbour ")
    for task in bench.provider.tasks.values():  # the provider tidies the text it gives back
        task.body["input"]["prompt"] = "a harbour"
    assert (await bench.drive(job)).state is State.SUCCEEDED
    assert len(bench.provider.sent) == 1


async def test_a_link_in_the_prompt_does_not_make_the_task_a_strangers(bench: Bench) -> None:
    """The record of the attempt is redacted; the prompt that the provider gives back is not."""
    job = await lost(bench, "lost_with_task", prompt="as on https://x.test/a.png?Signature=abc, slowly")
    assert (await bench.drive(job)).state is State.SUCCEEDED
    assert len(bench.provider.sent) == 1


# --- several lost submits ---


async def test_several_of_different_prompts_each_find_their_own(bench: Bench) -> None:
    words = ["one", "two", FOG, "一只猫在墙上慢慢地走"]
    jobs = await lost_at_once(bench, ["lost_with_task"] * 4, *({"prompt": prompt} for prompt in words))
    bench.provider.stranger("a road at night")
    for job in jobs:
        done = await bench.drive(job)
        assert (done.state, done.task_id) == (State.SUCCEEDED, task_of(bench, job))
    assert len(bench.provider.sent) == 4


async def test_of_two_and_one_task_the_prompt_tells_whose_it_is_and_the_other_is_proved_absent(
    bench: Bench,
) -> None:
    """By two lists in which only a known task stands."""
    ours, theirs = await lost_at_once(
        bench, ["lost_with_task", "lost_without_task"], {"prompt": "one"}, {"prompt": "two"}
    )
    await bench.let_pass(10)
    assert {(await bench.job(job)).state for job in (ours, theirs)} == {State.UNCERTAIN}
    assert (await bench.drive(ours)).task_id == "task-1"
    assert (await bench.drive(theirs)).state is State.SUCCEEDED
    assert "proved_absent" in await bench.history(theirs.id)
    assert "proved_absent" not in await bench.history(ours.id)
    assert len(bench.provider.sent) == 3
    assert len(bench.provider.billed("one")) == len(bench.provider.billed("two")) == 1


@pytest.mark.parametrize("made", [0, 1, 2, 3])
async def test_several_of_the_same_body_are_served_in_order_and_the_rest_is_made_once(
    bench: Bench, made: int
) -> None:
    outcomes = ["lost_with_task"] * made + ["lost_without_task"] * (3 - made)
    jobs = await lost_at_once(bench, outcomes, *({"seed": 7} for _ in range(3)))
    bodies = {(await bench.ledger.attempts(job.id))[0].body_sha256 for job in jobs}
    assert len(bodies) == 1
    done = [await bench.drive(job, within_s=1200) for job in jobs]
    assert {job.state for job in done} == {State.SUCCEEDED}
    assert len({job.task_id for job in done}) == 3
    assert len(bench.provider.sent) == 6 - made
    assert len(bench.provider.billed("a harbour")) == 3


async def test_the_same_words_in_one_moment_take_a_person_who_is_told_of_all(bench: Bench) -> None:
    """Other seeds: each task may be either's, and nobody can tell."""
    first, second = await lost_at_once(bench, ["lost_with_task"] * 2, {"seed": 1}, {"seed": 2})
    await idle(bench, 200)
    for job, other in ((first, second), (second, first)):
        now = await bench.job(job)
        assert now.state is State.UNCERTAIN
        assert all(name in str(now.note) for name in ("task-1", "task-2", other.id))
        assert f"wanvideo jobs resolve {job.id}" in str(now.note)
    await bench.jobs.resolve(first.id, "adopt", "task-2")
    done = [await bench.drive(job) for job in (first, second)]
    assert [job.task_id for job in done] == ["task-2", "task-1"], "and the other finds what is left"
    assert len(bench.provider.sent) == 2


async def test_the_same_words_minutes_apart_are_told_apart_by_time(bench: Bench) -> None:
    """Both wait: the list is away for ten minutes."""
    bench.provider.lists = [ProviderUnavailable("away")] * 1000
    first = await lost(bench, "lost_with_task", seed=1)
    await idle(bench, 300)
    second = await lost(bench, "lost_with_task", seed=2)
    await idle(bench, 300)
    bench.provider.lists = []
    done = [await bench.drive(job) for job in (second, first)]
    assert [job.task_id for job in done] == ["task-2", "task-1"]
    assert len(bench.provider.sent) == 2


async def test_the_same_words_for_other_lengths_are_told_apart_by_what_was_billed(bench: Bench) -> None:
    honest = bench.provider.fetch

    async def billing(task_id: TaskId) -> Any:
        bench.provider.billed_s = 3 if task_id == "task-2" else 2
        return await honest(task_id)

    bench.provider.fetch = billing  # type: ignore[method-assign, assignment]
    first, second = await lost_at_once(bench, ["lost_with_task"] * 2, {"duration": 2}, {"duration": 3})
    short, long = sorted((first, second), key=lambda job: job.billed_s)
    if long is first:  # it was sent first
        short, long = long, short
        bench.provider.tasks = dict(reversed(bench.provider.tasks.items()))
    done = [await bench.drive(job, State.STORING, State.SUCCEEDED) for job in (short, long)]
    by_length = {job.billed_s: job.task_id for job in done}
    assert by_length == {2: "task-1", 3: "task-2"}
    assert len(bench.provider.sent) == 2


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
    waiting = await bench.job(second.job)
    assert (waiting.state, waiting.task_id) == (State.UNCERTAIN, None)
    assert f"the job {first.job.id} may own it, whose submit is still out" in str(waiting.note)
    bench.provider.answer.set()
    await out
    assert (await bench.job(first.job)).task_id == "task-1"
    del bench.provider.create
    await bench.drive(first.job)
    assert (await bench.drive(second.job)).state is State.SUCCEEDED
    assert len(bench.provider.billed("slow")) == len(bench.provider.billed("quick")) == 1


async def test_many_lost_submits_do_not_block_each_others_slots_for_ever(bench: Bench) -> None:
    bench.provider.pace = RATIONED
    first = await lost(bench, "lost_without_task", prompt="one")
    second = await bench.submit(prompt="two")
    assert (await bench.drive(second)).state is State.SUCCEEDED
    assert (await bench.drive(first)).state is State.SUCCEEDED


async def test_two_processes_that_share_a_ledger_never_tie_one_task_to_two_jobs(bench: Bench) -> None:
    other = bench.beside()
    jobs = await lost_at_once(bench, ["lost_with_task", "lost_with_task"], {"seed": 7}, {"seed": 7})
    await bench.clock.advance(21)
    leases = [await held(bench, jobs[0]), await held(other, jobs[1])]
    with bench.moving():
        await asyncio.gather(bench.runner.handle(leases[0]), other.runner.handle(leases[1]))
    done = [await bench.drive(job) for job in jobs]
    assert {job.task_id for job in done} == {"task-1", "task-2"}
    assert len(bench.provider.sent) == 2


async def test_whoever_comes_second_to_a_task_stays_uncertain(bench: Bench) -> None:
    """What was read before another process tied the task is no longer true when it is written."""
    job = await lost(bench, "lost_with_task")
    lease = await held(bench, job)
    winner = await bench.submit(prompt="winner")
    await bench.round()
    honest = bench.ledger.known_tasks

    async def too_early(task_ids: Sequence[TaskId]) -> set[TaskId]:
        known = await honest(task_ids)
        return known - {TaskId("task-2")}

    bench.ledger.known_tasks = too_early  # type: ignore[method-assign]
    assert (await bench.job(winner)).task_id == "task-2"
    with pytest.raises(Exception, match=r"(?i)unique|belongs"):
        await found(bench.shop, lease, TaskId("task-2"), adopted=True)
    now = await bench.job(job)
    assert (now.state, now.task_id) == (State.UNCERTAIN, None)
    del bench.ledger.known_tasks
    with pytest.raises(JobConflict, match="belongs to a job"):
        await found(bench.shop, lease, TaskId("task-2"), adopted=True)
    await bench.clock.advance(31)
    assert (await bench.drive(job)).task_id == "task-1"


async def test_a_conflict_is_noted_and_looked_at_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer came late, and names a task that a person gave to another job."""
    job = await lost(bench, "lost_without_task")
    owner = await bench.drive(await bench.submit(prompt="owner"), State.RUNNING)
    refused = JobConflict("The task task-1 belongs to another job already.")

    async def taken(*args: Any, **more: Any) -> Any:
        raise refused

    await bench.ledger.record_task(job.id, 1, TaskId(str(owner.task_id)))
    bench.ledger.close_attempt = taken  # type: ignore[method-assign]
    with caplog.at_level(logging.WARNING):
        now = await look(bench, job)
    assert (now.state, caplog.records) == (State.UNCERTAIN, [])
    assert now.note == f"{refused.detail} Looking again; to decide yourself: `wanvideo jobs resolve {job.id}`"


# --- a person decides ---


async def test_a_person_adopts_a_task(bench: Bench) -> None:
    job = await lost(bench, "lost_with_task")
    bench.provider.stranger()
    await bench.let_pass(5)
    await bench.jobs.resolve(job.id, "adopt", "task-1")
    assert (await bench.drive(job)).task_id == "task-1"


async def test_a_task_that_a_person_names_may_differ_a_little(bench: Bench) -> None:
    """That is why a person was asked. But other words are a slip of the pen."""
    job = await lost(bench, "lost_with_task", prompt="a harbour at dawn")
    for task in bench.provider.tasks.values():
        task.body["input"]["prompt"] = "A harbour, at dawn"
    bench.provider.stranger(FOG)
    await idle(bench, 100)
    assert (await bench.job(job)).state is State.UNCERTAIN
    await bench.jobs.resolve(job.id, "adopt", "task-2")
    await bench.let_pass(10)
    assert (await bench.history(job.id))[-2:] == ["found", "let_go"]
    await bench.jobs.resolve(job.id, "adopt", "task-1")
    done = await bench.drive(job)
    assert (done.state, done.task_id) == (State.SUCCEEDED, "task-1")
    assert len(bench.provider.sent) == 1


async def test_a_task_that_a_person_gave_to_the_wrong_job_finds_the_right_one(bench: Bench) -> None:
    """Until its end tells whose it is, it counts as nobody's, so that nothing is sent again meanwhile."""
    ours, theirs = await lost_at_once(
        bench, ["lost_with_task", "lost_without_task"], {"prompt": "one"}, {"prompt": "two"}
    )
    bench.provider.tasks[TaskId("task-1")].takes_s = 200
    await bench.jobs.resolve(theirs.id, "adopt", "task-1")
    await idle(bench, 150)
    waiting = await bench.job(ours)
    assert (waiting.state, len(bench.provider.sent)) == (State.UNCERTAIN, 2)
    assert "task-1" in str(waiting.note)
    assert (await bench.drive(ours)).task_id == "task-1"
    assert (await bench.drive(theirs)).state is State.SUCCEEDED
    assert len(bench.provider.billed("one")) == len(bench.provider.billed("two")) == 1


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
