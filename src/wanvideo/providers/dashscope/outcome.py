"""What the answer to a create means for the money: accepted, refused, or in doubt."""

from __future__ import annotations

from wanvideo.contract.job import TaskId
from wanvideo.errors import (
    CancelRefused,
    NotDelivered,
    ProviderError,
    ProviderRefused,
    SubmitUncertain,
    Throttled,
)
from wanvideo.providers.dashscope import faults, wire
from wanvideo.providers.dashscope.line import NoReply, Reply

_GAVE_UP_WAITING = (408, 499)
"""A gateway's words for "I stopped waiting": what stands behind it may have taken the request."""
_CODE_NEEDED = (409, 425)
"""Refusals in the vendor's own JSON only; from a gateway they may speak of an earlier copy of the request."""


def accepted(reply: Reply) -> TaskId:
    """The task that a create made.

    Raises: ProviderRefused and its like or Throttled when the answer is a definite no; NotDelivered when a
    proxy turned the request away; SubmitUncertain for everything else.
    """
    task = wire.task_id(reply.payload) if reply.ok else None
    if task is not None:
        return task
    code, message, request_id = wire.code_and_message(reply.payload)
    error = faults.from_reply(reply.status, code, message, request_id or reply.request_id)
    if isinstance(error, CancelRefused):  # the code is about cancelling; on a create it is a plain no
        error = ProviderRefused(error.detail, request_id=error.request_id, provider_code=code)
    if _definite(reply.status, code) and (not error.retryable or isinstance(error, Throttled | NotDelivered)):
        raise error
    raise SubmitUncertain(
        f"The submit was answered with HTTP {reply.status}, and without a task id.",
        request_id=error.request_id,
        provider_code=code,
    )


def _definite(status: int, code: str | None) -> bool:
    if status in _GAVE_UP_WAITING or (status in _CODE_NEEDED and code is None):
        return False
    return 200 <= status < 300 or 400 <= status < 500


def unanswered(silence: NoReply) -> ProviderError:
    """The error for a create that nobody answered."""
    if silence.never_left:
        return NotDelivered(f"The provider could not be reached ({silence.reason}).")
    return SubmitUncertain(f"The submit left, and then the line broke ({silence.reason}).")
