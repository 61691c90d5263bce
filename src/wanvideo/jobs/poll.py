"""Taking up a running job: its task has ended, as the watch saw, or somebody wants it cancelled.

Only a definite answer ends a job; every trouble on the way means: ask again.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from wanvideo.contract.job import Event, Job
from wanvideo.contract.model_card import limit
from wanvideo.contract.price import FREE
from wanvideo.errors import CancelRefused, MediaRejected, ProviderFailed, TaskExpired, WanvideoError
from wanvideo.jobs import turns
from wanvideo.jobs.likeness import Likeness, asked, compare, told
from wanvideo.jobs.policy import MAX_TROUBLES, WATCHED_S, backoff_s
from wanvideo.jobs.reconcile import BY_A_PERSON
from wanvideo.jobs.storing import store
from wanvideo.jobs.submit import dropped
from wanvideo.jobs.workshop import Workshop, failure, moved
from wanvideo.ports import Ending, Lease, Provider, TaskReport, TaskStatus


async def poll(shop: Workshop, lease: Lease) -> None:
    """Write down how a task ended; a finished clip is stored at once, under the same lease."""
    job, provider = lease.job, shop.provider(lease.job.provider)
    if job.cancel:
        kept = await _cancel(shop, lease, provider)
        if kept is None:
            return
        lease, job = kept, kept.job
    assert job.task_id is not None
    try:
        report = shop.finished.get(job.task_id) or await turns.fetch(shop, provider, job.task_id)
    except WanvideoError as error:
        tries = job.evidence.get("poll_errors", 0) + 1
        waiting = {"note": error.detail, "evidence": {**job.evidence, "poll_errors": tries}}
        most_s = 10.0 if error.retryable else 30.0
        await shop.ledger.write(lease, waiting, release_in_s=backoff_s(tries - 1, most_s=most_s))
        return
    shop.failpoint("after_poll")
    if report.status is not TaskStatus.SUCCEEDED:
        shop.finished.pop(job.task_id, None)
    ended_badly = report.status in (TaskStatus.FAILED, TaskStatus.CANCELLED)
    if job.evidence.get("adopted") not in (None, BY_A_PERSON) and ended_badly:
        await _let_go(shop, lease)  # it never told whose prompt it had: it proves nothing about our submit
    elif report.status is TaskStatus.SUCCEEDED:
        await _succeeded(shop, lease, report)
    elif report.status is TaskStatus.FAILED:
        await _failed(shop, lease, report)
    elif report.status is TaskStatus.CANCELLED:
        await _over(shop, lease, moved(job, Event.TASK_CANCELLED, cancel=None), Event.TASK_CANCELLED)
    elif report.status is TaskStatus.UNKNOWN and _forgotten(shop, job):
        body = failure(job, TaskExpired("The provider no longer knows the task: it is older than 24 hours."))
        # whether it was billed is not known any more: it counts as if it was
        cost = {"cost_cny": job.estimate_cny}
        await _over(shop, lease, moved(job, Event.TASK_EXPIRED, error=body, **cost), Event.TASK_EXPIRED, body)
    else:
        await _still_running(shop, lease, report)


async def _over(
    shop: Workshop, lease: Lease, changes: dict[str, Any], event: Event, data: dict[str, Any] | None = None
) -> None:
    """The end of a job without a clip; it cost what `changes` say, else nothing."""
    settled_cny = Decimal(changes.get("cost_cny") or 0)
    await shop.ledger.write(lease, changes, event=event, data=data, release_in_s=0, settled_cny=settled_cny)


async def _still_running(shop: Workshop, lease: Lease, report: TaskReport) -> None:
    job = lease.job
    unknown = report.status is TaskStatus.UNKNOWN
    changes: dict[str, Any] = {
        "seen_status": None if unknown else report.status.value,
        "progress": report.progress,
        "note": "the provider does not show the task yet" if unknown else _too_late(job),
        "evidence": {name: value for name, value in job.evidence.items() if name != "poll_errors"},
    }
    await shop.ledger.write(lease, changes, release_in_s=WATCHED_S)


def _forgotten(shop: Workshop, job: Job) -> bool:
    """UNKNOWN right after the creation means "not visible yet"; past 24 h it means expired."""
    return shop.elapsed_s(job.submitted_at) > float(limit("task_ttl_s"))


async def _succeeded(shop: Workshop, lease: Lease, report: TaskReport) -> None:
    job = lease.job
    if job.evidence.get("adopted") and not await _is_ours(shop, job, report):
        await _let_go(shop, lease)
        return
    expires_at = report.expires_at or shop.clock.now() + timedelta(seconds=limit("link_ttl_s"))
    changes = moved(
        job,
        Event.PROVIDER_SUCCEEDED,
        seen_status=report.status.value,
        latency_s=_latency_s(shop, job, report),
        expires_at=expires_at,
        cost_cny=str(report.cost.cny) if report.cost else job.estimate_cny,
        warnings=tuple(dict.fromkeys((*job.warnings, *report.warnings, *_adopted_told(job)))),
        evidence={"billed_s": report.billed_s} | ({"rescued": True} if job.evidence.get("rescued") else {}),
    )
    written = await shop.ledger.write(
        lease,
        changes,
        event=Event.PROVIDER_SUCCEEDED,
        data={"billed_s": report.billed_s},
        settled_cny=Decimal(changes["cost_cny"]),
    )
    shop.failpoint("after_succeeded")
    if written is not None:
        if report.video_url and job.task_id is not None:
            shop.finished[job.task_id] = report
        await store(shop, written)


def _latency_s(shop: Workshop, job: Job, report: TaskReport) -> float:
    """How long the clip took. By the provider's own times: we may have looked hours later."""
    if report.submitted_at is not None and report.ended_at is not None:
        return max(0.0, (report.ended_at - report.submitted_at).total_seconds())
    return shop.elapsed_s(job.submitted_at)


async def _let_go(shop: Workshop, lease: Lease) -> None:
    """The adopted task was not ours, or cannot be proved to be: the submit is as uncertain as before."""
    job = lease.job
    changes = moved(job, Event.LET_GO, task_id=None, submitted_at=None, seen_status=None)
    kept = {name: value for name, value in job.evidence.items() if name not in ("adopted", "poll_errors")}
    changes["evidence"] = kept | {"let_go": [*kept.get("let_go", []), job.task_id]}
    await shop.ledger.close_attempt(lease, Ending(Event.LET_GO), changes, release_in_s=0)


async def _is_ours(shop: Workshop, job: Job, report: TaskReport) -> bool:
    """An adopted task must have our prompt and all else that we sent; one that a person named may differ a
    little, as the provider may have changed it.
    """
    attempt = (await shop.ledger.attempts(job.id))[-1]
    likeness = compare(asked(job, attempt), told(report))
    named = job.evidence["adopted"] == BY_A_PERSON
    return likeness is Likeness.SAME or (named and likeness is Likeness.UNSURE)


def _adopted_told(job: Job) -> list[str]:
    if not job.evidence.get("adopted"):
        return []
    warning = (
        "The submit was never answered; this clip was found by its time, prompt and length. "
        "If another program of the account sent the same words, look whether it shows your picture."
    )
    return [warning]


async def _failed(shop: Workshop, lease: Lease, report: TaskReport) -> None:
    job = lease.job
    error = report.error or ProviderFailed("The task failed and gave no reason.")
    parameter = report.rejected_parameter
    fresh: dict[str, Any] = {"task_id": None, "submitted_at": None, "seen_status": None, "evidence": {}}
    rescued = job.evidence.get("rescued")  # what it was made from is not here: it is never made anew
    if parameter and not rescued and dropped(parameter) not in job.warnings:
        await shop.ledger.remember_quirk(shop.provider(job.provider).account.endpoint, parameter)
        changes = moved(job, Event.PARAMETER_DROPPED, warnings=(*job.warnings, dropped(parameter)), **fresh)
        await _over(shop, lease, changes, Event.PARAMETER_DROPPED, {"parameter": parameter})
        return
    if isinstance(error, MediaRejected):  # the next try uploads the picture anew
        await shop.ledger.forget_upload(job.account, job.picture.sha256)
    body = failure(job, error)
    if report.passing and not rescued and job.troubles < MAX_TROUBLES:
        changes = moved(job, Event.PROVIDER_TROUBLE, troubles=job.troubles + 1, **fresh)
        changes["note"] = f"the provider failed ({error.provider_code or error.code}), not billed; once more"
        await shop.ledger.write(
            lease,
            changes,
            event=Event.PROVIDER_TROUBLE,
            data=body,
            release_in_s=backoff_s(job.troubles, first_s=5),
            settled_cny=FREE.cny,
        )
        return
    await _over(shop, lease, moved(job, Event.PROVIDER_FAILED, error=body), Event.PROVIDER_FAILED, body)


_TOO_LATE = "Cancelling came too late: the task already ran, so it is billed and the clip is kept."


def _too_late(job: Job) -> str | None:
    """What a person who waits is told after a cancel that the provider refused."""
    return _TOO_LATE if _TOO_LATE in job.warnings else None


async def _cancel(shop: Workshop, lease: Lease, provider: Provider) -> Lease | None:
    """Honour the wish to cancel. A lease when the task runs on and should be looked at as usual."""
    job = lease.job
    assert job.task_id is not None
    try:
        if job.evidence.get("adopted"):  # it may be somebody else's: not ours to stop
            raise CancelRefused("The task was adopted and is not yet proved to be this job's.")
        await turns.take(shop, provider)
        await provider.cancel(job.task_id)
    except CancelRefused:
        if job.cancel == "abandon":
            changes = moved(job, Event.ABANDON, cancel=None, cost_cny=job.estimate_cny)
            await _over(shop, lease, changes, Event.ABANDON, {"cost_cny": job.estimate_cny})
            return None
        warnings = tuple(dict.fromkeys((*job.warnings, _TOO_LATE)))
        return await shop.ledger.write(lease, {"cancel": None, "note": _TOO_LATE, "warnings": warnings})
    except WanvideoError as error:
        await turns.told(shop, provider, error)
        await shop.ledger.write(lease, {"note": f"cancel: {error.detail}"}, release_in_s=1)
        return None
    await _over(shop, lease, moved(job, Event.TASK_CANCELLED, cancel=None), Event.TASK_CANCELLED)
    return None
