"""`wanvideo worker`: drives every job of the ledger until it is told to stop."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Annotated

import typer

from wanvideo.cli.opening import with_app
from wanvideo.cli.printing import say

if TYPE_CHECKING:
    from wanvideo.app import App


def worker(
    grace: Annotated[
        float, typer.Option(min=0, help="Seconds that work in hand may take after SIGTERM or Ctrl-C.")
    ] = 60.0,
) -> None:
    """Drive all jobs of this ledger. Start as many as you like, on as many machines."""

    async def work(app: App) -> None:
        import asyncio

        stopping = asyncio.Event()

        def stop() -> None:
            say("worker: finishing what is in hand" if not stopping.is_set() else "worker: leaving now")
            if stopping.is_set():
                task.cancel()
            stopping.set()
            app.runner.stop()

        loop = asyncio.get_running_loop()
        task = asyncio.create_task(app.runner.run())
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        say(f"worker: drives the jobs of {await app.shop.ledger.probe()}; stop it with Ctrl-C or SIGTERM")
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await asyncio.wait((task,), timeout=grace)
            task.cancel()  # a POST that is out is still waited for; the rest goes on in another process
        stopped.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
        say("worker: left")

    with_app(work, as_json=False)
