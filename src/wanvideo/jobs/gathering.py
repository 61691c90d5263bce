"""What one look gathers for an unanswered submit: the list, its rivals, and what ended tasks tell.

A task that has succeeded is fetched once. What it told is kept in the job's `evidence`, where the looks of
other jobs find it too:

- `told`: the facts of tasks that may be an open submit's;
- `strangers`: tasks that succeeded with other words than any open submit's: another program's;
- `seen`: when each candidate was made. One that a later list does not show is a hole in that list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from wanvideo.contract.job import Attempt, Job, State, TaskId
from wanvideo.contract.model_card import limit
from wanvideo.errors import ProviderUnavailable, WanvideoError
from wanvideo.jobs import listing, turns
from wanvideo.jobs.likeness import Facts, Likeness, asked, compare, facts_of, told
from wanvideo.jobs.unanswered import DOUBT_SLACK, Sent, Task
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import Provider, TaskListing, TaskReport, TaskStatus

SILENT_AFTER: Final = timedelta(hours=3.5)
"""The vendor gives a task up after three hours (error-code page, read 2026-11-23)."""
_AT_ONCE: Final = timedelta(hours=12)
"""Longer stretches of the list may lack their oldest part (see the DashScope adapter)."""
_MANY: Final = 100_000
_OPEN: Final = (State.SUBMITTING, State.UNCERTAIN)
_WITH_A_TASK: Final = (State.RUNNING, State.STORING)
_FREE: Final = (TaskStatus.FAILED, TaskStatus.CANCELLED)

Learned = dict[str, Any]
"""The part of `evidence` that a look adds to."""


def submit_of(shop: Workshop, job: Job, attempt: Attempt, learned: Mapping[str, Any]) -> Sent:
    """An open submit as the matching sees it."""
    now_at = shop.clock.now()
    lost_at, latest_at = learned.get("lost_at"), learned.get("latest_at")
    reach = timedelta(seconds=shop.rules.submit_reach_s)
    # a worker that holds on to it, or could still, may yet be answered
    held = job.lease_until is not None and job.lease_until > now_at
    young = now_at < attempt.started_at + reach
    return Sent(
        job_id=job.id,
        body_sha256=attempt.body_sha256,
        facts=asked(job, attempt),
        started_at=attempt.started_at,
        lost_at=datetime.fromisoformat(lost_at) if lost_at else now_at,
        reach=reach,
        ahead=timedelta(seconds=learned.get("ahead_s", 0)),
        latest_at=datetime.fromisoformat(latest_at) if latest_at else None,
        request_id=attempt.request_id,
        out=job.state is State.SUBMITTING and (held or young),
        let_go=frozenset(learned.get("let_go", ())),
    )


async def listed(shop: Workshop, provider: Provider, me: Sent, learned: Learned) -> list[TaskListing]:
    """Every task that was made while the submit may have made one, or near that time.

    Raises: what the list raises; ProviderUnavailable when it has lost a task that it showed before.
    """
    now_at = shop.clock.now()
    first_at = max(me.first_doubt_at, now_at - timedelta(seconds=limit("task_ttl_s")))
    last_at = min(me.last_doubt_at, now_at + DOUBT_SLACK + max(-me.ahead, timedelta()))
    found = dict[TaskId, TaskListing]()
    since_at = first_at
    while since_at < last_at:
        until_at = min(since_at + _AT_ONCE, last_at)
        found |= {task.task_id: task for task in await listing.whole(shop, provider, since_at, until_at)}
        since_at = until_at
    for task_id, made_at in learned.get("seen", {}).items():
        if task_id not in found and first_at < datetime.fromisoformat(made_at) < last_at:
            raise ProviderUnavailable(f"The task list no longer shows the task {task_id}.")
    return list(found.values())


async def gather(
    shop: Workshop, provider: Provider, me: Sent, lines: Sequence[TaskListing], learned: Learned
) -> tuple[list[Sent], list[Task]]:
    """The other open submits, and the tasks of the list that may be one's. Adds to `learned`.

    Read in this order: the list, who owns its tasks, which submits are open. So a task whose submit is
    answered meanwhile has an owner, and one that is tied meanwhile has a holder.
    """
    known = await shop.ledger.known_tasks([line.task_id for line in lines])
    jobs = await shop.ledger.jobs(limit=_MANY, states=(*_OPEN, *_WITH_A_TASK))
    owners = {job.task_id: job for job in jobs if job.task_id is not None}
    tied = {task_id: job for task_id, job in owners.items() if job.evidence.get("adopted")}
    settled = (known | owners.keys()) - tied.keys()
    others, heard = list[Sent](), dict[str, Any]()
    for job in jobs:
        if job.provider != provider.name or job.id == me.job_id:
            continue
        heard |= job.evidence.get("told", {})
        if job.state in _OPEN:
            attempts = await shop.ledger.attempts(job.id)
            if attempts and attempts[-1].task_id is None:
                others.append(submit_of(shop, job, attempts[-1], job.evidence))
    strangers = set(learned.get("strangers", ()))
    candidates = [line for line in lines if line.task_id not in settled and line.task_id not in strangers]
    heard = {line.task_id: heard[line.task_id] for line in candidates if line.task_id in heard}
    learned["told"] = heard | learned.get("told", {})
    tasks = []
    for line in candidates:
        task = await _task(shop, provider, line, learned)
        if task.facts is not None and _is_a_strangers(task.facts, me, others):
            learned["told"].pop(task.task_id, None)
            learned["strangers"] = [*learned.get("strangers", ()), task.task_id]
            continue
        holder = tied.get(task.task_id)
        tasks.append(task if holder is None else replace(task, holder=holder.id))
    learned["seen"] = learned.get("seen", {}) | {
        task.task_id: task.created_at.isoformat() for task in tasks if me.may_own(task)
    }
    return others, tasks


async def _task(shop: Workshop, provider: Provider, line: TaskListing, learned: Learned) -> Task:
    """A line of the list, and what the task tells; it is asked once, when it has succeeded."""
    status, facts = line.status, None
    if line.task_id in learned["told"]:
        facts = facts_of(learned["told"][line.task_id])
    elif status is TaskStatus.SUCCEEDED:
        report = await _asked(shop, provider, line.task_id)
        status = report.status
        if status is TaskStatus.SUCCEEDED:
            facts = told(report)
            learned["told"][line.task_id] = facts.as_json()
    return Task(
        line.task_id,
        line.created_at,
        line.ended_at,
        facts,
        free=status in _FREE,
        silent=shop.clock.now() - line.created_at > SILENT_AFTER,
        request_id=line.request_id,
    )


async def _asked(shop: Workshop, provider: Provider, task_id: TaskId) -> TaskReport:
    await turns.take(shop, provider)
    try:
        return await provider.fetch(task_id)
    except WanvideoError as error:
        await turns.told(shop, provider, error)
        raise


def _is_a_strangers(facts: Facts, me: Sent, others: Sequence[Sent]) -> bool:
    return all(compare(one.facts, facts) is Likeness.OTHER for one in (me, *others))
