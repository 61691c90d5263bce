"""The control endpoints: truth, faults, the clock, a fresh start; no key needed."""

from __future__ import annotations

from typing import Any

import aiohttp

from wanvideo_emulator import Emulator, Options

from .bare import Raw

STUCK = Options(pending_s=(0, 0), faults=("task:stuck",))


async def ask(raw: Raw, emulator: Emulator, method: str, path: str, **more: Any) -> tuple[int, Any]:
    async with raw.session.request(method, f"{emulator.origin}/emulator/{path}", **more) as response:
        is_json = response.content_type == "application/json"
        return response.status, await (response.json() if is_json else response.text())


async def test_truth_tells_what_was_received(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(STUCK) as emulator:
        created = await raw.create(emulator, body, headers={"User-Agent": "me/1"})
        await raw.create(emulator, body, key="wrong")
        status, truth = await ask(raw, emulator, "GET", "truth")
        assert status == 200
        first, second = truth["creates"]
        assert first["task_id"] == created.task_id
        assert first["request_id"] == created.body["request_id"]
        assert first["body"]["parameters"] == body["parameters"]
        assert first["body"]["input"]["img_url"].startswith("data:image/png;base64,<")
        assert first["headers"]["user-agent"] == "me/1"
        assert first["headers"]["x-dashscope-async"] == "enable"
        assert len(first["key_fingerprint"]) == 12
        assert "sk-test" not in str(truth)
        assert (first["answered"], second["answered"]) == ("200", "401 InvalidApiKey")
        assert truth["tasks"][0]["status"] == "RUNNING"
        assert truth["billed_s"] == 0


async def test_faults_are_armed_and_cleared(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(STUCK) as emulator:
        status, reply = await ask(raw, emulator, "POST", "faults", json={"spec": "submit:503*2"})
        assert status == 200
        assert reply["faults"][-1] == {"spec": "submit:503*2", "met": 0}
        assert (await raw.create(emulator, body)).status == 503
        assert (await ask(raw, emulator, "GET", "faults"))[1]["faults"][-1]["met"] == 1
        assert (await ask(raw, emulator, "DELETE", "faults"))[1] == {"faults": []}
        assert (await raw.create(emulator, body)).status == 200
        status, text = await ask(raw, emulator, "POST", "faults", json={"spec": "submit:explode"})
        assert status == 400
        assert "cannot 'explode'" in text


async def test_the_clock_jumps_and_the_state_goes(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(STUCK) as emulator:
        task_id = (await raw.create(emulator, body)).task_id
        assert (await ask(raw, emulator, "POST", "advance", json={"seconds": 90_000}))[0] == 200
        assert (await raw.query(emulator, task_id)).task_status == "UNKNOWN"
        for bad in ({"seconds": -1}, {"seconds": "a day"}, {}):
            assert (await ask(raw, emulator, "POST", "advance", json=bad))[0] == 400
        assert (await ask(raw, emulator, "POST", "advance", data=b"{"))[0] == 400
        assert (await ask(raw, emulator, "POST", "reset"))[0] == 200
        truth = (await ask(raw, emulator, "GET", "truth"))[1]
        assert truth["tasks"] == []
        assert truth["faults"] == [{"spec": "task:stuck", "met": 0}]


async def test_control_is_not_part_of_the_api(raw: Raw) -> None:
    async with Emulator() as emulator:
        assert (await raw.send(emulator, "GET", "/emulator/truth")).status == 404
        async with aiohttp.ClientSession() as session, session.get(emulator.origin + "/") as response:
            assert response.status == 404
