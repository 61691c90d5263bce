"""The adapter on the emulator: one request a call, and every answer told for what it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr
from tests.providers.studio import (
    CREDENTIALS,
    KEY,
    NO_CLIP,
    answering,
    ended,
    order,
    provider_at,
    request,
    studio,
    uploaded_body,
)

from wanvideo.clock import FakeClock
from wanvideo.contract.job import TaskId
from wanvideo.errors import (
    CancelRefused,
    CredentialsRejected,
    MediaRejected,
    ModelNotFound,
    NotDelivered,
    ProviderError,
    ProviderUnavailable,
    SubmitUncertain,
    Throttled,
    WanvideoError,
)
from wanvideo.ports import TaskStatus
from wanvideo.providers.dashscope.adapter import DashScopeProvider
from wanvideo.providers.dashscope.credentials import Credentials
from wanvideo.providers.dashscope.line import Timeouts
from wanvideo.settings import Settings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


async def told(call: Awaitable[object]) -> WanvideoError:
    """The error of a call that must fail."""
    with pytest.raises(WanvideoError) as caught:
        await call
    return caught.value


# --- submit ---


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("submit:drop", SubmitUncertain),
        ("submit:drop-before", SubmitUncertain),
        ("submit:reset", SubmitUncertain),
        ("submit:500", SubmitUncertain),
        ("submit:500-created", SubmitUncertain),
        ("submit:503", SubmitUncertain),
        ("submit:504-created", SubmitUncertain),
        ("submit:html502", SubmitUncertain),
        ("submit:html502-created", SubmitUncertain),
        ("submit:badjson", SubmitUncertain),
        ("submit:empty", SubmitUncertain),
        ("submit:code200=InternalError", SubmitUncertain),
        ("submit:code200=InvalidApiKey", CredentialsRejected),
        ("submit:code=ModelNotFound", ModelNotFound),
        ("submit:429", Throttled),
    ],
)
async def test_trouble_with_a_submit_is_judged_and_never_sent_again(
    fault: str, error: type[ProviderError]
) -> None:
    async with studio(NO_CLIP, fault) as (emulator, provider):
        body = await uploaded_body(provider, wan={"audio": False})
        failure = await told(provider.create(body))
        assert type(failure) is error
        await asyncio.sleep(0.05)
        assert len(emulator.truth()["creates"]) == 1


async def test_a_slow_answer_is_uncertain_and_not_asked_for_twice() -> None:
    async with studio(NO_CLIP, "submit:slow=5") as (emulator, _):
        provider = provider_at(emulator.base_url, timeouts=Timeouts(1, 0.3, 2, 2))
        body = await uploaded_body(provider)
        assert isinstance(await told(provider.create(body)), SubmitUncertain)
        assert len(emulator.truth()["creates"]) == 1
        await provider.close()


async def test_an_endpoint_that_is_not_there_has_received_nothing(unused_url: str) -> None:
    provider = provider_at(unused_url)
    failure = await told(provider.create(provider.body(order("oss://a/b.png"))))
    assert isinstance(failure, NotDelivered)
    assert "billed" in failure.hint
    await provider.close()


async def test_a_cancelled_submit_stays_cancelled() -> None:
    async with studio(NO_CLIP, "submit:slow=5") as (emulator, provider):
        body = await uploaded_body(provider)
        sending = asyncio.create_task(provider.create(body))
        while not emulator.truth()["creates"]:
            await asyncio.sleep(0.02)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending


async def test_the_body_is_sent_as_it_was_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK would take a text for a file to upload when a file of that name lies in the working folder."""
    (tmp_path / "blur").write_text("my diary")
    monkeypatch.chdir(tmp_path)
    async with studio(NO_CLIP) as (emulator, provider):
        body = await uploaded_body(provider, negative_prompt="blur", motion_strength=0.5, fps=23.976)
        await provider.create(body)
        truth = emulator.truth()
        assert truth["creates"][0]["body"] == body
        assert len(truth["uploads"]) == 1
        headers = truth["creates"][0]["headers"]
        assert headers["x-dashscope-async"] == "enable"
        assert headers["x-dashscope-ossresourceresolve"] == "enable"
        assert headers["x-dashscope-sdk-client"].startswith("python-sdk/")


async def test_a_picture_on_the_web_is_not_asked_to_be_resolved() -> None:
    headers: list[Any] = []

    async def answer(asked: web.Request) -> web.Response:
        headers.append(asked.headers)
        return web.json_response({"output": {"task_id": "t-1", "task_status": "PENDING"}})

    async with answering(answer) as url:
        provider = provider_at(url)
        assert await provider.create(provider.body(order("https://h/p.png"))) == "t-1"
        assert "X-DashScope-OssResourceResolve" not in headers[0]
        assert headers[0]["Authorization"] == f"Bearer {KEY}"
        await provider.close()


# --- what became of it ---


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("poll:429*1", Throttled),
        ("poll:500*1", ProviderUnavailable),
        ("poll:503*1", ProviderUnavailable),
        ("poll:html502*1", ProviderUnavailable),
        ("poll:reset*1", ProviderUnavailable),
        ("poll:badjson*1", ProviderUnavailable),
        ("poll:empty*1", ProviderUnavailable),
        ("poll:code200=InternalError*1", ProviderUnavailable),
    ],
)
async def test_trouble_with_a_poll_means_ask_again(fault: str, error: type[ProviderError]) -> None:
    async with studio(NO_CLIP, fault) as (_, provider):
        task = await provider.create(await uploaded_body(provider))
        failure = await told(provider.fetch(task))
        assert type(failure) is error
        assert failure.retryable
        assert isinstance(failure, ProviderError)
        assert failure.task_id == task
        assert (await provider.fetch(task)).status in TaskStatus


async def test_a_proxys_403_is_no_answer_about_a_task() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=403, text="<html>Log in to the hotel's network</html>")

    async with answering(answer) as url:
        provider = provider_at(url)
        assert isinstance(await told(provider.fetch(TaskId("t"))), ProviderUnavailable)
        assert isinstance(await told(provider.ping()), ProviderUnavailable)
        await provider.close()


async def test_an_odd_answer_does_not_hide_a_finished_clip() -> None:
    """The SDK's typed reading of this one fails; the clip is paid for all the same."""

    async def answer(_: web.Request) -> web.Response:
        output = {
            "task_id": "t",
            "task_status": "SUCCEEDED",
            "video_url": "https://h/x.mp4",
            "submit_time": 5,
        }
        return web.json_response({"output": output, "usage": {"duration": 5, "input_tokens": None}})

    async with answering(answer) as url:
        provider = provider_at(url)
        report = await provider.fetch(TaskId("t"))
        assert (report.status, report.billed_s) == (TaskStatus.SUCCEEDED, 5)
        await provider.close()


async def test_an_answer_about_another_task_is_asked_for_again() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"output": {"task_id": "another", "task_status": "RUNNING"}})

    async with answering(answer) as url:
        provider = provider_at(url)
        assert isinstance(await told(provider.fetch(TaskId("t"))), ProviderUnavailable)
        await provider.close()


async def test_a_failed_task_is_a_report_and_not_an_error() -> None:
    async with studio("task:fail=DataInspectionFailed*1", "task:fail=InternalError.Algo*1") as (_, provider):
        body = await uploaded_body(provider)
        first = await ended(provider, await provider.create(body))
        second = await ended(provider, await provider.create(body))
        assert {first.status, second.status} == {TaskStatus.FAILED}
        assert first.error is not None
        assert second.error is not None
        assert (first.error.code, first.passing) == ("content_rejected", False)
        assert (second.error.code, second.passing) == ("provider_failed", True)


async def test_a_refused_parameter_is_named_and_can_be_left_out() -> None:
    async with studio(unknown_parameter="refuse") as (_, provider):
        upload_url = (await uploaded_body(provider))["input"]["img_url"]
        omit: frozenset[str] = frozenset()
        for _ in range(3):
            body = provider.body(order(upload_url, motion_strength=0.5, omit=omit))
            report = await ended(provider, await provider.create(body))
            assert report.rejected_parameter is not None
            omit |= {report.rejected_parameter}
        assert omit == {"size", "fps", "motion_strength"}
        body = provider.body(order(upload_url, motion_strength=0.5, omit=omit))
        assert (await ended(provider, await provider.create(body))).status is TaskStatus.SUCCEEDED


async def test_a_running_task_cannot_be_cancelled_and_a_waiting_one_can() -> None:
    async with studio(max_running=1, run_s=(2000.0, 2000.0)) as (_, provider):
        body = await uploaded_body(provider)
        running, waiting = await provider.create(body), await provider.create(body)
        while (await provider.fetch(running)).status is TaskStatus.PENDING:
            await asyncio.sleep(0.02)
        failure = await told(provider.cancel(running))
        assert isinstance(failure, CancelRefused)
        assert failure.task_id == running
        await provider.cancel(waiting)
        assert (await provider.fetch(waiting)).status is TaskStatus.CANCELLED


async def test_trouble_with_a_cancel_may_be_tried_again() -> None:
    async with studio("cancel:503*1", "cancel:drop-before*1") as (_, provider):
        for _ in range(2):
            assert (await told(provider.cancel(TaskId("t")))).retryable


# --- upload ---


async def test_a_picture_is_uploaded_under_a_safe_name_for_two_days() -> None:
    async with studio() as (emulator, _):
        provider = provider_at(emulator.base_url, clock=FakeClock(NOW))
        upload = await provider.upload(b"\xff" * 1000, name="../ä b?.PNG")
        assert upload.url.startswith("oss://dashscope-instant/")
        assert upload.url.rpartition("/")[2].endswith(".png")
        assert upload.url.isascii()
        assert upload.expires_at == NOW + timedelta(hours=47)
        await provider.close()


async def test_an_uploaded_picture_serves_several_clips() -> None:
    async with studio(NO_CLIP) as (emulator, provider):
        body = await uploaded_body(provider)
        for _ in range(2):
            await provider.create(body)
        assert len(emulator.truth()["uploads"]) == 1


@pytest.mark.parametrize(
    "fault",
    ["policy:503*1", "policy:429*1", "policy:empty*1", "policy:reset*1", "upload:503*1", "upload:drop*1"],
)
async def test_trouble_with_an_upload_may_be_tried_again(fault: str) -> None:
    async with studio(fault) as (_, provider):
        assert (await told(provider.upload(b"x", name="a.png"))).retryable
        assert (await provider.upload(b"x", name="a.png")).url.startswith("oss://")


async def test_a_picture_the_provider_cannot_read_is_refused_at_the_submit() -> None:
    async with studio() as (_, provider):
        upload = await provider.upload(b"no picture", name="a.png")
        failure = await told(provider.create(provider.body(order(upload.url))))
        assert isinstance(failure, MediaRejected)
        assert failure.field == "reference_image"


# --- the list ---


async def test_every_page_is_one_request_and_together_they_are_the_list() -> None:
    async with studio(NO_CLIP, list_page_max=2, max_running=9) as (_, provider):
        body = await uploaded_body(provider)
        before_at = datetime.now(UTC) - timedelta(milliseconds=5)
        tasks = [await provider.create(body) for _ in range(5)]
        after_at = datetime.now(UTC)
        pages = [await provider.list_page(before_at, after_at, number) for number in (1, 2, 3)]
        assert [one.task_id for page in pages for one in page.tasks] == tasks[::-1]
        assert {(page.pages, page.total) for page in pages} == {(3, 5)}
        nothing = await provider.list_page(before_at - timedelta(hours=12), before_at - timedelta(hours=9), 1)
        assert (nothing.tasks, nothing.total) == ((), 0)


@pytest.mark.parametrize("hours", [0, 8])
async def test_the_list_misses_nothing_whichever_zone_the_vendor_reads(hours: int) -> None:
    """Its pages do not say how `start_time` is read: an empty list by mistake would pay twice."""
    created_at = NOW - timedelta(minutes=1)
    windows: list[tuple[str, str]] = []

    async def answer(asked: web.Request) -> web.Response:
        window = asked.query["start_time"], asked.query["end_time"]
        windows.append(window)
        seen = (created_at + timedelta(hours=hours)).strftime("%Y%m%d%H%M%S")
        made_ms = int(created_at.timestamp() * 1000)
        line = {"task_id": "t-1", "status": "RUNNING", "gmt_create": made_ms}
        found = [line] if window[0] <= seen <= window[1] else []
        if hours == 8:  # an older one, which tells how the window was read
            found.append(line | {"task_id": "t-0", "gmt_create": made_ms - 3_600_000})
        return web.json_response({"data": found, "total": len(found), "total_page": 1})

    async with answering(answer) as url:
        provider = provider_at(url)
        for _ in range(2):
            page = await provider.list_page(NOW - timedelta(minutes=2), NOW, 1)
            assert [one.task_id for one in page.tasks] == (["t-1", "t-0"] if hours == 8 else ["t-1"])
        await provider.list_page(NOW - timedelta(days=9), NOW, 1)
        await provider.close()
    assert windows[0] == ("20261123115800", "20261123200001")
    assert windows[1][0] == ("20261123195800" if hours == 8 else "20261123115800")
    assert windows[2][0] == "20261122200001"  # 24 hours is the vendor's limit


async def test_what_the_first_page_teaches_does_not_change_the_question_of_the_next_ones() -> None:
    """Another window would move the lines between the pages, and one could fall through."""
    asked_for: list[tuple[str, ...]] = []

    async def answer(asked: web.Request) -> web.Response:
        query = asked.query
        asked_for.append(tuple(query[name] for name in ("page_no", "page_size", "start_time", "end_time")))
        old_ms = int((NOW - timedelta(hours=5)).timestamp() * 1000)  # so it reads UTC+8
        line = {"task_id": f"t-{query['page_no']}", "status": "RUNNING", "gmt_create": old_ms}
        return web.json_response({"data": [line], "total": 3, "total_page": 3})

    since_at = NOW - timedelta(hours=1)
    async with answering(answer) as url:
        provider = provider_at(url)
        for page_no in (1, 2, 3):
            await provider.list_page(since_at, NOW, page_no)
            await provider.list_page(since_at, NOW + timedelta(hours=1), 1)  # another one's question
        await provider.list_page(since_at, NOW, 1)
        await provider.close()
    ours = [line for line in asked_for if line[3] == "20261123200001"]
    assert [line[0] for line in ours] == ["1", "2", "3", "1"]
    assert {line[1:3] for line in ours[:3]} == {("100", "20261123110000")}
    assert ours[3][2] == "20261123190000"


async def test_the_questions_that_are_remembered_do_not_pile_up() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"data": [], "total": 0, "total_page": 0})

    async with answering(answer) as url:
        provider = provider_at(url)
        for minute in range(100):
            page = await provider.list_page(NOW - timedelta(hours=1), NOW + timedelta(minutes=minute), 1)
            assert (page.tasks, page.pages, page.total) == ((), 0, 0)
        assert len(provider._questions) == 64
        await provider.close()


async def test_a_page_tells_how_many_lines_the_whole_list_has() -> None:
    """Whoever walks the pages can tell a list that broke off from a short one."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"data": [], "total": 3, "total_page": 1})

    async with answering(answer) as url:
        provider = provider_at(url)
        page = await provider.list_page(NOW - timedelta(hours=1), NOW, 1)
        assert (page.tasks, page.pages, page.total) == ((), 1, 3)
        await provider.close()


async def test_a_page_size_that_is_refused_is_made_smaller_the_next_time() -> None:
    sizes: list[str] = []

    async def answer(asked: web.Request) -> web.Response:
        sizes.append(asked.query["page_size"])
        if sizes[-1] == "100" or len(sizes) > 3:
            return web.json_response({"code": "InvalidParameter", "message": "page_size"}, status=400)
        return web.json_response({"data": [], "total": 0, "total_page": 0})

    async with answering(answer) as url:
        provider = provider_at(url)
        window = NOW - timedelta(hours=1), NOW
        failure = await told(provider.list_page(*window, 1))
        assert failure.retryable
        assert sizes == ["100"]
        for _ in range(2):
            assert (await provider.list_page(*window, 1)).tasks == ()
        assert not (await told(provider.list_page(*window, 1))).retryable  # it is not the size, then
        await provider.close()
    assert sizes == ["100", "10", "10", "10"]


@pytest.mark.parametrize(
    "fault", ["list:503*1", "list:badjson*1", "list:empty*1", "list:html502*1", "list:429*1"]
)
async def test_trouble_with_the_list_may_be_tried_again(fault: str) -> None:
    async with studio(fault) as (_, provider):
        assert (await told(provider.list_page(NOW - timedelta(hours=1), NOW, 1))).retryable


# --- the account ---


async def test_ping_tells_the_servers_time_and_a_wrong_key() -> None:
    async with studio(api_keys=(KEY,)) as (emulator, provider):
        server_at = await provider.ping()
        assert server_at is not None
        assert abs(server_at - datetime.now(UTC)) < timedelta(seconds=5)
        other = DashScopeProvider(
            Credentials(SecretStr("sk-another"), "test"), base_url=emulator.base_url, region="beijing"
        )
        assert isinstance(await told(other.ping()), CredentialsRejected)
        assert other.account != provider.account
        await other.close()


def test_prices_follow_the_region_and_the_options() -> None:
    wish = request(duration=4.5, wan={"resolution": "1080P", "audio": False})
    beijing = provider_at("http://h/api/v1")
    assert beijing.estimate(wish).cny == Decimal("1.25")
    assert (beijing.settled(wish, 4).cny, beijing.settled(wish, 4).basis) == (Decimal("1.00"), "usage")


@pytest.mark.parametrize(
    ("environ", "endpoint", "cny"),
    [
        ({}, "https://dashscope.aliyuncs.com/api/v1", "0.6"),
        ({"WANVIDEO_REGION": "singapore"}, "https://dashscope-intl.aliyuncs.com/api/v1", "0.733924"),
        (
            {"DASHSCOPE_HTTP_BASE_URL": "https://dashscope-intl.aliyuncs.com/api/v1/"},
            "https://dashscope-intl.aliyuncs.com/api/v1",
            "0.733924",
        ),
        ({"DASHSCOPE_HTTP_BASE_URL": "http://127.0.0.1:9/api/v1"}, "http://127.0.0.1:9/api/v1", "0.6"),
    ],
)
def test_settings_make_a_provider(environ: dict[str, str], endpoint: str, cny: str) -> None:
    provider = DashScopeProvider.from_settings(CREDENTIALS, Settings.read(environ))
    assert provider.account.endpoint == endpoint
    assert provider.account.key_fingerprint == CREDENTIALS.fingerprint
    assert provider.estimate(request()).cny == Decimal(cny)


def test_the_pace_follows_the_settings() -> None:
    """Quotas can be raised; until then the provider's own limits are kept to."""
    usual = DashScopeProvider.from_settings(CREDENTIALS, Settings.read({})).pace
    assert (usual.slots, usual.submits_per_s, usual.queries_per_s) == (5, 5, 15)
    raised = {"WANVIDEO_RUNNING_TASKS": "9", "WANVIDEO_SUBMIT_RATE": "0.5", "WANVIDEO_QUERY_RATE": "80"}
    pace = DashScopeProvider.from_settings(CREDENTIALS, Settings.read(raised)).pace
    assert (pace.slots, pace.submits_per_s, pace.queries_per_s) == (9, 0.5, 80)


def test_a_password_in_the_endpoint_does_not_reach_the_account() -> None:
    provider = provider_at("https://me:secret@gateway/api/v1?token=secret")
    assert "secret" not in f"{provider!r} {provider.account}"
