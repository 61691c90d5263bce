"""Blocking calls in threads of their own, which nobody waits for when the process ends.

obstore's own coroutines are not used: its Tokio threads hand their results to Python by themselves, and when
one is late by a moment, while the interpreter already shuts down, the process is aborted (SIGABRT) though all
its work is done. Measured with obstore 0.12.1 on Python 3.11: in every sixth short process; in none of 480
that called the blocking functions. The same flaw elsewhere: https://github.com/PyO3/pyo3-async-runtimes/issues/40
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

_Answer = TypeVar("_Answer")


async def in_thread(call: Callable[[], _Answer]) -> _Answer:
    """What `call` answers. Not asyncio.to_thread, whose threads hold up the end of the process: a request to
    a silent service would do so until its time-out. When the caller is cancelled, the call runs on unseen.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[_Answer] = loop.create_future()

    def settle(result: _Answer | None, error: BaseException | None) -> None:
        if answer.done():
            return  # the caller was cancelled
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # None only where the call answers None

    def run() -> None:
        result, failure = None, None
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001  # it is raised where the answer is awaited
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="wanvideo-storage", daemon=True).start()
    return await answer
