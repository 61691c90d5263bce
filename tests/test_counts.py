"""What things cost, counted and not timed: statements of the ledger, by whom they were asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import event
from tests.fakes.bench import Bench

from wanvideo import AsyncClient, Settings
from wanvideo.clock import SystemClock
from wanvideo.contract.job import State
from wanvideo.jobs.runner import Runner
from wanvideo.ledger.sql import SqlLedger


@contextmanager
def counted(ledger: Any) -> Iterator[list[str]]:
    """The first words of the statements that this very task asks for, without those that begin and end."""
    assert isinstance(ledger, SqlLedger)
    asked: list[str] = []
    me = asyncio.current_task()

    def told(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if asyncio.current_task() is me and not statement.startswith("BEGIN"):
            asked.append(" ".join(statement.split()))

    engines = [ledger._database.engine.writer.sync_engine, ledger._database.engine.reader.sync_engine]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", told)
    try:
        yield asked
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", told)


def writes(asked: list[str]) -> list[str]:
    return [words for words in asked if not words.startswith("SELECT")]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """No key anywhere: previews."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return Settings(output_dir=tmp_path / "output")


@pytest.fixture
def fields(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "harbour.png"
    Image.new("RGB", (320, 240), "lightsteelblue").save(path)
    return {"prompt": "push in", "reference_image": path, "duration": 2, "fps": 5, "size": "320*240"}


async def test_a_clip_that_is_there_costs_one_search_and_one_note(
    settings: Settings, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncClient(settings) as client:
        await client.generate(**fields)

        def must_not(*_: Any) -> None:
            raise AssertionError("nothing is left to do, and nothing to wait for")

        seen: list[State] = []
        monkeypatch.setattr(Runner, "wake", must_not)
        with counted(client.app.shop.ledger) as asked:
            slept = _sleeps_of_this_task(monkeypatch)
            clip = await client.generate(
                **fields, on_progress=lambda snapshot: seen.append(snapshot.job.state)
            )
    assert clip.cached
    assert seen == [State.SUCCEEDED]
    assert [words.split(" (")[0].split(",")[0] for words in asked] == [
        "SELECT jobs.id",
        "INSERT INTO cache_hits",
    ]
    assert slept == []


async def test_what_is_over_is_not_asked_about_any_more(settings: Settings, fields: dict[str, Any]) -> None:
    async with AsyncClient(settings) as client:
        job = await client.submit(**fields)
        assert client._driven == {job.id}
        await job.wait()
        assert client._driven == set()
        await (await client.submit(**fields)).wait()
        assert client._driven == set()


async def test_a_round_in_which_nothing_is_due_reads_twice_and_writes_nothing(tmp_path: Path) -> None:
    bench = await Bench.open(tmp_path)
    bench.runner.wake()
    with counted(bench.ledger) as asked:
        await bench.runner._round(None)
    assert len(asked) == 4  # when is the first due, and when is the first lease over: in hand, and queued
    assert writes(asked) == []
    await bench.ledger.close()


async def test_a_process_without_jobs_of_its_own_asks_for_nothing(tmp_path: Path) -> None:
    bench = await Bench.open(tmp_path)
    with counted(bench.ledger) as asked:
        await bench.runner._round([])
    assert asked == []
    await bench.ledger.close()


async def test_a_look_that_tells_nothing_new_writes_nothing_but_its_turn(tmp_path: Path) -> None:
    bench = await Bench.open(tmp_path)
    bench.provider.takes_s = 600
    for seed in range(3):
        await bench.submit(seed=seed)
    await bench.let_pass(60)
    looks = bench.provider.looks + bench.provider.list_looks
    with counted(bench.ledger) as asked:
        await bench.let_pass(60)
    looks = bench.provider.looks + bench.provider.list_looks - looks
    assert looks > 10
    gates = [words for words in asked if words.startswith("INSERT INTO gates")]
    posts = [words for words in asked if words.startswith("INSERT INTO posts")]
    assert len(gates) <= looks
    assert len(posts) <= 60 / 3 + 1
    assert len(writes(asked)) == len(gates) + len(posts)
    await bench.ledger.close()


def _sleeps_of_this_task(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    me = asyncio.current_task()
    plain: Callable[..., Any] = SystemClock.sleep

    async def sleep(self: SystemClock, delay_s: float) -> None:
        if asyncio.current_task() is me:
            slept.append(delay_s)
        await plain(self, delay_s)

    monkeypatch.setattr(SystemClock, "sleep", sleep)
    return slept
