"""Which task of the provider's list was made by which unanswered submit. Pure: a look in, a verdict out.

Each submit made one task or none; each task was made by one submit, or by another program. A task is taken
for a submit's own only where nothing else is possible: it is the only one of its time; or it has ended, its
prompt and all else that it tells are the submit's, and no other submit can have made it as well (see
pairing). Whatever leaves a choice waits: for tasks that still run, since their end tells their prompt; and
when nothing more can be told, for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wanvideo.contract.job import JobId, TaskId
from wanvideo.jobs.likeness import differences
from wanvideo.jobs.pairing import pair
from wanvideo.jobs.unanswered import MOST_SKEW, Sent, Task

_NAMED = 4


@dataclass(frozen=True, slots=True)
class Adopt:
    task_id: TaskId


@dataclass(frozen=True, slots=True)
class Nothing:
    """No task that is listed can be this submit's and cost money."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Waiting will tell more. `tasks` are those waited for."""

    why: str
    tasks: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """Waiting tells nothing more: a person decides."""

    why: str


Verdict = Adopt | Nothing | Wait | Ask


def judge(me: Sent, others: Sequence[Sent], tasks: Sequence[Task]) -> Verdict:
    """What one look at the list means for one submit, beside all `others` that have no answer either."""
    mine = [task for task in tasks if me.may_own(task) and not _proved(others, task)]
    named = [task for task in mine if _proved([me], task) and not task.holder]
    if len(named) == 1 and named[0].task_id not in me.let_go:
        return Adopt(named[0].task_id)
    if not mine:
        return Nothing()
    rivals = [other for other in others if any(other.may_own(task) for task in mine)]
    if any(me.fits(task) and not task.holder for task in mine):
        return _of_those_that_fit(me, others, tasks)
    untold = [task for task in mine if _is_free_to_take(me, task) and task.facts is None and me.reaches(task)]
    if len(untold) == 1 and me.near(untold[0]) and not any(rival.may_own(untold[0]) for rival in rivals):
        return Adopt(untold[0].task_id)
    return _undecided(me, rivals, mine)


def _of_those_that_fit(me: Sent, others: Sequence[Sent], tasks: Sequence[Task]) -> Verdict:
    """Some ended task is what was sent. Is it ours, or may another submit of the same words have made it?"""
    together, alike = _alike(me, others, tasks)
    out = [one.job_id for one in together if one.out]
    if out:
        return _until_answered(out)
    untold = [
        task
        for task in tasks
        if task.will_tell
        and not task.holder
        and any(one.may_own(task) and one.reaches(task, MOST_SKEW) for one in together)
    ]
    if untold:
        return _until_told(untold)
    owners = pair(together, alike)
    for task in alike:
        if owners.get(task.task_id) == me.job_id:
            return Adopt(task.task_id)
    unsure = [task for task in alike if me.fits(task, MOST_SKEW) and task.task_id not in owners]
    rivals = [one for one in together if one is not me]
    if unsure:
        return Ask(_could_be(me, unsure, rivals))
    return _left_to(me, rivals, [task for task in alike if me.fits(task, MOST_SKEW)])


def _alike(me: Sent, others: Sequence[Sent], tasks: Iterable[Task]) -> tuple[list[Sent], list[Task]]:
    """All submits and all ended tasks that hang together with this submit by fitting each other."""
    everyone = (me, *others)
    loose = [task for task in tasks if not task.holder and any(one.fits(task) for one in everyone)]
    together, found = [me], list[Task]()
    while True:
        more = [
            task for task in loose if task not in found and any(one.fits(task, MOST_SKEW) for one in together)
        ]
        found += more
        joining = [
            one for one in others if one not in together and any(one.fits(task, MOST_SKEW) for task in more)
        ]
        together += joining
        if not joining:
            return together, found


def _undecided(me: Sent, rivals: Sequence[Sent], mine: Sequence[Task]) -> Verdict:
    """Nothing fits yet. Something may still tell, or belong to another job, or it takes a person."""
    out = [one.job_id for one in rivals if one.out]
    untold = [task for task in mine if task.will_tell]
    if untold and out:
        return _until_answered(out)
    if untold:
        return _until_told(untold)
    held = [task for task in mine if task.holder]
    if held:
        holders = _jobs([task.holder for task in held if task.holder])
        return Wait(f"{_tasks(held)} is tied to {holders}; its end will tell whether rightly", tuple(held))
    fitting = [one for one in rivals if any(one.fits(task) for task in mine)]
    left = [task for task in mine if not any(one.fits(task) for one in fitting)]
    return Ask(_could_be(me, left, rivals)) if left else _left_to(me, fitting, mine)


def _is_free_to_take(me: Sent, task: Task) -> bool:
    return not task.holder and task.task_id not in me.let_go


def _proved(sent: Iterable[Sent], task: Task) -> bool:
    """Whether the answer that did not count named the very request that made the task."""
    return any(task.request_id and task.request_id == one.request_id for one in sent)


def _until_answered(out: Sequence[JobId]) -> Wait:
    return Wait(f"a task was made, but {_jobs(out)} may own it, whose submit is still out")


def _until_told(untold: Sequence[Task]) -> Wait:
    if len(untold) == 1:
        why = f"the task {_ids(untold)} of that moment still runs; its end tells whose it is"
    else:
        why = f"{len(untold)} tasks of that moment still run; their ends tell whose they are"
    return Wait(why, tuple(untold))


def _left_to(me: Sent, owners: Sequence[Sent], tasks: Sequence[Task]) -> Wait:
    same = any(owner.body_sha256 == me.body_sha256 for owner in owners)
    which = "was asked for the same and comes first" if same else "was sent just these words"
    return Wait(f"{_tasks(tasks)} is left to {_jobs([one.job_id for one in owners])}, which {which}")


def _could_be(me: Sent, tasks: Sequence[Task], rivals: Sequence[Sent]) -> str:
    """For a person: the candidates, in what they differ, and the other jobs that they may belong to."""
    told = []
    for task in tasks[:_NAMED]:
        odd = differences(me.facts, task.facts) if task.facts else []
        told.append(f"{task.task_id} ({', '.join(odd)})" if odd else task.task_id)
    more = f" and {len(tasks) - _NAMED} more" if len(tasks) > _NAMED else ""
    some = "a task of the account" if len(tasks) == 1 else f"{len(tasks)} tasks of the account"
    beside = f", or that of {_jobs([one.job_id for one in rivals])}" if rivals else ""
    return f"{some} could be this one{beside}: {', '.join(told)}{more}"


def _jobs(ids: Sequence[JobId]) -> str:
    return f"the job {', '.join(ids[:_NAMED])}" if len(ids) == 1 else f"the jobs {', '.join(ids[:_NAMED])}"


def _tasks(tasks: Sequence[Task]) -> str:
    return f"the task {_ids(tasks)}"


def _ids(tasks: Sequence[Task]) -> str:
    return ", ".join(task.task_id for task in tasks[:_NAMED])
