"""Python's face: the same contract as everywhere, from coroutines and from plain scripts."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from pydantic import SecretStr

import wanvideo
from wanvideo import AsyncClient, Client, Settings
from wanvideo.contract.job import State
from wanvideo.errors import (
    ContentRejected,
    CostLimitExceeded,
    CredentialsMissing,
    JobCancelled,
    JobConflict,
    JobNotFound,
    ProviderRefused,
    RequestInvalid,
    WaitTimeout,
)
from wanvideo.jobs.service import Snapshot
from wanvideo_emulator import EmulatorThread, Options


@pytest.fixture(scope="module")
def picture() -> bytes:
    image = Image.new("RGB", (320, 240), "lightsteelblue")
    ImageDraw.Draw(image).ellipse((60, 60, 180, 180), fill="gold")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def fields(picture: bytes) -> dict[str, Any]:
    return {
        "prompt": "slow push in",
        "reference_image": picture,
        "duration": 2,
        "fps": 10,
        "size": "320*240",
        "seed": 7,
        "wan": {"audio": False},
    }


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """No key anywhere: previews."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return Settings(output_dir=tmp_path / "output")


@pytest.fixture(scope="module")
def clips_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture
def provider(clips_folder: Path) -> Iterator[EmulatorThread]:
    """Tasks here run for 3 s."""
    options = Options(
        speed=1000,
        pending_s=(0, 0),
        run_s=(3000, 3000),
        submit_per_s=0,
        query_per_s=0,
        clips_folder=clips_folder,
    )
    with EmulatorThread(options) as emulator:
        yield emulator


@pytest.fixture
def with_key(settings: Settings, provider: EmulatorThread) -> Settings:
    return settings.model_copy(update={"api_key": SecretStr("sk-client"), "base_url": provider.base_url})


async def test_a_clip_is_made_and_its_progress_is_told(settings: Settings, fields: dict[str, Any]) -> None:
    seen: list[Snapshot] = []
    async with AsyncClient(settings) as client:
        clip = await client.generate(**fields, on_progress=seen.append)
        again = await client.generate(fields)
    assert (clip.duration, clip.fps, clip.seed, clip.size) == (2, 10, 7, "320*240")
    assert (clip.provider, clip.cost["basis"], clip.cached) == ("preview", "free", False)
    assert Path(clip.video_url).is_file()
    assert seen[-1].job.state is State.SUCCEEDED
    assert again == clip.model_copy(update={"cached": True})


async def test_events_end_with_the_job(settings: Settings, fields: dict[str, Any]) -> None:
    async with AsyncClient(settings) as client:
        job = await client.submit(**fields)
        states = [snapshot.job.state async for snapshot in job.events()]
        assert states[-1] is State.SUCCEEDED
        assert (await job.status()).job.id == job.id
        with pytest.raises(JobConflict):
            await job.cancel()


async def test_who_stops_waiting_is_told_how_to_go_on_and_the_job_goes_on(
    with_key: Settings, fields: dict[str, Any], provider: EmulatorThread
) -> None:
    async with AsyncClient(with_key) as client:
        with pytest.raises(WaitTimeout) as caught:
            await client.generate(fields, timeout_s=0.5)
        assert caught.value.job_id
        assert f"wanvideo jobs watch {caught.value.job_id}" in caught.value.hint
    async with AsyncClient(with_key) as client:
        clip = await (await client.job(caught.value.job_id)).wait(60)
    assert clip.provider == "dashscope"
    assert len(provider.truth()["creates"]) == 1


async def test_one_request_may_carry_each_field_only_once(settings: Settings, fields: dict[str, Any]) -> None:
    async with AsyncClient(settings) as client:
        with pytest.raises(RequestInvalid, match="not both"):
            await client.submit(fields, seed=8)
        with pytest.raises(RequestInvalid) as caught:
            await client.submit({**fields, "promt": "x"})
        assert caught.value.field == "promt"
        with pytest.raises(JobNotFound):
            await client.job("j_000000000000")


async def test_money_and_keys_are_looked_at_first(
    with_key: Settings, settings: Settings, fields: dict[str, Any], provider: EmulatorThread
) -> None:
    async with AsyncClient(with_key) as client:
        with pytest.raises(CostLimitExceeded):
            await client.submit(fields, max_cost=0.29)
    async with AsyncClient(settings) as client:
        with pytest.raises(CredentialsMissing):
            await client.submit(fields, provider="dashscope")
    assert provider.truth()["policies"] == 0


async def test_a_running_task_is_kept_unless_it_is_abandoned(
    with_key: Settings, fields: dict[str, Any], provider: EmulatorThread
) -> None:
    async with AsyncClient(with_key) as client:
        job = await client.submit(fields)
        while not provider.truth()["tasks"]:
            await asyncio.sleep(0.05)
        assert await job.cancel() in (State.RUNNING, State.STORING)
        assert await job.cancel(abandon=True) is State.CANCELLED
        assert (await job.status()).job.cost_cny == "0.30"
        with pytest.raises(JobCancelled):
            await job.wait()


async def test_a_failed_job_can_be_tried_again_under_its_id(
    with_key: Settings, fields: dict[str, Any], provider: EmulatorThread
) -> None:
    provider.add_fault("submit:code=InvalidParameter*1")
    async with AsyncClient(with_key) as client:
        job = await client.submit(fields)
        with pytest.raises(ProviderRefused) as caught:
            await job.wait(60)
        assert caught.value.job_id == job.id
        with pytest.raises(RequestInvalid, match="would be refused again") as refused:
            await job.retry()
        assert refused.value.field == "prompt"
        clip = await (await job.retry(as_it_is=True)).wait(60)
    assert clip.job_id == job.id
    assert provider.truth()["billed_s"] == 2


async def test_a_refused_job_is_sent_again_with_what_was_changed(
    with_key: Settings, fields: dict[str, Any], provider: EmulatorThread
) -> None:
    async with AsyncClient(with_key) as client:
        job = await client.submit({**fields, "prompt": "a forbidden harbour"})
        with pytest.raises(ContentRejected):
            await job.wait(60)
        with pytest.raises(RequestInvalid, match="cropped") as cut:
            await job.retry(prompt="a harbour", size="240*320")
        assert cut.value.field == "size"
        clip = await (await job.retry(prompt="a harbour", wan={"audio": False})).wait(60)
        status = await job.status()
    assert clip.job_id == job.id
    assert status.job.request["prompt"] == "a harbour"
    sent = [create["body"]["input"]["prompt"] for create in provider.truth()["creates"]]
    assert sent == ["a forbidden harbour", "a harbour"]


def test_a_client_for_scripts_does_the_same_and_closes_twice(
    settings: Settings, fields: dict[str, Any]
) -> None:
    with Client(settings) as client:
        job = client.submit(fields)
        assert [snapshot.job.state for snapshot in job.events()][-1] is State.SUCCEEDED
        assert job.wait().job_id == job.id
        assert client.job(job.id).status().job.state is State.SUCCEEDED
        with pytest.raises(RequestInvalid):
            client.generate({**fields, "size": "321*240"})
    client.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wanvideo")]


def test_a_closed_client_opens_again(settings: Settings, fields: dict[str, Any]) -> None:
    client = Client(settings)
    first = client.generate(fields)
    client.close()
    assert client.generate(fields).video_url == first.video_url
    client.close()


def test_two_clients_at_once_share_a_ledger_and_work_side_by_side(
    settings: Settings, fields: dict[str, Any]
) -> None:
    with Client(settings) as one, Client(settings) as two:
        jobs = [one.submit({**fields, "seed": 1}), two.submit({**fields, "seed": 2})]
        clips = [job.wait(60) for job in jobs]
    assert len({clip.video_url for clip in clips}) == 2


def test_settings_that_make_no_sense_are_raised_where_they_were_asked_for(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    (tmp_path / "taken").write_text("a file")
    client = Client(Settings(output_dir=tmp_path / "taken"))
    with pytest.raises(wanvideo.WanvideoError):
        client.generate(fields)
    client.close()


def test_closing_while_a_clip_is_made_does_not_wait_for_it(
    with_key: Settings, fields: dict[str, Any], provider: EmulatorThread
) -> None:
    client = Client(with_key)
    job = client.submit(fields)
    while not provider.truth()["tasks"]:
        time.sleep(0.05)
    started_s = time.monotonic()
    client.close()
    assert time.monotonic() - started_s < 2
    with Client(with_key) as later:
        assert later.job(job.id).wait(60).provider == "dashscope"
    assert len(provider.truth()["creates"]) == 1
