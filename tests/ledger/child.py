"""One process of several on the same ledger: `python -m tests.ledger.child`.

It says "ready"; then each line `[WHAT, URL, WORKER]` is work to do, answered with what came of it as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.ledger.conftest import attempt_of, new_job
from tests.ledger.steps import ACCOUNT

from wanvideo.clock import FakeClock, SystemClock
from wanvideo.contract.job import Event, JobId, State
from wanvideo.ledger.sql import SqlLedger
from wanvideo.ledger.timekeeping import ProcessTime
from wanvideo.ports import Budget, Ending, Lease, Once

SLOTS = 3
PER_S = 7
TURNS = 20


async def claim(ledger: SqlLedger, worker: str) -> list[str]:
    """Everything it can get, two at a time."""
    taken: list[str] = []
    while leases := await ledger.claim(worker, states=(State.QUEUED,), only=None, limit=2, lease_s=60):
        taken += [lease.job.id for lease in leases]
        await asyncio.sleep(0)
    return taken


async def submit(ledger: SqlLedger, worker: str) -> dict[str, Any]:
    """Attempts for the queue until it is empty, and the most that it ever saw at the provider at once."""
    clock, done, most = SystemClock(), list[str](), 0
    while await ledger.jobs(limit=1, states=(State.QUEUED,)):
        leases = await ledger.claim_queued(
            worker, provider="dashscope", account=ACCOUNT, slots=SLOTS, only=None, limit=2, lease_s=60
        )
        for lease in leases:
            changes = {"state": State.SUBMITTING, "attempt": 1}
            opened = await ledger.open_attempt(lease, attempt_of(lease, clock), changes, slots=SLOTS)
            assert isinstance(opened, Lease), "whoever was given a job was given a place"
            most = max(most, len(await ledger.jobs(limit=99, states=(State.SUBMITTING,))))
            await ledger.close_attempt(opened, Ending(Event.REFUSED), {"state": State.FAILED}, release_in_s=0)
            done.append(lease.job.id)
        await asyncio.sleep(0.001)
    return {"done": done, "most": most}


async def spend(ledger: SqlLedger, worker: str) -> list[str]:
    """One yuan at a time, each process for an account of its own, until the budget of ten is used up."""
    clock = FakeClock()
    budget, spent = Budget(Decimal(10), clock.now()), list[str]()
    for number in range(10):
        job = await ledger.add_job(new_job(id=JobId(f"j_{worker}_{number}"), cache_key=f"{worker}{number}"))
        [lease] = await ledger.claim(worker, states=(State.QUEUED,), only=[job.id], limit=1, lease_s=60)
        attempt = replace(attempt_of(lease, clock), reserved_cny=Decimal(1))
        changes = {"state": State.SUBMITTING, "attempt": 1, "account": worker}
        opened = await ledger.open_attempt(lease, attempt, changes, slots=99, budget=budget)
        spent += [job.id] if isinstance(opened, Lease) else []
    return spent


async def turns(ledger: SqlLedger, worker: str) -> list[float]:
    """When each of its turns comes. Its clock stands still, so that the instants are exact."""
    return [await ledger.take_turn("gate", per_s=PER_S) for _ in range(TURNS)]


async def add(ledger: SqlLedger, worker: str) -> list[list[str]]:
    """The jobs it got for requests that the others send too, with and without a key."""
    same, keyed = list[str](), list[str]()
    for number in range(10):
        new = new_job(id=JobId(f"j_{worker}_{number}"), cache_key=f"same {number}")
        same.append((await ledger.add_job(new)).id)
        other = new_job(id=JobId(f"j_{worker}_k{number}"), cache_key=f"{worker} {number}")
        keyed.append((await ledger.add_job(other, Once("ann", f"key {number}", "h" * 64))).id)
    return [same, keyed]


WORK: dict[str, Callable[[SqlLedger, str], Awaitable[Any]]] = {
    work.__name__: work for work in (claim, submit, spend, turns, add)
}


async def work(what: str, url: str, worker: str) -> Any:
    time = ProcessTime(FakeClock()) if what == "turns" else None
    ledger = await SqlLedger.open(url, SystemClock(), time=time)
    try:
        return await WORK[what](ledger, worker)
    finally:
        await ledger.close()


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(asyncio.run(work(*json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
