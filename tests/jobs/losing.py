"""A submit that loses its answer on the bench."""

from __future__ import annotations

from typing import Any

from tests.fakes.bench import Bench

from wanvideo.contract.job import Job, State, TaskId
from wanvideo.ports import Lease


async def lost(bench: Bench, outcome: str, **fields: Any) -> Job:
    """A job whose submit was lost, as it stands after the first look at the list."""
    job = await bench.submit(**fields)
    bench.provider.creates = [outcome]
    await bench.round()
    now = await bench.job(job)
    assert now.state is State.UNCERTAIN
    return now


async def held(bench: Bench, job: Job) -> Lease:
    """The job in this worker's hand, due or not."""
    (lease,) = await bench.ledger.claim(
        bench.worker.name, states=(State.UNCERTAIN,), only=[job.id], limit=1, lease_s=30, due=False
    )
    return lease


async def look(bench: Bench, job: Job) -> Job:
    """One more look at the list, due or not."""
    with bench.moving():
        await bench.runner.handle(await held(bench, job))
    return await bench.job(job)


def fetches(bench: Bench, task_id: str) -> int:
    """How often a task was asked how it is."""
    return [asked for _, asked in bench.provider.queries].count(TaskId(task_id))


async def idle(bench: Bench, seconds: float) -> None:
    """Let time pass: where nothing runs, from one look at the list to the next."""
    until_s = bench.clock.steady_s() + seconds
    while (left_s := until_s - bench.clock.steady_s()) > 0:
        await bench.round()
        if await bench.ledger.jobs(limit=1, states=(State.QUEUED, State.RUNNING, State.STORING)):
            wait_s = await bench.next_s()
        else:
            due_s = await bench.ledger.next_due_s(states=(State.UNCERTAIN,), only=None)
            wait_s = left_s if due_s is None else max(0.01, due_s)
        await bench.clock.advance(min(wait_s, left_s))
    await bench.round()
