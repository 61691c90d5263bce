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
from urllib.parse import quote

from wanvideo.contract.job import Job
from wanvideo.errors import StorageFailed
from wanvideo.ports import Keep, StoredObject
from wanvideo.storage.keys import clip_key, picture_key


class LocalStore:
    """Implements ports.VideoStore under `root`: a temporary name, fsync, rename, fsync of the folder."""

    def __init__(self, root: Path, public_url: str | None = None) -> None:
        self._root = root
        self._public_url = public_url

    async def put_clip(self, job: Job, source: Path, kind: Keep) -> StoredObject:
        target = self._root / clip_key(job, kind)

        def copy(out: BinaryIO) -> None:
            with source.open("rb") as file:
                shutil.copyfileobj(file, out, 1 << 20)

        return StoredObject(str(target), await asyncio.to_thread(_write, target, copy))

    async def put_picture(self, data: bytes, *, sha256: str, suffix: str) -> str:
        key = picture_key(sha256, suffix)
        target = self._root / key
        if not await asyncio.to_thread(_is_file, target):
            await asyncio.to_thread(_write, target, lambda out: out.write(data))
        return key

    async def picture(self, key: str) -> bytes:
        try:
            return await asyncio.to_thread((self._root / key).read_bytes)
        except OSError as error:
            raise _failed(self._root / key, error) from None

    async def exists(self, url: str) -> bool:
        if "://" in url:
            return False  # in a bucket
        return await asyncio.to_thread(_is_file, Path(url))

    async def link(self, url: str) -> str:
        if self._public_url and Path(url).is_relative_to(self._root):
            return f"{self._public_url}/{quote(Path(url).relative_to(self._root).as_posix())}"
        return url

    async def probe(self) -> str:
        await asyncio.to_thread(_try_out, self._root)
        return f"{self._root}: written, read and removed"

    async def close(self) -> None:
        """Nothing is held open."""


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # a folder that may not be entered is not the same as a file that is not there
        raise _failed(path, error) from None


def _try_out(root: Path) -> None:
    probe = root / f".wanvideo-probe-{secrets.token_hex(4)}"
    sent = secrets.token_bytes(16)
    _write(probe, lambda out: out.write(sent))
    try:
        try:
            read = probe.read_bytes()
        finally:
            probe.unlink()
    except OSError as error:
        raise _failed(probe, error) from None
    if read != sent:
        raise StorageFailed(f"{root}: something else was read than was written.")


def _write(target: Path, fill: Callable[[BinaryIO], object]) -> int:
    """Put what `fill` writes under its final name; how many bytes that was."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _removed_on_error(temporary):
            with temporary.open("xb") as out:
                fill(out)
                out.flush()
                os.fsync(out.fileno())
                size_bytes = out.tell()
            temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise _failed(target, error) from None
    return size_bytes


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
