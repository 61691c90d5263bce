"""The exact JSON of the service: one function for each answer, no behaviour.

Source: the samples on the image-to-video page (wan2.6-i2v-flash) and on the page for asynchronous tasks, read
2026-11-23. Bodies of PENDING and CANCELED tasks are not documented; they follow the others.
"""

from __future__ import annotations

from typing import Any

from wanvideo_emulator.codes import Refused
from wanvideo_emulator.tasks import Task
from wanvideo_emulator.times import milliseconds, written

Json = dict[str, Any]


def refused(refusal: Refused, request_id: str) -> Json:
    return {"code": refusal.code, "message": refusal.message, "request_id": request_id}


def created(task: Task) -> Json:
    return {"output": {"task_status": "PENDING", "task_id": task.task_id}, "request_id": task.request_id}


def unknown(task_id: str, request_id: str) -> Json:
    return {"request_id": request_id, "output": {"task_id": task_id, "task_status": "UNKNOWN"}}


def queried(task: Task, request_id: str, origin: str) -> Json:
    """The answer to a query, HTTP 200 whatever the state. `origin` (scheme and host) goes into the link."""
    output: Json = {"task_id": task.task_id, "task_status": task.status}
    output["submit_time"] = written(task.submitted_at)
    if task.scheduled_at is not None:
        output["scheduled_time"] = written(task.scheduled_at)
    if task.ended_at is not None:
        output["end_time"] = written(task.ended_at)
    reply: Json = {"request_id": request_id, "output": output}
    match task.status:
        case "FAILED":
            assert task.failure is not None
            output["code"] = task.failure.code
            output["message"] = task.failure.message
        case "SUCCEEDED":
            if task.order.prompt is not None:
                output["orig_prompt"] = task.order.prompt
            if task.fate != "nourl":
                output["video_url"] = f"{origin}{task.link_path}?{task.link_query}"
            reply["usage"] = {
                "duration": task.billed_s,
                "input_video_duration": 0,
                "output_video_duration": task.billed_s,
                "video_count": 1,
                "SR": int(task.order.resolution.removesuffix("P")),
                "audio": task.order.audio,
            }
        case "PENDING" | "RUNNING" | "CANCELED":
            pass
    return reply


def listed(tasks: list[Task], total: int, page_no: int, page_size: int, request_id: str) -> Json:
    """One page of a list. `tasks` are those of the page; items carry neither link nor error code."""
    return {
        "total": total,
        "data": [_item(task) for task in tasks],
        "total_page": -(-total // page_size),
        "page_no": page_no,
        "request_id": request_id,
        "page_size": page_size,
    }


def _item(task: Task) -> Json:
    item: Json = {
        "api_key_id": task.caller.api_key_id,
        "caller_parent_id": task.caller.uid,
        "caller_uid": task.caller.uid,
        "gmt_create": milliseconds(task.submitted_at),
    }
    if task.scheduled_at is not None:
        item["start_time"] = milliseconds(task.scheduled_at)
    if task.ended_at is not None:
        item["end_time"] = milliseconds(task.ended_at)
    return item | {
        "model_name": task.order.model,
        "region": "cn-beijing",
        "request_id": task.request_id,
        "status": task.status,
        "task_id": task.task_id,
        "user_api_unique_key": f"apikey:v1:aigc:video-generation:video-synthesis:{task.order.model}",
    }


def cancelled(request_id: str) -> Json:
    return {"request_id": request_id}


def policy(data: Json, request_id: str) -> Json:
    return {"request_id": request_id, "data": data}
