"""The control endpoints below /emulator: outside the API, without a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from wanvideo_emulator.faults import BadFault
from wanvideo_emulator.service import Service


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="send a JSON object")
    return body


class Control:
    """Truth, faults, the clock, and a fresh start."""

    def __init__(self, service: Callable[[], Service], reset: Callable[[], Awaitable[None]]) -> None:
        self._service = service
        self._reset = reset

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/emulator/truth", self.truth),
            web.get("/emulator/faults", self.faults),
            web.post("/emulator/faults", self.add_fault),
            web.delete("/emulator/faults", self.clear_faults),
            web.post("/emulator/advance", self.advance),
            web.post("/emulator/reset", self.reset),
        ]

    async def truth(self, _request: web.Request) -> web.Response:
        return web.json_response(self._service().report())

    async def faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"faults": self._service().faults.report()})

    async def add_fault(self, request: web.Request) -> web.Response:
        """`{"spec": "submit:drop*1"}`"""
        body = await _json(request)
        try:
            self._service().faults.add(str(body.get("spec", "")))
        except BadFault as trouble:
            raise web.HTTPBadRequest(text=str(trouble)) from trouble
        return await self.faults(request)

    async def clear_faults(self, request: web.Request) -> web.Response:
        self._service().faults.clear()
        return await self.faults(request)

    async def advance(self, request: web.Request) -> web.Response:
        """`{"seconds": 86400}`"""
        seconds = (await _json(request)).get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise web.HTTPBadRequest(text="seconds must be a number, 0 or more")
        self._service().advance(float(seconds))
        return web.json_response({"now": self._service().clock.now()})

    async def reset(self, _request: web.Request) -> web.Response:
        """Forget everything and arm the faults of the start again."""
        await self._reset()
        return web.json_response({"now": self._service().clock.now()})
