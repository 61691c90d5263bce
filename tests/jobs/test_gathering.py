"""A look asks no more than it needs, in its turn, keeps what it learned, and believes no list with a hole."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from tests.fakes.bench import Bench
from tests.fakes.provider import RATIONED
from tests.jobs.losing import fetches, held, idle, look, lost

from wanvideo.contract.job import State, TaskId
from wanvideo.errors import ProviderUnavailable, Throttled, WanvideoError
from wanvideo.ports import TaskPage, TaskStatus

FOG = "a mountain in the fog"


async def test_a_candidate_is_fetched_once_and_what_it_told_outlives_the_process(bench: Bench) -> None:
    bench.provider.stranger("a harbour")
    await bench.clock.advance(300)
    job = await lost(bench, "lost_without_task")
    for _ in range(4):
        await look(bench, job)
    bench.new_worker()
    now = await look(bench, job)
    assert fetches(bench, "task-1") == 1
    assert now.evidence["told"]["task-1"]["prompt"] == "a harbour"


async def test_of_a_stranger_no_more_than_the_id_is_kept(bench: Bench) -> None:
    bench.provider.stranger(FOG)
    await bench.clock.advance(300)
    job = await lost(bench, "lost_without_task")
    now = await look(bench, job)
    assert now.evidence["strangers"] == ["task-1"]
    assert FOG not in str(now.evidence)
    await look(bench, job)
    assert fetches(bench, "task-1") == 1


async def test_what_one_job_learned_the_others_need_not_ask(bench: Bench) -> None:
    """Many may be lost in the same moment, and each is a candidate for each."""
    jobs = [await bench.submit(prompt=f"{word} " * 9) for word in ("one", "two", "three")]
    bench.provider.creates = ["lost_with_task"] * 3
    await bench.round()
    await bench.clock.advance(21)
    seen = {job.id: await look(bench, job) for job in jobs[:1]}
    assert [fetches(bench, f"task-{n}") for n in (1, 2, 3)] == [1, 1, 1]
    seen |= {job.id: await look(bench, job) for job in jobs[1:]}
    assert [fetches(bench, f"task-{n}") for n in (1, 2, 3)] == [1, 1, 1]
    assert {now.state for now in seen.values()} == {State.RUNNING}


async def test_a_task_that_the_list_showed_once_does_not_vanish(bench: Bench) -> None:
    """The list lost it; taken at its word, it would prove that nothing was made."""
    job = await lost(bench, "lost_with_task", prompt="ours")
    rival = bench.provider.stranger("theirs")
    assert "2 tasks" in str((await bench.job(job)).note) or await look(bench, job)
    hidden = {task_id: bench.provider.tasks.pop(task_id) for task_id in (TaskId("task-1"), rival.id)}
    await idle(bench, 300)
    now = await bench.job(job)
    assert now.state is State.UNCERTAIN
    assert "no longer shows the task" in str(now.note)
    assert f"wanvideo jobs resolve {job.id}" in str(now.note)
    bench.provider.tasks |= hidden
    assert (await bench.drive(job)).task_id == "task-1"
    assert len(bench.provider.sent) == 1


async def test_a_task_that_is_answered_to_its_job_during_the_look_is_that_jobs(bench: Bench) -> None:
    """Who owns the listed tasks is read before which submits are open, so one of the two tells."""
    job = await lost(bench, "lost_without_task")
    lease = await held(bench, job)
    owner = await bench.submit(prompt="owner")
    await bench.round()
    assert (await bench.job(owner)).task_id == "task-1"

    async def a_moment_ago(task_ids: Sequence[TaskId]) -> set[TaskId]:
        return set()

    bench.ledger.known_tasks = a_moment_ago  # type: ignore[method-assign]
    await bench.runner.handle(lease)
    now = await bench.job(job)
    assert now.state is State.UNCERTAIN
    assert "lists no such task" in str(now.note)


@pytest.mark.parametrize("trouble", [ProviderUnavailable("503"), Throttled("429")], ids=["503", "429"])
async def test_a_candidate_that_cannot_be_asked_is_asked_again(bench: Bench, trouble: WanvideoError) -> None:
    bench.provider.stranger(FOG)
    await bench.clock.advance(2)
    bench.provider.stranger(FOG)
    await bench.clock.advance(300)
    job = await lost(bench, "lost_without_task")
    assert (await look(bench, job)).evidence["strangers"] == ["task-2", "task-1"]
    await bench.clock.advance(1)
    bench.provider.stranger(FOG)
    await bench.clock.advance(25)
    bench.provider.fetches = [trouble]
    now = await look(bench, job)
    assert now.note == f"looking for the task: {trouble.detail}"
    assert now.evidence["list_errors"] == 1
    now = await look(bench, job)
    assert now.evidence["strangers"] == ["task-2", "task-1", "task-3"]
    assert "list_errors" not in now.evidence


async def test_a_task_that_succeeded_by_the_list_and_not_by_its_own_word_is_waited_for(bench: Bench) -> None:
    bench.provider.stranger("a harbour")
    await bench.clock.advance(300)
    bench.provider.fetches = [TaskStatus.UNKNOWN, TaskStatus.RUNNING, TaskStatus.FAILED]
    job = await lost(bench, "lost_without_task")
    for _ in range(2):
        assert "task-1 of that moment still runs" in str((await look(bench, job)).note)
    assert "no such task" in str((await look(bench, job)).note)
    assert len(bench.provider.sent) == 1


async def test_each_question_takes_its_turn_and_a_429_slows_all_down(bench: Bench) -> None:
    bench.provider.pace = RATIONED
    for _ in range(6):
        bench.provider.stranger(FOG)
    await bench.clock.advance(300)
    job = await lost(bench, "lost_without_task")
    await look(bench, job)
    asked_s = [at_s for at_s, _ in bench.provider.queries]
    assert len(asked_s) == 7
    assert min(later - sooner for sooner, later in itertools.pairwise(asked_s)) > 0.06
    bench.provider.lists = [Throttled("429")]
    assert "429" in str((await look(bench, job)).note)
    told_s = bench.clock.steady_s()
    await look(bench, job)
    assert bench.provider.queries[-1][0] - told_s > 0.5


async def test_a_list_of_several_pages_to_which_tasks_are_added_between_them(bench: Bench) -> None:
    """A line that moves from one page to the next is neither lost nor counted twice."""
    bench.provider.list_page_size = 2
    for _ in range(3):
        bench.provider.stranger(FOG)
    await bench.clock.advance(300)
    job = await bench.submit()
    bench.provider.creates = ["lost_with_task"]
    honest = bench.provider.list_page

    async def busy(since_at: datetime, until_at: datetime, page_no: int) -> TaskPage:
        page = await honest(since_at, until_at, page_no)
        if page_no == 1 and len(bench.provider.tasks) < 7:
            bench.provider.stranger("a road at night")
        return page

    bench.provider.list_page = busy  # type: ignore[method-assign]
    done = await bench.drive(job)
    assert (done.state, done.task_id) == (State.SUCCEEDED, "task-4")
    assert len(bench.provider.sent) == 1


async def test_a_page_that_is_missing_is_a_hole(bench: Bench) -> None:
    bench.provider.list_page_size = 1
    bench.provider.stranger(FOG)
    bench.provider.stranger(FOG)
    await bench.clock.advance(300)
    honest, job = bench.provider.list_page, await bench.submit()
    bench.provider.creates = ["lost_without_task"]

    async def torn(since_at: datetime, until_at: datetime, page_no: int) -> TaskPage:
        page = await honest(since_at, until_at, page_no)
        return TaskPage((), page.pages, page.total) if page_no == 2 else page

    bench.provider.list_page = torn  # type: ignore[method-assign]
    await idle(bench, 200)
    now = await bench.job(job)
    assert (now.state, len(bench.provider.sent)) == (State.UNCERTAIN, 1)
    assert "broke off" in str(now.note)


async def test_the_order_of_the_list_means_nothing(bench: Bench) -> None:
    honest = bench.provider.list_page

    async def other_way_round(since_at: datetime, until_at: datetime, page_no: int) -> TaskPage:
        page = await honest(since_at, until_at, page_no)
        return TaskPage(page.tasks[::-1], page.pages, page.total)

    bench.provider.list_page = other_way_round  # type: ignore[method-assign]
    first, second = await bench.submit(seed=7), await bench.submit(seed=7)
    bench.provider.creates = ["lost_with_task", "lost_with_task"]
    done = [await bench.drive(job) for job in (first, second)]
    assert {job.state for job in done} == {State.SUCCEEDED}
    assert len(bench.provider.sent) == 2


async def test_after_a_long_sleep_the_list_is_asked_for_in_stretches(bench: Bench) -> None:
    """A process died last night: the clock may have been set since, so all the time since is in doubt."""
    job = await bench.submit()
    bench.die_at = "after_post"
    await bench.round()
    await bench.clock.advance(18 * 3600)
    asked: list[timedelta] = []
    honest = bench.provider.list_page

    async def noted(since_at: datetime, until_at: datetime, page_no: int) -> TaskPage:
        asked.append(until_at - since_at)
        return await honest(since_at, until_at, page_no)

    bench.provider.list_page = noted  # type: ignore[method-assign]
    done = await bench.drive(job)
    assert (done.task_id, len(bench.provider.sent)) == ("task-1", 1)
    assert sum(asked, timedelta()) > timedelta(hours=18)
    assert max(asked) <= timedelta(hours=12)
