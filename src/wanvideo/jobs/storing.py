"""Bringing a paid clip home: download, check, conform, put in place, commit. Repeated until the link dies."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
import threading
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wanvideo.contract.job import Event, Job
from wanvideo.contract.price import Cost
from wanvideo.contract.result import VideoResult
from wanvideo.contract.size import exact_fps
from wanvideo.errors import ClipInvalid, ResultExpired, StorageFailed, WanvideoError
from wanvideo.jobs import turns
from wanvideo.jobs.download import Download, WorkFiles, download
from wanvideo.jobs.policy import backoff_s
from wanvideo.jobs.workshop import Workshop, failure, moved, request_of
from wanvideo.ports import Keep, Lease, Provider, StoredObject, TaskReport, TaskStatus

log = logging.getLogger("wanvideo.jobs")

if TYPE_CHECKING:
    from wanvideo.media.probe import ClipFacts

AT_RISK = timedelta(hours=6)
"""From this long before the link dies, every face shouts."""
_LONGEST_WAIT_S, _RISKY_WAIT_S = 60.0, 15.0
SAME_DAMAGE = 3
"""After this many downloads of the very same broken bytes, near the link's end, they are kept as they are."""


def at_risk(shop: Workshop, job: Job) -> bool:
    """Whether the link of a clip that is not stored yet dies soon."""
    return job.expires_at is not None and job.expires_at - shop.clock.now() <= AT_RISK


async def store(shop: Workshop, lease: Lease) -> None:
    """Take a finished clip to its place. On trouble the job waits in `storing`, with the reason in words."""
    job = lease.job
    assert job.task_id is not None
    if job.cancel == "abandon":
        shop.finished.pop(job.task_id, None)
        changes = moved(job, Event.ABANDON, cancel=None)
        written = await shop.ledger.write(
            lease, changes, event=Event.ABANDON, data={"cost_cny": job.cost_cny}, release_in_s=0
        )
        if written is not None:
            WorkFiles(shop.work_dir, job).remove()
        return
    evidence = dict(job.evidence)
    try:
        result = await _bring_home(shop, job, evidence)
    except ResultExpired as error:
        shop.finished.pop(job.task_id, None)
        body = failure(job, error)
        changes = moved(job, Event.RESULT_EXPIRED, error=body)
        await shop.ledger.write(lease, changes, event=Event.RESULT_EXPIRED, data=body, release_in_s=0)
        return
    except (WanvideoError, OSError) as trouble:
        shop.finished.pop(job.task_id, None)  # the link may be the trouble: ask for it again
        await _wait(shop, lease, trouble, evidence)
        return
    shop.failpoint("before_stored")
    changes = moved(
        job,
        Event.STORED,
        result=result.model_dump(mode="json"),
        warnings=tuple(result.warnings),
        cost_cny=str(result.cost["cny"]),
        cancel=None,
        evidence={},
    )
    written = await shop.ledger.write(
        lease,
        changes,
        event=Event.STORED,
        data={"sha256": result.sha256},
        release_in_s=0,
        settled_cny=Decimal(str(result.cost["cny"])),
    )
    if written is not None:
        shop.finished.pop(job.task_id, None)
        WorkFiles(shop.work_dir, job).remove()


async def _wait(
    shop: Workshop, lease: Lease, trouble: WanvideoError | OSError, evidence: dict[str, Any]
) -> None:
    """Try again later: sooner and louder when the link dies soon."""
    job, risk = lease.job, at_risk(shop, lease.job)
    why = trouble.detail if isinstance(trouble, WanvideoError) else str(trouble)
    if risk:
        left_s = (job.expires_at - shop.clock.now()).total_seconds() if job.expires_at else 0.0
        log.error(
            "%s: a paid clip is not stored, and its link dies in %.1f h: %s", job.id, left_s / 3600, why
        )
    else:
        log.warning("%s: the clip is not stored yet, trying again: %s", job.id, why)
    event = Event.AT_RISK if risk and not evidence.get("at_risk") else None
    if risk:
        evidence["at_risk"] = True
    changes = {"note": why, "store_tries": job.store_tries + 1, "evidence": evidence}
    wait_s = backoff_s(job.store_tries, most_s=_RISKY_WAIT_S if risk else _LONGEST_WAIT_S)
    await shop.ledger.write(lease, changes, event=event, data={"why": why}, release_in_s=wait_s)


async def _bring_home(shop: Workshop, job: Job, evidence: dict[str, Any]) -> VideoResult:
    """Download, check, conform, put in place. `evidence` takes what the next try should know."""
    provider = shop.provider(job.provider)
    files = WorkFiles(shop.work_dir, job)
    files.make_folder()
    source, report = await _fetched(shop, job, provider, files)
    shop.failpoint("after_download")
    made = await _made_to_fit(shop, job, files, source, evidence)
    shop.failpoint("after_conform")
    kept: StoredObject | None = None
    if made.changed and shop.rules.keep_source:
        kept = await shop.store.put_clip(job, files.download, Keep.SOURCE)
    shop.failpoint("after_source")
    stored = await shop.store.put_clip(job, files.conformed, Keep.CLIP)
    request = request_of(job)
    cost = (report and report.cost) or provider.settled(request, _billed_s(job, report))
    billing = () if job.evidence.get("rescued") else _billing_told(request.duration, cost)
    told = (*job.warnings, *made.warnings, *billing)
    return VideoResult(
        video_url=stored.url,
        duration=round(made.facts.duration_s, 3),
        fps=round(float(made.facts.fps), 3),
        seed=job.seed,
        job_id=job.id,
        task_id=None if cost.basis == "free" else job.task_id,
        provider=job.provider,
        model=provider.model,
        size=f"{made.facts.width_px}*{made.facts.height_px}",
        cost=cost.as_json(),
        warnings=list(dict.fromkeys(told)),
        sha256=await asyncio.to_thread(_sha256, files.conformed) if made.changed else source.sha256,
        created_at=job.created_at,
        source_url=kept.url if kept else None,
    )


async def _fetched(
    shop: Workshop, job: Job, provider: Provider, files: WorkFiles
) -> tuple[Download, TaskReport | None]:
    """The downloaded clip. When its link has died, what an earlier try brought home whole will do."""
    try:
        report = (job.task_id and shop.finished.get(job.task_id)) or await _report_again(shop, job, provider)
        return await download(shop, provider, report, files.download), report
    except ResultExpired:
        if not await asyncio.to_thread(_is_whole, files.download):
            raise
        return Download(await asyncio.to_thread(_sha256, files.download), None), None


def _is_whole(path: Path) -> bool:
    from wanvideo.media.probe import check

    try:
        check(path)
    except ClipInvalid:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Made:
    """The clip as it will be stored: measured, and what was changed or is wrong with it."""

    facts: ClipFacts
    changed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


async def _made_to_fit(
    shop: Workshop, job: Job, files: WorkFiles, source: Download, evidence: dict[str, Any]
) -> _Made:
    """Check the download and conform it to the request.

    A broken file is fetched anew. One that comes out the same every time is the provider's own: it is
    paid for, so it is kept as it is, and the warnings say so. Raises: ClipInvalid, StorageFailed.
    """
    from wanvideo.media.probe import check, probe  # heavy: only a job that stores needs the codecs

    try:
        await asyncio.to_thread(check, files.download, expected_bytes=source.total_bytes)
        async with shop.conforming:
            changed = await _conform(shop, job, files)
        return _Made(await asyncio.to_thread(check, files.conformed), changed)
    except ClipInvalid as broken:
        same = evidence.get("broken_sha256") == source.sha256
        evidence["broken_times"] = evidence.get("broken_times", 0) + 1 if same else 1
        evidence["broken_sha256"] = source.sha256
        try:
            if evidence["broken_times"] < SAME_DAMAGE or not at_risk(shop, job):
                raise
            facts = await asyncio.to_thread(probe, files.download)
        except ClipInvalid:
            files.remove()  # going on from broken bytes would break the next try as well
            raise
        await asyncio.to_thread(shutil.copyfile, files.download, files.conformed)
        warning = f"The provider's file is damaged and was stored as it came: {broken.detail}"
        return _Made(facts, warnings=(warning,))


async def _conform(shop: Workshop, job: Job, files: WorkFiles) -> tuple[str, ...]:
    """Write the clip with the exact size, rate and length; what had to change, in words."""
    from wanvideo.media.conform import Target, conform

    if job.evidence.get("rescued"):  # nobody knows what it was asked to be
        await asyncio.to_thread(shutil.copyfile, files.download, files.conformed)
        return ()
    request = request_of(job)
    size = request.frame_size
    target = Target(size.width_px, size.height_px, exact_fps(request.fps), request.frame_count)
    stop = threading.Event()
    try:
        done = await asyncio.to_thread(
            conform,
            files.download,
            files.conformed,
            target,
            cancelled=stop.is_set,
            on_progress=lambda _: shop.failpoint("during_conform"),
        )
    finally:
        stop.set()  # a cancelled step must not leave a thread that writes on
    return done.changed


def _billed_s(job: Job, report: TaskReport | None) -> float:
    told = report.billed_s if report else job.evidence.get("billed_s")
    return float(job.billed_s if told is None else told)


def _billing_told(duration_s: float, cost: Cost) -> tuple[str, ...]:
    if cost.basis == "free" or cost.billed_s == duration_s:
        return ()
    return (
        f"{cost.billed_s:g} s were billed for a clip of {duration_s:g} s: the provider bills whole seconds.",
    )


async def _report_again(shop: Workshop, job: Job, provider: Provider) -> TaskReport:
    """Ask for the link again: after a restart, or when the last one did not work."""
    assert job.task_id is not None
    report = await turns.fetch(shop, provider, job.task_id)
    if report.status is TaskStatus.SUCCEEDED and report.video_url:
        shop.finished[job.task_id] = report
        return report
    expired = job.expires_at is not None and shop.clock.now() >= job.expires_at
    if report.status in (TaskStatus.FAILED, TaskStatus.CANCELLED) or expired:
        raise ResultExpired("The provider no longer hands out the clip.")
    raise StorageFailed("The provider does not show the finished clip at the moment.", hint="")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
