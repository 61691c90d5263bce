"""Looks after the running tasks of one account, and says which have ended; a worker then takes them up.

Looking changes nothing about a job, so it needs no lease. Of all the processes that share an account one
holds the post and looks for all; if it dies another takes over. A provider on this machine is looked
after by each process for its own jobs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Final

from wanvideo.contract.job import ENDED_AT_PROVIDER, JobId, TaskId
from wanvideo.contract.model_card import limit
from wanvideo.errors import WanvideoError
from wanvideo.jobs import turns
from wanvideo.jobs.latency import curve
from wanvideo.jobs.looks import MOST_PAGES, Look, Looks
from wanvideo.jobs.policy import LEARN_FROM, backoff_s
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import Provider, Sighting, TaskListing, TaskReport, TaskStatus

log = logging.getLogger("wanvideo.jobs")

POST_FOR_S: Final = 6.0
"""A watch that falls silent is replaced after this long; on the same machine sooner, when it has died."""
_READ_EVERY_S: Final = 0.25  # how often the ledger is asked what runs; less often when much does
_READ_PER_S: Final = 5000
_LEARN_EVERY_S: Final = 10.0
_BUSY: Final = (
    0.6  # of the queries: when more clips than that end a second, their links cannot all be fetched
)
_HANDS, _BUSY_HANDS = 1, 6  # looks that wait for a turn at once; workers have two (see turns)
_AWAY: Final = 16  # looks on their way at once
_MISSING_S: Final = 30.0  # a task that no list has shown for so long is fetched


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
        self._ended = ended
        self._only = only
        self._local = provider.pace.queries_per_s is None
        self._post = f"watch|{provider.account.name}"
        self.looks = Looks(every_s=provider.pace.look_every_s if self._local else None)
        self._seen: dict[JobId, str] = {}
        self._post_until_s = self._read_at_s = self._learn_at_s = -1.0
        self._errors = 0
        self._waiting = 0
        self._away: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There may be a new task to look after."""
        self._read_at_s = -1.0
        self._wake.set()

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                self._wake.clear()
                try:
                    wait_s = await self.prepare()
                except WanvideoError as error:
                    log.warning("the watch: %s", error.detail)
                    wait_s = 1.0
                if wait_s == 0 and self._waiting < self._hands() and len(self._away) < _AWAY:
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
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the watch: a look broke", exc_info=error)  # a bug must not end the looking

    async def step(self) -> float:
        """One look, if one is due; else the seconds until then. For clocks that are moved by hand."""
        wait_s = await self.prepare()
        if wait_s == 0:
            self._waiting += 1
            await self._one_look()
        return wait_s

    def _hands(self) -> int:
        rate = self._provider.pace.queries_per_s
        busy = rate is not None and self.looks.ends_per_s > _BUSY * rate
        return _BUSY_HANDS if busy else _HANDS

    async def prepare(self) -> float:
        """Take the post, learn what runs, and tell the seconds until a look is due (0: now)."""
        now_s = self._shop.clock.steady_s()
        if not self._local and now_s >= self._post_until_s - POST_FOR_S / 2:
            if not await self._shop.ledger.hold_post(self._post, self._worker, for_s=POST_FOR_S):
                self.looks.replace(())
                return 1.0
            self._post_until_s = now_s + POST_FOR_S
        if now_s >= self._read_at_s:
            self._read_at_s = now_s + self._read_every_s()
            await self._read()
        if now_s >= self._learn_at_s or not self.looks.knows_all():
            self._learn_at_s = now_s + _LEARN_EVERY_S
            await self._learn()
        return self.looks.wait_s(self._now_s()) if len(self.looks) else 1.0

    # --- what runs, and how long it takes ---

    def _now_s(self) -> float:
        return self._shop.clock.now().timestamp()

    def _read_every_s(self) -> float:
        return _READ_EVERY_S + len(self.looks) / _READ_PER_S

    async def _read(self) -> None:
        only = self._only() if self._local else None
        chosen = None if only is None else list(only)
        tasks = (
            [] if chosen == [] else await self._shop.ledger.running(self._provider.account.name, only=chosen)
        )
        self.looks.replace(tasks)
        now = {task.job_id: task.seen_status or "" for task in tasks}
        self._seen = {job_id: self._seen.get(job_id, status) for job_id, status in now.items()}

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
            before = dict(self.looks.looked(look.jobs, now_s))
            try:
                told = await (self._list(look) if look.is_list else self._fetch(look.jobs[0]))
                for job_id in told:
                    before.pop(job_id, None)
            finally:
                self.looks.unlooked(before)
            self._errors = 0
        except WanvideoError as error:
            await turns.told(self._shop, self._provider, error)
            self._errors += 1
            log.log(logging.WARNING if self._errors == 3 else logging.INFO, "the watch: %s", error.detail)
            await self._pause(backoff_s(self._errors - 1, first_s=0.5, most_s=10.0))

    async def _fetch(self, job_id: JobId) -> Collection[JobId]:
        task = self.looks.task(job_id)
        if task is None:
            return ()
        report = await self._provider.fetch(task.task_id)
        self._shop.failpoint("after_poll")
        age_s = self._now_s() - task.submitted_at.timestamp()
        ended = report.status.value in ENDED_AT_PROVIDER and not _too_young(report.status, age_s)
        if ended:
            self._keep(task.task_id, report)
        await self._tell(
            [Sighting(job_id, task.task_id, report.status, ended=ended, progress=report.progress)]
        )
        return (job_id,)

    async def _list(self, look: Look) -> Collection[JobId]:
        """The tasks of one stretch of time. What the list shows is true; what it leaves out says nothing."""
        since_at = datetime.fromtimestamp(look.first_s, UTC)
        until_at = datetime.fromtimestamp(look.last_s, UTC)
        told: set[JobId] = set()
        page_no, pages, lines = 0, 1, 0
        while page_no < min(pages, MOST_PAGES) and not told.issuperset(look.jobs):
            page_no += 1
            if page_no > 1:
                await turns.take(self._shop, self._provider, turns.Lane.WATCH)
            page = await self._provider.list_page(since_at, until_at, page_no)
            self._shop.failpoint("after_poll")
            pages, lines = page.pages, page.total or len(page.tasks)
            told |= await self._tell_page(page.tasks)
        self.looks.listed(look, lines)
        if pages <= 1:
            self._fetch_unlisted(set(look.jobs) - told)
        return told

    async def _tell_page(self, lines: Sequence[TaskListing]) -> set[JobId]:
        """Whatever the page shows of our tasks, asked for or not."""
        seen = []
        for line in lines:
            task = self.looks.of_task(line.task_id)
            if task is not None:
                self.looks.created(task.job_id, line.created_at.timestamp())
                ended = line.status.value in ENDED_AT_PROVIDER
                seen.append(Sighting(task.job_id, task.task_id, line.status, ended=ended))
        now_s = self._now_s()
        self.looks.looked([one.job_id for one in seen], now_s)
        await self._tell(seen)
        return {one.job_id for one in seen}

    def _fetch_unlisted(self, job_ids: Collection[JobId]) -> None:
        now_s = self._now_s()
        for job_id in job_ids:
            task = self.looks.task(job_id)
            if task is not None and now_s - task.submitted_at.timestamp() > _MISSING_S:
                self.looks.alone(job_id)

    def _keep(self, task_id: TaskId, report: TaskReport) -> None:
        """The report with its live link, for the worker of this process that takes the job up."""
        if report.status is TaskStatus.SUCCEEDED and not report.video_url:
            return  # the worker asks for the link by itself
        finished = self._shop.finished
        finished[task_id] = report
        while len(finished) > 1000:  # jobs that other processes took up
            finished.pop(next(iter(finished)))

    async def _tell(self, seen: list[Sighting]) -> None:
        """Write down what is new in it."""
        news = [
            one
            for one in seen
            # UNKNOWN of a young task is no news: it is not visible yet
            if one.ended or (one.status is not TaskStatus.UNKNOWN and self._is_new(one))
        ]
        if not news:
            return
        await self._shop.ledger.sight(news)
        for one in news:
            self._seen[one.job_id] = one.status.value
        over = [one.job_id for one in news if one.ended]
        self.looks.ended(over)
        if over:
            self._ended()

    def _is_new(self, one: Sighting) -> bool:
        return one.progress is not None or self._seen.get(one.job_id) != one.status.value

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
        if not self._local and self._post_until_s > 0:
            try:
                await self._shop.ledger.leave_post(self._post, self._worker)
            except WanvideoError as error:
                log.info("the watch could not be handed over: %s", error.detail)


def _too_young(status: TaskStatus, age_s: float) -> bool:
    """UNKNOWN right after the creation means "not visible yet"; past 24 h it means forgotten."""
    return status is TaskStatus.UNKNOWN and age_s <= float(limit("task_ttl_s"))
