"""A whole engine on fakes: a real ledger file, a clock that jumps, and workers that can be killed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.fakes.clips import FPS, SECONDS, SIZE
from tests.fakes.provider import FakeProvider
from tests.fakes.store import FakeStore

from wanvideo.clock import FakeClock
from wanvideo.contract.job import Job, JobId, Picture, State
from wanvideo.contract.request import VideoRequest, parse_request
from wanvideo.jobs.accepting import Accepted, Given
from wanvideo.jobs.intake import Asked
from wanvideo.jobs.machine import FINAL, OPEN
from wanvideo.jobs.runner import Runner
from wanvideo.jobs.service import Jobs
from wanvideo.jobs.worker import Worker
from wanvideo.jobs.workshop import Rules, Workshop
from wanvideo.ledger.engine import sqlite_url
from wanvideo.ledger.sql import SqlLedger

LEASE_S = 30.0
DATA = b"a picture"
PICTURE = Picture("", sha256(DATA).hexdigest(), "b" * 64, "image/png", 240, 240)


class FakeKill(BaseException):
    """A process that dies on the spot: nothing catches it, nothing is cleaned up."""


class BenchClock(FakeClock):
    """While somebody works, a sleep moves time on by itself: who else should?"""

    _at_work = 0

    @contextmanager
    def moving(self) -> Iterator[None]:
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1

    async def sleep(self, delay_s: float) -> None:
        if self._at_work and delay_s > 0:
            await self.advance(delay_s)
        else:
            await super().sleep(delay_s)

    def _step_to(self, steady_s: float) -> None:
        super()._step_to(max(steady_s, self._steady_s))  # who was woken may have slept further


def asked(**fields: Any) -> VideoRequest:
    """A request for the smallest clip; the fake provider's clip conforms to it byte for byte."""
    small: dict[str, Any] = {
        "prompt": "a harbour",
        "duration": SECONDS,
        "fps": FPS,
        "size": SIZE,
        "reference_image": "harbour.png",
    }
    return parse_request(small | fields)


class Bench:
    """Drives jobs one round at a time, as the runner would, and jumps the clock between rounds.

    One bench is one process; `beside` gives another one on the same ledger, provider and disk.
    """

    _born = 0

    def __init__(self, folder: Path, ledger: SqlLedger, clock: Any) -> None:
        self.folder, self.ledger, self.clock = folder, ledger, clock
        self.provider, self.store = FakeProvider(clock), FakeStore()
        self.die_at: str | None = None
        self.kills = 0
        self.shop = Workshop(
            ledger=ledger,
            providers={"dashscope": self.provider},
            store=self.store,
            clock=clock,
            work_dir=folder / "work",
            rules=Rules(lease_s=LEASE_S),
            failpoint=self._failpoint,
        )
        self.new_worker()

    @classmethod
    async def open(cls, folder: Path) -> Bench:
        clock = BenchClock()
        return cls(folder, await SqlLedger.open(sqlite_url(folder / "ledger.db"), clock), clock)

    def beside(self) -> Bench:
        """Another process that shares the ledger, the account and the store."""
        other = Bench(self.folder, self.ledger, self.clock)
        other.provider, other.store = self.provider, self.store
        other.shop = replace(
            other.shop, providers=self.shop.providers, store=self.store, rules=self.shop.rules
        )
        other.new_worker()
        return other

    def new_worker(self) -> None:
        """Another process: what the former had in memory is gone."""
        Bench._born += 1
        self.worker = Worker("elsewhere", Bench._born, "0")
        gone: dict[str, Any] = {
            "finished": {},
            "empty_since_s": {},
            "parts": set(),
            "lanes": defaultdict(_lane),
        }
        self.shop = replace(self.shop, **gone)
        self.runner = Runner(self.shop, self.worker)
        self.runner.open_watches()
        self.jobs = Jobs(self.shop, self, self.worker.name, self.runner.wake)

    def _failpoint(self, name: str) -> None:
        if name == self.die_at:
            self.die_at = None
            self.kills += 1
            raise FakeKill(name)

    async def read(self, request: VideoRequest) -> Given:
        return Given(DATA, PICTURE.source_sha256)

    async def accept(self, given: Given, request: VideoRequest, provider: str) -> Accepted:
        return Accepted(PICTURE, DATA, ".png", ())

    async def submit(self, **fields: Any) -> Job:
        """`owner` and `priority` are how it is asked, all else is what is asked for."""
        owner, priority = fields.pop("owner", None), fields.pop("priority", 0)
        how = Asked(cache="off", owner=owner, priority=priority)
        taken = await self.jobs.submit(asked(**fields), "dashscope", how)
        assert not taken.cached
        return taken.job

    async def job(self, job: Job) -> Job:
        found = await self.ledger.job(job.id)
        assert found is not None
        return found

    def moving(self) -> AbstractContextManager[None]:
        """Meanwhile time moves on by itself whenever somebody sleeps."""
        return self.clock.moving() if isinstance(self.clock, BenchClock) else nullcontext()

    async def look(self) -> None:
        """Look after the tasks, as far as looks are due."""
        with self.moving():
            for watch in self.runner.watches:
                for _ in range(50):
                    if await watch.step() > 0:
                        break

    async def round(self) -> int:
        """Look after the tasks, then take up what is due, one by one. A killed worker leaves its leases."""
        taken = 0
        try:
            await self.look()
            with self.moving():
                for lease in await self.runner.claim(None):
                    taken += 1
                    await self.runner.handle(lease)
        except FakeKill:
            self.new_worker()  # the others of this round were in the hands of the dead worker too
        return taken

    async def next_s(self) -> float:
        """Seconds until there is something to do; who waits for a place waits for a task to end."""
        held = tuple(state for state in OPEN if state is not State.QUEUED)
        waits: list[float | None] = [await self.ledger.next_due_s(states=held, only=None)]
        waits += [await self.ledger.next_due_s(states=(State.QUEUED,), only=None) or None]
        waits += [await watch.prepare() for watch in self.runner.watches]
        return max(0.01, min((wait_s for wait_s in waits if wait_s is not None), default=30.0))

    async def drive(self, job: Job, *states: State, within_s: float = 600) -> Job:
        """Work until the job is in one of `states` (or over), jumping from one due time to the next."""
        until = self.clock.steady_s() + within_s
        wanted = states or tuple(FINAL)
        while True:
            await self.round()
            now = await self.job(job)
            if now.state in wanted:
                return now
            assert now.state not in FINAL, f"ended as {now.state}: {now.error}"
            wait_s = await self.next_s()
            if self.clock.steady_s() + wait_s > until:
                return now
            await self.clock.advance(wait_s)

    async def let_pass(self, seconds: float) -> None:
        """Work for a stretch of time."""
        until = self.clock.steady_s() + seconds
        while (left_s := until - self.clock.steady_s()) > 0:
            await self.round()
            await self.clock.advance(min(await self.next_s(), left_s))
        await self.round()

    async def history(self, job_id: JobId) -> list[str]:
        return [event.event for event in await self.ledger.events(job_id)]


def _lane() -> asyncio.Semaphore:
    return asyncio.Semaphore(2)
