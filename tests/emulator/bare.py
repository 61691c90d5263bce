"""Small pictures, and a client that speaks the bare protocol so that every rule can be broken on purpose."""

from __future__ import annotations

import asyncio
import base64
import io
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from PIL import Image, ImageDraw

CREATE = "/services/aigc/video-generation/video-synthesis"
MODEL = "wan2.6-i2v-flash"


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def painted(width_px: int = 240, height_px: int = 240) -> Image.Image:
    image = Image.new("RGB", (width_px, height_px), "steelblue")
    ImageDraw.Draw(image).ellipse((60, 60, 180, 180), fill="gold")
    return image


def data_uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@dataclass
class Reply:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def task_id(self) -> str:
        return str(self.body["output"]["task_id"])

    @property
    def task_status(self) -> str:
        return str(self.body["output"]["task_status"])

    @property
    def refusal(self) -> tuple[int, str, str]:
        return self.status, self.body["code"], self.body["message"]


class Raw:
    """Requests as bytes on the wire: nothing is added that the test did not ask for."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def send(
        self,
        emulator: Any,
        method: str,
        path: str,
        *,
        key: str | None = "sk-test",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> Reply:
        sent = dict(headers or {})
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        async with self.session.request(method, emulator.base_url + path, headers=sent, **more) as response:
            text = await response.read()
            try:
                body = await response.json(content_type=None)
            except ValueError:
                body = text.decode()
            return Reply(response.status, body, {name.lower(): one for name, one in response.headers.items()})

    async def create(self, emulator: Any, body: Any, **more: Any) -> Reply:
        headers = {"X-DashScope-Async": "enable"} | more.pop("headers", {})
        return await self.send(emulator, "POST", CREATE, json=body, headers=headers, **more)

    async def query(self, emulator: Any, task_id: str, **more: Any) -> Reply:
        return await self.send(emulator, "GET", f"/tasks/{task_id}", **more)

    async def list(self, emulator: Any, **query: Any) -> Reply:
        return await self.send(emulator, "GET", "/tasks", params=query)

    async def cancel(self, emulator: Any, task_id: str) -> Reply:
        return await self.send(emulator, "POST", f"/tasks/{task_id}/cancel")

    async def ended(self, emulator: Any, task_id: str, *, within_s: float = 20.0) -> Reply:
        """Ask until the task has ended."""
        async with asyncio.timeout(within_s):
            while True:
                reply = await self.query(emulator, task_id)
                if reply.task_status not in {"PENDING", "RUNNING"}:
                    return reply
                await asyncio.sleep(0.06)
