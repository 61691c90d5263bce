"""Gives ended tasks to the submits that fit them, wherever only one way is possible. Pure.

Submits of the very same body are one: which of them gets which task makes no difference, so they are served
in order of time. Between submits of different bodies nothing is chosen: a task is given to one only if it
goes to that body in every way to find an owner for each task, even by clocks that are off by a minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wanvideo.contract.job import JobId, TaskId
from wanvideo.jobs.unanswered import MOST_SKEW, Sent, Task

MOST: Final = 200
"""Above this many of either nobody could decide for himself, either."""


def pair(sent: Sequence[Sent], tasks: Sequence[Task]) -> dict[TaskId, JobId]:
    """The owners of the tasks, as far as they are sure. No submit owns two."""
    if not len(tasks) <= len(sent) <= MOST:
        return {}
    fitting = [[at for at, one in enumerate(sent) if one.fits(task, MOST_SKEW)] for task in tasks]
    owner = dict[int, int]()  # of submits: which task each has got
    for at in range(len(tasks)):
        if not _found(at, fitting, owner, set()):
            return {}  # more tasks than these submits can have made: some are somebody else's
    of_body: dict[str, list[Task]] = {}
    for place, at in owner.items():
        body = sent[place].body_sha256
        if not any(
            sent[other].body_sha256 != body and _goes(at, other, fitting, owner) for other in fitting[at]
        ):
            of_body.setdefault(body, []).append(tasks[at])
    owners = dict[TaskId, JobId]()
    for body, its_tasks in of_body.items():
        owners |= _in_order([one for one in sent if one.body_sha256 == body], its_tasks)
    return owners


def _found(at: int, fitting: Sequence[Sequence[int]], owner: dict[int, int], tried: set[int]) -> bool:
    """Find a submit for one more task; those that have a task already may take another instead."""
    for place in fitting[at]:
        if place not in tried:
            tried.add(place)
            if place not in owner or _found(owner[place], fitting, owner, tried):
                owner[place] = at
                return True
    return False


def _goes(at: int, place: int, fitting: Sequence[Sequence[int]], owner: dict[int, int]) -> bool:
    """Whether a way is left to find an owner for every task when this one goes to that submit."""
    others = {there: task for there, task in owner.items() if task != at and there != place}
    return place not in owner or _found(owner[place], fitting, others, {place})


def _in_order(sent: Sequence[Sent], tasks: Sequence[Task]) -> dict[TaskId, JobId]:
    """Interchangeable submits. Whose time is over first is served first: that leaves most for the others."""
    owners = dict[TaskId, JobId]()
    for task in sorted(tasks, key=lambda task: (task.created_at, task.task_id)):
        free = [one for one in sent if one.job_id not in owners.values() and one.fits(task)]
        if free:
            owners[task.task_id] = min(free, key=_turn).job_id
    return owners


def _turn(one: Sent) -> tuple[object, ...]:
    return one.last_reached_at, one.started_at, one.job_id
