"""What really happened, for tests: every create that came in, every task, every second billed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from aiohttp import web

from wanvideo_emulator.accounts import Rates, fingerprint
from wanvideo_emulator.clips import FPS, clip_size_px
from wanvideo_emulator.clock import WallClock
from wanvideo_emulator.faults import FaultPlan
from wanvideo_emulator.price import cost_cny
from wanvideo_emulator.tasks import Board, Task
from wanvideo_emulator.uploads import Uploads

HEADERS = (
    "content-type",
    "user-agent",
    "x-dashscope-async",
    "x-dashscope-datainspection",
    "x-dashscope-ossresourceresolve",
    "x-dashscope-sdk-client",
    "x-dashscope-workspace",
)


def _shortened(value: Any) -> Any:
    """The same JSON with each data URI replaced by its kind, length and hash: they can be megabytes."""
    if isinstance(value, dict):
        return {key: _shortened(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_shortened(one) for one in value]
    if isinstance(value, str) and value.startswith("data:") and len(value) > 200:
        digest = hashlib.sha256(value.encode()).hexdigest()
        return f"{value.partition(',')[0]},<{len(value)} characters, sha256 {digest}>"
    return value


class Truth:
    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self.creates: list[dict[str, Any]] = []
        self.downloads: list[dict[str, Any]] = []

    def create_received(self, request: web.Request, sent: bytes) -> dict[str, Any]:
        """Note a create before anything is decided; the caller fills in the outcome."""
        try:
            body = _shortened(json.loads(sent))
        except ValueError:
            body = None
        key = request.headers.get("Authorization", "").partition(" ")[2].strip()
        record: dict[str, Any] = {
            "at": self._clock.now(),
            "request_id": None,
            "task_id": None,
            "body": body,
            "headers": {name: request.headers[name] for name in HEADERS if name in request.headers},
            "key_fingerprint": fingerprint(key) if key else None,
            "answered": "not yet",
        }
        self.creates.append(record)
        return record

    def download_received(self, request: web.Request, fault: str) -> dict[str, Any]:
        """Note a download; the caller fills in the status and counts the bytes."""
        record: dict[str, Any] = {
            "at": self._clock.now(),
            "path": request.path,
            "status": None,
            "range": request.headers.get("Range"),
            "sent_bytes": 0,
            "sent_authorization": "Authorization" in request.headers,
            "fault": fault,
        }
        self.downloads.append(record)
        return record

    def report(self, board: Board, rates: Rates, faults: FaultPlan, uploads: Uploads) -> dict[str, Any]:
        """The whole truth as JSON. Times are epoch seconds on the emulator's clock."""
        board.refresh()
        tasks = [_task(task, board.options.size_multiple) for task in board.tasks.values()]
        return {
            "now": self._clock.now(),
            "creates": [dict(record) for record in self.creates],
            "tasks": tasks,
            "billed_s": sum(task["billed_s"] for task in tasks),
            "billed_cny": round(sum(task["billed_cny"] for task in tasks), 4),
            "peak_running": board.peak_running,
            "queries": rates.report(),
            "uploads": uploads.report(),
            "policies": uploads.policy_count,
            "downloads": [dict(record) for record in self.downloads],
            "faults": faults.report(),
        }


def _task(task: Task, size_multiple: int) -> dict[str, Any]:
    size = None
    if task.picture is not None:
        width_px, height_px = clip_size_px(
            task.picture.width_px, task.picture.height_px, task.order.resolution, size_multiple
        )
        size = f"{width_px}*{height_px}"
    return {
        "task_id": task.task_id,
        "request_id": task.request_id,
        "account": task.caller.account,
        "key_fingerprint": task.caller.key_fingerprint,
        "status": task.status,
        "code": task.failure.code if task.failure is not None and task.status == "FAILED" else None,
        "submitted_at": task.submitted_at,
        "scheduled_at": task.scheduled_at,
        "ended_at": task.ended_at,
        "resolution": task.order.resolution,
        "duration_s": task.order.duration_s,
        "audio": task.order.audio,
        "seed": task.seed,
        "prompt": task.order.prompt,
        "size": size,
        "fps": FPS,
        "picture_sha256": task.picture.sha256 if task.picture is not None else None,
        "fate": task.fate,
        "billed_s": task.billed_s,
        "billed_cny": cost_cny(task.order.resolution, task.order.audio, task.billed_s),
    }
