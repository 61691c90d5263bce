"""Every request takes its turn at the account's gate, whichever process sends it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.bench import Bench
from tests.fakes.provider import RATIONED
from tests.fakes.simulated import simulated

from wanvideo.errors import ProviderUnavailable, Throttled
from wanvideo.jobs import turns
from wanvideo.jobs.turns import Lane
from wanvideo.ports import TaskStatus


async def takes_s(bench: Bench, lane: Lane = Lane.QUERY) -> float:
    """How long one turn is waited for."""
    began_s = bench.clock.steady_s()
    with bench.moving():
        await turns.take(bench.shop, bench.provider, lane)
    return float(bench.clock.steady_s() - began_s)


async def test_a_provider_on_this_machine_has_no_gate(bench: Bench) -> None:
    bench.shop = replace(bench.shop, ledger=None)  # type: ignore[arg-type]  # it is not even asked
    for lane in Lane:
        assert await takes_s(bench, lane) == 0


async def test_turns_are_evenly_apart_for_all_processes(bench: Bench) -> None:
    bench.provider.pace = RATIONED
    benches = [bench, bench.beside()]
    waits = [await takes_s(benches[number % 2]) for number in range(4)]
    assert waits == [0, *[pytest.approx(1 / 15, abs=1e-5)] * 3]


async def test_submits_and_queries_do_not_hold_each_other_up(bench: Bench) -> None:
    bench.provider.pace = RATIONED
    assert [await takes_s(bench, lane) for lane in (Lane.QUERY, Lane.SUBMIT)] == [0, 0]
    assert await takes_s(bench, Lane.SUBMIT) == pytest.approx(0.2, abs=1e-5)
    assert turns.gate(bench.provider, Lane.WATCH) == turns.gate(bench.provider, Lane.QUERY)


async def test_each_account_has_its_own_gates(bench: Bench) -> None:
    bench.provider.pace = RATIONED
    assert await takes_s(bench, Lane.SUBMIT) == 0
    bench.provider.key = "key-2"
    assert await takes_s(bench, Lane.SUBMIT) == 0


@pytest.mark.parametrize("lane", [Lane.SUBMIT, Lane.QUERY])
async def test_a_429_shuts_the_gate_for_everybody_and_it_opens_gently(bench: Bench, lane: Lane) -> None:
    bench.provider.pace = RATIONED
    other = bench.beside()
    await turns.told(bench.shop, bench.provider, Throttled("429"), lane)
    waits = [await takes_s(other, lane) for _ in range(30)]
    assert waits[0] >= 2
    assert waits[1] > waits[3] > waits[-1]
    rate = RATIONED.submits_per_s if lane is Lane.SUBMIT else RATIONED.queries_per_s
    assert rate is not None
    assert waits[-1] == pytest.approx(1 / rate, abs=1e-5)
    free = Lane.QUERY if lane is Lane.SUBMIT else Lane.SUBMIT
    assert await takes_s(other, free) == 0


async def test_other_trouble_shuts_no_gate(bench: Bench) -> None:
    bench.provider.pace = RATIONED
    for trouble in (ProviderUnavailable("503"), RuntimeError("odd")):
        await turns.told(bench.shop, bench.provider, trouble)
    assert await takes_s(bench) == 0


async def test_a_fetch_takes_its_turn_and_a_429_shuts_the_gate(bench: Bench) -> None:
    bench.provider.pace = RATIONED
    bench.provider.fetches = [Throttled("429")]
    task = bench.provider.stranger()
    with bench.moving():
        with pytest.raises(Throttled):
            await turns.fetch(bench.shop, bench.provider, task.id)
        began_s = bench.clock.steady_s()
        assert (await turns.fetch(bench.shop, bench.provider, task.id)).status is TaskStatus.RUNNING
    assert bench.clock.steady_s() - began_s >= 2


def test_however_many_workers_want_a_turn_the_watch_gets_its_own(tmp_path: Path) -> None:
    async def work(bench: Bench) -> float:
        def want(lane: Lane) -> asyncio.Task[None]:
            return asyncio.create_task(turns.take(bench.shop, bench.provider, lane))

        workers = [want(Lane.QUERY) for _ in range(200)]
        await bench.clock.sleep(1)
        began_s = bench.clock.steady_s()
        await want(Lane.WATCH)
        waited_s = bench.clock.steady_s() - began_s
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        return float(waited_s)

    assert simulated(tmp_path, work) <= 3.01 / 15
