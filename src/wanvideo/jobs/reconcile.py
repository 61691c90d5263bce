"""Leaving `uncertain` by proof only. The provider's task list tells whether the lost submit made a task.

Exactly one unknown task inside the attempt's window is adopted, unless another open submit could have made
it too, and let go again if its prompt or seconds turn out not to be ours. Two lists, some time apart, without
any unknown task prove absence, as long as the provider's list reaches back that far. Everything else stays
uncertain and waits for a person; it is never sent again blindly.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from wanvideo.contract.job import Attempt, Event, Job, State, TaskId
from wanvideo.contract.model_card import limit
from wanvideo.errors import WanvideoError
from wanvideo.jobs.policy import backoff_s
from wanvideo.jobs.workshop import Workshop, moved
from wanvideo.ports import Ending, Lease, TaskListing

EARLY_SLACK, LATE_SLACK = timedelta(seconds=2), timedelta(seconds=10)
"""How far a task's creation may lie before and behind the attempt's window: clocks differ a little."""
DOUBT_SLACK = timedelta(minutes=15)
"""An unknown task this near the window is no proof of anything: a wrong clock could have moved it there."""
SUBMIT_REACH = timedelta(minutes=3)
"""How long after the attempt's start its task can have been made: the submit's time-out, and room."""
_AMBIGUOUS_LOOK_S = 60.0
_RIVAL_LOOK_S = 5.0
_MANY = 1000


async def reconcile(shop: Workshop, lease: Lease) -> None:
    """One look at the task list for one uncertain job."""
    job, provider = lease.job, shop.provider(lease.job.provider)
    attempt = (await shop.ledger.attempts(job.id))[-1]
    if attempt.task_id is not None:  # the answer came after all, to a worker whose lease was over
        await found(shop, lease, attempt.task_id, adopted=False)
        return
    lost_at = min(datetime.fromisoformat(job.evidence["lost_at"]), attempt.started_at + SUBMIT_REACH)
    first, last = attempt.started_at - DOUBT_SLACK, lost_at + DOUBT_SLACK
    try:
        listed = await provider.list_tasks(first, min(last, shop.clock.now() + DOUBT_SLACK))
    except WanvideoError as error:
        tries = job.evidence.get("list_errors", 0) + 1
        changes = {
            "note": f"looking for the task: {error.detail}",
            "evidence": {**job.evidence, "list_errors": tries},
        }
        await shop.ledger.write(lease, changes, release_in_s=backoff_s(tries))
        return
    unknown = await _unknown(shop, job, listed)
    near = [task for task in unknown if _in_window(task, attempt, lost_at)]
    if len(near) == 1 and await _has_rival(shop, job, near[0]):
        note = (
            "a task was made, but another submit of the same moment may own it; looking again. "
            f"To decide: `wanvideo jobs resolve {job.id}`"
        )
        changes = {"note": note, "evidence": {**job.evidence, "empty_at": None}}
        await shop.ledger.write(lease, changes, release_in_s=_RIVAL_LOOK_S)
    elif len(near) == 1:
        await found(shop, lease, near[0].task_id, adopted=True)
    elif unknown:
        count = len(unknown)
        note = (
            f"{count} task{'s' if count > 1 else ''} of the account could be this one; "
            f"decide with `wanvideo jobs resolve {job.id}`"
        )
        changes = {"note": note, "evidence": {**job.evidence, "empty_at": None}}
        await shop.ledger.write(lease, changes, release_in_s=_AMBIGUOUS_LOOK_S)
    else:
        await _empty(shop, lease, attempt)


async def found(shop: Workshop, lease: Lease, task_id: TaskId, *, adopted: bool) -> None:
    """The lost submit did make this task. `adopted`: it only looks so, and is judged again at its end."""
    job = lease.job
    attempt = (await shop.ledger.attempts(job.id))[-1]
    evidence: dict[str, Any] = {"adopted": True, "lost_at": job.evidence["lost_at"]} if adopted else {}
    if job.evidence.get("strangers"):
        evidence["strangers"] = job.evidence["strangers"]
    changes = moved(
        job,
        Event.FOUND,
        task_id=task_id,
        submitted_at=attempt.started_at,
        seen_status=None,
        evidence=evidence,
    )
    await shop.ledger.close_attempt(
        lease, Ending(Event.FOUND, task_id), changes, data={"task_id": task_id}, release_in_s=0
    )


async def _unknown(shop: Workshop, job: Job, listed: list[TaskListing]) -> list[TaskListing]:
    """Listed tasks that no attempt of ours owns and that were not already let go."""
    known = await shop.ledger.known_tasks([task.task_id for task in listed])
    strangers = set(job.evidence.get("strangers", []))
    return [task for task in listed if task.task_id not in known and task.task_id not in strangers]


def _in_window(task: TaskListing, attempt: Attempt, lost_at: datetime) -> bool:
    """Whether the attempt can have made the task; one that was over before it began cannot be its own."""
    if task.ended_at is not None and task.ended_at < attempt.started_at:
        return False
    return attempt.started_at - EARLY_SLACK <= task.created_at <= lost_at + LATE_SLACK


async def _has_rival(shop: Workshop, job: Job, task: TaskListing) -> bool:
    """Whether another submit that is out, or unanswered as well, may have made this task.

    Were it adopted here, the other job would see an empty list, take it as proof and pay a second time.
    The window is as wide as that of a doubt: a wrong clock must not choose between two jobs.
    """
    open_states = (State.SUBMITTING, State.UNCERTAIN)
    for other in await shop.ledger.jobs(limit=_MANY, states=open_states):
        if other.id != job.id and other.provider == job.provider:
            attempt = (await shop.ledger.attempts(other.id))[-1]
            lost_at = other.evidence.get("lost_at")
            until = datetime.fromisoformat(lost_at) if lost_at else shop.clock.now()
            if attempt.started_at - DOUBT_SLACK <= task.created_at <= until + DOUBT_SLACK:
                return True
    return False


async def _empty(shop: Workshop, lease: Lease, attempt: Attempt) -> None:
    """The first empty list is noted; a second one, long enough after it, proves that nothing was made."""
    job = lease.job
    if shop.elapsed_s(attempt.started_at) > limit("task_ttl_s") - DOUBT_SLACK.total_seconds():
        note = (
            "the submit is older than the provider's task list, so nothing can be proved any more; "
            f"decide with `wanvideo jobs resolve {job.id}`"
        )
        await shop.ledger.write(lease, {"note": note}, release_in_s=_AMBIGUOUS_LOOK_S)
        return
    gap_s = shop.rules.absence_gap_s
    seen = job.evidence.get("empty_at")
    since_s = shop.elapsed_s(datetime.fromisoformat(seen)) if seen else None
    if since_s is not None and since_s >= gap_s:
        changes = moved(job, Event.PROVED_ABSENT, evidence={})
        await shop.ledger.close_attempt(lease, Ending(Event.PROVED_ABSENT), changes, release_in_s=0)
        return
    empty_at = seen or shop.clock.now().isoformat()
    wait_s = gap_s if since_s is None else gap_s - since_s
    changes = {
        "note": f"the provider lists no such task; looking once more in {max(wait_s, 0):.0f} s to be sure",
        "evidence": {**job.evidence, "empty_at": empty_at},
    }
    await shop.ledger.write(lease, changes, release_in_s=max(wait_s, 0.0))
