"""An emulator and a provider on it, small orders, and servers that answer whatever a test wants."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from PIL import Image, ImageDraw
from pydantic import SecretStr

from wanvideo.clock import Clock
from wanvideo.contract.job import TaskId
from wanvideo.contract.request import VideoRequest, parse_request
from wanvideo.ports import Order, Provider, TaskReport, TaskStatus
from wanvideo.providers.dashscope.adapter import DashScopeProvider
from wanvideo.providers.dashscope.credentials import Credentials
from wanvideo.providers.dashscope.line import Timeouts
from wanvideo_emulator import Emulator, Options

KEY = "sk-0123456789abcdef0123456789abcdef"
CREDENTIALS = Credentials(SecretStr(KEY), "the test")
QUICK = Timeouts(connect_s=1, submit_s=2, query_s=2, transfer_s=2)
NO_CLIP = "task:pending"
UNFINISHED = (TaskStatus.PENDING, TaskStatus.RUNNING)


def picture(width_px: int = 320, height_px: int = 240) -> bytes:
    image = Image.new("RGB", (width_px, height_px), "steelblue")
    ImageDraw.Draw(image).ellipse((60, 60, 180, 180), fill="gold")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def request(**changes: Any) -> VideoRequest:
    fields = {"prompt": "push in", "reference_image": "harbour.png", "duration": 2, "size": "320*240"}
    return parse_request(fields | changes)


def order(picture_url: str, *, seed: int = 7, omit: frozenset[str] = frozenset(), **changes: Any) -> Order:
    return Order(request(**changes), seed, picture_url, omit)


def provider_at(
    base_url: str, *, timeouts: Timeouts = QUICK, clock: Clock | None = None
) -> DashScopeProvider:
    return DashScopeProvider(CREDENTIALS, base_url=base_url, region="beijing", timeouts=timeouts, clock=clock)


@asynccontextmanager
async def studio(*faults: str, **options: Any) -> AsyncIterator[tuple[Emulator, DashScopeProvider]]:
    """An emulator whose tasks take a moment, and a provider that knows no other.

    `NO_CLIP` among the faults keeps tasks from starting, and so from costing the test a rendering.
    """
    switches: dict[str, Any] = {
        "speed": 100.0,
        "run_s": (20.0, 20.0),
        "pending_s": (0.0, 0.0),
        "submit_per_s": 0,
        "query_per_s": 0,
    }
    async with Emulator(Options(faults=faults, **(switches | options))) as emulator:
        provider = provider_at(emulator.base_url)
        try:
            yield emulator, provider
        finally:
            await provider.close()


async def uploaded_body(provider: Provider, **changes: Any) -> dict[str, Any]:
    upload = await provider.upload(picture(), name="harbour.png")
    return provider.body(order(upload.url, **changes))


async def ended(provider: Provider, task: TaskId) -> TaskReport:
    """The report of a task's end."""
    async with asyncio.timeout(20):
        while (report := await provider.fetch(task)).status in UNFINISHED:
            await asyncio.sleep(0.05)
    return report


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    """A server that gives one answer to everything; the value is its base URL."""
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
