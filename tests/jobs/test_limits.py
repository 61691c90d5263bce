"""What a clip, and a day, may cost is looked at by the submit itself, however a job came into the queue."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from tests.fakes.bench import Bench
from tests.fakes.provider import RATIONED

from wanvideo.contract.job import Job, State
from wanvideo.contract.price import FREE, Cost
from wanvideo.contract.request import VideoRequest
from wanvideo.errors import CostLimitExceeded
from wanvideo.jobs import limits
from wanvideo.jobs.spending import midnight
from wanvideo.jobs.workshop import Rules
from wanvideo.ports import Budget, Pace

CLIP_CNY = Decimal("0.6")


def with_rules(
    bench: Bench, *, max_cost_cny: Decimal | None = None, daily_budget_cny: Decimal | None = None
) -> Bench:
    rules = Rules(max_cost_cny=max_cost_cny, daily_budget_cny=daily_budget_cny)
    bench.shop = replace(bench.shop, rules=rules)
    bench.new_worker()
    return bench


async def submitted(bench: Bench, count: int) -> list[Job]:
    """Jobs that were taken in while there was no limit yet."""
    rules = bench.shop.rules
    with_rules(bench)
    jobs = [await bench.submit(prompt=f"clip {number}") for number in range(count)]
    bench.shop = replace(bench.shop, rules=rules)
    bench.new_worker()
    return jobs


async def states(bench: Bench, jobs: list[Job]) -> list[State]:
    return [(await bench.job(job)).state for job in jobs]


async def spent_cny(bench: Bench) -> Decimal:
    return await bench.ledger.spent_cny(midnight(bench.clock.now()))


# --- a clip ---


@pytest.mark.parametrize(
    ("own", "settings", "fits"),
    [
        (None, None, True),
        (CLIP_CNY, None, True),
        (CLIP_CNY - Decimal("0.01"), None, False),
        (None, CLIP_CNY, True),
        (None, CLIP_CNY - Decimal("0.000001"), False),
        (Decimal(0), None, False),
    ],
)
async def test_a_clip_fits_up_to_the_limit_itself(
    bench: Bench, own: Decimal | None, settings: Decimal | None, fits: bool
) -> None:
    if settings is not None:
        with_rules(bench, max_cost_cny=settings)
    if fits:
        limits.check_clip(bench.shop, CLIP_CNY, own)
    else:
        with pytest.raises(CostLimitExceeded, match=r"costs about ¥0\.60"):
            limits.check_clip(bench.shop, CLIP_CNY, own)


async def test_a_limit_that_was_lowered_while_the_job_waited_still_counts(bench: Bench) -> None:
    [job] = await submitted(with_rules(bench, max_cost_cny=Decimal("0.5")), 1)
    done = await bench.drive(job)
    assert done.state is State.FAILED
    assert done.error is not None
    assert done.error["code"] == "cost_limit"
    assert bench.provider.sent == []
    assert await spent_cny(bench) == 0


# --- a day ---


async def test_several_that_wait_together_do_not_go_over_the_days_budget(bench: Bench) -> None:
    jobs = await submitted(with_rules(bench, daily_budget_cny=Decimal("1.5")), 4)
    await bench.let_pass(60)
    assert sorted(await states(bench, jobs)) == [State.FAILED] * 2 + [State.SUCCEEDED] * 2
    assert len(bench.provider.sent) == 2
    [refused, _] = [job for job in [await bench.job(job) for job in jobs] if job.state is State.FAILED]
    assert refused.error is not None
    assert refused.error["code"] == "cost_limit"
    assert refused.error["field"] == "WANVIDEO_DAILY_BUDGET"
    assert "¥1.20 of today's ¥1.50 are spent" in refused.error["detail"]
    assert await spent_cny(bench) == Decimal("1.2")


async def test_two_workers_together_cannot_overspend(bench: Bench) -> None:
    """Both look at the same moment, and the budget has room for one."""
    bench.provider.pace = Pace(20, 15, 10, slots=9)
    jobs = await submitted(with_rules(bench, daily_budget_cny=Decimal("1.7")), 6)
    other = bench.beside()
    leases = [await each.runner.claim(None) for each in (bench, other)]
    held = [(bench, lease) for lease in leases[0][:3]] + [(other, lease) for lease in leases[0][3:]]
    await asyncio.gather(*(each.runner.handle(lease) for each, lease in held))
    await bench.let_pass(60)
    assert len(bench.provider.sent) == 2
    assert sorted(await states(bench, jobs)) == [State.FAILED] * 4 + [State.SUCCEEDED] * 2
    assert await spent_cny(bench) <= Decimal("1.7")


async def test_what_is_held_back_counts_until_it_is_settled(bench: Bench) -> None:
    """A lost submit may have been billed: its money is not free again before somebody knows."""
    with_rules(bench, daily_budget_cny=Decimal("1.0"))
    bench.provider.creates = ["lost_with_task"]
    bench.provider.list_lag_s = 10_000
    await bench.submit(prompt="lost")
    await bench.round()
    with pytest.raises(CostLimitExceeded, match="held back by clips in the making"):
        await bench.submit(prompt="one more")
    assert await spent_cny(bench) == CLIP_CNY


@pytest.mark.parametrize("outcome", ["refuse", "not_delivered", "throttle"])
async def test_a_create_that_came_to_nothing_gives_its_money_back(bench: Bench, outcome: str) -> None:
    with_rules(bench, daily_budget_cny=Decimal("0.6"))
    bench.provider.creates = [outcome]
    await bench.submit(prompt="came to nothing")
    await bench.round()
    assert await spent_cny(bench) == 0


@pytest.mark.parametrize("ending", ["failed", "cancelled"])
async def test_a_task_that_failed_gives_its_money_back(bench: Bench, ending: str) -> None:
    with_rules(bench, daily_budget_cny=Decimal("0.6"))
    bench.provider.endings = [ending]
    await bench.drive(await bench.submit(prompt="one"))
    assert await spent_cny(bench) == 0
    assert (await bench.drive(await bench.submit(prompt="two"))).state is State.SUCCEEDED


async def test_what_costs_nothing_always_fits(bench: Bench) -> None:
    with_rules(bench, daily_budget_cny=Decimal(0), max_cost_cny=Decimal(0))

    def free(request: VideoRequest) -> Cost:
        return FREE

    bench.provider.estimate = free  # type: ignore[method-assign]
    job = await bench.submit()
    assert (await bench.drive(job, State.RUNNING)).state is State.RUNNING


async def test_at_midnight_the_budget_is_whole_again(bench: Bench) -> None:
    with_rules(bench, daily_budget_cny=CLIP_CNY)
    began_at = bench.clock.now()
    tomorrow_at = midnight(began_at) + timedelta(days=1)
    await bench.clock.advance((tomorrow_at - began_at).total_seconds() - 120)
    await bench.drive(await bench.submit(prompt="today"))
    with pytest.raises(CostLimitExceeded):
        await bench.submit(prompt="today as well")
    await bench.clock.advance(300)
    assert (await bench.drive(await bench.submit(prompt="tomorrow"))).state is State.SUCCEEDED
    budget = limits.day_budget(bench.shop)
    assert budget is not None
    assert budget.since_at == tomorrow_at


def test_the_day_begins_at_midnight_of_the_users_own_clock() -> None:
    noon = datetime(2026, 7, 1, 12).astimezone()
    assert midnight(noon) == datetime(2026, 7, 1).astimezone()


async def test_a_turn_that_is_waited_for_over_midnight_belongs_to_the_new_day(bench: Bench) -> None:
    """The budget is looked at when the money is held back, not when the job was taken up."""
    with_rules(bench, daily_budget_cny=CLIP_CNY)
    bench.provider.pace = RATIONED
    bench.new_worker()
    tomorrow_at = midnight(bench.clock.now()) + timedelta(days=1)
    await bench.clock.advance((tomorrow_at - bench.clock.now()).total_seconds() - 60)
    await bench.drive(await bench.submit(prompt="today"))
    left_s = (tomorrow_at - bench.clock.now()).total_seconds()
    assert left_s > 1
    [job] = await submitted(bench, 1)
    gate = f"submit|{bench.provider.account.name}"
    while await bench.ledger.take_turn(gate, per_s=1) < left_s:
        pass
    assert (await bench.drive(job, State.RUNNING)).state is State.RUNNING


def test_what_is_told_names_the_way_out() -> None:
    error = limits.over_budget(
        Budget(Decimal(5), datetime(2026, 1, 1).astimezone()), CLIP_CNY, Decimal("4.9")
    )
    assert (error.field, error.retryable) == ("WANVIDEO_DAILY_BUDGET", False)
    assert "Nothing was sent" in str(error.hint)
