"""What an answer to a create means for the money: a wrong verdict here pays twice."""

from __future__ import annotations

from typing import Any

import pytest

from wanvideo.errors import (
    AccountBlocked,
    CredentialsRejected,
    NotDelivered,
    ProviderError,
    ProviderRefused,
    SubmitUncertain,
    Throttled,
)
from wanvideo.providers.dashscope.line import NoReply, Reply
from wanvideo.providers.dashscope.outcome import accepted, unanswered

TASK: dict[str, Any] = {"request_id": "r", "output": {"task_id": "t-1", "task_status": "PENDING"}}


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("more", [{}, {"code": ""}, {"code": "Odd", "message": "but a task there is"}])
def test_a_task_id_in_a_success_is_a_task(status: int, more: dict[str, Any]) -> None:
    assert accepted(Reply(status, TASK | more)) == "t-1"


@pytest.mark.parametrize(
    ("status", "payload"),
    [
        (200, None),
        (200, {}),
        (200, []),
        (200, "yes"),
        (200, {"output": None}),
        (200, {"output": {"task_id": ""}}),
        (200, {"output": {"task_id": None}}),
        (200, {"code": "InternalError", "message": "x"}),
        (200, {"code": "NeverHeard", "message": "x"}),
        (204, None),
        (302, None),
        (304, TASK),
        (408, None),
        (408, {"code": "RequestTimeOut", "message": "x"}),
        (409, None),
        (425, None),
        (499, None),
        (400, {"code": "InternalError.Algo", "message": "x"}),
        (500, None),
        (500, TASK),
        (500, {"code": "InvalidParameter", "message": "x"}),
        (502, None),
        (503, {"code": "Throttling", "message": "x"}),
        (504, {"code": "ModelServingError", "message": "x"}),
    ],
)
def test_whatever_leaves_a_doubt_is_uncertain(status: int, payload: Any) -> None:
    with pytest.raises(SubmitUncertain):
        accepted(Reply(status, payload))


@pytest.mark.parametrize(
    ("status", "payload", "error"),
    [
        (400, {"code": "InvalidParameter", "message": "x"}, ProviderRefused),
        (400, {"code": "UnsupportedOperation", "message": "x"}, ProviderRefused),
        (400, {"code": "NeverHeard", "message": "x"}, ProviderRefused),
        (400, {"error": {"code": "invalid_request_error", "message": "x"}}, ProviderRefused),
        (401, {"code": "InvalidApiKey", "message": "x"}, CredentialsRejected),
        (403, None, ProviderRefused),
        (404, None, ProviderRefused),
        (407, None, NotDelivered),
        (409, {"code": "Conflict", "message": "x"}, ProviderRefused),
        (413, None, ProviderRefused),
        (429, None, Throttled),
        (429, {"code": "Throttling.RateQuota", "message": "x"}, Throttled),
        (429, {"code": "PrepaidBillOverdue", "message": "x"}, AccountBlocked),
        (200, {"code": "InvalidApiKey", "message": "x"}, CredentialsRejected),
        (200, {"code": "Throttling.RateQuota", "message": "x", "output": None}, Throttled),
    ],
)
def test_a_definite_no_is_told_as_such(status: int, payload: Any, error: type[ProviderError]) -> None:
    with pytest.raises(ProviderError) as caught:
        accepted(Reply(status, payload))
    assert type(caught.value) is error


def test_silence_is_only_harmless_when_nothing_left() -> None:
    assert type(unanswered(NoReply("ConnectError", never_left=True))) is NotDelivered
    assert type(unanswered(NoReply("ReadError", never_left=False))) is SubmitUncertain
