"""Which tasks a list request means: filters, the 24 h window, the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wanvideo_emulator.codes import Refused
from wanvideo_emulator.options import DAY_S
from wanvideo_emulator.tasks import STATUSES, Task
from wanvideo_emulator.times import parsed


@dataclass(frozen=True)
class TaskFilter:
    """`from_at` and `to_at` bound the creation time, both inclusive."""

    from_at: float
    to_at: float
    task_id: str | None
    model_name: str | None
    status: str | None
    api_key_id: str | None
    region: str | None
    page_no: int
    page_size: int

    def fits(self, task: Task) -> bool:
        return (
            self.from_at <= task.submitted_at <= self.to_at
            and self.task_id in (None, task.task_id)
            and self.model_name in (None, task.order.model)
            and self.status in (None, task.status)
            and self.api_key_id in (None, task.caller.api_key_id)
            and self.region in (None, "cn-beijing")
        )


def _time(query: Mapping[str, str], name: str) -> float | None:
    text = query.get(name)
    if not text:
        return None
    try:
        return parsed(text)
    except ValueError:
        raise Refused("InvalidParameter", f"{name} must be in the format YYYYMMDDhhmmss.") from None


def _count(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise Refused("InvalidParameter", f"Input should be a valid integer: {name}")
    return int(text)


def read_filter(query: Mapping[str, str], now: float, page_max: int) -> TaskFilter:
    """Read the query of `GET /tasks`. No time given: the last 24 h; one given: the 24 h next to it.

    Raises Refused (400) for what cannot be read and for a window above 24 h.
    """
    from_at, to_at = _time(query, "start_time"), _time(query, "end_time")
    # Filters are whole seconds: `end_time` means the whole of its second.
    if to_at is not None:
        to_at += 0.999
    if from_at is None and to_at is None:
        from_at, to_at = now - DAY_S, now
    elif from_at is None:
        assert to_at is not None
        from_at = to_at - DAY_S
    elif to_at is None:
        to_at = from_at + DAY_S
    if not 0 <= to_at - from_at <= DAY_S + 1:
        raise Refused(
            "InvalidParameter", "The time range between start_time and end_time must be within 24 hours."
        )
    status = query.get("status") or None
    if status is not None and status not in STATUSES:
        raise Refused("InvalidParameter", f"Input should be {' or '.join(STATUSES)}: status")
    return TaskFilter(
        from_at=from_at,
        to_at=to_at,
        task_id=query.get("task_id") or None,
        model_name=query.get("model_name") or None,
        status=status,
        api_key_id=query.get("api_key_id") or None,
        region=query.get("region") or None,
        page_no=_count(query, "page_no", 1),
        page_size=min(_count(query, "page_size", 10), page_max),
    )
