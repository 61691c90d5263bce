"""A bucket of an object store. A file appears under its final name complete, or not at all."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import quote

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError

from wanvideo.contract.job import Job
from wanvideo.errors import StorageFailed
from wanvideo.ports import Keep, StoredObject
from wanvideo.storage.keys import clip_key, picture_key
from wanvideo.storage.refusals import refusal, says_no_bucket
from wanvideo.storage.services import Service
from wanvideo.storage.threads import in_thread
from wanvideo.storage.url import Place

PART_BYTES = 5 << 20  # the smallest part that S3 takes
PARTS_AT_ONCE = 2
_PIECE_BYTES = 1 << 20
_ONE_REQUEST_BYTES = 8 << 20  # up to here a file is sent whole, which is atomic by itself
_GRACE_S = 5.0
"""How long a cancelled upload may take to tell the service that its parts can be thrown away."""

_MEDIA_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".bmp": "image/bmp", ".webp": "image/webp"}
_Answer = TypeVar("_Answer")


class RemoteStore:
    """Implements ports.VideoStore in a bucket.

    What is written down of a clip is `s3://bucket/prefix/key` and never signed. Uploads hold a few parts in
    memory at most. Every failure is a StorageFailed that quotes nothing the service said.
    """

    def __init__(
        self, place: Place, service: Service, *, public_url: str | None = None, link_ttl_s: int = 86_400
    ) -> None:
        self._place = place
        self._quick, self._patient = service.quick, service.patient
        self._public_url = public_url
        self._link_ttl_s = link_ttl_s

    async def put_clip(self, job: Job, source: Path, kind: Keep) -> StoredObject:
        key = self._key(clip_key(job, kind))
        url = self._url(key)
        attributes = {"Content-Type": "video/mp4", "Content-Disposition": _disposition(key)}
        with _opened(source) as (file, size_bytes):
            if size_bytes <= _ONE_REQUEST_BYTES:
                await self._asked(
                    url, lambda: self._put(key, _read(file, _ONE_REQUEST_BYTES + 1), attributes)
                )
            else:
                await self._stream(key, file, size_bytes, attributes)
        stored = await self._asked(url, lambda: obstore.head(self._quick, key))
        if stored["size"] != size_bytes:  # the work file goes next: better once too often than lost
            raise StorageFailed(f"{url}: {stored['size']} bytes were stored instead of {size_bytes}.")
        return StoredObject(url, size_bytes)

    async def put_picture(self, data: bytes, *, sha256: str, suffix: str) -> str:
        name = picture_key(sha256, suffix)
        key = self._key(name)
        attributes = {"Content-Type": _MEDIA_TYPES.get(suffix, "application/octet-stream")}

        def put_once() -> None:
            if not self._has_picture(key, len(data)):
                self._put(key, data, attributes)

        await self._asked(self._url(key), put_once)
        return name

    async def picture(self, key: str) -> bytes:
        key = self._key(key)
        return await self._asked(self._url(key), lambda: bytes(obstore.get(self._patient, key).bytes()))

    async def exists(self, url: str) -> bool:
        key = self._key_of(url)
        if key is None:
            return False
        return await self._asked(url, lambda: self._has(key))

    async def link(self, url: str) -> str:
        key = self._key_of(url)
        if key is None:
            return url  # of another place: it is what it is
        if self._public_url and url.startswith(f"{self._place.folder}/"):
            return f"{self._public_url}/{quote(url.removeprefix(f'{self._place.folder}/'))}"
        expires_in = timedelta(seconds=self._link_ttl_s)
        return await self._asked(url, lambda: obstore.sign(self._quick, "GET", key, expires_in))

    async def probe(self) -> str:
        key = self._key(f".wanvideo-probe-{secrets.token_hex(4)}")
        sent = secrets.token_bytes(16)

        def written_and_read() -> bytes:
            obstore.put(self._quick, key, sent, use_multipart=False)
            return bytes(obstore.get(self._quick, key).bytes())

        if await self._asked(self._place.folder, written_and_read) != sent:
            raise StorageFailed(f"{self._place.folder}: something else was read than was written.")
        told = self._place.folder + (f" at {self._place.endpoint}" if self._place.endpoint else "")
        try:
            await self._asked(self._place.folder, lambda: obstore.delete(self._quick, key))
        except StorageFailed:  # nothing but a probe is ever removed, so clips do not need this right
            return f"{told}: written and read; the key may not remove {key}"
        return f"{told}: written, read and removed"

    async def close(self) -> None:
        """Connections end by themselves when they are idle."""

    def _put(self, key: str, data: bytes, attributes: dict[str, str]) -> None:
        obstore.put(self._patient, key, data, attributes=attributes, use_multipart=False)

    async def _stream(self, key: str, file: BinaryIO, size_bytes: int, attributes: dict[str, str]) -> None:
        """Send a file in parts. Broken off, it tells the service to throw away the parts it has."""
        broken_off = threading.Event()

        def put() -> None:
            obstore.put(
                self._patient,
                key,
                _pieces(file, size_bytes, broken_off),
                attributes=attributes,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )

        upload = asyncio.ensure_future(self._asked(self._url(key), put))
        try:
            await asyncio.shield(upload)
        except asyncio.CancelledError:
            broken_off.set()
            try:
                await asyncio.wait({upload}, timeout=_GRACE_S)
            finally:
                if not upload.cancel() and not upload.cancelled():
                    upload.exception()  # seen: it is the breaking off itself
            raise

    def _has_picture(self, key: str, size_bytes: int) -> bool:
        try:
            return obstore.head(self._quick, key)["size"] == size_bytes
        except (FileNotFoundError, PermissionDeniedError):
            return False  # a key that may not list sees "forbidden": it is put again, which is harmless

    def _has(self, key: str) -> bool:
        try:
            obstore.head(self._quick, key)
        except FileNotFoundError:
            pass  # an answer to HEAD has no words: it may as well be the bucket that is absent
        else:
            return True
        try:
            obstore.get_range(self._quick, key, start=0, length=1)
        except FileNotFoundError as error:
            if says_no_bucket(error):
                raise
            return False
        return True

    async def _asked(self, where: str, ask: Callable[[], _Answer]) -> _Answer:
        """The answer of the service. Raises: StorageFailed."""
        try:
            return await in_thread(ask)
        except (BaseError, OSError, ValueError, NotImplementedError) as error:
            raise refusal(where, error) from None

    def _key(self, name: str) -> str:
        return f"{self._place.prefix}/{name}" if self._place.prefix else name

    def _url(self, key: str) -> str:
        return f"{self._place.root}/{key}"

    def _key_of(self, url: str) -> str | None:
        """The key behind a durable URL of this bucket, also of a prefix that was used before."""
        root, _, key = url.partition(f"{self._place.root}/")
        return key if key and not root else None


@contextmanager
def _opened(source: Path) -> Iterator[tuple[BinaryIO, int]]:
    try:
        with source.open("rb") as file:
            yield file, source.stat().st_size
    except OSError as error:
        raise StorageFailed(f"{source}: {error.strerror or error}.") from None


def _pieces(file: BinaryIO, size_bytes: int, broken_off: threading.Event) -> Iterator[bytes]:
    """The file piece by piece. An error raised here makes obstore abort the upload, and comes out of it."""
    sent_bytes = 0
    while piece := _read(file, _PIECE_BYTES):
        sent_bytes += len(piece)
        yield piece
        if broken_off.is_set():
            raise StorageFailed("The upload was broken off.")
    if sent_bytes != size_bytes:
        raise StorageFailed(f"{file.name}: it changed while it was stored.")


def _read(file: BinaryIO, most_bytes: int) -> bytes:
    try:
        return file.read(most_bytes)
    except OSError as error:
        raise StorageFailed(f"{file.name}: {error.strerror or error}.") from None


def _disposition(key: str) -> str:
    """A browser plays the clip, and saves it under its own name in any language."""
    name = key.rpartition("/")[2]
    plain = name.encode("ascii", "ignore").decode()
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
