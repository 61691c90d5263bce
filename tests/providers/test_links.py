"""Clips come home whole or not at all, and pictures come from the web within bounds."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from tests.providers.studio import answering

from wanvideo.clock import FakeClock
from wanvideo.errors import ImageInvalid, ProviderUnavailable, ResultExpired, WanvideoError
from wanvideo.providers.links import CHUNK_BYTES, decode_data_uri, fetch_picture, open_clip

NOW = datetime(2026, 11, 23, tzinfo=UTC)
CLIP = bytes(range(256)) * 4096  # 1 MiB
QUERY = "Expires=1795421151&OSSAccessKeyId=LTAI5t&Signature=a%2Bb%2Fc%3D"
EXPIRED = "<Error><Code>AccessDenied</Code><Message>Request has expired.</Message></Error>"


async def read(url: str, offset_bytes: int = 0, *, expires_at: datetime | None = None) -> tuple[Any, bytes]:
    """The stream of a clip, and all its bytes."""
    data = b""
    async with open_clip(
        url,
        offset_bytes=offset_bytes,
        connect_s=1,
        silence_s=0.5,
        expires_at=expires_at,
        clock=FakeClock(NOW),
    ) as stream:
        async for chunk in stream.chunks:
            assert 0 < len(chunk) <= CHUNK_BYTES
            data += chunk
    return stream, data


async def clip(asked: web.Request) -> web.Response:
    """A server that knows Range, as the vendor's does."""
    start = int(asked.headers.get("Range", "bytes=0-")[6:-1])
    if start >= len(CLIP):
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(CLIP)}"})
    if "Range" not in asked.headers:
        return web.Response(body=CLIP)
    span = f"bytes {start}-{len(CLIP) - 1}/{len(CLIP)}"
    return web.Response(status=206, body=CLIP[start:], headers={"Content-Range": span})


@pytest.mark.parametrize("offset", [0, 1, 700_000, len(CLIP) - 1, len(CLIP)])
async def test_a_download_goes_on_where_it_stopped(offset: int) -> None:
    async with answering(clip) as url:
        stream, data = await read(f"{url}/x.mp4", offset)
    assert data == CLIP[offset:]
    assert (stream.offset_bytes, stream.total_bytes) == (offset, len(CLIP))


async def test_an_offset_behind_the_end_begins_anew() -> None:
    async with answering(clip) as url:
        stream, data = await read(f"{url}/x.mp4", len(CLIP) + 9)
    assert (stream.offset_bytes, data) == (0, CLIP)


async def test_a_server_without_range_says_that_it_starts_at_0() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=CLIP)

    async with answering(answer) as url:
        stream, data = await read(url, 500)
    assert (stream.offset_bytes, stream.total_bytes, data) == (0, len(CLIP), CLIP)


async def test_the_signed_link_is_asked_for_to_the_letter_and_without_a_key() -> None:
    seen: list[Any] = []

    async def answer(asked: web.Request) -> web.Response:
        seen.append((asked.raw_path, asked.headers))
        return web.Response(body=b"x")

    async with answering(answer) as url:
        await read(f"{url}/1d/a.mp4?{QUERY}")
    assert seen[0][0] == f"/1d/a.mp4?{QUERY}"
    assert not {"Authorization", "Cookie"} & set(seen[0][1])


@pytest.mark.parametrize(
    ("status", "text", "expires_in_s", "error"),
    [
        (403, EXPIRED, None, ResultExpired),
        (403, "<Error><Code>AccessDenied</Code></Error>", -1, ResultExpired),
        (404, "<Error><Code>NoSuchKey</Code></Error>", -1, ResultExpired),
        (403, "<Error><Code>AccessDenied</Code></Error>", 60, ProviderUnavailable),
        (404, "<Error><Code>NoSuchKey</Code></Error>", None, ProviderUnavailable),
        (500, EXPIRED, -1, ProviderUnavailable),
        (503, "", -1, ProviderUnavailable),
        (206, "", None, ProviderUnavailable),
    ],
)
async def test_only_a_dead_link_is_called_expired(
    status: int, text: str, expires_in_s: int | None, error: type[WanvideoError]
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    expires_at = None if expires_in_s is None else NOW + timedelta(seconds=expires_in_s)
    async with answering(answer) as url:
        with pytest.raises(WanvideoError) as caught:
            await read(f"{url}/a.mp4?{QUERY}", expires_at=expires_at)
    assert type(caught.value) is error
    assert "Signature" not in str(caught.value)


@pytest.mark.parametrize("how", ["close", "abort", "silence"])
async def test_a_clip_that_breaks_off_is_told_and_may_be_tried_again(how: str) -> None:
    async def answer(asked: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Length": str(len(CLIP))})
        await reply.prepare(asked)
        await reply.write(CLIP[: len(CLIP) // 2])
        assert asked.transport is not None
        if how == "silence":
            await asyncio.sleep(3)
        elif how == "abort":
            asked.transport.abort()
        else:
            asked.transport.close()
        return reply

    async with answering(answer) as url:
        with pytest.raises(ProviderUnavailable, match="broke off"):
            await read(f"{url}/a.mp4?{QUERY}")


async def test_nobody_there_may_be_tried_again(unused_url: str) -> None:
    with pytest.raises(ProviderUnavailable) as caught:
        await read(f"{unused_url}?{QUERY}")
    assert "Signature" not in str(caught.value)


# --- pictures ---


async def picture_server(asked: web.Request) -> web.StreamResponse:
    match asked.path:
        case "/once":
            raise web.HTTPFound("/picture")
        case "/round":
            raise web.HTTPFound("/round")
        case "/mail":
            raise web.HTTPFound("mailto:a@b")
        case "/gone":
            raise web.HTTPNotFound
        case "/empty":
            return web.Response()
        case "/slow":
            await asyncio.sleep(3)
        case "/endless":
            reply = web.StreamResponse()
            await reply.prepare(asked)
            for _ in range(64):
                await reply.write(b"x" * 4096)
            return reply
    return web.Response(body=b"x" * 1000)


@pytest.mark.parametrize("path", ["picture", "once", "picture?a=%2B&b=1", "bild ä.png"])
async def test_a_picture_on_the_web_is_fetched(path: str) -> None:
    async with answering(picture_server) as url:
        assert await fetch_picture(f"{url}/{path}", max_bytes=1000, timeout_s=2) == b"x" * 1000


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("gone", "HTTP 404"),
        ("round", "more than 3"),
        ("mail", "cannot be read"),
        ("empty", "is empty"),
        ("slow", "did not answer within"),
        ("endless", "larger than"),
        ("picture", "larger than"),
    ],
)
async def test_a_picture_that_cannot_be_had_says_why_and_what_to_do(path: str, reason: str) -> None:
    async with answering(picture_server) as url:
        with pytest.raises(ImageInvalid, match=reason) as caught:
            await fetch_picture(f"{url}/{path}?token=secret", max_bytes=999, timeout_s=0.5)
    assert caught.value.field == "reference_image"
    assert "Give" in caught.value.hint or "give" in caught.value.hint
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://no-such-host.invalid/x.png", "http://", "http://[::bad/x.png"])
async def test_an_address_that_leads_nowhere_is_told(url: str) -> None:
    with pytest.raises(ImageInvalid):
        await fetch_picture(url, max_bytes=999, timeout_s=5)


@pytest.mark.parametrize(
    "text",
    [
        "data:image/png;base64," + base64.b64encode(b"picture!").decode(),
        "DATA:image/png;name=x.png;BASE64," + base64.b64encode(b"picture!").decode() + "\n",
        "data:image/png;base64,cGlj\n dHVy\r\n ZSE%3D",
        "data:,picture%21",
    ],
)
def test_a_data_uri_is_read(text: str) -> None:
    assert decode_data_uri(text) == b"picture!"


@pytest.mark.parametrize(
    "text", ["data:image/png;base64", "data:image/png;base64,", "data:image/png;base64,a", "data:x;base64,ä!"]
)
def test_a_broken_data_uri_is_refused(text: str) -> None:
    with pytest.raises(ImageInvalid) as caught:
        decode_data_uri(text)
    assert caught.value.field == "reference_image"
