"""Every error code of the vendor, in one table, as one of our errors.

Source: help.aliyun.com/zh/model-studio/error-code, read 2026-11-23. The same code comes as an HTTP error
of a call (`from_reply`) or inside a FAILED task that was fetched with HTTP 200 (`from_task`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from wanvideo.errors import (
    AccessDenied,
    AccountBlocked,
    CancelRefused,
    ContentRejected,
    CredentialsRejected,
    MediaRejected,
    ModelNotFound,
    NotDelivered,
    ProviderError,
    ProviderFailed,
    ProviderRefused,
    ProviderUnavailable,
    Throttled,
)
from wanvideo.providers.dashscope.names import field_named, parameter_named
from wanvideo.redact import redact


@dataclass(frozen=True, slots=True)
class Fault:
    """What a code means. `passing`: a new create is free and may well work."""

    error: type[ProviderError]
    passing: bool = False
    field: str | None = None
    hint: str | None = None


_OWN_TROUBLE: Final = Fault(ProviderUnavailable, passing=True)
_PICTURE: Final = Fault(MediaRejected, field="reference_image")
_SLOW_ORIGIN: Final = Fault(MediaRejected, passing=True, field="reference_image")
_ENDPOINT_HINT: Final = "Check DASHSCOPE_HTTP_BASE_URL: it ends in /api/v1."

FAULTS: Final[dict[str, Fault]] = {
    # 400: the request
    "InvalidParameter": Fault(ProviderRefused),
    "InvalidParameter.DataInspection": _PICTURE,
    "DataInspectionFailed": Fault(ContentRejected),
    "IPInfringementSuspect": Fault(
        ContentRejected, hint="Use a picture and a prompt free of protected characters and brands."
    ),
    "InvalidURL": _PICTURE,
    "InvalidURL.ConnectionRefused": _SLOW_ORIGIN,
    "InvalidURL.Timeout": _SLOW_ORIGIN,
    "InvalidImage": _PICTURE,
    "InvalidImage.FileFormat": _PICTURE,
    "InvalidImage.ImageSize": _PICTURE,
    "InvalidImageFormat": _PICTURE,
    "InvalidImageResolution": _PICTURE,
    "BadRequest": Fault(ProviderRefused),
    "BadRequest.EmptyInput": Fault(ProviderRefused),
    "BadRequest.EmptyParameters": Fault(ProviderRefused),
    "BadRequest.EmptyModel": Fault(ProviderRefused, field="model"),
    "BadRequest.IllegalInput": Fault(ProviderRefused),
    "BadRequest.TooLarge": Fault(MediaRejected, field="reference_image", hint="Give a smaller picture."),
    "BadRequest.InputDownloadFailed": _SLOW_ORIGIN,
    "UnsupportedOperation": Fault(CancelRefused),
    "Conflict": Fault(ProviderRefused),
    # 400, 403, 429: the bill
    "Arrearage": Fault(AccountBlocked),
    "AccessDenied.Unpurchased": Fault(AccountBlocked),
    "AllocationQuota.FreeTierOnly": Fault(
        AccountBlocked, hint="The free quota is used up; turn off `free tier only` in the console, or wait."
    ),
    "CommodityNotPurchased": Fault(AccountBlocked),
    "PrepaidBillOverdue": Fault(AccountBlocked),
    "PostpaidBillOverdue": Fault(AccountBlocked),
    # 401, 403, 404: the key and what it may use
    "InvalidApiKey": Fault(CredentialsRejected),
    "NOT AUTHORIZED": Fault(AccessDenied),
    "AccessDenied": Fault(AccessDenied),
    "Model.AccessDenied": Fault(AccessDenied),
    "Workspace.AccessDenied": Fault(AccessDenied),
    "WorkSpaceNotFound": Fault(AccessDenied, hint="Check DASHSCOPE_WORKSPACE_ID."),
    "ModelNotFound": Fault(ModelNotFound),
    "Model.NotExist": Fault(ModelNotFound),
    "NotFound": Fault(ModelNotFound),
    # 429: the pace
    "Throttling": Fault(Throttled, passing=True),
    "Throttling.RateQuota": Fault(Throttled, passing=True),
    "Throttling.BurstRate": Fault(Throttled, passing=True),
    "Throttling.AllocationQuota": Fault(Throttled, passing=True),
    # 500, 503: the provider's own trouble
    "InternalError": _OWN_TROUBLE,
    "InternalError.Algo": _OWN_TROUBLE,
    "InternalError.Upload": _OWN_TROUBLE,
    "InternalError.FileUpload": _OWN_TROUBLE,
    "InternalError.Timeout": _OWN_TROUBLE,
    "SystemError": _OWN_TROUBLE,
    "ModelServiceFailed": _OWN_TROUBLE,
    "RequestTimeOut": _OWN_TROUBLE,
    "RewriteFailed": _OWN_TROUBLE,
    "ModelServingError": _OWN_TROUBLE,
    "ModelUnavailable": _OWN_TROUBLE,
    "ServiceUnavailable": _OWN_TROUBLE,
    "GatewayTimeout": _OWN_TROUBLE,
}

# The code alone is not enough: (code or its family, words of the message, what it then means).
_BY_MESSAGE: Final[tuple[tuple[str, re.Pattern[str], Fault], ...]] = (
    ("InvalidParameter", re.compile(r"model not exist", re.IGNORECASE), Fault(ModelNotFound)),
    (
        "InvalidParameter",
        re.compile(r"url error", re.IGNORECASE),
        Fault(ModelNotFound, hint=f"The endpoint does not serve this model. {_ENDPOINT_HINT}"),
    ),
    ("InvalidParameter.DataInspection", re.compile(r"unable to download", re.IGNORECASE), _SLOW_ORIGIN),
    (
        "InvalidURL",
        re.compile(r"audio|\.wav|\.mp3|15 ?MB", re.IGNORECASE),
        Fault(MediaRejected, field="wan.audio_url", hint="Give a wav or mp3 of 3 to 30 s and at most 15 MB."),
    ),
    ("Throttling", re.compile(r"free allocated quota", re.IGNORECASE), Fault(AccountBlocked)),
)

_BY_STATUS: Final[dict[int, Fault]] = {
    401: Fault(CredentialsRejected),
    402: Fault(AccountBlocked),
    403: Fault(AccessDenied),
    429: Fault(Throttled),
}


class TaskFault(NamedTuple):
    """Why a task failed; `rejected_parameter` is `size`, `fps` or `motion_strength` when it was blamed."""

    error: ProviderError
    passing: bool
    rejected_parameter: str | None


def from_reply(
    status: int, code: str | None, message: str | None, request_id: str | None = None
) -> ProviderError:
    """Our error for an HTTP answer that is no success, or a 200 with a code at its top.

    `code` is None when the body was not the vendor's JSON, as from a proxy in between. Whoever asked about
    money decides what a 5xx leaves open: here it only means "the provider did not answer properly".
    """
    fault = _lookup(code, message) if code else None
    if fault is None:
        fault = _fallback(status, code)
    elif status >= 500 and not fault.error.retryable:
        fault = _OWN_TROUBLE  # a broken gateway's opinion of the request is not a refusal
    text = _sentence(message) if code else ""
    return fault.error(
        text or f"The answer was HTTP {status}, without a reason that can be read.",
        field=_field(fault, message),
        hint=fault.hint,
        request_id=request_id,
        provider_code=code,
    )


def from_task(
    code: str | None, message: str | None, *, request_id: str | None = None, task_id: str | None = None
) -> TaskFault:
    """Our error for a FAILED task. Failed tasks are not billed."""
    fault = (_lookup(code, message) if code else None) or Fault(ProviderFailed)
    error = fault.error
    if error in (Throttled, ProviderUnavailable, CancelRefused):
        error = ProviderFailed  # nothing "goes on by itself" after a task has failed
    quirk = (
        parameter_named(message or "") if code == "InvalidParameter" and error is ProviderRefused else None
    )
    return TaskFault(
        error(
            _sentence(message) or f"The task failed{f' with {redact(code)}' if code else ''}.",
            field=quirk or _field(fault, message),
            hint=fault.hint,
            request_id=request_id,
            task_id=task_id,
            provider_code=code,
        ),
        fault.passing,
        quirk,
    )


def _lookup(code: str, message: str | None) -> Fault | None:
    for family, words, fault in _BY_MESSAGE:
        if (code == family or code.startswith(f"{family}.")) and words.search(message or ""):
            return fault
    known = FAULTS.get(code)
    while known is None and "." in code:  # a new member of a known family
        code = code.rpartition(".")[0]
        known = FAULTS.get(code)
    return known


def _fallback(status: int, code: str | None) -> Fault:
    """What a status says by itself, for a code we do not know or an answer without one."""
    if status == 407:
        return Fault(NotDelivered, hint="The proxy wants a user and password; set them in HTTPS_PROXY.")
    if not 400 <= status < 500 or status in (408, 499):
        return _OWN_TROUBLE
    if status == 429 or code:
        return _BY_STATUS.get(status, Fault(ProviderRefused))
    return Fault(
        ProviderRefused,
        hint=_ENDPOINT_HINT if status == 404 else "Something between here and the provider refused it.",
    )


def _field(fault: Fault, message: str | None) -> str | None:
    named = field_named(message or "")
    return named if named and issubclass(fault.error, ProviderRefused) else fault.field


def _sentence(message: str | None) -> str:
    text = " ".join(redact(message or "").split())
    if len(text) > 600:
        text = text[:597] + "..."
    return text if not text or text[-1] in ".!?。！？" else f"{text}."
