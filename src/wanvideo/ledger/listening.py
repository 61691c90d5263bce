"""Being told of work by PostgreSQL, over a connection of its own that is made anew when it breaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
PULSE_S: Final = 20.0


@asynccontextmanager
async def listening(
    engine: AsyncEngine, channel: str, wake: Callable[[], None], troubles: tuple[type[Exception], ...]
) -> AsyncIterator[None]:
    """Call `wake` at every notification, and when listening begins: what was told before is not told again.

    Raises nothing: it only saves time; the listener looks by itself as well.
    """
    task = asyncio.create_task(_go_on(engine, channel, wake, (*troubles, SQLAlchemyError)))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _go_on(
    engine: AsyncEngine, channel: str, wake: Callable[[], None], troubles: tuple[type[Exception], ...]
) -> None:
    pause_s = FIRST_PAUSE_S

    def heard(*_: Any) -> None:
        nonlocal pause_s
        pause_s = FIRST_PAUSE_S
        wake()

    while True:
        try:
            await _listen(engine, channel, heard)
        except troubles as error:
            # the words of an error may quote more than a log should hold
            log.warning("PostgreSQL does not tell of new work (%s); looking for it", type(error).__name__)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


async def _listen(engine: AsyncEngine, channel: str, heard: Callable[..., None]) -> None:
    """Until the connection breaks. Raises whatever the driver raises then."""
    broken = asyncio.Event()

    def ended(*_: Any) -> None:
        broken.set()

    async with engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        driver.add_termination_listener(ended)
        await driver.add_listener(channel, heard)
        try:
            heard()
            while not broken.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(PULSE_S):
                        await broken.wait()
                if not broken.is_set():  # a peer that vanished says nothing: it has to be asked
                    await driver.execute("SELECT 1")
        finally:
            driver.remove_termination_listener(ended)
            # closed for good: nobody else is to get a connection that is deaf, or that still listens
            await connection.invalidate()
