"""The protocol, rule by rule, as a strict server keeps it."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import re
import uuid
from typing import Any

import pytest
from aiohttp import web

from wanvideo_emulator import Emulator, Options

from .bare import CREATE, MODEL, Raw, data_uri, encoded, painted

QUICK = Options(speed=1000, run_s=(0, 0), pending_s=(0, 0))
STUCK = Options(pending_s=(0, 0), run_s=(60, 60), faults=("task:stuck",), submit_per_s=0, query_per_s=0)


async def test_a_create_answers_with_a_pending_task(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(STUCK) as emulator:
        reply = await raw.create(emulator, body)
    assert reply.status == 200
    assert list(reply.body) == ["output", "request_id"]
    assert reply.body["output"] == {"task_status": "PENDING", "task_id": reply.task_id}
    assert uuid.UUID(reply.task_id).version == 4
    assert reply.headers["content-type"] == "application/json;charset=UTF-8"
    assert reply.headers["server"] == "istio-envoy"
    assert reply.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("key", "message"),
    [(None, "No API-key provided."), ("", "No API-key provided."), ("ak-123", "Invalid API-key provided.")],
)
async def test_keys_are_checked_first(raw: Raw, body: dict[str, Any], key: str | None, message: str) -> None:
    async with Emulator(STUCK) as emulator:
        for reply in (await raw.create(emulator, body, key=key), await raw.query(emulator, "x", key=key)):
            assert reply.refusal == (401, "InvalidApiKey", message)
            assert reply.headers["x-request-id"] == reply.body["request_id"]


async def test_only_the_given_keys_work_when_some_are_given(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(Options(api_keys=("sk-a", "sk-b=other"), faults=("task:stuck",))) as emulator:
        assert (await raw.create(emulator, body, key="sk-test")).status == 401
        task_id = (await raw.create(emulator, body, key="sk-a")).task_id
        assert (await raw.query(emulator, task_id, key="sk-a")).task_status != "UNKNOWN"
        assert (await raw.query(emulator, task_id, key="sk-b")).task_status == "UNKNOWN"


async def test_the_async_header_is_needed_on_create_and_forbidden_on_query(
    raw: Raw, body: dict[str, Any]
) -> None:
    async with Emulator(STUCK) as emulator:
        reply = await raw.send(emulator, "POST", CREATE, json=body)
        assert reply.refusal == (
            403, "AccessDenied", "current user api does not support synchronous calls.",
        )  # fmt: skip
        task_id = (await raw.create(emulator, body)).task_id
        reply = await raw.query(emulator, task_id, headers={"X-DashScope-Async": "enable"})
        assert reply.refusal == (
            403, "AccessDenied", "Current user api does not support asynchronous calls.",
        )  # fmt: skip


async def test_another_model_is_refused_in_either_of_the_two_ways_seen(
    raw: Raw, body: dict[str, Any]
) -> None:
    async with Emulator(STUCK) as emulator:
        reply = await raw.create(emulator, body | {"model": "wan2.6-i2v-flash-2026"})
        assert reply.refusal == (404, "ModelNotFound", "Model can not be found.")
        assert (await raw.create(emulator, body | {"model": None})).refusal[:2] == (
            400,
            "BadRequest.EmptyModel",
        )
    async with Emulator(Options(unknown_model="400")) as emulator:
        reply = await raw.create(emulator, body | {"model": "wan9"})
        assert reply.refusal == (400, "InvalidParameter", "Model not exist.")


async def test_bodies_that_are_none_are_refused(raw: Raw, body: dict[str, Any]) -> None:
    headers = {"X-DashScope-Async": "enable"}
    async with Emulator(STUCK) as emulator:
        reply = await raw.send(emulator, "POST", CREATE, data=b"{half", headers=headers)
        assert reply.refusal[:2] == (400, "InvalidParameter")
        assert (await raw.create(emulator, {"model": MODEL})).refusal[1] == "BadRequest.EmptyInput"
        reply = await raw.send(emulator, "POST", CREATE, data=io.BytesIO(b" " * (17 << 20)), headers=headers)
        assert reply.refusal == (400, "BadRequest.TooLarge", "Payload Too Large.")
        assert (await raw.send(emulator, "GET", "/nothing/here")).refusal[:2] == (404, "NotFound")


async def test_the_key_frame_endpoint_does_not_know_this_model(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(STUCK) as emulator:
        reply = await raw.send(
            emulator,
            "POST",
            "/services/aigc/image2video/video-synthesis",
            json=body,
            headers={"X-DashScope-Async": "enable"},
        )
        assert reply.status == 400
        assert "url error" in reply.body["message"]


async def test_a_missing_image_fails_the_task_not_the_create(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(QUICK) as emulator:
        created = await raw.create(emulator, body | {"input": {"prompt": "p"}})
        assert created.status == 200
        ended = await raw.ended(emulator, created.task_id)
        assert ended.status == 200
        assert ended.task_status == "FAILED"
        assert "code" not in ended.body
        assert ended.body["output"]["code"] == "InvalidParameter"
        assert ended.body["output"]["message"] == "Field required: input.img_url"
        assert "usage" not in ended.body
        assert emulator.truth()["billed_s"] == 0


async def test_fields_can_be_refused_at_once_by_a_switch(raw: Raw, body: dict[str, Any]) -> None:
    options = Options(missing_field="sync", unknown_parameter="refuse")
    async with Emulator(options) as emulator:
        reply = await raw.create(emulator, body | {"input": {"prompt": "p"}})
        assert reply.refusal == (400, "InvalidParameter", "Field required: input.img_url")
        reply = await raw.create(emulator, body | {"parameters": {"fps": 24}})
        assert reply.refusal == (400, "InvalidParameter", "Unknown parameter: parameters.fps")
        assert emulator.truth()["tasks"] == []


async def test_refused_parameters_fail_the_task_by_name(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(Options(speed=1000, unknown_parameter="refuse")) as emulator:
        created = await raw.create(emulator, body | {"parameters": {"duration": 2, "size": "1280*720"}})
        ended = await raw.ended(emulator, created.task_id)
        assert ended.body["output"]["message"] == "Unknown parameter: parameters.size"


@pytest.mark.parametrize("word", ["forbidden", "违禁"])
async def test_moderation_of_the_prompt_fails_the_task(raw: Raw, body: dict[str, Any], word: str) -> None:
    async with Emulator(QUICK) as emulator:
        given = body | {"input": body["input"] | {"prompt": f"a {word} thing"}}
        ended = await raw.ended(emulator, (await raw.create(emulator, given)).task_id)
        assert ended.body["output"]["code"] == "DataInspectionFailed"
        assert ended.body["output"]["message"] == "Input data may contain inappropriate content."


async def test_the_image_is_fetched_while_the_create_waits(raw: Raw, body: dict[str, Any]) -> None:
    seen: list[str] = []

    async def serve(request: web.Request) -> web.Response:
        seen.append(request.headers["User-Agent"])
        match request.path:
            case "/gone.png":
                raise web.HTTPNotFound
            case "/private.png":
                raise web.HTTPForbidden
            case "/slow.png":
                await asyncio.sleep(5)
            case "/page.png":
                return web.Response(text="<html>hello</html>")
        return web.Response(body=encoded(painted()))

    app = web.Application()
    app.router.add_get("/{name}", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    here = f"http://127.0.0.1:{runner.addresses[0][1]}"
    refused = {
        f"{here}/gone.png": (
            "InvalidParameter.DataInspection",
            "Failed to find the requested media resource",
        ),
        f"{here}/private.png": ("InvalidParameter.DataInspection", "Don't have authorization to access"),
        f"{here}/slow.png": ("InvalidParameter.DataInspection", "Unable to download the media resource"),
        "http://127.0.0.1:9/x.png": (
            "InvalidParameter.DataInspection",
            "Unable to download the media resource",
        ),
        f"{here}/page.png": ("InvalidImage.FileFormat", "Invalid image type."),
        "/home/me/x.png": ("InvalidURL", "The request URL is invalid"),
        "data:image/png;base64,@@@": ("InvalidURL", "The request URL is invalid"),
        "oss://dashscope-instant/x.png": ("InvalidParameter.DataInspection", "Unable to download"),
        data_uri(encoded(painted(200, 240))): ("InvalidImageResolution", "too large or small"),
    }
    try:
        async with Emulator(Options(fetch_timeout_s=0.3, submit_per_s=0, faults=("task:stuck",))) as emulator:
            for url, (code, words) in refused.items():
                reply = await raw.create(emulator, body | {"input": {"prompt": "p", "img_url": url}})
                assert reply.refusal[:2] == (400, code), url
                assert words in reply.body["message"], url
            assert emulator.truth()["tasks"] == []
            fine = body | {"input": {"prompt": "p", "img_url": f"{here}/fine.png"}}
            assert (await raw.create(emulator, fine)).status == 200
            assert set(seen) == {"DashScopeUserBot"}
    finally:
        await runner.cleanup()


async def test_paths_work_with_and_without_a_slash_and_ignore_strays(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(STUCK) as emulator:
        task_id = (await raw.create(emulator, body)).task_id
        for path in (f"/tasks/{task_id}", f"/tasks/{task_id}/", f"/tasks/{task_id}/?duration=4"):
            assert (await raw.send(emulator, "GET", path, json={"stray": 1})).task_status == "RUNNING"
        for path in ("/tasks", "/tasks/"):
            assert (await raw.send(emulator, "GET", path)).body["total"] == 1
        for path in (f"/tasks/{task_id}/cancel", f"/tasks/{task_id}/cancel/"):
            assert (await raw.send(emulator, "POST", path, json={"model": ""})).status == 400


async def test_times_are_beijing_time_without_an_offset(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(STUCK) as emulator:
        before = dt.datetime.now(dt.UTC) - dt.timedelta(milliseconds=2)
        task_id = (await raw.create(emulator, body)).task_id
        output = (await raw.query(emulator, task_id)).body["output"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", output["submit_time"])
        told = dt.datetime.fromisoformat(output["submit_time"] + "+08:00")
        assert before <= told <= dt.datetime.now(dt.UTC)
        assert output["scheduled_time"] >= output["submit_time"]
        assert "end_time" not in output


async def test_an_id_that_never_was_is_unknown_with_200(raw: Raw) -> None:
    async with Emulator(STUCK) as emulator:
        reply = await raw.query(emulator, "not-even-a-uuid")
        assert reply.status == 200
        assert reply.body["output"] == {"task_id": "not-even-a-uuid", "task_status": "UNKNOWN"}


async def test_cancel_works_only_while_pending(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(
        Options(max_running=1, pending_s=(0, 0), run_s=(60, 60), faults=("task:stuck*1",))
    ) as emu:
        running = (await raw.create(emu, body)).task_id
        waiting = (await raw.create(emu, body)).task_id
        await asyncio.sleep(0.05)
        reply = await raw.cancel(emu, running)
        assert reply.refusal == (
            400,
            "UnsupportedOperation",
            "Failed to cancel the task, please confirm if the task is in PENDING status.",
        )
        reply = await raw.cancel(emu, waiting)
        assert reply.status == 200
        assert list(reply.body) == ["request_id"]
        assert (await raw.query(emu, waiting)).task_status == "CANCELED"
        assert (await raw.cancel(emu, waiting)).status == 400
        assert (await raw.cancel(emu, "no-such-task")).status == 400


async def test_creates_over_the_rate_are_throttled_for_the_whole_account(
    raw: Raw, body: dict[str, Any]
) -> None:
    async with Emulator(Options(faults=("task:stuck",))) as emulator:
        replies = await asyncio.gather(
            *(raw.create(emulator, body, key=f"sk-{number % 2}") for number in range(8))
        )
        assert sorted(reply.status for reply in replies) == [200] * 5 + [429] * 3
        refused = next(reply for reply in replies if reply.status == 429)
        assert refused.refusal == (
            429, "Throttling.RateQuota", "Requests rate limit exceeded, please try again later.",
        )  # fmt: skip
        assert "retry-after" not in refused.headers
        await asyncio.sleep(1.05)
        assert (await raw.create(emulator, body)).status == 200
        assert emulator.truth()["queries"]["submit"] == {"count": 9, "refused": 3, "peak_per_s": 8}


async def test_queries_lists_and_cancels_have_twenty_a_second_each(raw: Raw) -> None:
    async with Emulator(Options()) as emulator:
        queried = await asyncio.gather(*(raw.query(emulator, "x") for _ in range(22)))
        listed = await asyncio.gather(*(raw.list(emulator) for _ in range(22)))
        cancelled = await asyncio.gather(*(raw.cancel(emulator, "x") for _ in range(22)))
        for replies in (queried, listed, cancelled):
            assert [reply.status for reply in replies].count(429) == 2
        truth = emulator.truth()["queries"]
        assert truth["query"]["peak_per_s"] == truth["list"]["peak_per_s"] == 22


async def test_five_run_and_the_rest_wait(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(STUCK) as emulator:
        tasks = [(await raw.create(emulator, body)).task_id for _ in range(7)]
        await asyncio.sleep(0.05)
        states = [(await raw.query(emulator, task_id)).task_status for task_id in tasks]
        assert states == ["RUNNING"] * 5 + ["PENDING"] * 2
        assert "scheduled_time" not in (await raw.query(emulator, tasks[6])).body["output"]
        assert emulator.truth()["peak_running"] == 5


async def test_or_the_sixth_is_throttled(raw: Raw, body: dict[str, Any]) -> None:
    options = Options(over_concurrency="429", submit_per_s=0, faults=("task:stuck",))
    async with Emulator(options) as emulator:
        replies = await asyncio.gather(*(raw.create(emulator, body) for _ in range(7)))
        assert sorted(reply.status for reply in replies) == [200] * 5 + [429] * 2


async def test_after_a_day_a_task_is_unknown_and_unlisted(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(STUCK) as emulator:
        task_id = (await raw.create(emulator, body)).task_id
        emulator.advance(86_399)
        assert (await raw.query(emulator, task_id)).task_status == "FAILED"
        emulator.advance(2)
        assert (await raw.query(emulator, task_id)).task_status == "UNKNOWN"
        assert (await raw.list(emulator)).body["total"] == 0


async def test_a_task_without_a_result_is_given_up_after_three_hours(raw: Raw, body: dict[str, Any]) -> None:
    async with Emulator(STUCK) as emulator:
        task_id = (await raw.create(emulator, body)).task_id
        await asyncio.sleep(0.02)
        emulator.advance(3 * 3600 - 10)
        assert (await raw.query(emulator, task_id)).task_status == "RUNNING"
        emulator.advance(20)
        assert (await raw.query(emulator, task_id)).body["output"]["code"] == "InternalError.Timeout"
