"""Opening the app for one command, and closing it; imported with the table of commands, so it stays cheap."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from wanvideo.cli.printing import errors_told

if TYPE_CHECKING:
    from wanvideo.app import App


def with_app(work: Callable[[App], Awaitable[None]], *, as_json: bool) -> None:
    """Open the app, do one thing, close it; errors become messages."""
    import asyncio  # not for `--help`: it costs 30 ms

    async def opened() -> None:
        from wanvideo.app import open_app
        from wanvideo.cli.logs import set_up_logs
        from wanvideo.settings import Settings

        settings = Settings.read()
        set_up_logs(settings.log_level)
        async with open_app(settings) as app:
            await work(app)

    with errors_told(as_json=as_json):
        asyncio.run(opened())
