"""Bytes behind links: a finished clip as a stream, a reference picture as a whole. No key ever goes along."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes, urlsplit

from wanvideo.clock import Clock
from wanvideo.errors import ImageInvalid, ProviderUnavailable, ResultExpired, WanvideoError
from wanvideo.ports import ClipStream
from wanvideo.redact import redact

if TYPE_CHECKING:
    import aiohttp

CHUNK_BYTES: Final = 256 * 1024
MOST_REDIRECTS: Final = 3
_GIVE_A_FILE: Final = "Save the picture and give the file instead."
_LOCAL: Final = ("127.0.0.1", "localhost", "::1")
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


@asynccontextmanager
async def open_clip(
    url: str,
    *,
    offset_bytes: int,
    connect_s: float,
    silence_s: float,
    expires_at: datetime | None,
    clock: Clock,
) -> AsyncIterator[ClipStream]:
    """The clip behind a signed link, from `offset_bytes` on. `silence_s` without a byte ends the transfer.

    A server that ignores the offset gives the whole file: look at `offset_bytes` of the stream.
    Raises, also while the chunks are read: ResultExpired when the link is dead, else ProviderUnavailable
    (try again). Neither names the link.
    """
    import aiohttp

    timeout = aiohttp.ClientTimeout(
        total=None, connect=3 * connect_s, sock_connect=connect_s, sock_read=silence_s
    )
    async with _session(url, timeout) as session:
        try:
            reply = await _get(session, url, offset_bytes)
            complete = offset_bytes > 0 and _ends_at(reply) == offset_bytes
            if reply.status == 416 and not complete:
                reply.close()
                reply = await _get(session, url, 0)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _broken(error) from None
        async with reply:
            if complete:  # nothing is missing
                yield ClipStream(_nothing(), offset_bytes, offset_bytes)
                return
            if reply.status not in (200, 206):
                raise await _refused(reply, expires_at, clock)
            start, total = _extent(reply)
            yield ClipStream(_chunks(reply, total, start), total, start)


async def fetch_picture(url: str, *, max_bytes: int, timeout_s: float) -> bytes:
    """The picture behind an http(s) link, within `timeout_s` in all and `max_bytes`.

    Raises: ImageInvalid naming the reason and the way out.
    """
    import aiohttp

    shown = redact(url)
    timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(10, timeout_s))
    try:
        async with (
            _session(url, timeout) as session,
            session.get(_exact(url), max_redirects=MOST_REDIRECTS) as reply,
        ):
            if reply.status != 200:
                raise _unusable(f"{shown} was answered with HTTP {reply.status}.", _GIVE_A_FILE)
            if (reply.content_length or 0) > max_bytes:
                raise _too_large(shown, max_bytes)
            data = bytearray()
            async for chunk in reply.content.iter_chunked(CHUNK_BYTES):
                data += chunk
                if len(data) > max_bytes:
                    raise _too_large(shown, max_bytes)
    except aiohttp.TooManyRedirects:
        raise _unusable(
            f"{shown} leads to more than {MOST_REDIRECTS} other addresses.", _GIVE_A_FILE
        ) from None
    except TimeoutError:
        raise _unusable(f"{shown} did not answer within {timeout_s:g} s.", _GIVE_A_FILE) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        reason = type(error).__name__
        raise _unusable(f"{shown} cannot be read ({reason}).", f"Check the address. {_GIVE_A_FILE}") from None
    if not data:
        raise _unusable(f"{shown} is empty.", _GIVE_A_FILE)
    return bytes(data)


def decode_data_uri(text: str) -> bytes:
    """The bytes of `data:image/png;base64,...`. Raises: ImageInvalid."""
    head, comma, body = text.partition(",")
    if not head.lower().startswith("data:") or not comma:
        raise _unusable("The data URI has no comma.", "Write data:image/png;base64, and then the data.")
    raw = unquote_to_bytes(body)
    if head.lower().endswith(";base64"):
        try:
            raw = base64.b64decode(b"".join(raw.split()), validate=True)
        except binascii.Error:
            raise _unusable(
                "The data URI is not valid base64.", "Encode it again, or give the file."
            ) from None
    if not raw:
        raise _unusable("The data URI is empty.", "Give the picture's bytes after the comma.")
    return raw


def _session(url: str, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
    import aiohttp

    return aiohttp.ClientSession(
        timeout=timeout,
        headers={"Accept-Encoding": "identity"},  # an offset counts the file's own bytes
        auto_decompress=False,
        trust_env=urlsplit(url).hostname not in _LOCAL,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _exact(url: str) -> Any:
    """The address as it was written: to encode a signed query anew would spoil its signature."""
    import yarl

    return yarl.URL(url, encoded=url.isascii() and url.isprintable() and " " not in url)


async def _get(session: aiohttp.ClientSession, url: str, offset_bytes: int) -> aiohttp.ClientResponse:
    headers = {"Range": f"bytes={offset_bytes}-"} if offset_bytes else {}
    return await session.get(_exact(url), headers=headers, max_redirects=MOST_REDIRECTS)


def _ends_at(reply: aiohttp.ClientResponse) -> int | None:
    """The length of the file, from an answer to an offset behind its end: 416, or the whole file again."""
    end = _RANGE.match(reply.headers.get("Content-Range", ""))
    if reply.status == 416 and end and end[2] != "*":
        return int(end[2])
    return reply.content_length if reply.status == 200 else None


def _extent(reply: aiohttp.ClientResponse) -> tuple[int, int | None]:
    """Where the body starts, and how long the whole file is."""
    if reply.status == 200:
        return 0, reply.content_length
    span = _RANGE.match(reply.headers.get("Content-Range", ""))
    if span is None or span[1] is None:
        raise ProviderUnavailable("The clip's server sent a part of the file without saying which.")
    return int(span[1]), int(span[2]) if span[2] != "*" else None


async def _chunks(reply: aiohttp.ClientResponse, total: int | None, start: int) -> AsyncIterator[bytes]:
    import aiohttp

    seen = start
    try:
        async for chunk in reply.content.iter_chunked(CHUNK_BYTES):
            seen += len(chunk)
            yield chunk
    except (aiohttp.ClientError, OSError) as error:
        raise _broken(error, f" after {seen} bytes") from None
    if total is not None and seen != total:
        raise ProviderUnavailable(f"The clip broke off after {seen} of {total} bytes.")


async def _nothing() -> AsyncIterator[bytes]:
    for chunk in list[bytes]():
        yield chunk


async def _refused(reply: aiohttp.ClientResponse, expires_at: datetime | None, clock: Clock) -> WanvideoError:
    import aiohttp

    try:
        async with asyncio.timeout(5):
            told = (await reply.content.read(4096)).decode("utf-8", "replace")
    except (aiohttp.ClientError, OSError):
        told = ""
    code = re.search(r"<Code>([^<]{1,80})</Code>", told)
    dead = expires_at is not None and clock.now() >= expires_at
    if reply.status in (403, 404, 410) and (dead or "expired" in told.lower()):
        return ResultExpired("The clip's link has expired.", provider_code=code[1] if code else None)
    return ProviderUnavailable(
        f"The clip's link was answered with HTTP {reply.status}{f' ({code[1]})' if code else ''}.",
        provider_code=code[1] if code else None,
    )


def _broken(error: Exception, where: str = "") -> ProviderUnavailable:
    reason = "nothing came for too long" if isinstance(error, TimeoutError) else type(error).__name__
    return ProviderUnavailable(f"The download of the clip broke off{where} ({reason}).")


def _unusable(detail: str, hint: str) -> ImageInvalid:
    return ImageInvalid(detail, field="reference_image", hint=hint)


def _too_large(shown: str, max_bytes: int) -> ImageInvalid:
    return _unusable(f"{shown} is larger than {max_bytes / 1e6:g} MB.", "Give a smaller picture.")
