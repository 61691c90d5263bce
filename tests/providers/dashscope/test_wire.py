"""The vendor's spelling, both ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.providers.studio import order

from wanvideo.contract.job import TaskId
from wanvideo.errors import ContentRejected, ProviderUnavailable
from wanvideo.ports import TaskStatus
from wanvideo.providers.dashscope import wire

# The vendor page's own sample of a finished task (read 2026-11-23), with a whole link.
LINK = "https://dashscope-result-bj.oss-cn-beijing.aliyuncs.com/xxx.mp4?Expires=1769181959&Signature=abc%3D"
SAMPLE: dict[str, Any] = {
    "request_id": "2ca1c497-f9e0-449d-9a3f-xxxxxx",
    "output": {
        "task_id": "af6efbc0-4bef-4194-8246-xxxxxx",
        "task_status": "SUCCEEDED",
        "submit_time": "2026-01-22 23:24:46.527",
        "scheduled_time": "2026-01-22 23:24:46.565",
        "end_time": "2026-01-22 23:25:59.978",
        "orig_prompt": "a city at night",
        "video_url": LINK,
    },
    "usage": {
        "duration": 10,
        "input_video_duration": 0,
        "output_video_duration": 10,
        "video_count": 1,
        "SR": 720,
        "audio": True,
    },
}
LINES: dict[str, Any] = {
    "total": 2,
    "data": [
        {
            "gmt_create": 1745568428109,
            "start_time": 1745568428127,
            "end_time": 1745568451234,
            "model_name": "wan2.6-i2v-flash",
            "request_id": "r-1",
            "status": "SUCCEEDED",
            "task_id": "t-1",
        },
        {
            "gmt_create": 1745568500000,
            "model_name": "wan2.6-i2v-flash",
            "status": "PENDING",
            "task_id": "t-2",
        },
    ],
    "total_page": 3,
    "page_no": 1,
    "page_size": 10,
}


def output(**changes: Any) -> dict[str, Any]:
    return SAMPLE | {"output": SAMPLE["output"] | changes}


# --- a create ---


def test_a_create_writes_out_everything_that_decides_the_price() -> None:
    body = wire.encode(order("oss://x/y.png", duration=2.4))
    assert body == {
        "model": "wan2.6-i2v-flash",
        "input": {"prompt": "push in", "img_url": "oss://x/y.png"},
        "parameters": {
            "resolution": "720P",
            "duration": 3,
            "prompt_extend": True,
            "audio": True,
            "watermark": False,
            "seed": 7,
            "size": "320*240",
            "fps": 24,
        },
    }
    assert isinstance(body["parameters"]["fps"], int)


def test_every_option_has_its_place() -> None:
    wan = {
        "resolution": "1080P",
        "audio": False,
        "audio_url": "https://h/a.mp3",
        "prompt_extend": False,
        "shot_type": "multi",
        "watermark": True,
        "template": "flying",
    }
    body = wire.encode(
        order("https://h/p.png", negative_prompt="blur", fps=23.976, motion_strength=1, wan=wan)
    )
    assert body["input"] == {
        "prompt": "push in",  # a template's prompt is ignored: no phrase is added
        "negative_prompt": "blur",
        "img_url": "https://h/p.png",
        "audio_url": "https://h/a.mp3",
        "template": "flying",
    }
    assert body["parameters"] == {
        "resolution": "1080P",
        "duration": 2,
        "prompt_extend": False,
        "shot_type": "multi",
        "audio": False,
        "watermark": True,
        "seed": 7,
        "size": "320*240",
        "fps": 23.976,
        "motion_strength": 1,
    }


def test_what_the_endpoint_refuses_is_left_out_and_the_words_stay() -> None:
    omit = frozenset({"size", "fps", "motion_strength"})
    body = wire.encode(order("oss://x", motion_strength=0.1, omit=omit))
    assert not omit & set(body["parameters"])
    assert body["input"]["prompt"] == "push in. Gentle, slow motion."


def test_the_motion_phrase_can_be_turned_off() -> None:
    body = wire.encode(order("oss://x", motion_strength=0.1, wan={"motion_phrase": False}))
    assert body["input"]["prompt"] == "push in"
    assert body["parameters"]["motion_strength"] == 0.1


@pytest.mark.parametrize(("url", "stored"), [("oss://a/b.png", True), ("https://h/oss://", False)])
def test_only_a_stored_picture_asks_to_be_resolved(url: str, stored: bool) -> None:
    assert wire.uses_stored_picture(wire.encode(order(url))) is stored


# --- how a task stands ---


def test_a_finished_task_tells_its_link_its_times_and_its_bill() -> None:
    report = wire.decode_report(SAMPLE)
    assert report.status is TaskStatus.SUCCEEDED
    assert report.video_url == LINK
    assert report.expires_at == datetime.fromtimestamp(1769181959 - 60, UTC)
    assert report.submitted_at == datetime(2026, 1, 22, 15, 24, 46, 527000, UTC)
    assert report.started_at == datetime(2026, 1, 22, 15, 24, 46, 565000, UTC)
    assert report.ended_at == datetime(2026, 1, 22, 15, 25, 59, 978000, UTC)
    assert report.prompt_seen == "a city at night"
    assert report.billed_s == 10
    assert report.cost is not None
    assert (report.cost.cny, report.cost.basis) == (Decimal("3.0"), "usage")
    assert "Signature" not in f"{report} {report!r}"


@pytest.mark.parametrize(
    ("usage", "billed_s", "cny"),
    [
        ({"duration": 5, "SR": 1080, "audio": False}, 5, Decimal("1.25")),
        ({"duration": 5, "SR": "720", "audio": True}, 5, Decimal("1.5")),
        ({"output_video_duration": 4, "SR": 720, "audio": True}, 4, Decimal("1.2")),
        ({"video_count": 1, "video_duration": 5, "video_ratio": "standard"}, 5, None),
        ({"duration": True, "SR": 720, "audio": True}, None, None),
        ({"duration": 5, "SR": 480, "audio": True}, 5, None),
        (None, None, None),
    ],
)
def test_the_bill_is_what_usage_says_and_nothing_is_made_up(
    usage: Any, billed_s: float | None, cny: Decimal | None
) -> None:
    report = wire.decode_report(SAMPLE | {"usage": usage})
    assert report.billed_s == billed_s
    assert (report.cost.cny if report.cost else None) == cny


@pytest.mark.parametrize(
    ("usage", "resolution", "sound"),
    [
        ({"duration": 5, "SR": 1080, "audio": False}, "1080P", False),
        ({"duration": 5, "SR": "720P"}, "720P", None),
        ({"duration": 5, "SR": 480, "audio": "yes"}, None, None),
        ({"duration": 5, "SR": None, "audio": []}, None, None),
    ],
)
def test_a_clip_tells_its_tier_and_whether_it_has_sound_where_usage_does(
    usage: Any, resolution: str | None, sound: bool | None
) -> None:
    report = wire.decode_report(SAMPLE | {"usage": usage})
    assert (report.resolution, report.sound) == (resolution, sound)


def test_singapore_has_its_own_prices() -> None:
    report = wire.decode_report(SAMPLE, region="singapore")
    assert report.cost is not None
    assert report.cost.cny == Decimal("3.66962")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PENDING", TaskStatus.PENDING),
        ("RUNNING", TaskStatus.RUNNING),
        ("running", TaskStatus.RUNNING),
        ("SUSPENDED", TaskStatus.RUNNING),
        ("REINVENTED", TaskStatus.RUNNING),
        ("CANCELED", TaskStatus.CANCELLED),
        ("UNKNOWN", TaskStatus.UNKNOWN),
    ],
)
def test_the_vendors_words_for_a_status(word: str, status: TaskStatus) -> None:
    assert wire.decode_report({"output": {"task_id": "t", "task_status": word}}).status is status


@pytest.mark.parametrize("where", ["output", "top"])
def test_a_failed_task_tells_why(where: str) -> None:
    reason = {"code": "DataInspectionFailed", "message": "Output data may contain inappropriate content."}
    payload = {"request_id": "r", "output": {"task_id": "t", "task_status": "FAILED"}}
    if where == "output":
        payload["output"] = {"task_id": "t", "task_status": "FAILED"} | reason
    else:
        payload |= reason
    report = wire.decode_report(payload)
    assert report.status is TaskStatus.FAILED
    assert isinstance(report.error, ContentRejected)
    assert (report.error.task_id, report.error.request_id) == ("t", "r")
    assert not report.passing


@pytest.mark.parametrize("link", [None, "", " ", {}])
def test_a_success_without_a_link_is_asked_for_again(link: Any) -> None:
    with pytest.raises(ProviderUnavailable, match="no link"):
        wire.decode_report(output(video_url=link))


@pytest.mark.parametrize("payload", [None, [], "x", {}, {"output": None}, {"output": {"task_status": None}}])
def test_an_unreadable_answer_is_asked_for_again(payload: Any) -> None:
    with pytest.raises(ProviderUnavailable):
        wire.decode_report(payload)


def test_an_answer_about_another_task_is_none() -> None:
    assert wire.is_about(SAMPLE, TaskId("af6efbc0-4bef-4194-8246-xxxxxx"))
    assert not wire.is_about(SAMPLE, TaskId("another"))
    assert wire.is_about({"output": {"task_status": "RUNNING"}}, TaskId("any"))
    assert not wire.is_about({"code": "x"}, TaskId("any"))


def test_a_link_without_a_date_lives_a_day_from_the_end() -> None:
    report = wire.decode_report(output(video_url="https://h/x.mp4"))
    assert report.ended_at is not None
    assert report.expires_at == report.ended_at + timedelta(hours=24, minutes=-1)
    assert wire.decode_report(output(video_url="https://h/x.mp4", end_time="soon")).expires_at is not None


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ("Expires=1769181959", datetime.fromtimestamp(1769181899, UTC)),
        ("x-oss-date=20260122T152600Z&x-oss-expires=86400", datetime(2026, 1, 23, 15, 25, 0, 0, UTC)),
        ("Expires=soon", None),
        ("Expires=99999999999999999999", None),
        ("x-oss-date=20260122T152600Z", None),
        ("", None),
    ],
)
def test_a_link_says_when_it_dies(query: str, at: datetime | None) -> None:
    assert wire.link_expires_at(f"https://h/x.mp4?{query}") == at


# --- the list ---


def test_the_list_gives_ids_times_and_pages() -> None:
    listings, pages = wire.decode_list(LINES)
    assert pages == 3
    assert [(one.task_id, one.status) for one in listings] == [
        ("t-1", TaskStatus.SUCCEEDED),
        ("t-2", TaskStatus.PENDING),
    ]
    assert listings[0].created_at == datetime(2025, 4, 25, 8, 7, 8, 109000, UTC)
    assert listings[0].ended_at == datetime(2025, 4, 25, 8, 7, 31, 234000, UTC)
    assert (listings[0].request_id, listings[1].ended_at) == ("r-1", None)


def test_pages_are_counted_when_the_vendor_does_not() -> None:
    assert wire.decode_list(LINES | {"total_page": None, "total": 21})[1] == 3
    assert wire.decode_list({"data": []}) == ([], 1)


def test_another_models_task_is_no_candidate() -> None:
    other = LINES["data"][0] | {"model_name": "wanx2.1-kf2v-plus"}
    assert wire.decode_list({"data": [other]})[0] == []
    assert wire.listed_total({"data": [other], "total": 9}) == 0
    assert wire.listed_total(LINES) == 2


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"data": {}},
        {"data": [{"status": "RUNNING", "gmt_create": 1745568500000}]},
        {"data": [{"task_id": "t", "status": "RUNNING"}]},
        {"data": ["t"]},
    ],
)
def test_a_line_that_cannot_be_read_never_proves_that_a_task_is_absent(payload: Any) -> None:
    with pytest.raises(ProviderUnavailable):
        wire.decode_list(payload)


def test_times_are_read_as_utc_plus_8_and_written_so() -> None:
    moment = datetime(2026, 1, 22, 15, 24, 46, tzinfo=UTC)
    assert wire.parse_time("2026-01-22 23:24:46") == moment
    assert wire.parse_time("2026-01-22T15:24:46Z") == moment
    assert wire.parse_time(1769095486000) == moment
    assert [wire.parse_time(value) for value in (None, "", "later", True, -1, 10**15)] == [None] * 6
    assert wire.list_time(moment) == "20260122232446"
