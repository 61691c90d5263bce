"""The emulator as a server: routes, start, stop, and the handle that tests hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from aiohttp import web

from wanvideo_emulator.api import BODY_BYTES_MAX, UPLOAD_PATH
from wanvideo_emulator.control import Control
from wanvideo_emulator.links import RESULTS
from wanvideo_emulator.options import Options
from wanvideo_emulator.service import Service

API = "/api/v1"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Emulator:
    """A DashScope of one's own. `async with Emulator(Options(speed=60)) as emulator: ...`"""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self._service: Service | None = None
        self._runner: web.AppRunner | None = None
        self._origin = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port; the control endpoints are at `/emulator/...` below it."""
        if not self._origin:
            raise RuntimeError("the emulator is not running")
        return self._origin

    @property
    def base_url(self) -> str:
        """What to give to the SDK as its base HTTP API URL."""
        return self.origin + API

    def truth(self) -> dict[str, Any]:
        """What really happened, as `GET /emulator/truth` tells it (see truth.py)."""
        return self._now_running().report()

    def add_fault(self, spec: str) -> None:
        """Arm one more fault. Raises BadFault."""
        self._now_running().faults.add(spec)

    def clear_faults(self) -> None:
        self._now_running().faults.clear()

    def advance(self, seconds: float) -> None:
        """Jump the emulator's clock ahead: expiry, give-up and due tasks follow it."""
        self._now_running().advance(seconds)

    async def reset(self) -> None:
        """Forget all tasks, uploads and records; arm the faults of the options again."""
        old, self._service = self._now_running(), Service(self.options)
        await old.close()

    def _now_running(self) -> Service:
        if self._service is None:
            raise RuntimeError("the emulator is not running")
        return self._service

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        self._service = Service(self.options)
        # Above the service's own limit for JSON bodies, so that it can refuse them in its own words.
        app = web.Application(client_max_size=8 * BODY_BYTES_MAX)
        app.add_routes(self._routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        try:
            await self._runner.setup()
            site = web.TCPSite(self._runner, self.options.host, self.options.port)
            await site.start()
        except OSError:
            await self.stop()
            raise
        port = self._runner.addresses[0][1]
        host = "127.0.0.1" if self.options.host in {"", "0.0.0.0", "::"} else self.options.host  # noqa: S104  (compared with, not listened on)
        self._origin = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Close connections, tasks and files. Safe to call twice."""
        self._origin = ""
        runner, self._runner = self._runner, None
        service, self._service = self._service, None
        if runner is not None:
            await runner.cleanup()
        if service is not None:
            await service.close()

    async def __aenter__(self) -> Emulator:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _routes(self) -> list[web.RouteDef]:
        def to(choose: Callable[[Service], Handler]) -> Handler:
            # Chosen at each request: a reset puts another service behind the same routes.
            async def handler(request: web.Request) -> web.StreamResponse:
                return await choose(self._now_running())(request)

            return handler

        both_ways = [
            ("POST", "/services/aigc/video-generation/video-synthesis", to(lambda s: s.api.create)),
            ("POST", "/services/aigc/image2video/video-synthesis", to(lambda s: s.api.create)),
            ("GET", "/tasks", to(lambda s: s.api.list)),
            ("GET", "/tasks/{task_id}", to(lambda s: s.api.query)),
            ("POST", "/tasks/{task_id}/cancel", to(lambda s: s.api.cancel)),
            ("GET", "/uploads", to(lambda s: s.api.policy)),
        ]
        routes = [
            web.route(method, f"{API}{path}{slash}", handler)
            for method, path, handler in both_ways
            for slash in ("", "/")
        ]
        routes += [
            web.post(UPLOAD_PATH, to(lambda s: s.form_post.upload)),
            web.route("*", RESULTS + "/{path:.+}", to(lambda s: s.downloads.download)),
            web.route("*", API + "/{path:.*}", to(lambda s: s.api.nowhere)),
        ]
        return routes + Control(self._now_running, self.reset).routes()
