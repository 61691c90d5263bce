"""An emulator on a thread of its own, for scripts, notebooks and synchronous tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

from wanvideo_emulator.options import Options
from wanvideo_emulator.server import Emulator

T = TypeVar("T")


class EmulatorThread:
    """`with EmulatorThread(Options(speed=60)) as emulator:`: an Emulator to be held from any thread."""

    def __init__(self, options: Options | None = None) -> None:
        self._emulator = Emulator(options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wanvideo-emulator", daemon=True)

    def _there(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    @property
    def origin(self) -> str:
        return self._emulator.origin

    @property
    def base_url(self) -> str:
        return self._emulator.base_url

    def truth(self) -> dict[str, Any]:
        async def work() -> dict[str, Any]:
            return self._emulator.truth()

        return self._there(work())

    def add_fault(self, spec: str) -> None:
        async def work() -> None:
            self._emulator.add_fault(spec)

        self._there(work())

    def clear_faults(self) -> None:
        async def work() -> None:
            self._emulator.clear_faults()

        self._there(work())

    def advance(self, seconds: float) -> None:
        async def work() -> None:
            self._emulator.advance(seconds)

        self._there(work())

    def reset(self) -> None:
        self._there(self._emulator.reset())

    def __enter__(self) -> EmulatorThread:
        self._thread.start()
        try:
            self._there(self._emulator.start())
        except OSError:
            self._close_loop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._there(self._emulator.stop())
        self._close_loop()

    def _close_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
