"""Bringing a paid clip home: download, check, conform, put in place, commit. Repeated until the link dies."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from wanvideo.contract.job import Event, Job
from wanvideo.contract.price import Cost
from wanvideo.contract.result import VideoResult
from wanvideo.contract.size import exact_fps
from wanvideo.errors import ClipInvalid, ResultExpired, StorageFailed, WanvideoError
from wanvideo.jobs.policy import backoff_s
from wanvideo.jobs.workshop import Workshop, failure, moved, request_of
from wanvideo.ports import Keep, Lease, Provider, StoredObject, TaskReport, TaskStatus

AT_RISK = timedelta(hours=6)
"""From this long before the link dies, every face shouts."""


async def store(shop: Workshop, lease: Lease) -> None:
    """Take a finished clip to its place. On trouble the job waits in `storing`, with the reason in words."""
    job = lease.job
    if job.cancel == "abandon":
        shop.finished.pop(job.id, None)
        changes = moved(job, Event.ABANDON, cancel=None)
        written = await shop.ledger.write(
            lease, changes, event=Event.ABANDON, data={"cost_cny": job.cost_cny}, release_in_s=0
        )
        if written is not None:
            _Files(shop.work_dir, job).remove()
        return
    try:
        result = await _bring_home(shop, job)
    except ResultExpired as error:
        shop.finished.pop(job.id, None)
        body = failure(job, error)
        changes = moved(job, Event.RESULT_EXPIRED, error=body)
        await shop.ledger.write(lease, changes, event=Event.RESULT_EXPIRED, data=body, release_in_s=0)
        return
    except (WanvideoError, OSError) as trouble:
        shop.finished.pop(job.id, None)  # the link may be the trouble: ask for it again
        why = trouble.detail if isinstance(trouble, WanvideoError) else str(trouble)
        changes = {"note": why, "store_tries": job.store_tries + 1}
        await shop.ledger.write(lease, changes, release_in_s=backoff_s(job.store_tries, most_s=60))
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
        lease, changes, event=Event.STORED, data={"sha256": result.sha256}, release_in_s=0
    )
    if written is not None:
        shop.finished.pop(job.id, None)
        _Files(shop.work_dir, job).remove()


class _Files:
    """The unfinished files of one job. They survive a crash, so that a download goes on where it was."""

    def __init__(self, work_dir: Path, job: Job) -> None:
        self.download = work_dir / f"{job.id}-{job.attempt}.part"
        self.conformed = work_dir / f"{job.id}-{job.attempt}.conformed.mp4"

    def remove(self) -> None:
        for path in (self.download, self.conformed):
            with contextlib.suppress(OSError):
                path.unlink()


async def _bring_home(shop: Workshop, job: Job) -> VideoResult:
    from wanvideo.media.conform import Target, conform  # heavy: only a job that stores needs the codecs
    from wanvideo.media.probe import check

    provider = shop.provider(job.provider)
    report = shop.finished.get(job.id) or await _report_again(shop, job, provider)
    files = _Files(shop.work_dir, job)
    _make_folder(shop.work_dir)
    source = await _download(shop, provider, report, files.download)
    shop.failpoint("after_download")
    try:
        await asyncio.to_thread(check, files.download, expected_bytes=source.total_bytes)
    except ClipInvalid:
        files.remove()  # going on from broken bytes would break the next try as well
        raise
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
            on_progress=lambda *_: shop.failpoint("during_conform"),
        )
    finally:
        stop.set()  # a cancelled step must not leave a thread that writes on
    shop.failpoint("after_conform")
    facts = await asyncio.to_thread(check, files.conformed)
    kept: StoredObject | None = None
    if done.changed and shop.rules.keep_source:
        kept = await shop.store.put_clip(job, files.download, Keep.SOURCE)
    stored = await shop.store.put_clip(job, files.conformed, Keep.CLIP)
    sha256 = await asyncio.to_thread(_sha256, files.conformed) if done.changed else source.sha256
    billed_s = report.billed_s if report.billed_s is not None else job.billed_s
    cost = report.cost or provider.settled(request, billed_s)
    warnings = list(dict.fromkeys((*job.warnings, *report.warnings, *_told(request.duration, cost))))
    return VideoResult(
        video_url=stored.url,
        duration=round(facts.duration_s, 3),
        fps=round(float(facts.fps), 3),
        seed=job.seed,
        job_id=job.id,
        task_id=None if cost.basis == "free" else job.task_id,
        provider=job.provider,
        model=provider.model,
        size=f"{facts.width_px}*{facts.height_px}",
        cost=cost.as_json(),
        warnings=warnings,
        sha256=sha256,
        created_at=job.created_at,
        source_url=kept.url if kept else None,
    )


def _told(duration_s: float, cost: Cost) -> list[str]:
    if cost.basis == "free" or cost.billed_s == duration_s:
        return []
    return [
        f"{cost.billed_s:g} s were billed for a clip of {duration_s:g} s: the provider bills whole seconds."
    ]


async def _report_again(shop: Workshop, job: Job, provider: Provider) -> TaskReport:
    """Ask for the link again: after a restart, or when the last one did not work."""
    assert job.task_id is not None
    report = await provider.fetch(job.task_id)
    if report.status is TaskStatus.SUCCEEDED and report.video_url:
        shop.finished[job.id] = report
        return report
    expired = job.expires_at is not None and shop.clock.now() >= job.expires_at
    if expired or report.status in (TaskStatus.FAILED, TaskStatus.CANCELLED):
        raise ResultExpired("The provider no longer hands out the clip.")
    raise StorageFailed("The provider does not show the finished clip at the moment.", hint="")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(f"{folder}: {error.strerror}.") from None


@dataclass(frozen=True, slots=True)
class _Download:
    sha256: str
    total_bytes: int | None


async def _download(shop: Workshop, provider: Provider, report: TaskReport, path: Path) -> _Download:
    """Stream the clip to `path`, going on behind the bytes that are already there; hash as they come."""
    assert report.video_url is not None
    rolling = hashlib.sha256()
    have = await asyncio.to_thread(_hash_into, rolling, path)
    if report.expires_at is not None and shop.clock.now() >= report.expires_at:
        raise ResultExpired("The clip's link has died.")
    async with provider.open_clip(report.video_url, offset_bytes=have) as clip:
        if clip.offset_bytes != have:  # the server does not do ranges: from the start
            rolling, have = hashlib.sha256(), 0
        if clip.total_bytes is not None and clip.total_bytes == have:
            return _Download(rolling.hexdigest(), clip.total_bytes)
        try:
            with path.open("r+b" if have else "wb") as out:
                out.seek(have)
                async for chunk in clip.chunks:
                    rolling.update(chunk)
                    await asyncio.to_thread(out.write, chunk)
                    shop.failpoint("during_download")
                await asyncio.to_thread(_settle, out)
        except OSError as error:
            raise StorageFailed(f"{path}: {error.strerror or error}.") from None
        return _Download(rolling.hexdigest(), clip.total_bytes)


def _hash_into(rolling: hashlib._Hash, path: Path) -> int:
    if not path.exists():
        return 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            rolling.update(chunk)
        return file.tell()


def _settle(out: BinaryIO) -> None:
    out.truncate()
    out.flush()
    os.fsync(out.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
