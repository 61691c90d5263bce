"""Leaving `uncertain` by proof only. The provider's task list tells whether the lost submit made a task.

Exactly one unknown task inside the attempt's window is adopted, unless another open submit could have made
it too, and let go again if its prompt or seconds turn out not to be ours. Two lists, some time apart, without
any unknown task prove absence, as long as the provider's list reaches back that far. Everything else stays
uncertain and waits for a person; it is never sent again blindly.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from wanvideo.contract.job import Attempt, Event, Job, State, TaskId
from wanvideo.contract.model_card import limit
from wanvideo.contract.price import FREE
from wanvideo.errors import WanvideoError
from wanvideo.jobs import listing
from wanvideo.jobs.policy import backoff_s
from wanvideo.jobs.workshop import Workshop, moved
from wanvideo.ports import Ending, Lease, TaskListing

EARLY_SLACK, LATE_SLACK = timedelta(seconds=2), timedelta(seconds=10)
"""How far a task's creation may lie before and behind the attempt's window: clocks differ a little."""
DOUBT_SLACK = timedelta(minutes=15)
"""An unknown task this near the window is no proof of anything: a wrong clock could have moved it there."""
SUBMIT_REACH = timedelta(minutes=3)
"""How long after the attempt's start its task can have been made: the submit's time-out, and room."""
MOST_SKEW_S = 60.0
"""A clock that is further off may have asked for the wrong part of the list."""
_AMBIGUOUS_LOOK_S = 60.0
_RIVAL_LOOK_S = 5.0
_MANY = 1000


async def reconcile(shop: Workshop, lease: Lease) -> None:
    """One look at the task list for one uncertain job."""
    job, provider = lease.job, shop.provider(lease.job.provider)
    attempts = await shop.ledger.attempts(job.id)
    attempt = attempts[-1]
    if attempt.task_id is not None:  # the answer came after all, to a worker whose lease was over
        await found(shop, lease, attempt.task_id, adopted=False)
        return
    sent_by = (attempt.endpoint, attempt.key_fingerprint)
    if sent_by != (provider.account.endpoint, provider.account.key_fingerprint):
        why = f"it was sent to {attempt.endpoint} with key {attempt.key_fingerprint}; only these can find it"
        await _wait_for_a_person(shop, lease, why)
        return
    lost_at = min(datetime.fromisoformat(job.evidence["lost_at"]), attempt.started_at + SUBMIT_REACH)
    first, last = attempt.started_at - DOUBT_SLACK, lost_at + DOUBT_SLACK
    try:
        listed = await listing.whole(shop, provider, first, min(last, shop.clock.now() + DOUBT_SLACK))
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
        shop.empty_since_s.pop(job.id, None)
        await shop.ledger.write(lease, {"note": note}, release_in_s=_RIVAL_LOOK_S)
    elif len(near) == 1:
        await found(shop, lease, near[0].task_id, adopted=True)
    elif unknown:
        count = len(unknown)
        why = f"{count} task{'s' if count > 1 else ''} of the account could be this one"
        await _wait_for_a_person(shop, lease, why)
    else:
        await _empty(shop, lease, attempts)


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


async def _empty(shop: Workshop, lease: Lease, attempts: list[Attempt]) -> None:
    """An empty list. Two of them, long enough apart and late enough, prove that nothing was made."""
    job = lease.job
    doubt = _doubt(shop, job, attempts)
    if doubt:
        await _wait_for_a_person(shop, lease, doubt)
        return
    wait_s = _proof_in_s(shop, job, attempts[-1])
    if wait_s > 0:
        note = f"the provider lists no such task; looking once more in {wait_s:.0f} s to be sure"
        await shop.ledger.write(lease, {"note": note}, release_in_s=wait_s)
        return
    try:
        provider_at = await shop.provider(job.provider).ping()
    except WanvideoError as error:
        await shop.ledger.write(lease, {"note": f"looking for the task: {error.detail}"}, release_in_s=5)
        return
    skew_s = 0.0 if provider_at is None else abs((shop.clock.now() - provider_at).total_seconds())
    if skew_s > MOST_SKEW_S:
        await _wait_for_a_person(
            shop, lease, f"this clock is {skew_s:.0f} s off, so an empty list proves nothing"
        )
        return
    shop.empty_since_s.pop(job.id, None)
    changes = moved(job, Event.PROVED_ABSENT, evidence={})
    await shop.ledger.close_attempt(
        lease, Ending(Event.PROVED_ABSENT, settled_cny=FREE.cny), changes, release_in_s=0
    )


def _doubt(shop: Workshop, job: Job, attempts: list[Attempt]) -> str:
    """Why an empty list proves nothing for this job; empty when it may."""
    if shop.elapsed_s(attempts[-1].started_at) > limit("task_ttl_s") - DOUBT_SLACK.total_seconds():
        return "the submit is older than the provider's task list, so nothing can be proved any more"
    if job.evidence.get("strangers"):
        return "a task of that moment was let go because its prompt or length did not fit"
    if any(attempt.outcome == Event.PROVED_ABSENT for attempt in attempts):
        return "a submit of this job was lost and proved absent once before"
    return ""


def _proof_in_s(shop: Workshop, job: Job, attempt: Attempt) -> float:
    """Seconds until the list that proves absence. Both are this process's: clocks may be set between."""
    if Decimal(job.estimate_cny) == 0:
        return 0.0  # nothing is at stake
    now_s = shop.clock.steady_s()
    first_s = shop.empty_since_s.setdefault(job.id, now_s)
    gap_left_s = shop.rules.absence_gap_s - (now_s - first_s)
    reach_left_s = shop.rules.submit_reach_s - shop.elapsed_s(attempt.started_at)
    return max(gap_left_s, reach_left_s)


async def _wait_for_a_person(shop: Workshop, lease: Lease, why: str) -> None:
    shop.empty_since_s.pop(lease.job.id, None)
    note = f"{why}; decide with `wanvideo jobs resolve {lease.job.id}`"
    await shop.ledger.write(lease, {"note": note}, release_in_s=_AMBIGUOUS_LOOK_S)
