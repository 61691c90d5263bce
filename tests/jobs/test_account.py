"""The provider's side of the last hours: asked in turns, in full or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.fakes.bench import Bench

from wanvideo.clock import FakeClock
from wanvideo.contract.job import TaskId
from wanvideo.errors import CredentialsRejected, ProviderUnavailable, Throttled
from wanvideo.jobs import account, turns
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import Pace, TaskPage


def patient(bench: Bench) -> Workshop:
    """The bench's shop with a clock that does not make the test wait."""
    return replace(bench.shop, clock=FakeClock(bench.clock.now(), auto=True))


async def ids(bench: Bench, hours: float = 24) -> list[TaskId]:
    now_at = bench.clock.now()
    found = await account.tasks(
        patient(bench), bench.provider, now_at - timedelta(hours=hours), now_at, lambda _: None
    )
    return list(found)


async def test_all_pages_of_all_hours_are_one_list_oldest_first(bench: Bench) -> None:
    bench.provider.list_page_size = 2
    made = []
    for _ in range(8):
        made.append(bench.provider.stranger().id)
        await bench.clock.advance(3 * 3600)
    assert await ids(bench) == made
    assert await ids(bench, hours=7) == made[-2:]


async def test_no_window_is_longer_than_holds_in_either_zone(bench: Bench) -> None:
    """The vendor takes 24 hours and may read them in UTC+8 or UTC: 16 hours is the most that is sure."""
    asked: list[tuple[datetime, datetime]] = []
    pages = bench.provider.list_page

    async def noted(since_at: datetime, until_at: datetime, page_no: int) -> TaskPage:
        asked.append((since_at, until_at))
        return await pages(since_at, until_at, page_no)

    bench.provider.list_page = noted  # type: ignore[method-assign]  # only listens
    await ids(bench)
    now_at = bench.clock.now()
    assert (asked[0][0], asked[-1][1]) == (now_at - timedelta(hours=24), now_at)
    assert [left[1] for left in asked[:-1]] == [right[0] for right in asked[1:]]
    assert all(until_at - since_at < timedelta(hours=16) for since_at, until_at in asked)


async def test_a_task_on_the_border_of_two_windows_is_there_once(bench: Bench) -> None:
    task = bench.provider.stranger()
    await bench.clock.advance(11 * 3600)  # 24 - 13: the border of the two windows
    assert await ids(bench) == [task.id]


async def test_trouble_with_the_list_is_waited_out_and_never_becomes_a_short_list(bench: Bench) -> None:
    task = bench.provider.stranger()
    bench.provider.lists = [ProviderUnavailable("503"), ProviderUnavailable("503")]
    assert await ids(bench) == [task.id]
    bench.provider.lists = [ProviderUnavailable("503")] * account.TRIES
    with pytest.raises(ProviderUnavailable):
        await ids(bench)
    assert bench.provider.lists == []


async def test_a_definite_no_is_told_at_once(bench: Bench) -> None:
    bench.provider.lists = [CredentialsRejected("Wrong key.")] * 2
    with pytest.raises(CredentialsRejected):
        await ids(bench)
    assert len(bench.provider.lists) == 1


async def test_every_question_takes_its_turn_and_a_429_shuts_the_gate(bench: Bench) -> None:
    bench.provider.pace = Pace(20, 15, 10, 5, queries_per_s=10)
    made = [bench.provider.stranger().id for _ in range(3)]
    await bench.clock.advance(30)
    shop = patient(bench)
    await ids(bench)
    await account.reports(shop, bench.provider, made, lambda _: None)
    gate = turns.gate(bench.provider, turns.Lane.QUERY)
    turns_taken = 2 + 3  # two windows, three tasks
    assert await bench.ledger.take_turn(gate, per_s=10) == pytest.approx(turns_taken / 10)
    bench.provider.fetches = [Throttled("Slow down.")]
    assert (await account.report(shop, bench.provider, made[0])).status == "succeeded"
    assert await bench.ledger.take_turn(gate, per_s=10) > 1


async def test_many_ids_are_asked_in_parts(bench: Bench) -> None:
    job = await bench.submit()
    await bench.drive(job)
    others = [TaskId(f"other-{number}") for number in range(2500)]
    assert await account.owned(bench.shop, [*others, TaskId("task-1")]) == {"task-1"}


async def test_a_person_who_waits_is_told_how_far_it_is(bench: Bench) -> None:
    made = [bench.provider.stranger().id for _ in range(25)]
    told: list[str] = []
    await account.reports(bench.shop, bench.provider, made, told.append)
    assert told == [
        "asking what was billed: 0 of 25 tasks",
        "asking what was billed: 20 of 25 tasks",
    ]
