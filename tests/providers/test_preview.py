"""The preview as a provider: free, on disk, shared by processes, and never passed off as Wan."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import pytest
from tests.providers.studio import ended, order, picture

from wanvideo.clock import FakeClock, SystemClock
from wanvideo.contract.job import TaskId
from wanvideo.contract.price import FREE
from wanvideo.errors import CancelRefused, ImageInvalid, MediaRejected, ProviderRefused, ProviderUnavailable
from wanvideo.ports import TaskStatus
from wanvideo.preview import ENGINE
from wanvideo.providers.preview import KEEP, PreviewProvider


@pytest.fixture
async def preview(tmp_path: Path) -> AsyncIterator[PreviewProvider]:
    provider = PreviewProvider(tmp_path / "previews")
    yield provider
    await provider.close()


async def body_of(provider: PreviewProvider, **changes: Any) -> dict[str, Any]:
    upload = await provider.upload(picture(), name="harbour.png")
    return provider.body(order(upload.url, **changes))


def left(folder: Path, task: str) -> set[str]:
    return {path.name.removeprefix(task) for path in folder.glob(f"{task}*")}


async def test_a_preview_is_a_real_clip_at_the_asked_size_rate_and_length(preview: PreviewProvider) -> None:
    task = await preview.create(await body_of(preview, fps=23.976, prompt="push in, a dragon dances"))
    report = await ended(preview, task)
    assert report.status is TaskStatus.SUCCEEDED
    assert (report.cost, report.billed_s, report.progress) == (FREE, 0, 1)
    assert report.submitted_at is not None
    assert report.ended_at is not None
    assert any("dances" in warning for warning in report.warnings)
    assert report.video_url is not None
    async with preview.open_clip(report.video_url) as stream:
        data = b"".join([chunk async for chunk in stream.chunks])
    path = Path(report.video_url.removeprefix("file://"))
    assert path.read_bytes() == data
    with av.open(str(path)) as clip:
        assert clip.streams.audio
        video = clip.streams.video[0]
        assert (video.width, video.height, video.frames) == (320, 240, 48)
        assert str(video.average_rate) == "24000/1001"


async def test_it_is_called_what_it_is(preview: PreviewProvider) -> None:
    assert (preview.name, preview.model) == ("preview", ENGINE)
    assert "wan" not in preview.model
    body = await body_of(preview, motion_strength=0.25, negative_prompt="blur")
    assert body["model"] == ENGINE
    assert (body["motion_strength"], body["negative_prompt"], body["seed"]) == (0.25, "blur", 7)


async def test_the_same_picture_is_kept_once(preview: PreviewProvider, tmp_path: Path) -> None:
    first = await preview.upload(picture(), name="a b.PNG")
    second = await preview.upload(picture(), name="c.png")
    assert first.url == second.url
    assert len(list((tmp_path / "previews").iterdir())) == 1


async def test_pictures_in_a_folder_with_an_odd_name_are_found(tmp_path: Path) -> None:
    provider = PreviewProvider(tmp_path / "预览 #1 50%?")
    task = await provider.create(await body_of(provider))
    assert (await ended(provider, task)).status is TaskStatus.SUCCEEDED
    await provider.close()


async def test_a_data_uri_and_a_readers_picture_are_taken_too(tmp_path: Path) -> None:
    async def from_the_web(_: str) -> bytes:
        return picture()

    provider = PreviewProvider(tmp_path, read_picture=from_the_web, new_id=lambda: "00ff00ff")
    task = await provider.create(provider.body(order("https://h/p.png")))
    assert task == "p_00ff00ff"
    assert (await ended(provider, task)).status is TaskStatus.SUCCEEDED
    await provider.close()


async def test_a_picture_that_lies_with_dashscope_cannot_be_previewed(preview: PreviewProvider) -> None:
    with pytest.raises(ImageInvalid, match="lies with DashScope"):
        await preview.create(preview.body(order("oss://a/b.png")))


async def test_what_cannot_be_rendered_is_refused_at_once(preview: PreviewProvider, tmp_path: Path) -> None:
    body = await body_of(preview)
    with pytest.raises(MediaRejected):
        await preview.create(body | {"picture": (tmp_path / "gone.png").as_uri()})
    with pytest.raises(ProviderRefused):
        await preview.create(body | {"size": "3*3"})


async def test_a_picture_nobody_can_read_fails_for_good(preview: PreviewProvider) -> None:
    upload = await preview.upload(b"no picture", name="a.png")
    report = await ended(preview, await preview.create(preview.body(order(upload.url))))
    assert report.status is TaskStatus.FAILED
    assert isinstance(report.error, MediaRejected)
    assert not report.passing


async def test_a_cancelled_preview_stops_and_leaves_nothing(preview: PreviewProvider, tmp_path: Path) -> None:
    task = await preview.create(await body_of(preview, duration=15, fps=60, size="1280*720"))
    await asyncio.sleep(0.2)
    await preview.cancel(task)
    assert (await preview.fetch(task)).status is TaskStatus.CANCELLED
    assert left(tmp_path / "previews", task) == {".json", ".cancelled"}


async def test_a_cancel_works_at_any_time_and_on_known_previews_only(preview: PreviewProvider) -> None:
    task = await preview.create(await body_of(preview))
    await ended(preview, task)
    await preview.cancel(task)
    assert (await preview.fetch(task)).status is TaskStatus.CANCELLED
    for unknown in ("p_00ff00ff", "../../etc/passwd", ""):
        with pytest.raises(CancelRefused):
            await preview.cancel(TaskId(unknown))
        assert (await preview.fetch(TaskId(unknown))).status is TaskStatus.UNKNOWN


async def test_two_are_rendered_at_once_and_the_third_waits(preview: PreviewProvider) -> None:
    body = await body_of(preview, duration=15, fps=60, size="1280*720")
    tasks = [await preview.create(body) for _ in range(3)]
    assert [(await preview.fetch(task)).status for task in tasks] == ["running", "running", "pending"]
    await preview.cancel(tasks[0])
    assert (await preview.fetch(tasks[2])).status is TaskStatus.RUNNING


async def test_closing_stops_it_and_another_process_renders_it_again(tmp_path: Path) -> None:
    first, second = PreviewProvider(tmp_path), PreviewProvider(tmp_path)
    task = await first.create(await body_of(first, duration=4, fps=60))
    report = await second.fetch(task)
    assert report.status is TaskStatus.RUNNING
    await first.close()
    assert (await ended(second, task)).status is TaskStatus.SUCCEEDED
    assert left(tmp_path, task) == {".json", ".mp4"}
    await second.close()


RENDERING = """
import asyncio, sys
from pathlib import Path
from typing import Any
from tests.providers.studio import order, picture
from wanvideo.providers.preview import PreviewProvider

async def main():
    provider = PreviewProvider(Path(sys.argv[1]))
    upload = await provider.upload(picture(), name="a.png")
    task = await provider.create(provider.body(order(upload.url, duration=4, fps=60, size="480*270")))
    while not (await provider.fetch(task)).progress:
        await asyncio.sleep(0.02)
    print(task, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_preview_outlives_the_process_that_was_killed(tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
    with subprocess.Popen(
        [sys.executable, "-c", RENDERING, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    ) as rendering:
        try:
            assert rendering.stdout is not None
            task = TaskId((await asyncio.to_thread(rendering.stdout.readline)).strip())
            ours = PreviewProvider(tmp_path)
            report = await ours.fetch(task)
        finally:
            rendering.kill()
    assert report.status is TaskStatus.RUNNING
    assert report.progress is not None
    assert 0 < report.progress < 1
    assert not (tmp_path / f"{task}.mp4").exists()
    assert (await ended(ours, task)).status is TaskStatus.SUCCEEDED
    await ours.close()
    assert left(tmp_path, task) == {".json", ".mp4"}


async def test_the_list_is_read_from_the_folder(tmp_path: Path) -> None:
    clock = FakeClock(datetime(2026, 11, 23, tzinfo=UTC))
    provider = PreviewProvider(tmp_path, clock)
    start_at = clock.now()
    body = await body_of(provider)
    tasks = []
    for _ in range(2):
        tasks.append(await provider.create(body))
        clock.jump(60)
    other = PreviewProvider(tmp_path)
    page = await other.list_page(start_at, start_at + timedelta(seconds=30), 1)
    assert [(one.task_id, one.created_at) for one in page.tasks] == [(tasks[0], start_at)]
    assert (page.pages, page.total) == (1, 1)
    both = await other.list_page(start_at, clock.now(), 1)
    assert [one.task_id for one in both.tasks] == tasks[::-1]
    await provider.close()


async def test_nothing_is_rationed_on_this_machine(preview: PreviewProvider) -> None:
    assert (preview.pace.submits_per_s, preview.pace.queries_per_s) == (None, None)


async def test_old_previews_are_swept_away(tmp_path: Path) -> None:
    for name in ("p_0a0a0a0a.json", "p_0a0a0a0a.mp4"):
        (tmp_path / name).write_text("{}")
        old_s = (SystemClock().now() - KEEP - timedelta(hours=1)).timestamp()
        os.utime(tmp_path / name, (old_s, old_s))
    (tmp_path / "p_0b0b0b0b.json").write_text(json.dumps({}))
    provider = PreviewProvider(tmp_path)
    await provider.create(await body_of(provider))
    await provider.close()
    assert not list(tmp_path.glob("p_0a0a0a0a.*"))
    assert list(tmp_path.glob("p_0b0b0b0b.*"))


async def test_a_file_that_has_gone_may_be_asked_for_again(preview: PreviewProvider, tmp_path: Path) -> None:
    with pytest.raises(ProviderUnavailable):
        async with preview.open_clip((tmp_path / "gone.mp4").as_uri()):
            pass
