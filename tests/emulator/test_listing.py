"""The list of tasks: shape, filters, pages, the window of 24 hours."""

from __future__ import annotations

import datetime as dt
from typing import Any

from wanvideo_emulator import Emulator, Options
from wanvideo_emulator.times import BEIJING

from .bare import MODEL, Raw

MANY = Options(pending_s=(0, 0), run_s=(60, 60), submit_per_s=0, query_per_s=0, faults=("task:stuck",))


def written(seconds_from_now: float) -> str:
    at = dt.datetime.now(BEIJING) + dt.timedelta(seconds=seconds_from_now)
    return at.strftime("%Y%m%d%H%M%S")


async def test_items_say_state_and_times_but_neither_link_nor_error(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(MANY) as emulator:
        created = await raw.create(emulator, body)
        reply = await raw.list(emulator)
    assert list(reply.body) == ["total", "data", "total_page", "page_no", "request_id", "page_size"]
    assert (reply.body["total"], reply.body["total_page"]) == (1, 1)
    assert (reply.body["page_no"], reply.body["page_size"]) == (1, 10)
    item = reply.body["data"][0]
    assert set(item) == {
        "api_key_id", "caller_parent_id", "caller_uid", "gmt_create", "start_time", "model_name", "region",
        "request_id", "status", "task_id", "user_api_unique_key",
    }  # fmt: skip
    assert item["task_id"] == created.task_id
    assert item["request_id"] == created.body["request_id"]
    assert item["status"] == "RUNNING"
    assert item["user_api_unique_key"] == f"apikey:v1:aigc:video-generation:video-synthesis:{MODEL}"
    assert abs(item["gmt_create"] / 1000 - dt.datetime.now(dt.UTC).timestamp()) < 5


async def test_pages_are_newest_first_and_large_pages_are_cut(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(Options(**vars(MANY) | {"list_page_max": 4})) as emulator:
        made = [(await raw.create(emulator, body, key=f"sk-{number}")).task_id for number in range(6)]
        first = (await raw.list(emulator, page_size=50)).body
        second = (await raw.list(emulator, page_size=50, page_no=2)).body
        third = (await raw.list(emulator, page_size=50, page_no=3)).body
    assert (first["page_size"], first["total"], first["total_page"]) == (4, 6, 2)
    assert [item["task_id"] for item in first["data"] + second["data"]] == made[::-1]
    assert third["data"] == []


async def test_filters_narrow_the_list(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(MANY) as emulator:
        one = (await raw.create(emulator, body)).task_id
        await raw.create(emulator, body)

        async def total(**query: Any) -> int:
            return int((await raw.list(emulator, **query)).body["total"])

        assert await total(task_id=one) == 1
        assert await total(status="RUNNING") == 2
        assert await total(status="SUCCEEDED") == 0
        assert await total(model_name=MODEL) == 2
        assert await total(model_name="wan2.6-i2v") == 0
        assert await total(region="cn-beijing") == 2
        assert await total(start_time=written(-60)) == 2
        assert await total(start_time=written(60)) == 0
        assert await total(end_time=written(-60)) == 0
        assert await total(start_time=written(-60), end_time=written(60)) == 2


async def test_what_cannot_be_read_is_refused(raw: Raw) -> None:
    async with Emulator(MANY) as emulator:
        bad: list[dict[str, Any]] = [
            {"start_time": "2026-11-23"},
            {"start_time": written(-90_000), "end_time": written(0)},
            {"start_time": written(10), "end_time": written(-10)},
            {"page_no": 0},
            {"page_size": "many"},
            {"status": "DONE"},
        ]
        for query in bad:
            assert (await raw.list(emulator, **query)).refusal[:2] == (400, "InvalidParameter"), query


async def test_new_tasks_can_be_listed_late(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(Options(**vars(MANY) | {"list_lag_s": 20})) as emulator:
        task_id = (await raw.create(emulator, body)).task_id
        assert (await raw.list(emulator)).body["total"] == 0
        assert (await raw.query(emulator, task_id)).task_status == "RUNNING"
        emulator.advance(21)
        assert (await raw.list(emulator)).body["total"] == 1
