"""Time that is handed in: the machine's own, and one that jumps."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from wanvideo.clock import FakeClock, SystemClock


async def test_the_machines_clock_is_aware_and_goes_on() -> None:
    clock = SystemClock()
    before, steady_s = clock.now(), clock.steady_s()
    await clock.sleep(0.01)
    assert clock.now() > before
    assert clock.now().tzinfo is UTC
    assert 0.009 <= clock.steady_s() - steady_s < 5


async def test_a_fake_clock_stands_still_until_it_is_moved() -> None:
    clock = FakeClock(datetime(2026, 5, 1, tzinfo=UTC))
    assert clock.now() == clock.now() == datetime(2026, 5, 1, tzinfo=UTC)
    await clock.advance(90)
    assert clock.now() == datetime(2026, 5, 1, 0, 1, 30, tzinfo=UTC)
    assert clock.steady_s() == 90


async def test_sleepers_wake_in_order_at_their_own_time() -> None:
    clock, woken = FakeClock(), list[tuple[str, float]]()

    async def sleeper(name: str, *naps: float) -> None:
        for nap in naps:
            await clock.sleep(nap)
            woken.append((name, clock.steady_s()))

    tasks = [asyncio.create_task(sleeper("a", 5, 5)), asyncio.create_task(sleeper("b", 3, 1))]
    await asyncio.sleep(0)
    await clock.advance(4.5)
    assert woken == [("b", 3), ("b", 4)]
    await clock.advance(100)
    assert woken[2:] == [("a", 5), ("a", 10)]
    await asyncio.gather(*tasks)


async def test_a_sleeper_that_was_cancelled_disturbs_nobody() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    await clock.advance(2)
    assert task.cancelled()


async def test_no_time_at_all_only_lets_others_run() -> None:
    clock = FakeClock()
    await clock.sleep(0)
    await clock.sleep(-1)
    assert clock.steady_s() == 0


async def test_an_automatic_clock_never_waits() -> None:
    clock = FakeClock(auto=True)
    await clock.sleep(86_400)
    assert clock.now() - datetime(2026, 1, 1, tzinfo=UTC) == timedelta(days=1)


async def test_a_changed_wall_clock_leaves_the_steady_one_alone() -> None:
    clock = FakeClock()
    clock.jump(-3600)
    assert (clock.now().year, clock.steady_s()) == (2025, 0)
