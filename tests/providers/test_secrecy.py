"""Whatever happens, no log line, error or traceback carries the key or a signed link."""

from __future__ import annotations

import io
import logging
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from tests.providers.studio import (
    KEY,
    NO_CLIP,
    answering,
    ended,
    order,
    picture,
    provider_at,
    studio,
    uploaded_body,
)

from wanvideo.contract.job import TaskId
from wanvideo.contract.problem import problem
from wanvideo.errors import WanvideoError
from wanvideo.ports import Provider

SECRETS = (KEY, KEY[3:20], "Signature=", "OSSAccessKeyId=", "LTAI")


def assert_safe(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text


@pytest.fixture
def log() -> Any:
    """Everything that any library logs, as loud as it can, with exceptions printed in full."""
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s %(args)s"))
    root = logging.getLogger()
    names = [
        root,
        *(logging.getLogger(n) for n in ("httpx", "httpcore", "dashscope", "dashscope.v2", "aiohttp")),
    ]
    levels = [(logger, logger.level) for logger in names]
    for logger in names:
        logger.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield lines
    root.removeHandler(handler)
    for logger, level in levels:
        logger.setLevel(level)


def told_in_full(error: WanvideoError) -> str:
    return "".join(traceback.format_exception(error)) + f"{error} {error!r} {problem(error)} {error.__dict__}"


async def whole_life(provider: Provider) -> str:
    """Make a clip and read it; the link."""
    report = await ended(provider, await provider.create(await uploaded_body(provider)))
    assert report.video_url is not None
    async with provider.open_clip(report.video_url, offset_bytes=5) as stream:
        async for _chunk in stream.chunks:
            pass
    return report.video_url


async def test_a_clips_whole_life_leaves_no_secret_in_any_log(log: io.StringIO) -> None:
    async with studio() as (_, provider):
        await provider.ping()
        assert "Signature=" in await whole_life(provider)
        await provider.list_page(datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC), 1)
    assert "httpcore" in log.getvalue()  # the log really was listening
    assert "/tasks/" in log.getvalue()
    assert_safe(log.getvalue())


@pytest.mark.parametrize(
    "faults",
    [
        ("submit:drop", NO_CLIP),
        ("submit:500",),
        ("submit:badjson",),
        ("submit:code=InvalidApiKey",),
        ("policy:503",),
        ("upload:403",),
        ("upload:drop",),
        ("poll:reset", NO_CLIP),
        ("poll:html502", NO_CLIP),
        ("download:truncate",),
        ("download:403",),
    ],
)
async def test_no_failure_tells_a_secret(log: io.StringIO, faults: tuple[str, ...]) -> None:
    async with studio(*faults) as (_, provider):
        with pytest.raises(WanvideoError) as caught:
            await whole_life(provider)
    assert_safe(told_in_full(caught.value))
    assert_safe(log.getvalue())


async def test_a_server_that_repeats_secrets_is_not_quoted(log: io.StringIO) -> None:
    signed = "https://h/x.mp4?Expires=1&OSSAccessKeyId=LTAI5tABCDEFGH&Signature=abc"

    async def answer(asked: web.Request) -> web.Response:
        words = f"{asked.headers['Authorization']} may not read {signed}"
        if asked.path.startswith("/tasks/failed"):
            output = {"task_id": "failed", "task_status": "FAILED", "code": "InvalidURL", "message": words}
            return web.json_response({"output": output})
        return web.json_response({"code": "InvalidParameter", "message": words}, status=400)

    async with answering(answer) as url:
        provider = provider_at(url)
        errors: list[WanvideoError] = []
        for call in (
            provider.create(provider.body(order("oss://a/b.png"))),
            provider.upload(picture(), name="a.png"),
            provider.fetch(TaskId("odd")),
            provider.cancel(TaskId("odd")),
            provider.ping(),
        ):
            with pytest.raises(WanvideoError) as caught:
                await call
            errors.append(caught.value)
        report = await provider.fetch(TaskId("failed"))
        assert report.error is not None
        await provider.close()
    for error in [*errors, report.error]:
        assert "may not read" in error.detail
        assert_safe(told_in_full(error))
    assert_safe(f"{report!r}")
    assert_safe(log.getvalue())
