"""Submits without an answer, tasks without an owner, and what their times allow. Pure.

Times of submits are of our clocks, times of tasks of the provider's, so every rule comes with its slack.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from wanvideo.contract.job import JobId, TaskId
from wanvideo.jobs.likeness import Facts, Likeness, compare

EARLY_SLACK, LATE_SLACK = timedelta(seconds=2), timedelta(seconds=10)
"""How far a task's creation may lie before and behind the attempt's window: clocks differ a little."""
SUBMIT_REACH: Final = timedelta(minutes=3)
"""How long after the attempt's start its task can have been made: the submit's time-out, and room."""
MOST_SKEW: Final = timedelta(seconds=60)
"""A clock that is off by less must not choose between two jobs; one that is off by more proves nothing."""
DOUBT_SLACK: Final = timedelta(minutes=15)
"""An unknown task this near the window is no proof of anything: a wrong clock could have moved it there."""
_NONE: Final = timedelta()


@dataclass(frozen=True, slots=True)
class Sent:
    """A submit without an answer. `lost_at` is now for one that is still `out`: its answer may yet come.

    `reach`: how long after its start the provider may still make its task. `latest_at`: when that was over,
    by the provider's own clock. `ahead`: how far our clock was found to be ahead of it; the submit's times
    are by that clock, or by the right one of another machine. Tasks that the job was tied to and had to
    `let_go` are not given to it again.
    """

    job_id: JobId
    body_sha256: str
    facts: Facts
    started_at: datetime
    lost_at: datetime
    reach: timedelta
    ahead: timedelta = _NONE
    latest_at: datetime | None = None
    request_id: str | None = None
    out: bool = False
    let_go: frozenset[TaskId] = frozenset()

    @property
    def first_doubt_at(self) -> datetime:
        return self.started_at - DOUBT_SLACK - max(self.ahead, _NONE)

    @property
    def last_doubt_at(self) -> datetime:
        """Counted from when it was lost: the clock may have been set forward while it was out."""
        last_at = max(self.lost_at, self.started_at + self.reach) + DOUBT_SLACK + max(-self.ahead, _NONE)
        return last_at if self.latest_at is None else min(last_at, self.latest_at)

    @property
    def last_near_at(self) -> datetime:
        """One that was lost hours later died with its process; its request had left long before."""
        return min(self.lost_at, self.started_at + SUBMIT_REACH) + LATE_SLACK

    @property
    def last_reached_at(self) -> datetime:
        return max(self.last_near_at, self.started_at + self.reach + LATE_SLACK)

    def may_own(self, task: Task) -> bool:
        """Not to be excluded, however wrong the clocks are. A task without a clip costs nobody anything."""
        if task.free or not self.first_doubt_at <= task.created_at <= self.last_doubt_at:
            return False
        return task.facts is None or compare(self.facts, task.facts) is not Likeness.OTHER

    def near(self, task: Task) -> bool:
        """Whether the task's time alone makes it look like this submit's."""
        return self._within(task, self.last_near_at, _NONE)

    def reaches(self, task: Task, slack: timedelta = _NONE) -> bool:
        """Whether the submit can have made the task, if the clocks are right within `slack`."""
        return self._within(task, self.last_reached_at, slack)

    def fits(self, task: Task, slack: timedelta = _NONE) -> bool:
        """Whether all that the ended task tells is what was sent, at a time that is right within `slack`."""
        if task.facts is None or task.task_id in self.let_go or not self.may_own(task):
            return False
        return self.reaches(task, slack) and compare(self.facts, task.facts) is Likeness.SAME

    def _within(self, task: Task, last_at: datetime, slack: timedelta) -> bool:
        began_at = self.started_at - slack - max(self.ahead, _NONE)
        if task.ended_at is not None and task.ended_at < began_at:
            return False  # it was over before this began
        return began_at - EARLY_SLACK <= task.created_at <= last_at + slack + max(-self.ahead, _NONE)


@dataclass(frozen=True, slots=True)
class Task:
    """A listed task that no attempt of ours surely owns. `facts` are told once it has succeeded.

    `free`: it ended without a clip, so nobody pays for it. `silent`: it has run for so long that it will
    never tell. `holder`: a job that is tied to it until its end tells whether rightly.
    """

    task_id: TaskId
    created_at: datetime
    ended_at: datetime | None = None
    facts: Facts | None = None
    free: bool = False
    silent: bool = False
    holder: JobId | None = None
    request_id: str | None = None

    @property
    def will_tell(self) -> bool:
        return not self.free and self.facts is None and not self.silent
