"""What the ledger's tests do again and again."""

from __future__ import annotations

from typing import Any

from tests.ledger.conftest import attempt_of, new_job

from wanvideo.clock import FakeClock
from wanvideo.contract.job import Event, Job, JobId, State, TaskId
from wanvideo.jobs.machine import OPEN
from wanvideo.ports import Ending, Lease, Ledger

QUEUED = (State.QUEUED,)
ACCOUNT = "dashscope|https://x.test|key"


async def claim(ledger: Ledger, worker: str, *, limit: int = 1, lease_s: float = 30) -> list[Lease]:
    return await ledger.claim(worker, states=OPEN, only=None, limit=limit, lease_s=lease_s)


async def held(ledger: Ledger, worker: str = "w") -> Lease:
    await ledger.add_job(new_job())
    [lease] = await claim(ledger, worker)
    return lease


async def sent(ledger: Ledger, clock: FakeClock, lease: Lease, slots: int = 5) -> Lease:
    opened = await ledger.open_attempt(
        lease, attempt_of(lease, clock), {"state": State.SUBMITTING, "attempt": 1}, slots=slots
    )
    assert isinstance(opened, Lease)
    return opened


async def current(ledger: Ledger, job_id: JobId) -> Job:
    found = await ledger.job(job_id)
    assert found is not None
    return found


async def finished(ledger: Ledger, clock: FakeClock, latency_s: float, **changes: Any) -> Job:
    await ledger.add_job(new_job(**changes))
    [lease] = await claim(ledger, "w")
    done = {"state": State.SUCCEEDED, "latency_s": latency_s, "submitted_at": clock.now(), "result": {"a": 1}}
    written = await ledger.write(lease, done, release_in_s=0)
    assert written is not None
    await clock.advance(1)
    return written.job


async def running(ledger: Ledger, clock: FakeClock, task: str, **changes: Any) -> Job:
    """A job whose task runs at the provider; it is due in 100 s."""
    new = new_job(**changes)
    await ledger.add_job(new)
    [lease] = await ledger.claim("w", states=QUEUED, only=[new.id], limit=1, lease_s=30)
    opened = await sent(ledger, clock, lease, slots=1000)
    now = {"state": State.RUNNING, "task_id": TaskId(task), "submitted_at": clock.now()}
    ending = Ending(Event.ACCEPTED, TaskId(task))
    written = await ledger.close_attempt(opened, ending, now, release_in_s=100)
    assert written is not None
    return written.job


async def over(ledger: Ledger, state: State, **changes: Any) -> Lease:
    """The lease of a job that has ended, as a person who retries it holds it."""
    new = new_job(**changes)
    await ledger.add_job(new)
    [lease] = await ledger.claim("w", states=QUEUED, only=[new.id], limit=1, lease_s=30)
    await ledger.write(lease, {"state": state}, release_in_s=0)
    [ended] = await ledger.claim("w", states=(state,), only=[new.id], limit=1, lease_s=30, due=False)
    return ended
