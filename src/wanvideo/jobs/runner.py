"""Takes up due jobs under a lease and hands each to the step of its state."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from wanvideo.contract.job import JobId, State
from wanvideo.errors import SubmitUncertain, WanvideoError
from wanvideo.jobs.machine import OPEN
from wanvideo.jobs.poll import poll
from wanvideo.jobs.reconcile import reconcile
from wanvideo.jobs.storing import store
from wanvideo.jobs.submit import lost, submit, waits_for_a_place
from wanvideo.jobs.worker import Worker, dead
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import Lease

if TYPE_CHECKING:
    from wanvideo.jobs.watch import Watch

log = logging.getLogger("wanvideo.jobs")

Step = Callable[[Workshop, Lease], Coroutine[Any, Any, None]]


async def _died_submitting(shop: Workshop, lease: Lease) -> None:
    """A job found in `submitting`: its worker died around the POST. Never claimed for a second submit."""
    await lost(shop, lease, SubmitUncertain("The process that sent the submit died before the answer."))


STEPS: Final[Mapping[State, Step]] = {
    State.QUEUED: submit,
    State.SUBMITTING: _died_submitting,
    State.UNCERTAIN: reconcile,
    State.RUNNING: poll,
    State.STORING: store,
}

AT_ONCE: Final = 16
"""Jobs in hand at the same time, and submits besides: a free place must not wait for a download."""
_DEAD_LOOK_S: Final = 5.0
_TROUBLE_S: Final = 1.0
_TELL_QUEUE_S: Final = 5.0
_IN_HAND: Final = tuple(state for state in OPEN if state is not State.QUEUED)
_UNANSWERED: Final = (State.SUBMITTING, State.UNCERTAIN)


class Runner:
    """The loop of one process. Several, in several processes, share a ledger; leases keep them apart."""

    def __init__(self, shop: Workshop, worker: Worker) -> None:
        self._shop = shop
        self._worker = worker
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._submits: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._due_s: float | None = None  # when the next job in hand is due, by the latest claim
        self._only: Callable[[], Collection[JobId] | None] = lambda: None
        self._queue_told_s = -math.inf
        self.watches: list[Watch] = []

    def wake(self) -> None:
        """Look for due jobs now instead of at the next time."""
        self._queue_told_s = -math.inf
        self._wake.set()
        for watch in self.watches:
            watch.wake()

    def open_watches(self) -> None:
        """One for each provider."""
        from wanvideo.jobs.watch import (
            Watch,  # numpy, for its curves: only a process that drives jobs needs it
        )

        self.watches = [
            Watch(self._shop, provider, self._worker.name, self._wake.set, lambda: self._only())
            for provider in self._shop.providers.values()
        ]

    def stop(self) -> None:
        """Take up nothing new; `run` ends when what is in hand is done."""
        self._stopping = True
        self._wake.set()

    async def run(self, only: Callable[[], Collection[JobId] | None] = lambda: None) -> None:
        """Work until cancelled or stopped. `only` names the jobs to take up; None means all of them."""
        self._only = only
        self.open_watches()
        watching = [asyncio.create_task(watch.run()) for watch in self.watches]
        try:
            async with self._shop.ledger.listening(self.wake):
                await self._work(only)
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            await self._drain()

    async def _work(self, only: Callable[[], Collection[JobId] | None]) -> None:
        next_dead_s = 0.0
        while not (self._stopping and not self._tasks):
            try:
                if self._shop.clock.steady_s() >= next_dead_s:
                    await self._take_from_dead()
                    next_dead_s = self._shop.clock.steady_s() + _DEAD_LOOK_S
                await self._round(only())
            except WanvideoError as error:
                log.warning("%s Trying again.", error.detail)
                await self._shop.clock.sleep(_TROUBLE_S)
            except Exception:
                # A ledger may be locked or its disk full for a while; a loop that ended here would
                # leave everybody who waits for a job waiting for ever.
                log.exception("the ledger does not answer; trying again")
                await self._shop.clock.sleep(_TROUBLE_S)

    async def _round(self, only: Collection[JobId] | None) -> None:
        chosen = None if only is None else list(only)
        self._wake.clear()
        wait_s = self._shop.ledger.look_every_s
        if not self._stopping and chosen != []:
            leases = await self.claim(chosen)
            for lease in leases:
                self._take_up(lease)
            if not leases and self._due_s is not None and len(self._tasks - self._submits) < AT_ONCE:
                wait_s = min(max(self._due_s, 0.01), wait_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._wake.wait()

    async def claim(self, only: Sequence[JobId] | None) -> list[Lease]:
        """Jobs that are due, and queued ones for which there is a place. Reads first: most find none."""
        ledger, lease_s = self._shop.ledger, self._shop.rules.lease_s
        leases: list[Lease] = []
        free = AT_ONCE - len(self._tasks - self._submits)
        self._due_s = await ledger.next_due_s(states=_IN_HAND, only=only) if free > 0 else None
        if self._due_s == 0:
            leases += await ledger.claim(
                self._worker.name, states=_IN_HAND, only=only, limit=free, lease_s=lease_s
            )
        free = AT_ONCE - len(self._submits)
        if free > 0 and await ledger.next_due_s(states=(State.QUEUED,), only=only) == 0:
            queued = await self._claim_queued(only, free)
            if not queued:
                await self._tell_queue(only)
            if not queued and only is not None:
                # Submits that somebody left without an answer hold the places: what became of them?
                leases += await ledger.claim(
                    self._worker.name, states=_UNANSWERED, only=None, limit=free, lease_s=lease_s
                )
            leases += queued
        return leases

    async def _claim_queued(self, only: Sequence[JobId] | None, limit: int) -> list[Lease]:
        leases: list[Lease] = []
        for provider in self._shop.providers.values():
            leases += await self._shop.ledger.claim_queued(
                self._worker.name,
                provider=provider.name,
                account=provider.account.name,
                slots=provider.pace.slots,
                only=only,
                limit=limit - len(leases),
                lease_s=self._shop.rules.lease_s,
            )
            if len(leases) >= limit:
                break
        return leases

    async def _tell_queue(self, only: Sequence[JobId] | None) -> None:
        """Whoever waits for a place is told so; at once after a change here, else now and then."""
        now_s = self._shop.clock.steady_s()
        if now_s < self._queue_told_s + _TELL_QUEUE_S:
            return
        self._queue_told_s = now_s
        for provider in self._shop.providers.values():
            await self._shop.ledger.note_waiting(provider.name, waits_for_a_place(provider), only=only)

    def _take_up(self, lease: Lease) -> None:
        task = asyncio.create_task(self.handle(lease))
        self._tasks.add(task)
        if lease.job.state is State.QUEUED:
            self._submits.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._submits.discard(task)
        self._wake.set()

    async def _take_from_dead(self) -> None:
        """Free the jobs of killed processes of this machine at once, instead of when their leases end."""
        owners = await self._shop.ledger.lease_owners()
        gone = dead(owners - {self._worker.name}, self._worker)
        if gone:
            await self._shop.ledger.expire_leases(gone)

    async def handle(self, lease: Lease) -> None:
        """Take the step of the job's state. Nothing that goes wrong in it ends the loop."""
        try:
            await self._holding(lease, STEPS[lease.job.state](self._shop, lease))
        except asyncio.CancelledError:
            # Let others go on at once; but a job whose POST may be out keeps its lease and becomes `lost`.
            with contextlib.suppress(WanvideoError):
                now = await self._shop.ledger.job(lease.job.id)
                if now is not None and now.state is not State.SUBMITTING:
                    await self._shop.ledger.write(lease, {}, release_in_s=0)
            raise
        except (WanvideoError, OSError) as error:
            why = error.detail if isinstance(error, WanvideoError) else str(error)
            log.warning("%s: %s", lease.job.id, why)
            await self._note(lease, why, again_in_s=5)
        except Exception as error:
            # A bug must neither lose the job nor spin: it is recorded, and the job looked at again later.
            log.exception("%s: a step broke in state %s", lease.job.id, lease.job.state)
            await self._note(lease, f"internal error, trying again: {type(error).__name__}", again_in_s=30)

    async def _note(self, lease: Lease, why: str, *, again_in_s: float) -> None:
        with contextlib.suppress(WanvideoError):  # the ledger itself may be the trouble; the lease then ends
            await self._shop.ledger.write(lease, {"note": why}, release_in_s=again_in_s)

    async def _holding(self, lease: Lease, step: Coroutine[Any, Any, None]) -> None:
        """Run a step while renewing its lease; a lease that is lost stops the step."""
        working = asyncio.ensure_future(step)
        every_s = self._shop.rules.lease_s / 3
        try:
            while True:
                done, _ = await asyncio.wait([working], timeout=every_s)
                if done:
                    working.result()
                    return
                if not await self._renewed(lease):
                    log.warning("%s: the lease was lost; another worker goes on", lease.job.id)
                    return
        finally:
            if not working.done():
                working.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await working

    async def _renewed(self, lease: Lease) -> bool:
        """False when somebody else has the job. A ledger that cannot be asked takes nothing away."""
        try:
            return await self._shop.ledger.renew(lease, lease_s=self._shop.rules.lease_s)
        except WanvideoError as error:
            log.warning("%s: the lease could not be renewed: %s", lease.job.id, error.detail)
            return True

    async def _drain(self) -> None:
        """Stop what is in hand. A POST that is out is waited for: its answer is money."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
