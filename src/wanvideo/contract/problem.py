"""An error as JSON: one body everywhere (RFC 9457), and back again."""

from __future__ import annotations

from typing import Any

from wanvideo.errors import WanvideoError, by_code

FIELDS = ("detail", "field", "hint", "job_id", "task_id", "request_id", "provider_code")


def problem(error: WanvideoError) -> dict[str, Any]:
    """The problem body; `provider_code` is there only when the vendor gave one."""
    body: dict[str, Any] = {
        "type": f"urn:wanvideo:error:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "field": error.field,
        "hint": error.hint,
        "retryable": error.retryable,
        "job_id": error.job_id,
        "task_id": error.task_id,
        "request_id": error.request_id,
    }
    if error.provider_code:
        body["provider_code"] = error.provider_code
    return body


def from_problem(body: dict[str, Any]) -> WanvideoError:
    """The error a problem body tells of, as stored in the ledger."""
    known = {name: body.get(name) for name in FIELDS if name != "detail"}
    return by_code(str(body.get("code")))(str(body.get("detail", "")), **known)
