"""What was spent, held back and saved; by whom; and what is left of the day."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tests.fakes.bench import Bench, asked

from wanvideo.jobs.intake import Asked
from wanvideo.jobs.spending import SpendingReport, Sum, by_owner, midnight, spending, total
from wanvideo.ports import Spending

NOTHING = Decimal(0)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def sum_of(cny: str, *, held: str = "0", clips: int = 0, saved: str = "0", hits: int = 0) -> Sum:
    return Sum(Decimal(cny), Decimal(held), clips, Decimal(saved), hits)


def line(owner: str | None, provider: str, cny: str, *, clips: int = 1, held: str = "0") -> Spending:
    return Spending(owner, provider, Decimal(cny), Decimal(held), clips, NOTHING, 0)


@pytest.mark.usefixtures("berlin")
def test_a_day_begins_at_the_midnight_of_the_users_own_clock() -> None:
    late = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)  # half past midnight in Berlin
    assert midnight(late) == datetime(2026, 7, 1, 22, tzinfo=UTC)
    assert midnight(late - timedelta(hours=1)) == datetime(2026, 6, 30, 22, tzinfo=UTC)


@pytest.mark.usefixtures("berlin")
def test_a_day_with_another_hour_in_it_begins_at_midnight_too() -> None:
    after_the_change = datetime(2026, 3, 30, 10, tzinfo=UTC)  # clocks went forward on the 29th
    assert midnight(after_the_change) == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert midnight(after_the_change, 1) == datetime(2026, 3, 28, 23, tzinfo=UTC)


def test_owners_come_by_what_they_spent_in_the_week() -> None:
    week = [line(None, "dashscope", "1.2"), line("ada", "dashscope", "6"), line(None, "preview", "0")]
    today = [line(None, "dashscope", "0.6", held="0.3")]
    first, second, third = by_owner(today, week)
    assert (first.owner, first.today, first.week) == ("ada", Sum(), sum_of("6", clips=1))
    assert (second.owner, second.today) == (None, sum_of("0.6", held="0.3", clips=1))
    assert (third.provider, third.week.spent_cny) == ("preview", NOTHING)
    assert total(week) == sum_of("7.2", clips=3)


def report(today: Sum, budget_cny: str | None) -> SpendingReport:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return SpendingReport(at, at, today, today, (), None if budget_cny is None else Decimal(budget_cny))


def test_what_is_left_of_the_day_is_neither_spent_nor_held_back() -> None:
    assert report(sum_of("3", held="1.5"), "10").left_cny == Decimal("5.5")
    assert report(sum_of("9", held="2"), "10").left_cny == NOTHING
    assert report(sum_of("9"), None).left_cny is None


async def test_an_empty_ledger_has_spent_nothing(bench: Bench) -> None:
    found = await spending(bench.shop, None)
    assert (found.today, found.week, found.owners) == (Sum(), Sum(), ())


async def test_clips_savings_and_open_bills_are_added_up(bench: Bench) -> None:
    """A clip is settled, a task runs, and a clip that was there already costs nothing."""
    done = await bench.drive(await bench.submit(prompt="done"))
    await bench.ledger.note_hit(done.id, None, Decimal("0.60"))
    await bench.jobs.submit(asked(prompt="runs"), "dashscope", Asked(cache="off", owner="ada"))
    await bench.round()
    found = await spending(bench.shop, Decimal(5))
    assert found.today == found.week == sum_of("0.60", held="0.60", clips=1, saved="0.60", hits=1)
    assert found.left_cny == Decimal("3.80")
    assert [(one.owner, one.provider) for one in found.owners] == [(None, "dashscope"), ("ada", "dashscope")]
    assert found.owners[1].today == sum_of("0", held="0.60")


async def test_a_clip_counts_on_the_day_it_was_sent(bench: Bench) -> None:
    await bench.drive(await bench.submit(prompt="old"))
    await bench.clock.advance(26 * 3600)
    await bench.drive(await bench.submit(prompt="new"))
    found = await spending(bench.shop, None)
    assert (found.today.spent_cny, found.week.spent_cny) == (Decimal("0.60"), Decimal("1.20"))
    await bench.clock.advance(7 * 86_400)
    assert (await spending(bench.shop, None)).week == Sum()


async def test_it_is_told_in_plain_json(bench: Bench) -> None:
    await bench.drive(await bench.submit())
    told = json.loads(json.dumps((await spending(bench.shop, Decimal(10))).as_json()))
    assert told["today"]["spent_cny"] == 0.6
    assert told["last_7_days"]["clips"] == 1
    assert (told["daily_budget_cny"], told["left_cny"]) == (10, 9.4)
    (owner,) = told["owners"]
    assert (owner["owner"], owner["provider"], owner["today"]["clips"]) == (None, "dashscope", 1)
