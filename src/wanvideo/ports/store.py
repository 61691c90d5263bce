"""Where clips and pictures end up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from wanvideo.contract.job import Job


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A file at its final place. `url` is durable: a path, or an object store's unsigned URL."""

    url: str
    size_bytes: int


class Keep(StrEnum):
    """What a stored file is."""

    CLIP = "clip"  # the result
    SOURCE = "source"  # the provider's own file beside a conformed clip


class VideoStore(Protocol):
    """Where clips and accepted pictures end up. A name is either absent or complete, never half-written.

    `link` is what a user is given for a stored URL: the same path, or a public or presigned http(s) link,
    which is never written down. `probe` writes, reads and removes a few bytes and says in words where.
    Raises: errors.StorageFailed when the disk is full, the folder read-only or the service away.
    """

    async def put_clip(self, job: Job, source: Path, kind: Keep) -> StoredObject: ...
    async def put_picture(self, data: bytes, *, sha256: str, suffix: str) -> str: ...
    async def picture(self, key: str) -> bytes: ...
    async def exists(self, url: str) -> bool: ...
    async def link(self, url: str) -> str: ...
    async def probe(self) -> str: ...
    async def close(self) -> None: ...
