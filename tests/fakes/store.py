"""A store in memory, with a switch that fills its disk."""

from __future__ import annotations

from pathlib import Path

from wanvideo.contract.job import Job
from wanvideo.errors import StorageFailed
from wanvideo.ports import Keep, StoredObject


class FakeStore:
    """Implements ports.VideoStore."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.full = False

    async def put_clip(self, job: Job, source: Path, kind: Keep) -> StoredObject:
        return self._put(f"mem://videos/{job.id}.{kind}.mp4", _bytes_of(source))

    async def put_picture(self, data: bytes, *, sha256: str, suffix: str) -> str:
        return self._put(f"pictures/{sha256}{suffix}", data).url

    async def picture(self, key: str) -> bytes:
        if key not in self.files:
            raise StorageFailed(f"{key}: No such file.")
        return self.files[key]

    async def exists(self, url: str) -> bool:
        return url in self.files

    async def link(self, url: str) -> str:
        """Plainly another word than the durable URL, and never to be written down."""
        return (
            f"https://link.example/{url.removeprefix('mem://')}?signed" if url.startswith("mem://") else url
        )

    async def probe(self) -> str:
        self._put("mem://probe", b"")
        del self.files["mem://probe"]
        return "memory: written, read and removed"

    async def close(self) -> None: ...

    def _put(self, url: str, data: bytes) -> StoredObject:
        if self.full:
            raise StorageFailed("No space left on device.")
        self.files[url] = data
        return StoredObject(url, len(data))


def _bytes_of(source: Path) -> bytes:
    try:
        return source.read_bytes()
    except OSError as error:
        raise StorageFailed(f"{source}: {error.strerror}.") from None
