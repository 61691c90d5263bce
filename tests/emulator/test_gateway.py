"""Trouble at the door, and what it leaves behind: was the task made or not?"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from wanvideo_emulator import Emulator, Options

from .bare import MODEL, Raw

STUCK = Options(pending_s=(0, 0), submit_per_s=0, query_per_s=0, faults=("task:stuck",))


@pytest.mark.parametrize(
    ("fault", "status", "words", "tasks"),
    [
        ("submit:429", 429, "Throttling.RateQuota", 0),
        ("submit:500", 500, "InternalError", 0),
        ("submit:502", 502, "", 0),
        ("submit:503", 503, "ModelUnavailable", 0),
        ("submit:504", 504, "upstream request timeout", 0),
        ("submit:html502", 502, "<h1>502 Bad Gateway</h1>", 0),
        ("submit:500-created", 500, "InternalError", 1),
        ("submit:502-created", 502, "", 1),
        ("submit:503-created", 503, "ModelUnavailable", 1),
        ("submit:504-created", 504, "upstream request timeout", 1),
        ("submit:html502-created", 502, "Tengine", 1),
        ("submit:code=Arrearage", 400, "Arrearage", 0),
        ("submit:code=AllocationQuota.FreeTierOnly", 403, "free tier only", 0),
        ("submit:code200", 200, "InternalError", 0),
        ("submit:code200=Throttling", 200, "Throttling", 0),
        ("submit:badjson", 200, '{"output":', 1),
        ("submit:empty", 200, "'output': None", 1),
        ("submit:slow=0.1", 200, "PENDING", 1),
    ],
)
async def test_a_create_answered_with_trouble(
    raw: Raw, body: dict[str, Any], fault: str, status: int, words: str, tasks: int
) -> None:
    async with Emulator(STUCK) as emulator:
        emulator.add_fault(f"{fault}*1")
        reply = await raw.create(emulator, body)
        assert reply.status == status
        assert words in str(reply.body)
        assert (await raw.list(emulator, model_name=MODEL)).body["total"] == tasks
        create = emulator.truth()["creates"][0]
        assert (create["task_id"] is not None) == bool(tasks)
        assert create["answered"] != "not yet"
        assert (await raw.create(emulator, body)).status == 200


@pytest.mark.parametrize(("fault", "tasks"), [("drop", 1), ("reset", 1), ("drop-before", 0)])
async def test_a_create_whose_answer_is_lost(raw: Raw, body: dict[str, Any], fault: str, tasks: int) -> None:
    async with Emulator(STUCK) as emulator:
        emulator.add_fault(f"submit:{fault}*1")
        with pytest.raises(aiohttp.ClientError):
            await raw.create(emulator, body)
        assert len(emulator.truth()["creates"]) == 1
        assert len(emulator.truth()["tasks"]) == tasks


async def test_a_create_answered_too_late_is_still_made(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(STUCK) as emulator:
        emulator.add_fault("submit:slow=30*1")
        with pytest.raises(TimeoutError):
            await raw.create(emulator, body, timeout=aiohttp.ClientTimeout(total=0.3))
        assert (await raw.list(emulator)).body["total"] == 1


@pytest.mark.parametrize("fault", ["429", "500", "502", "503", "504", "html502", "code=SystemError"])
async def test_polls_lists_cancels_and_policies_fail_alike(
    raw: Raw, body: dict[str, Any], fault: str
) -> None:
    async with Emulator(STUCK) as emulator:
        task_id = (await raw.create(emulator, body)).task_id
        for where in ("poll", "list", "cancel", "policy"):
            emulator.add_fault(f"{where}:{fault}*1")
        replies = [
            await raw.query(emulator, task_id),
            await raw.list(emulator),
            await raw.cancel(emulator, task_id),
            await raw.send(emulator, "GET", f"/uploads?action=getPolicy&model={MODEL}"),
        ]
        assert {reply.status for reply in replies} == {int("".join(filter(str.isdigit, fault)) or 500)}
        assert (await raw.query(emulator, task_id)).task_status == "RUNNING"


async def test_polls_break_in_quieter_ways(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(STUCK) as emulator:
        task_id = (await raw.create(emulator, body)).task_id
        emulator.add_fault("poll:unknown*1")
        assert (await raw.query(emulator, task_id)).task_status == "UNKNOWN"
        emulator.add_fault("poll:badjson*1")
        assert isinstance((await raw.query(emulator, task_id)).body, str)
        emulator.add_fault("poll:empty*1")
        assert (await raw.query(emulator, task_id)).body["output"] is None
        for fault in ("drop", "reset", "drop-before"):
            # Without a count: aiohttp asks once more by itself when a kept connection was closed on a GET.
            emulator.add_fault(f"poll:{fault}")
            with pytest.raises(aiohttp.ClientError):
                await raw.query(emulator, task_id)
            emulator.clear_faults()
        assert (await raw.query(emulator, task_id)).task_status == "RUNNING"


async def test_a_cancel_whose_answer_is_lost_has_cancelled(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(Options(pending_s=(60, 60))) as emulator:
        task_id = (await raw.create(emulator, body)).task_id
        emulator.add_fault("cancel:drop*1")
        with pytest.raises(aiohttp.ClientError):
            await raw.cancel(emulator, task_id)
        assert (await raw.query(emulator, task_id)).task_status == "CANCELED"


async def test_a_wrong_key_uses_up_no_fault(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(STUCK) as emulator:
        emulator.add_fault("submit:500*1")
        assert (await raw.create(emulator, body, key="wrong")).status == 401
        assert (await raw.create(emulator, body)).status == 500


async def test_stopping_does_not_wait_for_slow_answers(raw: Raw, body: dict[str, Any]) -> None:
    async with asyncio.timeout(5):
        async with Emulator(STUCK) as emulator:
            emulator.add_fault("submit:slow=60")
            waiting = asyncio.create_task(raw.create(emulator, body))
            await asyncio.sleep(0.1)
        with pytest.raises(aiohttp.ClientError):
            await waiting
