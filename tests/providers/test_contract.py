"""One suite for every maker of clips: what the jobs rely on, whoever makes the clip."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.providers.studio import KEY, ended, order, picture, request, studio

from wanvideo.contract.job import TaskId
from wanvideo.errors import CancelRefused
from wanvideo.ports import Provider, TaskStatus
from wanvideo.providers.preview import PreviewProvider


@pytest.fixture(params=["dashscope", "preview"])
async def provider(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Provider]:
    async with AsyncExitStack() as stack:
        made: Provider
        if request.param == "dashscope":
            _, made = await stack.enter_async_context(studio())
        else:
            made = PreviewProvider(tmp_path)
            stack.push_async_callback(made.close)
        yield made


async def make(provider: Provider) -> TaskId:
    upload = await provider.upload(picture(), name="harbour.png")
    assert upload.expires_at > datetime.now(UTC) + timedelta(hours=1)
    return await provider.create(provider.body(order(upload.url)))


async def test_it_has_a_name_a_model_an_account_and_a_pace(provider: Provider) -> None:
    assert provider.name == provider.account.provider
    assert provider.model
    assert provider.account.name.count("|") == 2
    assert 0 < provider.pace.look_every_s <= provider.pace.typical_s
    assert 0 < provider.pace.first_look_s <= provider.pace.typical_s


async def test_an_estimate_is_never_negative_and_what_was_billed_is_settled(provider: Provider) -> None:
    wish = request(duration=4)
    assert provider.estimate(wish).cny >= 0
    assert provider.settled(wish, 4).cny == provider.estimate(wish).cny
    assert provider.settled(wish, 4).basis in ("usage", "free")


async def test_a_body_is_plain_and_the_same_each_time(provider: Provider) -> None:
    one, other = provider.body(order("oss://a/b.png")), provider.body(order("oss://a/b.png"))
    assert one == other
    assert 7 in {**one, **one.get("parameters", {})}.values()  # the seed


async def test_a_create_returns_at_once_and_the_task_ends_with_a_clip(provider: Provider) -> None:
    upload = await provider.upload(picture(), name="harbour.png")
    body = provider.body(order(upload.url))
    began_s = time.monotonic()
    task = await provider.create(body)
    assert time.monotonic() - began_s < 0.5
    first = await provider.fetch(task)
    assert first.status in (TaskStatus.PENDING, TaskStatus.RUNNING)
    assert first.video_url is None
    report = await ended(provider, task)
    assert report.status is TaskStatus.SUCCEEDED
    assert report.video_url
    assert report.error is None
    assert report.cost is not None
    assert report.prompt_seen == "push in"
    assert report.submitted_at is not None
    assert report.ended_at is not None
    assert report.submitted_at <= report.ended_at
    assert report.expires_at is None or report.expires_at > datetime.now(UTC) + timedelta(hours=20)


async def test_a_clip_can_be_read_from_any_byte_on_and_again(provider: Provider) -> None:
    url = (await ended(provider, await make(provider))).video_url
    assert url is not None
    async with provider.open_clip(url) as whole:
        data = b"".join([chunk async for chunk in whole.chunks])
    assert whole.total_bytes == len(data)
    assert data[4:8] == b"ftyp"
    for offset in (1, len(data) // 2, len(data)):
        async with provider.open_clip(url, offset_bytes=offset) as tail:
            assert tail.offset_bytes == offset
            assert b"".join([chunk async for chunk in tail.chunks]) == data[offset:]


@pytest.mark.parametrize(
    "task", ["p_00ff00ff00ff", "9f0c1b4e-0000-4000-8000-000000000000", "../x", "no task"]
)
async def test_a_task_nobody_made_is_unknown(provider: Provider, task: str) -> None:
    assert (await provider.fetch(TaskId(task))).status is TaskStatus.UNKNOWN


async def test_a_cancel_ends_the_task_or_says_that_it_cannot(provider: Provider) -> None:
    task = await make(provider)
    refused = False
    try:
        await provider.cancel(task)
    except CancelRefused:
        refused = True
    report = await provider.fetch(task)
    assert (report.status is TaskStatus.CANCELLED) is not refused


async def test_the_list_has_the_task_while_it_runs_and_afterwards_and_nothing_shows_a_secret(
    provider: Provider,
) -> None:
    since_at = datetime.now(UTC) - timedelta(seconds=2)
    task = await make(provider)
    for _ in range(2):
        listed = await provider.list_page(since_at, datetime.now(UTC) + timedelta(seconds=2), 1)
        assert [one.task_id for one in listed.tasks] == [task]
        assert (listed.pages, listed.total) == (1, 1)
        assert since_at <= listed.tasks[0].created_at <= datetime.now(UTC) + timedelta(seconds=1)
        report = await ended(provider, task)
    assert listed.tasks[0].status is report.status is TaskStatus.SUCCEEDED
    for thing in (provider, provider.account, provider.pace, report, listed, task):
        assert KEY not in f"{thing} {thing!r}"
        assert "Signature" not in f"{thing} {thing!r}"


async def test_the_list_is_newest_first_and_ends_with_its_last_page(provider: Provider) -> None:
    since_at = datetime.now(UTC) - timedelta(seconds=2)
    tasks = [await make(provider) for _ in range(2)]
    until_at = datetime.now(UTC) + timedelta(seconds=2)
    listed = await provider.list_page(since_at, until_at, 1)
    assert [one.task_id for one in listed.tasks] == tasks[::-1]
    behind = await provider.list_page(since_at, until_at, listed.pages + 1)
    assert (behind.tasks, behind.total) == ((), 2)


async def test_a_window_before_the_task_or_after_it_is_empty(provider: Provider) -> None:
    await make(provider)
    now_at, hour = datetime.now(UTC), timedelta(hours=1)
    # a vendor whose window is not sure to be exact may show more on the near side; the caller filters
    page = await provider.list_page(now_at - 9 * hour, now_at - 8.5 * hour, 1)
    assert page.tasks == ()
    assert page.pages <= 1


async def test_several_tasks_do_not_mix(provider: Provider) -> None:
    upload = await provider.upload(picture(), name="harbour.png")
    tasks = [
        await provider.create(provider.body(order(upload.url, seed=n, prompt=f"pan {n}"))) for n in range(2)
    ]
    reports = await asyncio.gather(*(ended(provider, task) for task in tasks))
    assert [report.prompt_seen for report in reports] == ["pan 0", "pan 1"]
    assert len({report.video_url for report in reports}) == 2


async def test_closing_twice_is_harmless(provider: Provider) -> None:
    await provider.close()
    await provider.close()
