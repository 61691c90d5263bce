"""From create to the file: real clips, their links, and what goes wrong with both when asked to."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import av
import pytest

from wanvideo_emulator import Emulator, Options

from .bare import Raw, Reply

QUICK = Options(speed=1000, pending_s=(0, 0), run_s=(60, 60), submit_per_s=0, query_per_s=0)


@pytest.fixture
async def emulator(clips_folder: Path) -> AsyncIterator[Emulator]:
    async with Emulator(replace(QUICK, clips_folder=clips_folder)) as emulator:
        yield emulator


async def made(raw: Raw, emulator: Emulator, body: dict[str, Any]) -> Reply:
    reply = await raw.ended(emulator, (await raw.create(emulator, body)).task_id)
    assert reply.task_status == "SUCCEEDED"
    return reply


def link(reply: Reply) -> str:
    return str(reply.body["output"]["video_url"])


async def test_a_finished_task_reads_like_the_official_sample(
    raw: Raw, emulator: Emulator, body: dict[str, Any]
) -> None:
    reply = await made(raw, emulator, body)
    output = reply.body["output"]
    assert list(output) == [
        "task_id", "task_status", "submit_time", "scheduled_time", "end_time", "orig_prompt", "video_url",
    ]  # fmt: skip
    assert output["orig_prompt"] == "push in"
    assert reply.body["usage"] == {
        "duration": 2,
        "input_video_duration": 0,
        "output_video_duration": 2,
        "video_count": 1,
        "SR": 720,
        "audio": False,
    }
    truth = emulator.truth()
    assert (truth["billed_s"], truth["billed_cny"]) == (2, 0.3)
    assert truth["tasks"][0]["size"] == "960*960"
    query = parse_qs(urlsplit(link(reply)).query)
    ended = dt.datetime.fromisoformat(output["end_time"] + "+08:00").timestamp()
    assert 0 <= ended + 86_400 - int(query["Expires"][0]) < 1.01


async def test_the_clip_is_a_real_one_of_the_very_picture(
    raw: Raw, emulator: Emulator, body: dict[str, Any]
) -> None:
    with_sound = body | {"parameters": body["parameters"] | {"audio": True}}
    reply = await made(raw, emulator, with_sound)
    assert reply.body["usage"]["audio"] is True
    async with raw.session.get(link(reply)) as response:
        data = await response.read()
        assert response.headers["Content-Type"] == "video/mp4"
        assert int(response.headers["Content-Length"]) == len(data)
        assert response.headers["ETag"].strip('"').isupper()
    with av.open(io.BytesIO(data), mode="r") as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert picture.codec_context.name == "h264"
        assert picture.average_rate == Fraction(30)
        assert (picture.width, picture.height) == (960, 960)
        assert sound.codec_context.name == "aac"
        assert (sound.codec_context.sample_rate, sound.codec_context.channels) == (44_100, 2)
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(picture)]
    assert len(frames) == 60
    # steelblue in the corner, gold in the middle: the picture that was sent.
    assert abs(frames[0][20, 20].astype(int) - (70, 130, 180)).max() < 12
    assert abs(frames[0][480, 480].astype(int) - (255, 215, 0)).max() < 12


async def test_links_die_and_say_so_in_the_storage_s_own_words(
    raw: Raw, emulator: Emulator, body: dict[str, Any]
) -> None:
    url = link(await made(raw, emulator, body))

    async def got(address: str, method: str = "GET", **headers: str) -> tuple[int, str]:
        async with raw.session.request(method, address, headers=headers) as response:
            return response.status, await response.text(errors="replace")

    assert (await got(url))[0] == 200
    assert "SignatureDoesNotMatch" in (await got(url[:-4] + "AA%3D"))[1]
    assert "bucket acl" in (await got(url.partition("?")[0]))[1]
    assert (await got(url, "HEAD"))[0] == 403
    assert (await got(url, Authorization="Bearer sk-test"))[0] == 400
    assert emulator.truth()["downloads"][-1]["sent_authorization"] is True
    emulator.advance(86_380)
    assert (await got(url))[0] == 200
    emulator.advance(30)
    status, text = await got(url)
    assert status == 403
    assert "<Message>Request has expired.</Message>" in text
    assert "<Expires>" in text


async def test_ranges_are_served(raw: Raw, emulator: Emulator, body: dict[str, Any]) -> None:
    url = link(await made(raw, emulator, body))
    async with raw.session.get(url) as response:
        whole = await response.read()
    async with raw.session.get(url, headers={"Range": "bytes=1000-"}) as response:
        assert response.status == 206
        assert response.headers["Content-Range"] == f"bytes 1000-{len(whole) - 1}/{len(whole)}"
        assert await response.read() == whole[1000:]


async def test_downloads_break_in_every_way(raw: Raw, emulator: Emulator, body: dict[str, Any]) -> None:
    url = link(await made(raw, emulator, body))

    async def got(fault: str, **headers: str) -> tuple[int, bytes]:
        if fault:
            emulator.add_fault(f"{fault}*1")
        async with raw.session.get(url, headers=headers) as response:
            return response.status, await response.read()

    whole = (await got(""))[1]
    for fault in ("download:truncate", "download:reset"):
        with pytest.raises(aiohttp.ClientError):
            await got(fault)
    status, short = await got("download:short")
    assert (status, short) == (200, whole[: len(whole) // 2])
    status, corrupt = await got("download:corrupt")
    assert (status, len(corrupt)) == (200, len(whole))
    assert corrupt != whole
    assert corrupt[:1000] == whole[:1000]
    assert await got("download:norange", Range="bytes=5-9") == (200, whole)
    for number in (403, 404, 500, 503):
        status, text = await got(f"download:{number}")
        assert status == number
        assert text.startswith(b"<?xml")
    began = asyncio.get_running_loop().time()
    assert await got("download:slow=0.3") == (200, whole)
    assert asyncio.get_running_loop().time() - began > 0.25
    assert (await got(""))[1] == whole


async def test_a_task_fails_with_any_code_on_order(
    raw: Raw, emulator: Emulator, body: dict[str, Any]
) -> None:
    for code, words in {
        "InternalError.Upload": "Failed to upload result.",
        "DataInspectionFailed": "Output data may contain inappropriate content.",
        "Throttling.RateQuota": "Requests rate limit exceeded, please try again later.",
    }.items():
        emulator.add_fault(f"task:fail={code}*1")
        ended = await raw.ended(emulator, (await raw.create(emulator, body)).task_id)
        assert ended.status == 200
        assert ended.body["output"]["task_status"] == "FAILED"
        assert (ended.body["output"]["code"], ended.body["output"]["message"]) == (code, words)
    assert emulator.truth()["billed_s"] == 0


async def test_output_that_moderation_dislikes_fails_after_the_run(
    raw: Raw, emulator: Emulator, body: dict[str, Any]
) -> None:
    given = body | {"input": body["input"] | {"prompt": "something indecent"}}
    ended = await raw.ended(emulator, (await raw.create(emulator, given)).task_id)
    assert ended.body["output"]["message"] == "Output data may contain inappropriate content."


async def test_a_task_may_be_lost_or_end_without_a_link(
    raw: Raw, emulator: Emulator, body: dict[str, Any]
) -> None:
    emulator.add_fault("task:nourl*1")
    ended = await raw.ended(emulator, (await raw.create(emulator, body)).task_id)
    assert ended.task_status == "SUCCEEDED"
    assert "video_url" not in ended.body["output"]
    emulator.add_fault("task:unknown*1")
    task_id = (await raw.create(emulator, body)).task_id
    assert (await raw.query(emulator, task_id)).task_status == "UNKNOWN"
    assert (await raw.list(emulator, task_id=task_id)).body["total"] == 1
    emulator.add_fault("task:pending*1")
    task_id = (await raw.create(emulator, body)).task_id
    emulator.advance(3600)
    assert (await raw.query(emulator, task_id)).task_status == "PENDING"
    assert (await raw.cancel(emulator, task_id)).status == 200


async def test_a_jump_of_the_clock_ends_a_run_where_it_would_have_ended(
    raw: Raw, body: dict[str, Any], clips_folder: Path
) -> None:
    options = Options(pending_s=(0, 0), run_s=(70, 70), query_per_s=0, clips_folder=clips_folder)
    async with Emulator(options) as emulator:
        task_id = (await raw.create(emulator, body)).task_id
        # Long enough for the clip to be rendered: the run itself takes 70 s.
        async with asyncio.timeout(20):
            while not list(clips_folder.glob("*.mp4")):
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        assert (await raw.query(emulator, task_id)).task_status == "RUNNING"
        emulator.advance(12 * 3600)
        assert (await raw.query(emulator, task_id)).task_status == "SUCCEEDED"
        task = emulator.truth()["tasks"][0]
        assert task["ended_at"] - task["scheduled_at"] == pytest.approx(70, abs=0.1)


async def test_a_reset_forgets_everything(raw: Raw, emulator: Emulator, body: dict[str, Any]) -> None:
    task_id = (await raw.create(emulator, body)).task_id
    emulator.add_fault("poll:500")
    await emulator.reset()
    assert (await raw.query(emulator, task_id)).task_status == "UNKNOWN"
    truth = emulator.truth()
    assert truth["creates"] == truth["tasks"] == truth["faults"] == []
