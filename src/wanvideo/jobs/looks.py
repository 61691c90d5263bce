"""Which task to ask about next, and when: pure arithmetic over all running tasks of an account.

Not looking at a task costs lag, by its curve; a request costs its price. A look is due when the lag to be
expected of the tasks that it covers has grown to that price. One page of the task list covers the tasks
that were created side by side, so it is asked for as soon as it is worth more than a single fetch.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from wanvideo.contract.job import JobId, TaskId
from wanvideo.jobs.latency import LOOKS_PER_CLIP, Curve, Floats
from wanvideo.jobs.policy import backoff_s
from wanvideo.ports import RunningTask

Kind = tuple[str, int]
"""Resolution and billed seconds: clips of one kind take alike."""

LIST_WORTH: Final = 1.6
"""A list tells only that a task has ended, and a fetch must follow; it has to be worth that much more."""
PAGE: Final = 95
"""Lines that a page is expected to have room for; it holds 100."""
LEAST_PAGE: Final = 8
MOST_PAGES: Final = 4
SEVERAL_EVERY_S: Final = 1.0
FIRST_DOUBT_S: Final = 8.0
LEAST_DOUBT_S: Final = 0.05
"""How far the provider's time of creation may lie from ours, before any was seen, and at least."""
LONGEST_UNSEEN_S: Final = 600.0
"""However rarely a look is worth it: so often every task is looked at."""
_NOTHING: Final = 0.05  # of the mean lag: not worth a line on the page
_CLOSE_S: Final = 0.001
_LONGEST_WAIT_S: Final = 30.0
_SHORTEST_WAIT_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Look:
    """One request: a fetch of the only job, or a page of the list over these creation times (epoch).

    The list's filter knows whole seconds, and means the whole of its last one.
    """

    jobs: tuple[JobId, ...]
    first_s: float
    last_s: float
    lines: int = 0  # that the list is expected to have there

    @property
    def is_list(self) -> bool:
        return len(self.jobs) > 1


class Looks:
    """The running tasks, by the time of their creation (epoch), with when each was last looked at.

    Every `now_s` is that of a steady clock.
    """

    def __init__(self, *, every_s: float | None = None) -> None:
        """`every_s`: each task is fetched that often, whatever its curve; for looks that cost nothing."""
        self._every_s = every_s
        self._curves: dict[Kind, Curve] = {}
        self._tasks: dict[JobId, RunningTask] = {}
        self._born_s: dict[JobId, float] = {}
        self._looked_s: dict[JobId, float] = {}
        self._created_s: dict[JobId, float] = {}
        self._slack_s: dict[JobId, float] = {}  # 0 once the provider has told the time of creation
        self._offset_s, self._doubt_s = 0.0, FIRST_DOUBT_S
        self._offsets_s: deque[float] = deque(maxlen=21)
        self._gone_s: list[float] = []  # tasks that have ended stay on the list
        self._alone: set[JobId] = set()
        self._crowd = 1.0
        self._list_failures, self._lists_from_s = 0, -math.inf
        self._jobs: dict[TaskId, JobId] = {}
        self._arrange()

    def __len__(self) -> int:
        return len(self._tasks)

    # --- what is known ---

    def kinds(self) -> set[Kind]:
        return {(task.resolution, task.billed_s) for task in self._tasks.values()}

    def knows_all(self) -> bool:
        """Whether there is a curve for every kind that runs."""
        return self.kinds() <= self._curves.keys()

    def learn(self, curves: Mapping[Kind, Curve]) -> None:
        self._curves.update(curves)
        self._arrange()

    def replace(self, tasks: Iterable[RunningTask], now_s: float, wall_s: float) -> None:
        """The tasks that run now. What was seen of those that stay is kept.

        Their age by the wall clock is taken once: after that it may be set as anybody likes.
        """
        now = {task.job_id: task for task in tasks}
        if {task.task_id: job_id for job_id, task in now.items()} == self._jobs:
            return
        for job_id, task in list(self._tasks.items()):
            if job_id not in now or now[job_id].task_id != task.task_id:
                self._forget(job_id)
        for job_id, task in now.items():
            if job_id not in self._tasks:
                submitted_s = task.submitted_at.timestamp()
                self._born_s[job_id] = self._looked_s[job_id] = now_s - max(0.0, wall_s - submitted_s)
                self._created_s[job_id] = submitted_s + self._offset_s
        self._tasks = now
        self._arrange()

    def task(self, job_id: JobId) -> RunningTask | None:
        return self._tasks.get(job_id)

    def of_task(self, task_id: TaskId) -> RunningTask | None:
        return self._tasks.get(self._jobs.get(task_id, JobId("")))

    def age_s(self, job_id: JobId, now_s: float) -> float:
        return now_s - self._born_s.get(job_id, now_s)

    def looked(self, job_ids: Collection[JobId], now_s: float) -> dict[JobId, float]:
        """These are being asked about at `now_s`. Returns when they were last: for `unlooked`."""
        before = {job_id: self._looked_s[job_id] for job_id in job_ids if job_id in self._tasks}
        self._set_looked(dict.fromkeys(before, now_s))
        return before

    def unlooked(self, before: Mapping[JobId, float]) -> None:
        """The look told nothing about these."""
        self._set_looked({job_id: at_s for job_id, at_s in before.items() if job_id in self._tasks})

    def _set_looked(self, at_s: Mapping[JobId, float]) -> None:
        self._looked_s.update(at_s)
        for job_id, looked_s in at_s.items():
            self._last[self._index[job_id]] = looked_s

    def created(self, job_id: JobId, at_s: float) -> None:
        """The provider's own word on when it made the task; it tells how far off our own time is as well."""
        if job_id in self._slack_s:
            return
        offset_s = at_s - self._tasks[job_id].submitted_at.timestamp()
        self._offsets_s.append(offset_s)
        self._offset_s = float(np.median(self._offsets_s))
        strayed_s = float(np.median(np.abs(np.asarray(self._offsets_s) - self._offset_s)))
        self._doubt_s = max(3 * strayed_s, LEAST_DOUBT_S)
        self._created_s[job_id], self._slack_s[job_id] = at_s, 0.0

    def ended(self, job_ids: Collection[JobId]) -> None:
        if job_ids:
            for job_id in job_ids:
                self._forget(job_id)
            self._arrange()

    def alone(self, job_ids: Collection[JobId]) -> None:
        """The list does not show these: they are fetched from now on."""
        if job_ids:
            self._alone.update(self._tasks.keys() & job_ids)
            self._arrange()

    def list_failed(self, now_s: float) -> None:
        """For a while, longer each time, every task is fetched by itself."""
        self._lists_from_s = now_s + backoff_s(self._list_failures, first_s=2.0, most_s=300.0)
        self._list_failures += 1

    def listed(self, look: Look, lines: int) -> None:
        """How many lines there really were.

        More than expected: other programs' tasks are there as well, or some that ended before this process
        looked. Then fewer of ours go on a page.
        """
        self._list_failures = 0
        if look.lines >= LEAST_PAGE:
            self._crowd = max(1.0, 0.9 * self._crowd + 0.1 * lines / look.lines)

    # --- what to do ---

    def best(self, now_s: float) -> Look | None:
        """The request that is worth most now; None when none is worth its price yet."""
        if not self._tasks:
            return None
        if self._every_s is not None:
            oldest = int(np.argmin(self._last))
            due = now_s - self._last[oldest] >= self._every_s - _CLOSE_S
            return Look((self._order[oldest],), 0.0, 0.0) if due else None
        lag_s = self._lag_s(now_s)
        single = int(np.argmax(lag_s))
        start, stop, worth = self._stretch(lag_s)
        if worth <= LIST_WORTH * lag_s[single] or now_s < self._lists_from_s:
            start, stop, worth = single, single + 1, float(lag_s[single])
        if worth < self._price_s:
            return None
        return Look(
            tuple(self._order[start:stop]),
            float(self._from_s[start]),
            float(self._to_s[stop - 1]),
            int(self._lines_to[stop - 1] - self._lines_before[start]),
        )

    def wait_s(self, now_s: float) -> float:
        """Seconds until a look will be worth its price."""
        if self.best(now_s) is not None:
            return 0.0
        if self._every_s is not None and self._tasks:
            return float(self._last.min()) + self._every_s - now_s
        low_s, high_s = 0.0, 0.25
        while high_s < _LONGEST_WAIT_S and self.best(now_s + high_s) is None:
            low_s, high_s = high_s, high_s * 2
        while high_s - low_s > max(_SHORTEST_WAIT_S, high_s * 0.02):
            middle_s = (low_s + high_s) / 2
            if self.best(now_s + middle_s) is None:
                low_s = middle_s
            else:
                high_s = middle_s
        return min(high_s, _LONGEST_WAIT_S)

    # --- inside ---

    def _forget(self, job_id: JobId) -> None:
        if self._tasks.pop(job_id, None) is not None:
            self._gone_s.append(self._created_s[job_id])
        self._born_s.pop(job_id, None)
        self._looked_s.pop(job_id, None)
        self._created_s.pop(job_id, None)
        self._slack_s.pop(job_id, None)
        self._alone.discard(job_id)

    def _arrange(self) -> None:
        """Arrays in the order of creation; tasks of one moment lie side by side, as on a page.

        `_lines_before` and `_lines_to` count the lines of the list up to a task's second and to its end,
        with those of tasks that have ended: so many lines a window from one task to another would show.
        """
        self._order = sorted(self._tasks, key=self._created_s.__getitem__)
        created_s = np.asarray([self._created_s[job_id] for job_id in self._order])
        oldest_s = created_s[0] if len(created_s) else np.inf
        self._gone_s = [at_s for at_s in self._gone_s if at_s >= oldest_s]
        slack_s = np.asarray([self._slack_s.get(job_id, self._doubt_s) for job_id in self._order])
        self._from_s = np.minimum.accumulate((created_s - slack_s)[::-1])[::-1]
        self._to_s = np.maximum.accumulate(created_s + slack_s)
        likely_s = np.minimum(slack_s, 1.0)  # before a list has told, as if it had
        listed_s = np.sort(np.concatenate([created_s, self._gone_s]))
        self._lines_before = np.searchsorted(listed_s, np.floor(created_s - likely_s))
        self._lines_to = np.searchsorted(listed_s, np.floor(created_s + likely_s) + 1)
        self._jobs = {task.task_id: job_id for job_id, task in self._tasks.items()}
        self._index = {job_id: index for index, job_id in enumerate(self._order)}
        tasks = [self._tasks[job_id] for job_id in self._order]
        self._born = np.asarray([self._born_s[job_id] for job_id in self._order])
        self._last = np.asarray([self._looked_s[job_id] for job_id in self._order])
        self._listed = np.asarray([job_id not in self._alone for job_id in self._order], dtype=bool)
        kinds = [(task.resolution, task.billed_s) for task in tasks]
        self._members = {
            kind: np.flatnonzero([one == kind for one in kinds]) for kind in set(kinds) & self._curves.keys()
        }
        self.ends_per_s = sum(
            len(members) / self._curves[kind].mean_s for kind, members in self._members.items()
        )
        self._price_s = min((self._curves[kind].price_s for kind in self._members), default=np.inf)
        if len(tasks) > 1 and self.ends_per_s:
            # One list serves them all: the same number of requests a clip buys a smaller lag, and it is
            # looked at least once a second while something may end.
            same_s = 1 / (2 * LOOKS_PER_CLIP**2 * self.ends_per_s)
            self._price_s = min(self._price_s, same_s, self.ends_per_s * SEVERAL_EVERY_S**2 / 2)

    def _lag_s(self, now_s: float) -> Floats:
        lag_s = np.zeros(len(self._order))
        for kind, members in self._members.items():
            born = self._born[members]
            lag_s[members] = self._curves[kind].lag_s(self._last[members] - born, now_s - born)
        long_unseen = now_s - self._last >= LONGEST_UNSEEN_S
        return np.maximum(lag_s, np.where(long_unseen, self._price_s, 0.0))

    def _stretch(self, lag_s: Floats) -> tuple[int, int, float]:
        """The stretch of neighbours whose pages are worth most each: first, one past the last, the worth.

        Several pages pay where so many tasks were made within a second that one does not hold them.
        """
        found = (0, 0, 0.0)
        if len(lag_s) < 2:
            return found
        sums = np.concatenate([[0.0], np.cumsum(np.where(self._listed, lag_s, 0.0))])
        for pages in range(1, MOST_PAGES + 1):
            room = self._lines_before + PAGE * pages / self._crowd
            stops = np.searchsorted(self._lines_to, room, side="right")
            stops = np.maximum(stops, np.arange(len(lag_s)) + 1)
            worths = (sums[stops] - sums[:-1]) / pages
            start = int(np.argmax(worths))
            if worths[start] > found[2]:
                found = (start, int(stops[start]), float(worths[start]))
        # Without what was looked at just now or is too young, so that those do not fill the page: it shows
        # the newest first, and what was left over last time must come on it this time.
        start, stop, worth = found
        telling = np.flatnonzero(lag_s[start:stop] > _NOTHING * sums[-1] / len(lag_s))
        return (start + int(telling[0]), start + int(telling[-1]) + 1, worth) if len(telling) else (0, 0, 0.0)
