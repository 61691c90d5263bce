"""Taking a request in: an earlier clip answers, an identical one is joined, a key means one job."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.fakes.bench import Bench, asked

from wanvideo.contract.job import State
from wanvideo.errors import CostLimitExceeded, IdempotencyConflict
from wanvideo.jobs.intake import Asked


async def test_two_identical_requests_at_once_are_one_job_and_one_create(bench: Bench) -> None:
    both = await asyncio.gather(*(bench.jobs.submit(asked(), "dashscope") for _ in range(2)))
    first, second = (taken.job for taken in both)
    assert first.id == second.id
    assert sum("joined" in taken.note for taken in both) == 1
    done = await bench.drive(first)
    assert done.state is State.SUCCEEDED
    assert len(bench.provider.sent) == 1


async def test_refresh_makes_a_new_clip_that_answers_from_then_on(bench: Bench) -> None:
    old = await bench.drive((await bench.jobs.submit(asked(), "dashscope")).job)
    await bench.clock.advance(1)
    fresh = await bench.jobs.submit(asked(), "dashscope", Asked(cache="refresh"))
    assert not fresh.cached
    assert fresh.job.id != old.id
    await bench.drive(fresh.job)
    assert (await bench.jobs.submit(asked(), "dashscope")).job.id == fresh.job.id


async def test_off_neither_joins_nor_is_joined(bench: Bench) -> None:
    alone = await bench.submit()
    other = await bench.submit()
    shared = await bench.jobs.submit(asked(), "dashscope")
    assert len({alone.id, other.id, shared.job.id}) == 3


async def test_a_hit_is_written_down_with_what_it_saved(bench: Bench) -> None:
    done = await bench.drive((await bench.jobs.submit(asked(), "dashscope")).job)
    hit = await bench.jobs.submit(asked(), "dashscope", Asked(owner="ana"))
    assert hit.cached
    (line,) = [line for line in await bench.ledger.spending(done.created_at) if line.owner == "ana"]
    assert (line.saved_cny, line.hits, line.settled_cny) == (Decimal("0.6"), 1, Decimal(0))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 5}, "but for seed (5, there none)"),
        ({"prompt": "a storm"}, "but for prompt (a storm, there a harbour)"),
        ({"wan": {"audio": False}}, "but for wan.audio (False, there True)"),
        ({"seed": 1, "fps": 4, "prompt": "a", "duration": 3}, "1 more"),
    ],
)
async def test_a_miss_says_what_differs_from_the_nearest_job(
    bench: Bench, change: dict[str, object], words: str
) -> None:
    first = (await bench.jobs.submit(asked(), "dashscope")).job
    await bench.drive(first)
    taken = await bench.jobs.submit(asked(**change), "dashscope")
    assert taken.note.startswith(f"not in the cache: like {first.id}, ")
    assert words in taken.note
    (created, *_) = await bench.ledger.events(taken.job.id)
    assert created.data["miss"] in taken.note


async def test_a_miss_says_when_the_clip_is_gone_from_its_place(bench: Bench) -> None:
    first = await bench.drive((await bench.jobs.submit(asked(), "dashscope")).job)
    bench.store.files.clear()
    taken = await bench.jobs.submit(asked(), "dashscope")
    assert f"the same as {first.id}, but its clip is no longer at its place" in taken.note


async def test_the_same_key_and_body_mean_the_same_job_whenever_they_come(bench: Bench) -> None:
    key = Asked(cache="off", owner="ana", idempotency_key="order-7")
    first = (await bench.jobs.submit(asked(), "dashscope", key)).job
    assert (await bench.jobs.submit(asked(), "dashscope", key)).job.id == first.id
    await bench.drive(first)
    again = await bench.jobs.submit(asked(), "dashscope", key)
    assert (again.job.id, again.cached) == (first.id, True)
    assert len(bench.provider.sent) == 1


async def test_the_same_key_at_the_same_moment_is_one_job(bench: Bench) -> None:
    key = Asked(cache="off", idempotency_key="order-8")
    taken = await asyncio.gather(*(bench.jobs.submit(asked(), "dashscope", key) for _ in range(3)))
    assert len({one.job.id for one in taken}) == 1


async def test_the_same_key_with_another_body_is_refused_and_makes_nothing(bench: Bench) -> None:
    key = Asked(owner="ana", idempotency_key="order-9")
    first = (await bench.jobs.submit(asked(), "dashscope", key)).job
    for request, terms in (
        (asked(seed=9), key),
        (asked(), Asked(owner="ana", idempotency_key="order-9", max_cost_cny=Decimal(9))),
    ):
        with pytest.raises(IdempotencyConflict, match="order-9") as refused:
            await bench.jobs.submit(request, "dashscope", terms)
        assert refused.value.job_id == first.id
    assert len(await bench.jobs.jobs(limit=10)) == 1


async def test_a_key_belongs_to_its_owner(bench: Bench) -> None:
    one = await bench.jobs.submit(asked(), "dashscope", Asked("off", owner="ana", idempotency_key="1"))
    two = await bench.jobs.submit(asked(), "dashscope", Asked("off", owner="ben", idempotency_key="1"))
    assert one.job.id != two.job.id


async def test_a_day_without_room_refuses_before_anything_is_written(bench: Bench) -> None:
    bench.shop = replace(bench.shop, rules=replace(bench.shop.rules, daily_budget_cny=Decimal("1.0")))
    bench.new_worker()
    await bench.submit()
    await bench.let_pass(1)  # it holds its money back now
    with pytest.raises(CostLimitExceeded, match=r"¥0\.60 of today's ¥1\.00") as refused:
        await bench.submit(prompt="one more")
    assert refused.value.field == "WANVIDEO_DAILY_BUDGET"
    assert len(await bench.jobs.jobs(limit=10)) == 1
