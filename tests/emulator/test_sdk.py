"""The official SDK, unmodified, in all its four faces."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wanvideo_emulator import EmulatorThread, Options

from .bare import MODEL

KEY = "sk-sdk"
ASKED: dict[str, Any] = {"model": MODEL, "prompt": "push in", "resolution": "720P", "duration": 2, "seed": 7}

# The 1.x SDK leaves its pooled sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(scope="module")
def emulator(clips_folder: Path) -> Iterator[EmulatorThread]:
    options = Options(
        speed=1000,
        pending_s=(0, 0),
        run_s=(60, 60),
        submit_per_s=0,
        query_per_s=0,
        clips_folder=clips_folder,
    )
    with EmulatorThread(options) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def base_url(emulator: EmulatorThread, monkeypatch: pytest.MonkeyPatch) -> None:
    import dashscope

    emulator.reset()
    monkeypatch.setattr(dashscope, "base_http_api_url", emulator.base_url)
    monkeypatch.setattr(time, "sleep", lambda _s, sleep=time.sleep: sleep(0.1))


@pytest.fixture
def file(tmp_path: Path, picture: bytes) -> Path:
    path = tmp_path / "a b.png"
    path.write_bytes(picture)
    return path


def test_a_call_with_a_local_file_makes_a_clip(emulator: EmulatorThread, file: Path) -> None:
    from dashscope import VideoSynthesis

    reply = VideoSynthesis.call(api_key=KEY, img_url=str(file), audio=False, **ASKED)
    assert reply.status_code == 200
    assert reply.output.task_status == "SUCCEEDED"
    assert reply.output.video_url.startswith(emulator.origin + "/1d/")
    assert (reply.usage["duration"], reply.usage["SR"], reply.usage["audio"]) == (2, 720, False)
    truth = emulator.truth()
    assert truth["creates"][0]["headers"]["x-dashscope-ossresourceresolve"] == "enable"
    assert truth["creates"][0]["headers"]["x-dashscope-sdk-client"].endswith("/aigc")
    assert truth["creates"][0]["body"]["input"]["img_url"].endswith("/a b.png")
    assert (truth["policies"], len(truth["uploads"])) == (1, 1)


def test_steps_one_by_one(emulator: EmulatorThread, picture_uri: str) -> None:
    from dashscope import VideoSynthesis

    emulator.add_fault("task:pending*1")
    task = VideoSynthesis.async_call(api_key=KEY, img_url=picture_uri, **ASKED)
    assert task.output.task_status == "PENDING"
    assert VideoSynthesis.fetch(task, api_key=KEY).output.task_status == "PENDING"
    assert VideoSynthesis.cancel(task, api_key=KEY).status_code == 200
    assert VideoSynthesis.wait(task, api_key=KEY).output.task_status == "CANCELED"
    lister: Any = VideoSynthesis  # its type stub has no `list`
    listed = lister.list(api_key=KEY, model_name=MODEL, status="CANCELED", page_size=5)
    assert [item["task_id"] for item in listed.output["data"]] == [task.output.task_id]
    refused = VideoSynthesis.cancel(task, api_key=KEY)
    assert (refused.status_code, refused.code) == (400, "UnsupportedOperation")


def test_refusals_and_failures_come_through(emulator: EmulatorThread, picture_uri: str) -> None:
    from dashscope import VideoSynthesis

    refused = VideoSynthesis.async_call(api_key="nonsense", img_url=picture_uri, **ASKED)
    assert (refused.status_code, refused.code) == (401, "InvalidApiKey")
    failed = VideoSynthesis.call(api_key=KEY, **ASKED)
    assert failed.status_code == 200
    assert failed.output["code"] == "InvalidParameter"
    assert failed.output["message"] == "Field required: input.img_url"


def test_a_dropped_create_is_sent_twice_by_the_sdk(emulator: EmulatorThread, picture_uri: str) -> None:
    """The double payment that the product exists to prevent, seen from the provider's side."""
    from dashscope import VideoSynthesis

    emulator.add_fault("submit:drop*1")
    VideoSynthesis.call(api_key=KEY, img_url=picture_uri, audio=False, **ASKED)
    deadline = time.monotonic() + 10
    while emulator.truth()["billed_s"] < 4 and time.monotonic() < deadline:
        time.sleep(0.1)
    truth = emulator.truth()
    assert [create["answered"] for create in truth["creates"]] == ["dropped", "200"]
    assert truth["billed_s"] == 4


async def test_the_aio_face(
    emulator: EmulatorThread, picture_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashscope.aigc.video_synthesis import AioVideoSynthesis
    from dashscope.api_entities.aio_session import close_shared_aio_session

    async def short(_s: float, sleep: Any = asyncio.sleep) -> None:
        await sleep(0.1)

    try:
        emulator.add_fault("task:pending*1")
        task = await AioVideoSynthesis.async_call(api_key=KEY, img_url=picture_uri, **ASKED)
        assert (await AioVideoSynthesis.fetch(task, api_key=KEY)).output.task_status == "PENDING"
        assert (await AioVideoSynthesis.cancel(task, api_key=KEY)).status_code == 200
        listed = await AioVideoSynthesis.list(api_key=KEY)
        assert listed.output["total"] == 1
        monkeypatch.setattr(asyncio, "sleep", short)
        reply = await AioVideoSynthesis.call(api_key=KEY, img_url=picture_uri, audio=False, **ASKED)
        assert reply.output.task_status == "SUCCEEDED"
    finally:
        await close_shared_aio_session()


def test_the_new_client(emulator: EmulatorThread, file: Path) -> None:
    import dashscope
    from dashscope.v2.errors import DashScopeError

    with dashscope.Client(base_url=emulator.base_url, api_key=KEY, max_retries=0) as client:
        job = client.videos.generate(
            image_url=str(file), parameters={"audio": False}, poll_interval=0.1, **ASKED
        )
        assert job.status == "SUCCEEDED"
        assert job.video_url
        assert client.videos.jobs.list(model_name=MODEL).total == 1
        with pytest.raises(DashScopeError, match="PENDING status"):
            client.videos.jobs.cancel(job.task_id)
        emulator.add_fault("task:fail=DataInspectionFailed*1")
        with pytest.raises(DashScopeError, match="inappropriate"):
            client.videos.generate(image_url=str(file), poll_interval=0.1, **ASKED)
    assert emulator.truth()["creates"][0]["headers"]["x-dashscope-sdk-client"].endswith("/aigc2")


async def test_the_new_async_client(emulator: EmulatorThread, picture_uri: str) -> None:
    import dashscope

    async with dashscope.AsyncClient(base_url=emulator.base_url, api_key=KEY, max_retries=0) as client:
        job = await client.videos.generate(
            image_url=picture_uri, parameters={"audio": False}, poll_interval=0.1, **ASKED
        )
        assert job.status == "SUCCEEDED"
        assert (await client.videos.jobs.fetch(job.task_id)).video_url == job.video_url
