"""The vendor's spelling: the body of a create, and the answers about tasks. Nothing else knows it.

Source: help.aliyun.com/zh/model-studio/image-to-video-api-reference and manage-asynchronous-tasks,
read 2026-11-23.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from wanvideo.contract.job import TaskId
from wanvideo.contract.model_card import MODEL, NOT_IN_VENDOR_PAGE, limit
from wanvideo.contract.price import PRICE_CNY_PER_S, Cost, cost_of
from wanvideo.errors import ProviderUnavailable
from wanvideo.ports import Order, TaskListing, TaskReport, TaskStatus
from wanvideo.providers.dashscope import faults
from wanvideo.providers.dashscope.phrase import with_motion

CHINA: Final = timezone(timedelta(hours=8))
"""The vendor writes times in UTC+8 and leaves the offset out."""

LINK_MARGIN_S: Final = 60
"""A link counts as dead this long before its `Expires`."""

_STATUS: Final[dict[str, TaskStatus]] = {
    "PENDING": TaskStatus.PENDING,
    "RUNNING": TaskStatus.RUNNING,
    "SUSPENDED": TaskStatus.RUNNING,
    "SUCCEEDED": TaskStatus.SUCCEEDED,
    "FAILED": TaskStatus.FAILED,
    "CANCELED": TaskStatus.CANCELLED,
    "CANCELLED": TaskStatus.CANCELLED,
    "UNKNOWN": TaskStatus.UNKNOWN,
}


def encode(order: Order) -> dict[str, Any]:
    """The body of a create. What decides the price is always written out: the vendor's defaults are the
    dearest ones."""
    request, wan = order.request, order.request.wan
    prompt = request.prompt
    if request.motion_strength is not None and wan.motion_phrase and not wan.template:
        prompt = with_motion(prompt, request.motion_strength)
    fields = {
        "prompt": prompt,
        "negative_prompt": request.negative_prompt or None,
        "img_url": order.picture_url,
        "audio_url": wan.audio_url,
        "template": wan.template,
    }
    parameters = {
        "resolution": request.resolution,
        "duration": request.billed_s,
        "prompt_extend": wan.prompt_extend,
        "shot_type": wan.shot_type,
        "audio": wan.audio,
        "watermark": wan.watermark,
        "seed": order.seed,
    }
    as_given = {"size": request.size, "fps": request.fps, "motion_strength": request.motion_strength}
    parameters |= {name: as_given[name] for name in NOT_IN_VENDOR_PAGE if name not in order.omit}
    return {"model": MODEL, "input": _present(fields), "parameters": _present(parameters)}


def uses_stored_picture(body: Mapping[str, Any]) -> bool:
    """Whether the body names an `oss://` object, which the vendor resolves only on request."""
    return any(isinstance(v, str) and v.startswith("oss://") for v in _mapping(body.get("input")).values())


def task_id(payload: Any) -> TaskId | None:
    """The id in an answer to a create, if there is one."""
    found = _mapping(_mapping(payload).get("output")).get("task_id")
    return TaskId(found) if isinstance(found, str) and found.strip() else None


def is_about(payload: Any, task: TaskId) -> bool:
    """Whether an answer tells of this task; one that names no task is taken at its word."""
    output = _mapping(_mapping(payload).get("output"))
    return "task_status" in output and output.get("task_id", task) == task


def code_and_message(payload: Any) -> tuple[str | None, str | None, str | None]:
    """Code, message and request id at the top of an answer; a code of the newer `error` shape counts too."""
    body = _mapping(payload)
    inner = _mapping(body.get("error"))
    code, message = body.get("code") or inner.get("code"), body.get("message") or inner.get("message")
    return _text(code), _text(message), _text(body.get("request_id"))


def decode_report(payload: Any, *, region: str = "beijing") -> TaskReport:
    """How a task stands. `region` prices what was billed.

    Raises: ProviderUnavailable when the answer cannot be read, or tells of a success without a link.
    """
    output = _mapping(_mapping(payload).get("output"))
    word, request_id = _text(output.get("task_status")), _text(_mapping(payload).get("request_id"))
    if word is None:
        raise ProviderUnavailable("The answer about the task has no status.", request_id=request_id)
    status = _STATUS.get(word.upper(), TaskStatus.RUNNING)
    times: dict[str, Any] = {
        "submitted_at": parse_time(output.get("submit_time")),
        "started_at": parse_time(output.get("scheduled_time")),
        "ended_at": parse_time(output.get("end_time")),
        "prompt_seen": _text(output.get("orig_prompt")),
    }
    if status is TaskStatus.FAILED:
        fault = faults.from_task(
            _text(output.get("code")) or _text(_mapping(payload).get("code")),
            _text(output.get("message")) or _text(_mapping(payload).get("message")),
            request_id=request_id,
            task_id=_text(output.get("task_id")),
        )
        return TaskReport(
            status,
            error=fault.error,
            passing=fault.passing,
            rejected_parameter=fault.rejected_parameter,
            **times,
        )
    if status is not TaskStatus.SUCCEEDED:
        return TaskReport(status, **times)
    link = _text(output.get("video_url"))
    if link is None:
        raise ProviderUnavailable("The task succeeded, but the answer has no link.", request_id=request_id)
    usage = _mapping(_mapping(payload).get("usage"))
    billed_s, resolution = _billed_s(usage), _tier(usage)
    sound = usage["audio"] if isinstance(usage.get("audio"), bool) else None
    return TaskReport(
        status,
        video_url=link,
        expires_at=link_expires_at(link) or _day_after(times["ended_at"] or times["submitted_at"]),
        billed_s=billed_s,
        cost=_cost(region, resolution, sound, billed_s),
        resolution=resolution,
        sound=sound,
        **times,
    )


def decode_list(payload: Any) -> tuple[list[TaskListing], int]:
    """The lines of one page of the task list, and how many pages there are.

    An unreadable line is an error, never left out: an absent line would prove that a task does not exist.
    Raises: ProviderUnavailable.
    """
    body = _mapping(payload)
    lines = body.get("data")
    if not isinstance(lines, list):
        raise ProviderUnavailable("The task list cannot be read.", request_id=_text(body.get("request_id")))
    pages, total, size = (body.get(name) for name in ("total_page", "total", "page_size"))
    if not isinstance(pages, int):
        pages = math.ceil(total / size) if isinstance(total, int) and isinstance(size, int) and size else 1
    return [_listing(line) for line in lines if _of_this_model(line)], pages


def listed_total(payload: Any) -> int:
    """How many lines the whole list has by the vendor's count; 0 when it does not say.

    Lines of another model are counted too, so the number is only good for lists filtered by ours.
    """
    body = _mapping(payload)
    total, lines = body.get("total"), body.get("data")
    if not isinstance(total, int) or not isinstance(lines, list) or not all(map(_of_this_model, lines)):
        return 0
    return total


def parse_time(value: Any) -> datetime | None:
    """Aware UTC for `2026-01-22 23:24:46.527` in UTC+8, an ISO time, or epoch milliseconds; else None."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e14:
        return datetime.fromtimestamp(value / 1000, UTC)
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=CHINA)).astimezone(UTC)


def list_time(moment: datetime, zone: timezone = CHINA) -> str:
    """`YYYYMMDDhhmmss`, as the task list's filters want it."""
    return moment.astimezone(zone).strftime("%Y%m%d%H%M%S")


def link_expires_at(link: str) -> datetime | None:
    """When a signed link dies by its own words, less a margin: `Expires`, or the newer `x-oss-expires`."""
    query = {name.lower(): values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    try:
        if "expires" in query:
            at = datetime.fromtimestamp(int(query["expires"]), UTC)
        else:
            signed_at = datetime.strptime(query["x-oss-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            at = signed_at + timedelta(seconds=int(query["x-oss-expires"]))
    except (KeyError, ValueError, OverflowError, OSError):
        return None
    return at - timedelta(seconds=LINK_MARGIN_S)


def _listing(line: Any) -> TaskListing:
    entry = _mapping(line)
    found, created_at = _text(entry.get("task_id")), None
    for name in ("gmt_create", "start_time"):
        created_at = created_at or parse_time(entry.get(name))
    if found is None or created_at is None:
        raise ProviderUnavailable("A line of the task list cannot be read.")
    return TaskListing(
        TaskId(found),
        _STATUS.get((_text(entry.get("status")) or "").upper(), TaskStatus.RUNNING),
        created_at,
        ended_at=parse_time(entry.get("end_time")),
        request_id=_text(entry.get("request_id")),
    )


def _of_this_model(line: Any) -> bool:
    return str(_mapping(line).get("model_name", MODEL)) == MODEL


def _billed_s(usage: Mapping[str, Any]) -> float | None:
    for name in ("duration", "output_video_duration", "video_duration"):
        value = usage.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return float(value)
    return None


def _tier(usage: Mapping[str, Any]) -> str | None:
    """720P or 1080P, from `SR`: 720 or 1080."""
    digits = re.sub(r"\D", "", str(usage.get("SR", "")))
    tier = f"{digits}P"
    return tier if tier in limit("resolutions") else None


def _cost(region: str, resolution: str | None, sound: bool | None, billed_s: float | None) -> Cost | None:
    """What was billed, where `usage` names resolution and sound; else None, and the request prices it."""
    if billed_s is None or resolution is None or sound is None:
        return None
    if (region, resolution, sound) not in PRICE_CNY_PER_S:
        return None
    return cost_of(region, resolution, sound, billed_s, basis="usage")


def _day_after(moment: datetime | None) -> datetime | None:
    return moment + timedelta(seconds=limit("link_ttl_s") - LINK_MARGIN_S) if moment else None


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in fields.items() if value is not None}


def _plain(value: Any) -> Any:
    """24 rather than 24.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None
