"""Fetching a clip into a work file: streamed, hashed as it comes, and going on where it was cut off."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from wanvideo.contract.job import Job
from wanvideo.errors import StorageFailed
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import Provider, TaskReport


class WorkFiles:
    """The unfinished files of one job. They survive a crash, so that a download goes on where it was."""

    def __init__(self, work_dir: Path, job: Job) -> None:
        self.folder = work_dir
        self.download = work_dir / f"{job.id}-{job.attempt}.part"
        self.conformed = work_dir / f"{job.id}-{job.attempt}.conformed.mp4"

    def make_folder(self) -> None:
        """Raises: StorageFailed."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFailed(f"{self.folder}: {error.strerror}.") from None

    def remove(self) -> None:
        for path in (self.download, self.conformed):
            with contextlib.suppress(OSError):
                path.unlink()


@dataclass(frozen=True, slots=True)
class Download:
    """What was fetched: its hash, and its length as the server announced it."""

    sha256: str
    total_bytes: int | None


async def download(shop: Workshop, provider: Provider, report: TaskReport, path: Path) -> Download:
    """Stream the clip to `path`, going on behind the bytes that are already there; hash as they come.

    Raises: ResultExpired when the link has died; StorageFailed, ProviderUnavailable: try again later.
    """
    assert report.video_url is not None
    rolling = hashlib.sha256()
    have = 0
    if path in shop.parts:  # what another process left may be damaged, by a power cut say
        have = await asyncio.to_thread(_hash_into, rolling, path)
    shop.parts.add(path)
    async with provider.open_clip(report.video_url, offset_bytes=have) as clip:
        if clip.offset_bytes != have:  # the server does not do ranges: from the start
            rolling, have = hashlib.sha256(), 0
        if clip.total_bytes is not None and clip.total_bytes == have:
            return Download(rolling.hexdigest(), clip.total_bytes)
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
        return Download(rolling.hexdigest(), clip.total_bytes)


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
