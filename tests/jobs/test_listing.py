"""The whole task list, or none: a task that is not listed counts as never made."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.fakes.bench import Bench
from tests.fakes.provider import RATIONED

from wanvideo.errors import ProviderUnavailable, Throttled
from wanvideo.jobs import listing
from wanvideo.jobs.turns import Lane, gate
from wanvideo.ports import TaskPage


@pytest.fixture
async def window(bench: Bench) -> tuple[datetime, datetime]:
    """Ten seconds with a task of somebody each, and one more before and after."""
    for _ in range(12):
        bench.provider.stranger()
        await bench.clock.advance(1)
    first, last = bench.provider.tasks["task-2"], bench.provider.tasks["task-11"]  # type: ignore[index]
    return first.created_at, last.created_at


async def ids(bench: Bench, window: tuple[datetime, datetime]) -> list[str]:
    with bench.moving():
        return [task.task_id for task in await listing.whole(bench.shop, bench.provider, *window)]


@pytest.mark.parametrize("size", [1, 3, 10, 100])
async def test_every_task_of_the_window_comes_once_from_all_pages(
    bench: Bench, window: tuple[datetime, datetime], size: int
) -> None:
    bench.provider.list_page_size = size
    assert await ids(bench, window) == [f"task-{number}" for number in range(11, 1, -1)]
    assert bench.provider.list_looks == -(-10 // size)


async def test_what_the_page_shows_outside_the_window_is_left_out(
    bench: Bench, window: tuple[datetime, datetime]
) -> None:
    """The vendor's filter may be wider than asked."""
    wide, asked = bench.provider.list_page, window

    async def wider(since_at: datetime, until_at: datetime, page_no: int) -> TaskPage:
        hour = timedelta(hours=8)
        return await wide(since_at - hour, until_at + hour, page_no)

    bench.provider.list_page = wider  # type: ignore[method-assign]
    assert len(await ids(bench, asked)) == 10


async def test_an_empty_list_is_an_answer(bench: Bench) -> None:
    now = bench.clock.now()
    assert await ids(bench, (now, now)) == []


async def test_a_task_that_moves_to_the_next_page_meanwhile_comes_once(
    bench: Bench, window: tuple[datetime, datetime]
) -> None:
    """Somebody makes a task between two pages: everything moves down by one line."""
    bench.provider.list_page_size = 4
    page = bench.provider.list_page

    async def moving(since_at: datetime, until_at: datetime, page_no: int) -> TaskPage:
        got = await page(since_at, until_at, page_no)
        if page_no == 1:
            bench.provider.stranger().created_at = window[1]
        return got

    bench.provider.list_page = moving  # type: ignore[method-assign]
    found = await ids(bench, window)
    assert len(found) == len(set(found)) >= 10


async def test_a_list_with_holes_is_no_list(bench: Bench, window: tuple[datetime, datetime]) -> None:
    page = bench.provider.list_page

    async def short(since_at: datetime, until_at: datetime, page_no: int) -> TaskPage:
        got = await page(since_at, until_at, page_no)
        return replace(got, tasks=got.tasks[:-1])

    bench.provider.list_page = short  # type: ignore[method-assign]
    with pytest.raises(ProviderUnavailable, match="broke off: 9 lines of 10") as broken:
        await ids(bench, window)
    assert broken.value.retryable


async def test_a_page_that_fails_fails_the_list(bench: Bench, window: tuple[datetime, datetime]) -> None:
    bench.provider.list_page_size = 4
    page = bench.provider.list_page

    async def breaks(since_at: datetime, until_at: datetime, page_no: int) -> TaskPage:
        if page_no == 2:
            raise ProviderUnavailable("502")
        return await page(since_at, until_at, page_no)

    bench.provider.list_page = breaks  # type: ignore[method-assign]
    with pytest.raises(ProviderUnavailable, match="502"):
        await ids(bench, window)


async def test_a_number_of_pages_that_cannot_be_right_is_not_read_to_its_end(bench: Bench) -> None:
    async def endless(since_at: datetime, until_at: datetime, page_no: int) -> TaskPage:
        return TaskPage((), 10**6, 10**8)

    bench.provider.list_page = endless  # type: ignore[method-assign]
    now = bench.clock.now()
    with pytest.raises(ProviderUnavailable, match="1000000 pages"):
        await ids(bench, (now, now))


async def test_each_page_takes_its_turn_and_a_429_shuts_the_gate(
    bench: Bench, window: tuple[datetime, datetime]
) -> None:
    bench.provider.pace, bench.provider.list_page_size = RATIONED, 2
    began_s = bench.clock.steady_s()
    await ids(bench, window)
    assert bench.clock.steady_s() - began_s == pytest.approx(4 / 15, abs=1e-3)
    bench.provider.lists = [Throttled("429")]
    with pytest.raises(Throttled):
        await ids(bench, window)
    assert await bench.ledger.take_turn(gate(bench.provider, Lane.QUERY), per_s=15) > 1.9
