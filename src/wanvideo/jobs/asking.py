"""One look of the watch: a task is fetched or a stretch of the task list read, and what that told is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Final

from wanvideo.contract.job import ENDED_AT_PROVIDER, JobId, TaskId
from wanvideo.contract.model_card import limit
from wanvideo.errors import Throttled
from wanvideo.jobs import turns
from wanvideo.jobs.looks import MOST_PAGES, Look, Looks
from wanvideo.jobs.sightings import Sightings
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import Provider, RunningTask, Sighting, TaskListing, TaskReport, TaskStatus

TELL_AFTER: Final = 3
"""After this many looks in a row that failed, whoever waits is told why."""
MISSING_S: Final = 30.0
"""A task this old that a whole list leaves out is fetched by itself from then on."""
_MOST_REPORTS: Final = 1000

Claims = dict[JobId, float]
"""When the tasks of a look were looked at before: they get that back if nothing is told of them."""


class Asking:
    """Sends the looks of one watch, and writes down what they told."""

    def __init__(self, shop: Workshop, provider: Provider, looks: Looks, ended: Callable[[], None]) -> None:
        self._shop = shop
        self._provider = provider
        self._looks = looks
        self._ended = ended
        self._sightings = Sightings(shop.ledger)
        self._failures: Counter[JobId] = Counter()  # in a row, at single tasks

    def follow(self, tasks: Sequence[RunningTask]) -> None:
        """These run now."""
        self._sightings.follow(tasks)
        for job_id in self._failures.keys() - {task.job_id for task in tasks}:
            del self._failures[job_id]

    async def send(self, look: Look, claims: Claims) -> None:
        """Takes out of `claims` what the answer told of. Raises: whatever the provider raises."""
        if look.is_list:
            await self._list(look, claims)
        else:
            await self._fetch(look.jobs[0], claims)

    async def failed(self, look: Look, claims: Claims, error: Exception, why: str, in_a_row: int) -> None:
        """Trouble instead of an answer. Who only makes trouble waits for its turn; who waits is told why."""
        if not look.is_list:
            [job_id] = look.jobs
            self._failures[job_id] += 1
            in_a_row = max(in_a_row, self._failures[job_id])
            if self._failures[job_id] >= TELL_AFTER and len(self._looks) > 1:
                claims.pop(job_id, None)
        elif not isinstance(error, Throttled):
            self._looks.list_failed(self._shop.clock.steady_s())
        if in_a_row >= TELL_AFTER:
            tasks = [task for task in map(self._looks.task, look.jobs) if task is not None]
            await self._tell([_untold(task, why) for task in tasks])

    async def _fetch(self, job_id: JobId, claims: Claims) -> None:
        task = self._looks.task(job_id)
        if task is None:
            return
        report = await self._provider.fetch(task.task_id)
        self._shop.failpoint("after_poll")
        seen = self._sighting(task, report.status, report.progress)
        if seen.ended:
            self._keep(task.task_id, report)
        await self._tell([seen])
        claims.pop(job_id, None)
        self._failures.pop(job_id, None)

    async def _list(self, look: Look, claims: Claims) -> None:
        """What the list shows is true; what a page of several leaves out says nothing yet."""
        since_at = datetime.fromtimestamp(look.first_s, UTC)
        until_at = datetime.fromtimestamp(look.last_s, UTC)
        untold = set(look.jobs)
        page_no, pages, lines = 0, 1, 0
        while page_no < min(pages, MOST_PAGES) and untold:
            page_no += 1
            if page_no > 1:
                await turns.take(self._shop, self._provider, turns.Lane.WATCH)
            page = await self._provider.list_page(since_at, until_at, page_no)
            self._shop.failpoint("after_poll")
            pages, lines = page.pages, page.total or len(page.tasks)
            for job_id in await self._tell_page(page.tasks):
                claims.pop(job_id, None)
                untold.discard(job_id)
        self._looks.listed(look, lines)
        if page_no >= pages:
            self._left_out(untold, claims)

    async def _tell_page(self, lines: Sequence[TaskListing]) -> list[JobId]:
        """Whatever the page shows of our tasks, asked for or not."""
        seen = []
        for line in lines:
            task = self._looks.of_task(line.task_id)
            if task is not None:
                self._looks.created(task.job_id, line.created_at.timestamp())
                seen.append(self._sighting(task, line.status))
        await self._tell(seen)
        told = [one.job_id for one in seen]
        self._looks.looked(told, self._shop.clock.steady_s())
        return told

    def _left_out(self, job_ids: Collection[JobId], claims: Claims) -> None:
        """A whole list does not show these: the young ones it will show later, the others are fetched."""
        now_s = self._shop.clock.steady_s()
        missing = [job_id for job_id in job_ids if self._looks.age_s(job_id, now_s) > MISSING_S]
        self._looks.alone(missing)
        for job_id in set(job_ids) - set(missing):
            claims.pop(job_id, None)

    def _sighting(self, task: RunningTask, status: TaskStatus, progress: float | None = None) -> Sighting:
        """UNKNOWN right after the creation means "not visible yet"; past 24 h it means forgotten."""
        age_s = self._shop.elapsed_s(task.submitted_at)
        if status is TaskStatus.UNKNOWN and age_s <= float(limit("task_ttl_s")):
            return _untold(task, "the provider does not show the task yet")
        ended = status.value in ENDED_AT_PROVIDER
        return Sighting(task.job_id, task.task_id, status, ended=ended, progress=progress)

    def _keep(self, task_id: TaskId, report: TaskReport) -> None:
        """The report with its live link, for the worker of this process that takes the job up."""
        if report.status is TaskStatus.SUCCEEDED and not report.video_url:
            return  # the worker asks for the link by itself
        finished = self._shop.finished
        finished[task_id] = report
        while len(finished) > _MOST_REPORTS:  # of jobs that other processes took up
            finished.pop(next(iter(finished)))

    async def _tell(self, seen: Sequence[Sighting]) -> None:
        over = [one.job_id for one in await self._sightings.tell(seen) if one.ended]
        self._looks.ended(over)
        if over:
            self._ended()


def _untold(task: RunningTask, why: str) -> Sighting:
    return Sighting(task.job_id, task.task_id, TaskStatus.UNKNOWN, ended=False, note=why)
