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
from wanvideo.jobs.latency import LOOKS_PER_CLIP, Curve
from wanvideo.jobs.policy import backoff_s
from wanvideo.jobs.timeline import Kind, Timeline
from wanvideo.ports import RunningTask

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
    """The running tasks, and when each is worth a look. Every `now_s` is that of a steady clock."""

    def __init__(self, *, every_s: float | None = None) -> None:
        """`every_s`: each task is fetched that often, whatever its curve; for looks that cost nothing."""
        self._every_s = every_s
        self._curves: dict[Kind, Curve] = {}
        self._tasks: dict[JobId, RunningTask] = {}
        self._jobs: dict[TaskId, JobId] = {}
        self._times = Timeline()
        self._offset_s, self._doubt_s = 0.0, FIRST_DOUBT_S
        self._offsets_s: deque[float] = deque(maxlen=21)
        self._crowd = 1.0
        self._list_failures, self._lists_from_s = 0, -math.inf
        self._arrange()

    def __len__(self) -> int:
        return len(self._tasks)

    # --- what is known ---

    def kinds(self) -> set[Kind]:
        return set(self._times.running)

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
                self._times.add(
                    job_id,
                    (task.resolution, task.billed_s),
                    created_s=submitted_s + self._offset_s,
                    born_s=now_s - max(0.0, wall_s - submitted_s),
                )
        self._tasks = now
        self._jobs = {task.task_id: job_id for job_id, task in now.items()}
        self._arrange()

    def task(self, job_id: JobId) -> RunningTask | None:
        return self._tasks.get(job_id)

    def of_task(self, task_id: TaskId) -> RunningTask | None:
        return self._tasks.get(self._jobs.get(task_id, JobId("")))

    def age_s(self, job_id: JobId, now_s: float) -> float:
        return self._times.age_s(job_id, now_s) if job_id in self._tasks else 0.0

    def looked(self, job_ids: Collection[JobId], now_s: float) -> dict[JobId, float]:
        """These are being asked about at `now_s`. Returns when they were last: for `unlooked`."""
        known = [job_id for job_id in job_ids if job_id in self._tasks]
        before = dict(zip(known, self._times.looked_s(known), strict=True))
        self._times.look(known, now_s)
        return before

    def unlooked(self, before: Mapping[JobId, float]) -> None:
        """The look told nothing about these."""
        known = [job_id for job_id in before if job_id in self._tasks]
        self._times.look(known, [before[job_id] for job_id in known])

    def created(self, job_id: JobId, at_s: float) -> None:
        """The provider's own word on when it made the task; it tells how far off our own time is as well."""
        if self._times.is_told(job_id):
            return
        offset_s = at_s - self._tasks[job_id].submitted_at.timestamp()
        self._offsets_s.append(offset_s)
        self._offset_s = float(np.median(self._offsets_s))
        strayed_s = float(np.median(np.abs(np.asarray(self._offsets_s) - self._offset_s)))
        self._doubt_s = max(3 * strayed_s, LEAST_DOUBT_S)
        self._times.created(job_id, at_s)

    def ended(self, job_ids: Collection[JobId]) -> None:
        if job_ids:
            for job_id in job_ids:
                self._forget(job_id)
            self._arrange()

    def alone(self, job_ids: Collection[JobId]) -> None:
        """The list does not show these: they are fetched from now on."""
        if job_ids:
            self._times.unlisted(self._tasks.keys() & job_ids)
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
            job_id, looked_s = self._times.longest_ago()
            due = now_s - looked_s >= self._every_s - _CLOSE_S
            return Look((job_id,), 0.0, 0.0) if due else None
        long_unseen = self._times.unseen_s(now_s) >= LONGEST_UNSEEN_S
        lag_s = np.maximum(self._times.lag_s(now_s), np.where(long_unseen, self._price_s, 0.0))
        single = int(np.argmax(lag_s))
        # several pages, where so many tasks were made within a second that one does not hold them
        rooms = [int(PAGE * pages / self._crowd) for pages in range(1, MOST_PAGES + 1)]
        start, stop, worth = self._times.stretch(lag_s, rooms)
        if worth <= LIST_WORTH * lag_s[single] or now_s < self._lists_from_s:
            start, stop, worth = single, single + 1, float(lag_s[single])
        if worth < self._price_s:
            return None
        return Look(
            self._times.jobs(start, stop),
            float(self._times.from_s[start]),
            float(self._times.to_s[stop - 1]),
            self._times.lines(start, stop),
        )

    def wait_s(self, now_s: float) -> float:
        """Seconds until a look will be worth its price."""
        if self.best(now_s) is not None:
            return 0.0
        if self._every_s is not None and self._tasks:
            return self._times.longest_ago()[1] + self._every_s - now_s
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
        task = self._tasks.pop(job_id, None)
        if task is not None:
            del self._jobs[task.task_id]
            self._times.remove(job_id)

    def _arrange(self) -> None:
        self._times.arrange(self._curves, self._doubt_s)
        known = {
            kind: (self._curves[kind], count)
            for kind, count in self._times.running.items()
            if kind in self._curves
        }
        self.ends_per_s = sum(count / curve.mean_s for curve, count in known.values())
        self._price_s = min((curve.price_s for curve, _ in known.values()), default=math.inf)
        if len(self._tasks) > 1 and self.ends_per_s:
            # One list serves them all: the same number of requests a clip buys a smaller lag, and it is
            # looked at least once a second while something may end.
            same_s = 1 / (2 * LOOKS_PER_CLIP**2 * self.ends_per_s)
            self._price_s = min(self._price_s, same_s, self.ends_per_s * SEVERAL_EVERY_S**2 / 2)
