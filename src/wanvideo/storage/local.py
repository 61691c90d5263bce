"""A folder. A file appears under its final name complete and on disk, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from wanvideo.contract.job import Job
from wanvideo.errors import StorageFailed
from wanvideo.ports import Keep, StoredObject
from wanvideo.storage.keys import clip_key, picture_key


class LocalStore:
    """Implements ports.VideoStore under `root`: a temporary name, fsync, rename, fsync of the folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put_clip(self, job: Job, source: Path, kind: Keep) -> StoredObject:
        target = self._root / clip_key(job, kind)

        def copy(out: BinaryIO) -> None:
            with source.open("rb") as file:
                shutil.copyfileobj(file, out, 1 << 20)

        await asyncio.to_thread(_write, target, copy)
        return StoredObject(str(target), target.stat().st_size)

    async def put_picture(self, data: bytes, *, sha256: str, suffix: str) -> str:
        key = picture_key(sha256, suffix)
        target = self._root / key
        if not target.exists():
            await asyncio.to_thread(_write, target, lambda out: out.write(data))
        return key

    async def picture(self, key: str) -> bytes:
        try:
            return await asyncio.to_thread((self._root / key).read_bytes)
        except OSError as error:
            raise _failed(self._root / key, error) from None

    async def exists(self, url: str) -> bool:
        return await asyncio.to_thread(Path(url).is_file)


def _write(target: Path, fill: Callable[[BinaryIO], object]) -> None:
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _removed_on_error(temporary):
            with temporary.open("xb") as out:
                fill(out)
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise _failed(target, error) from None


@contextlib.contextmanager
def _removed_on_error(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # the rename itself must survive a power cut
    finally:
        os.close(descriptor)


def _failed(path: Path, error: OSError) -> StorageFailed:
    return StorageFailed(f"{path}: {error.strerror or error}.")
