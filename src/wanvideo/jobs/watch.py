"""Looks after the running tasks of one account, and says which have ended; a worker then takes them up.

Looking changes nothing about a job, so it needs no lease. Of all the processes that share an account one
holds the post and looks for all; if it dies another takes over. A provider on this machine is looked
after by each process for its own jobs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final

from wanvideo.contract.job import JobId
from wanvideo.errors import Throttled, WanvideoError
from wanvideo.jobs import turns
from wanvideo.jobs.asking import TELL_AFTER, Asking, Claims
from wanvideo.jobs.latency import curve
from wanvideo.jobs.looks import Look, Looks
from wanvideo.jobs.policy import LEARN_FROM, backoff_s
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import Provider

log = logging.getLogger("wanvideo.jobs")

POST_FOR_S: Final = 6.0
"""A watch that falls silent is replaced after this long; on the same machine sooner, when it has died."""
_READ_EVERY_S: Final = 0.25  # how often the ledger is asked what runs; less often when much does
_READ_PER_S: Final = 2000
_LEARN_EVERY_S: Final = 10.0
_IDLE_S: Final = 1.0  # while another process has the post, nothing runs, or the ledger cannot be asked
_LONGEST_IDLE_S: Final = 5.0
_BUSY: Final = 0.6  # of the queries: when more clips end a second, their links cannot all be fetched
_HANDS, _BUSY_HANDS = 1, 6  # looks that wait for a turn at once; workers have two (see turns)
_AWAY: Final = 16  # looks on their way at once


class Watch:
    """The watch of one provider in one process. `only` names the jobs to look after; None means all."""

    def __init__(
        self,
        shop: Workshop,
        provider: Provider,
        worker: str,
        ended: Callable[[], None],
        only: Callable[[], Collection[JobId] | None] = lambda: None,
    ) -> None:
        self._shop = shop
        self._provider = provider
        self._worker = worker
        self._only = only
        self._local = provider.pace.queries_per_s is None
        self._post = f"watch|{provider.account.name}"
        self._holds_post = False
        self.looks = Looks(every_s=provider.pace.look_every_s if self._local else None)
        self._asking = Asking(shop, provider, self.looks, ended)
        self._post_at_s = self._read_at_s = self._learn_at_s = self._quiet_until_s = -1.0
        self._was_read_at_s = -1.0
        self._errors = 0  # in a row
        self._ledger_errors, self._ledger_from_s = 0, -1.0  # in a row as well; not asked again before then
        self._waiting = 0
        self._away: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There may be a new task to look after. Where much runs the ledger is asked for all of it, so not
        each time.
        """
        soon_s = self._was_read_at_s + len(self.looks) / _READ_PER_S
        self._read_at_s = min(self._read_at_s, soon_s)
        self._wake.set()

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                self._wake.clear()
                wait_s = await self._prepared()
                if wait_s == 0:
                    self._waiting += 1
                    task = asyncio.create_task(self._one_look())
                    self._away.add(task)
                    task.add_done_callback(self._come_back)
                    continue
                await self._pause(max(min(wait_s, self._read_every_s()), 0.02))
        finally:
            for task in self._away:
                task.cancel()
            await asyncio.gather(*self._away, return_exceptions=True)
            await self._leave()

    def _come_back(self, task: asyncio.Task[None]) -> None:
        self._away.discard(task)
        self._wake.set()

    async def step(self) -> float:
        """One look, if one is due; else the seconds until then. For clocks that are moved by hand."""
        wait_s = await self._prepared()
        if wait_s == 0:
            self._waiting += 1
            await self._one_look()
        return wait_s

    def _has_a_hand(self) -> bool:
        """Whether one more look may be begun."""
        rate = self._provider.pace.queries_per_s
        busy = rate is not None and self.looks.ends_per_s > _BUSY * rate
        return self._waiting < (_BUSY_HANDS if busy else _HANDS) and len(self._away) < _AWAY

    async def _prepared(self) -> float:
        """As `prepare`; neither a ledger that cannot be asked nor a bug ends the looking."""
        if self._now_s() < self._ledger_from_s:
            return self._ledger_from_s - self._now_s()
        try:
            wait_s = await self.prepare()
        except WanvideoError as error:
            log.log(logging.INFO if self._ledger_errors else logging.WARNING, "the watch: %s", error.detail)
        except Exception:
            log.exception("the watch broke; it goes on")
        else:
            self._ledger_errors = 0
            return wait_s
        pause_s = backoff_s(self._ledger_errors, first_s=_IDLE_S, most_s=_LONGEST_IDLE_S)
        self._ledger_errors += 1
        self._ledger_from_s = self._now_s() + pause_s
        return pause_s

    async def prepare(self) -> float:
        """Take the post, learn what runs, and tell the seconds until a look is due (0: now)."""
        now_s = self._now_s()
        if not await self._at_post(now_s):
            self.looks.replace((), now_s, self._wall_s())
            return max(self._post_at_s - now_s, 0.0) or _IDLE_S
        if now_s >= self._read_at_s:
            self._was_read_at_s = now_s
            self._read_at_s = now_s + self._read_every_s()
            await self._read()
        if now_s >= self._learn_at_s or not self.looks.knows_all():
            self._learn_at_s = now_s + _LEARN_EVERY_S
            await self._learn()
        if not len(self.looks):
            return _IDLE_S
        if not self._has_a_hand():
            return self._read_every_s()  # a hand that becomes free wakes us
        return max(self.looks.wait_s(now_s), self._quiet_until_s - now_s)

    async def _at_post(self, now_s: float) -> bool:
        if self._local:
            return True
        if now_s >= self._post_at_s:
            self._holds_post = await self._shop.ledger.hold_post(self._post, self._worker, for_s=POST_FOR_S)
            self._post_at_s = now_s + (POST_FOR_S / 2 if self._holds_post else _IDLE_S)
        return self._holds_post

    # --- what runs, and how long it takes ---

    def _now_s(self) -> float:
        return self._shop.clock.steady_s()  # a wall clock that is set must not stop the looking

    def _wall_s(self) -> float:
        return self._shop.clock.now().timestamp()

    def _read_every_s(self) -> float:
        return _READ_EVERY_S + len(self.looks) / _READ_PER_S

    async def _read(self) -> None:
        only = self._only() if self._local else None
        chosen = None if only is None else list(only)
        tasks = (
            [] if chosen == [] else await self._shop.ledger.running(self._provider.account.name, only=chosen)
        )
        self.looks.replace(tasks, self._now_s(), self._wall_s())
        self._asking.follow(tasks)

    async def _learn(self) -> None:
        curves = {}
        for resolution, billed_s in self.looks.kinds():
            seen = await self._shop.ledger.latencies_s(
                self._provider.name, resolution, billed_s, limit=LEARN_FROM
            )
            curves[resolution, billed_s] = curve(seen, self._provider.pace)
        self.looks.learn(curves)

    # --- looking ---

    async def _one_look(self) -> None:
        """Wait for a turn, then ask for what is worth most at that moment."""
        look, claims = None, Claims()
        try:
            try:
                await turns.take(self._shop, self._provider, turns.Lane.WATCH)
            finally:
                self._waiting -= 1
                self._wake.set()
            now_s = self._now_s()
            look = self.looks.best(now_s)
            if look is None:
                return  # another look has told it meanwhile
            claims = self.looks.looked(look.jobs, now_s)
            await self._asking.send(look, claims)
            self._errors = 0
        except Exception as error:  # noqa: BLE001 - whatever it is, it is recorded, and the looking goes on
            await self._failed(look, claims, error)
        finally:
            self.looks.unlooked(claims)

    async def _failed(self, look: Look | None, claims: Claims, error: Exception) -> None:
        """Trouble instead of an answer: no look is begun for a while, and a 429 shuts the gate for all."""
        if look is None or not look.is_list or isinstance(error, Throttled):
            self._errors += 1  # without a list the tasks are fetched: that is no reason to wait
        pause_s = backoff_s(max(0, self._errors - 1), first_s=0.5, most_s=10.0)
        self._quiet_until_s = self._now_s() + pause_s
        if isinstance(error, WanvideoError):
            why = error.detail
            log.log(logging.WARNING if self._errors == TELL_AFTER else logging.INFO, "the watch: %s", why)
        else:
            why = f"internal error, trying again: {type(error).__name__}"
            log.error("the watch: a look broke; looking goes on", exc_info=error)
        with suppress(WanvideoError):  # the ledger itself may be the trouble
            await turns.told(self._shop, self._provider, error)
            if look is not None:
                await self._asking.failed(look, claims, error, why, self._errors)

    # --- waiting ---

    async def _pause(self, seconds: float) -> None:
        waking = asyncio.ensure_future(self._wake.wait())
        sleeping = asyncio.ensure_future(self._shop.clock.sleep(seconds))
        try:
            await asyncio.wait((waking, sleeping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()
            sleeping.cancel()

    async def _leave(self) -> None:
        if self._holds_post:
            try:
                await self._shop.ledger.leave_post(self._post, self._worker)
            except WanvideoError as error:
                log.info("the watch could not be handed over: %s", error.detail)
