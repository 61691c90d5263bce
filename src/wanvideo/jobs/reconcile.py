"""Leaving `uncertain` by proof only: one look at the provider's task list, and what it means for the job.

The list tells ids, states and times; a task that has succeeded also tells its prompt when it is asked (see
gathering). `matching` then says whether a task is adopted, to be judged once more at its end (see poll);
whether waiting can tell more; whether the list is as good as empty, so that two of them prove that nothing
was made (see absence); or whether a person has to decide. A lost submit is never sent again blindly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from wanvideo.contract.job import Attempt, Event, TaskId
from wanvideo.errors import JobConflict, WanvideoError
from wanvideo.jobs import absence
from wanvideo.jobs.gathering import Learned, gather, listed, submit_of
from wanvideo.jobs.matching import Adopt, Ask, Nothing, Wait, judge
from wanvideo.jobs.policy import backoff_s
from wanvideo.jobs.unanswered import DOUBT_SLACK, EARLY_SLACK, LATE_SLACK, MOST_SKEW, Task
from wanvideo.jobs.workshop import Workshop, moved
from wanvideo.ports import Ending, Lease

__all__ = ["BY_A_PERSON", "DOUBT_SLACK", "EARLY_SLACK", "LATE_SLACK", "found", "reconcile"]

BY_A_PERSON: Final = "by a person"
"""Stands in evidence["adopted"] when somebody named the task."""
_LEARNED: Final = ("lost_at", "ahead_s", "set_back", "latest_at", "strangers", "let_go", "told", "seen")
_LOOK_S, _MOST_LOOK_S = 5.0, 30.0
_PERSON_LOOK_S = 60.0
_TELL_AFTER = 5  # lists that failed, one after the other


async def reconcile(shop: Workshop, lease: Lease) -> None:
    """One look at the task list for one uncertain job."""
    job, provider = lease.job, shop.provider(lease.job.provider)
    attempts = await shop.ledger.attempts(job.id)
    attempt = attempts[-1]
    learned: Learned = {name: job.evidence[name] for name in _LEARNED if name in job.evidence}
    if attempt.task_id is not None:  # the answer came after all, to a worker whose lease was over
        await _tie(shop, lease, learned, attempt.task_id, adopted=False)
        return
    sent_by = (attempt.endpoint, attempt.key_fingerprint)
    if sent_by != (provider.account.endpoint, provider.account.key_fingerprint):
        why = f"it was sent to {attempt.endpoint} with key {attempt.key_fingerprint}; only these can find it"
        await _wait_for_a_person(shop, lease, learned, why)
        return
    me = submit_of(shop, job, attempt, learned)
    provider_at: datetime | None = None
    try:
        lines = await listed(shop, provider, me, learned)
        others, tasks = await gather(shop, provider, me, lines, learned)
        verdict = judge(me, others, tasks)
        if isinstance(verdict, Adopt):
            await _tie(shop, lease, learned, verdict.task_id, adopted=True)
            return
        empty = isinstance(verdict, Nothing)
        if empty or "latest_at" not in learned:
            provider_at = await absence.provider_time(shop, provider)
            _learn_the_time(shop, attempt, provider_at, learned)
    except WanvideoError as error:
        await _look_again(shop, lease, learned, error)
        return
    if isinstance(verdict, Wait):
        await _wait(shop, lease, learned, verdict)
    elif isinstance(verdict, Ask):
        await _wait_for_a_person(shop, lease, learned, verdict.why)
    elif doubt := absence.doubt(shop, job, attempts, learned, provider_at):
        await _wait_for_a_person(shop, lease, learned, doubt)
    else:
        await _empty(shop, lease, learned, attempt, [task for task in tasks if task.free])


async def found(
    shop: Workshop,
    lease: Lease,
    task_id: TaskId,
    *,
    adopted: bool,
    by_person: bool = False,
    learned: Mapping[str, Any] | None = None,
) -> None:
    """The lost submit did make this task. `adopted`: it only looks so, and is judged again at its end.

    Raises: JobConflict when another attempt owns the task.
    """
    job = lease.job
    attempt = (await shop.ledger.attempts(job.id))[-1]
    evidence: dict[str, Any] = {}
    if adopted:
        if await shop.ledger.known_tasks([task_id]):
            raise JobConflict(f"The task {task_id} belongs to a job already.", job_id=job.id, task_id=task_id)
        kept = job.evidence if learned is None else learned
        evidence = {name: kept[name] for name in _LEARNED if name in kept}
        evidence["adopted"] = BY_A_PERSON if by_person else True
    shop.empty_since_s.pop(job.id, None)
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


async def _tie(shop: Workshop, lease: Lease, learned: Learned, task_id: TaskId, *, adopted: bool) -> None:
    """The job and the task belong together, unless somebody was faster: then look again what is left."""
    try:
        await found(shop, lease, task_id, adopted=adopted, learned=learned)
    except JobConflict as conflict:
        note = f"{conflict.detail} Looking again; to decide yourself: `wanvideo jobs resolve {lease.job.id}`"
        await shop.ledger.write(lease, {"note": note, "evidence": learned}, release_in_s=_LOOK_S)


def _learn_the_time(shop: Workshop, attempt: Attempt, provider_at: datetime | None, learned: Learned) -> None:
    """How far our clock was ahead when it was first compared; whether it was set back before that; and until
    when, by the provider's, this submit can have made a task, as it is lost already.
    """
    now_at = shop.clock.now()
    ahead = timedelta() if provider_at is None else now_at - provider_at
    if "ahead_s" not in learned:
        if attempt.started_at - now_at > max(ahead, timedelta()) + MOST_SKEW:
            learned["set_back"] = True
        if provider_at is not None:
            learned["ahead_s"] = ahead.total_seconds()
    if provider_at is not None and "latest_at" not in learned and abs(ahead) <= MOST_SKEW:
        latest_at = provider_at + timedelta(seconds=shop.rules.submit_reach_s) + MOST_SKEW
        learned["latest_at"] = latest_at.isoformat()


async def _look_again(shop: Workshop, lease: Lease, learned: Learned, error: WanvideoError) -> None:
    """A list that cannot be read whole proves nothing."""
    tries = lease.job.evidence.get("list_errors", 0) + 1
    note = f"looking for the task: {error.detail}"
    if tries >= _TELL_AFTER:
        note += f" To decide yourself: `wanvideo jobs resolve {lease.job.id}`"
    changes = {"note": note, "evidence": {**learned, "list_errors": tries}}
    await shop.ledger.write(lease, changes, release_in_s=backoff_s(tries))


async def _wait(shop: Workshop, lease: Lease, learned: Learned, verdict: Wait) -> None:
    """Something will tell more. What has been awaited for long is looked at less often."""
    shop.empty_since_s.pop(lease.job.id, None)
    age_s = max((shop.elapsed_s(task.created_at) for task in verdict.tasks), default=0.0)
    note = f"{verdict.why}. To decide yourself: `wanvideo jobs resolve {lease.job.id}`"
    look_s = min(max(_LOOK_S, age_s / 10), _MOST_LOOK_S)
    await shop.ledger.write(lease, {"note": note, "evidence": learned}, release_in_s=look_s)


async def _wait_for_a_person(shop: Workshop, lease: Lease, learned: Learned, why: str) -> None:
    shop.empty_since_s.pop(lease.job.id, None)
    note = f"{why}; decide with `wanvideo jobs resolve {lease.job.id}`"
    await shop.ledger.write(lease, {"note": note, "evidence": learned}, release_in_s=_PERSON_LOOK_S)


async def _empty(
    shop: Workshop, lease: Lease, learned: Learned, attempt: Attempt, free: Sequence[Task]
) -> None:
    """A list as good as empty. Two of them, far enough apart and late enough, prove that nothing was made."""
    wait_s = absence.proof_in_s(shop, lease.job, attempt)
    if wait_s > 0:
        note = f"the provider lists no such task; looking once more in {wait_s:.0f} s to be sure"
        await shop.ledger.write(lease, {"note": note, "evidence": learned}, release_in_s=wait_s)
        return
    beside = {"strangers": learned.get("strangers", []), "free": [task.task_id for task in free]}
    await absence.proved(shop, lease, {name: ids for name, ids in beside.items() if ids})
