"""The one place that spends money: upload the picture, commit the attempt, send exactly one create."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import Any

from wanvideo.contract.fingerprint import digest
from wanvideo.contract.job import Attempt, Event, Job, TaskId
from wanvideo.contract.model_card import NOT_IN_VENDOR_PAGE
from wanvideo.contract.price import FREE
from wanvideo.errors import (
    CostLimitExceeded,
    ImageInvalid,
    MediaRejected,
    NotDelivered,
    ProviderRefused,
    StorageFailed,
    SubmitUncertain,
    Throttled,
    WanvideoError,
)
from wanvideo.jobs import limits, turns
from wanvideo.jobs.policy import MAX_UNDELIVERED, WATCHED_S, backoff_s
from wanvideo.jobs.workshop import Workshop, failure, moved, request_of
from wanvideo.ports import Ending, Lease, NoSlot, Order, OverBudget, Provider
from wanvideo.redact import redacted

log = logging.getLogger("wanvideo.jobs")

_SLOT_LOOK_S = 1.0
_WRITE_TRIES = 12  # some five minutes; after that the task list will tell of the task
_UPLOAD_MARGIN_S = 3600.0
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/bmp": ".bmp", "image/webp": ".webp"}


async def submit(shop: Workshop, lease: Lease) -> None:
    """Take a queued job to the provider. Every way out is committed; a crash after the commit is `lost`."""
    job, provider = lease.job, shop.provider(lease.job.provider)
    if job.cancel:
        await _cancelled(shop, lease)
        return
    shop.failpoint("before_upload")
    try:
        body = await _body(shop, job, provider)
        await provider.ready()  # loading the SDK takes a second: between the commit and the POST it may not
    except WanvideoError as error:
        await _not_sent(shop, lease, error)
        return
    shop.failpoint("after_upload")
    await turns.take(shop, provider, turns.Lane.SUBMIT)
    now = await shop.ledger.job(job.id)
    if now is not None and now.cancel:  # asked for while the picture went up: still nothing was sent
        await _cancelled(shop, lease)
        return
    began_s = shop.clock.steady_s()
    opened = await _approved(shop, lease, provider, body)
    if opened is None:
        return
    shop.failpoint("before_post")
    if shop.clock.steady_s() - began_s > shop.rules.lease_s / 2:
        # This process was asleep. Others may soon take the attempt for lost and prove it absent, so the
        # POST must not leave after that: it is not sent at all.
        await _undelivered(shop, opened, NotDelivered("This machine was asleep; the submit was not sent."))
        return
    await _send(shop, opened, provider, body)


async def _approved(shop: Workshop, lease: Lease, provider: Provider, body: dict[str, Any]) -> Lease | None:
    """Commit the attempt, its money held back, a place taken. None: it may not be sent; that is written."""
    job = lease.job
    estimate_cny = provider.estimate(request_of(job)).cny
    try:
        limits.check_clip(shop, estimate_cny, limits.own_limit_cny(job))
    except CostLimitExceeded as error:
        await _not_sent(shop, lease, error)
        return None
    attempt = Attempt(
        job_id=job.id,
        number=job.attempt + 1,
        fence=lease.fence,
        endpoint=provider.account.endpoint,
        key_fingerprint=provider.account.key_fingerprint,
        body_sha256=digest(body),
        body=redacted(body),
        started_at=shop.clock.now(),
        account=provider.account.name,
        owner=job.owner,
        reserved_cny=estimate_cny,
    )
    changes = moved(job, Event.CLAIM, attempt=attempt.number, account=provider.account.name)
    budget = limits.day_budget(shop)
    opened = await shop.ledger.open_attempt(lease, attempt, changes, slots=provider.pace.slots, budget=budget)
    if opened is NoSlot.NO_SLOT:
        await shop.ledger.write(lease, {"note": waits_for_a_place(provider)}, release_in_s=_SLOT_LOOK_S)
        return None
    if isinstance(opened, OverBudget):
        assert budget is not None
        await _not_sent(shop, lease, limits.over_budget(budget, estimate_cny, opened.spent_cny))
        return None
    return opened


def waits_for_a_place(provider: Provider) -> str:
    """What the owner of a job is told while all places are taken."""
    return f"waits for one of {provider.pace.slots} places at the provider"


async def _cancelled(shop: Workshop, lease: Lease) -> None:
    changes = moved(lease.job, Event.CANCEL, cancel=None)
    await shop.ledger.write(lease, changes, event=Event.CANCEL, release_in_s=0)


async def _body(shop: Workshop, job: Job, provider: Provider) -> dict[str, Any]:
    """What will be sent. An upload is used again while it is valid for another hour."""
    url = job.picture.url
    if not url and not job.picture.key:
        raise ImageInvalid(
            "The picture of this job is not known.",
            field="reference_image",
            hint="Make the clip anew from a picture. Nothing was sent.",
        )
    if not url:
        account = provider.account.name
        known = await shop.ledger.upload(account, job.picture.sha256, at_least_s=_UPLOAD_MARGIN_S)
        if known is None:
            data = await shop.store.picture(job.picture.key)
            if hashlib.sha256(data).hexdigest() != job.picture.sha256:
                raise ImageInvalid(
                    f"The accepted picture {job.picture.key} was changed on disk.",
                    field="reference_image",
                    hint="Make the clip anew from the original picture. Nothing was sent.",
                )
            name = f"{job.picture.sha256[:16]}{_SUFFIXES.get(job.picture.media_type, '')}"
            upload = await provider.upload(data, name=name)
            await shop.ledger.remember_upload(account, job.picture.sha256, upload)
            known = upload.url
        url = known
    omit = await shop.ledger.quirks(provider.account.endpoint)
    return provider.body(Order(request_of(job), job.seed, url, omit))


async def _not_sent(shop: Workshop, lease: Lease, error: WanvideoError) -> None:
    """Trouble before the POST: nothing can have been billed."""
    job = lease.job
    tries = job.evidence.get("undelivered", 0) + 1
    if error.retryable and tries < MAX_UNDELIVERED:
        wait_s = backoff_s(tries - 1)
        changes = {"note": _again(error, tries, wait_s), "evidence": {**job.evidence, "undelivered": tries}}
        await shop.ledger.write(lease, changes, release_in_s=wait_s)
        return
    body = failure(job, error)
    await shop.ledger.write(
        lease, moved(job, Event.REFUSED, error=body), event=Event.REFUSED, data=body, release_in_s=0
    )


async def _send(shop: Workshop, lease: Lease, provider: Provider, body: dict[str, Any]) -> None:
    """One POST, and its outcome committed. A cancelled worker still waits for the answer: it is money."""
    post = asyncio.ensure_future(provider.create(body))
    cancelled = await _to_its_end(post)
    shop.failpoint("after_post")
    written = asyncio.ensure_future(_outcome(shop, lease, post))
    cancelled = await _to_its_end(written) or cancelled
    written.result()
    if cancelled:
        raise asyncio.CancelledError


async def _to_its_end(work: asyncio.Future[Any]) -> bool:
    """Wait until `work` is done, whatever happens; True when this task was cancelled meanwhile."""
    cancelled = False
    while not work.done():
        try:
            await asyncio.shield(asyncio.wait([work]))
        except asyncio.CancelledError:
            cancelled = True
    return cancelled


async def _outcome(shop: Workshop, lease: Lease, post: asyncio.Future[TaskId]) -> None:
    job = lease.job
    try:
        task_id = post.result()
    except NotDelivered as error:
        await _undelivered(shop, lease, error)
    except Throttled as error:
        provider = shop.provider(job.provider)
        await turns.told(shop, provider, error, turns.Lane.SUBMIT)
        tries = job.evidence.get("throttled", 0) + 1
        changes = moved(job, Event.THROTTLED, note=error.detail)
        changes["evidence"] = {**job.evidence, "throttled": tries}
        ending = Ending(
            Event.THROTTLED, request_id=error.request_id, error=failure(job, error), settled_cny=FREE.cny
        )
        wait_s = 0.0 if provider.pace.submits_per_s else backoff_s(tries, most_s=60)  # else the gate waits
        await shop.ledger.close_attempt(lease, ending, changes, release_in_s=wait_s)
    except SubmitUncertain as error:
        await lost(shop, lease, error)
    except WanvideoError as error:
        if error.retryable:  # an answer that is neither yes nor no leaves doubt
            await lost(shop, lease, error)
        else:
            await _refused(shop, lease, error)
    except Exception as error:  # noqa: BLE001 - the SDK may raise anything; after the POST it means doubt
        await lost(shop, lease, SubmitUncertain(f"The submit broke off: {type(error).__name__}."))
    else:
        await _accepted(shop, lease, task_id)


async def _accepted(shop: Workshop, lease: Lease, task_id: TaskId) -> None:
    """The id of a paid task is written down before anything else, and again until that works."""
    job = lease.job
    changes = moved(
        job, Event.ACCEPTED, task_id=task_id, submitted_at=shop.clock.now(), seen_status=None, evidence={}
    )
    ending = Ending(Event.ACCEPTED, task_id)
    for tries in range(_WRITE_TRIES):
        try:
            written = await shop.ledger.close_attempt(
                lease, ending, changes, data={"task_id": task_id}, release_in_s=WATCHED_S
            )
            if written is None:
                await shop.ledger.record_task(job.id, job.attempt, task_id)
            break
        except StorageFailed as error:
            log.error(
                "%s: task %s was accepted and cannot be written down. %s", job.id, task_id, error.detail
            )
            await shop.clock.sleep(backoff_s(tries))
    shop.failpoint("after_accept")


async def _undelivered(shop: Workshop, lease: Lease, error: NotDelivered) -> None:
    job = lease.job
    tries = job.evidence.get("undelivered", 0) + 1
    if tries >= MAX_UNDELIVERED:
        await _refused(shop, lease, error)
        return
    wait_s = backoff_s(tries - 1)
    changes = moved(job, Event.NOT_DELIVERED, note=_again(error, tries, wait_s))
    changes["evidence"] = {**job.evidence, "undelivered": tries}
    ending = Ending(Event.NOT_DELIVERED, error=failure(job, error), settled_cny=FREE.cny)
    await shop.ledger.close_attempt(lease, ending, changes, release_in_s=wait_s)


def _again(error: WanvideoError, tries: int, wait_s: float) -> str:
    return f"try {tries} of {MAX_UNDELIVERED}, again in {wait_s:.0f} s: {error.detail}"


async def _refused(shop: Workshop, lease: Lease, error: WanvideoError) -> None:
    """Final, unless it only names a field that the vendor's page does not have: then once more without it."""
    job = lease.job
    body = failure(job, error)
    if isinstance(error, ProviderRefused) and error.field in NOT_IN_VENDOR_PAGE:
        warning = dropped(error.field)
        if warning not in job.warnings:  # asked of the job: a neighbour may have taught the ledger meanwhile
            endpoint = shop.provider(job.provider).account.endpoint
            await shop.ledger.remember_quirk(endpoint, error.field)
            changes = moved(job, Event.PARAMETER_DROPPED, warnings=(*job.warnings, warning))
            ending = Ending(
                Event.PARAMETER_DROPPED, request_id=error.request_id, error=body, settled_cny=FREE.cny
            )
            await shop.ledger.close_attempt(lease, ending, changes, release_in_s=0)
            return
    if isinstance(error, MediaRejected):  # the next try uploads the picture anew
        await shop.ledger.forget_upload(job.account, job.picture.sha256)
    ending = Ending(Event.REFUSED, request_id=error.request_id, error=body, settled_cny=FREE.cny)
    await shop.ledger.close_attempt(
        lease, ending, moved(job, Event.REFUSED, error=body), data=body, release_in_s=0
    )


def dropped(parameter: str) -> str:
    """The warning for a field that the endpoint refuses."""
    return (
        f"The provider refuses the parameter {parameter}; it was left out, and wanvideo makes the clip fit."
    )


async def lost(shop: Workshop, lease: Lease, error: WanvideoError) -> None:
    """The POST left and was not answered: it may be billed, so it is never sent again blindly."""
    job = lease.job
    changes = moved(job, Event.LOST, note="the submit was not answered; looking for the task")
    changes["evidence"] = {"lost_at": shop.clock.now().isoformat()}
    ending = Ending(Event.LOST, request_id=error.request_id, error=failure(job, error))
    await shop.ledger.close_attempt(lease, ending, changes, data={"why": error.detail}, release_in_s=0)
