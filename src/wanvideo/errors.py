"""Everything that can go wrong, as one tree. Each error says what to do next.

WanvideoError
├─ RequestInvalid            invalid_request       a field breaks the contract; nothing was sent
│  ├─ ImageInvalid           invalid_image         the reference picture cannot be used
│  └─ ModelUnsupported       unsupported_model     any model but wan2.6-i2v-flash
├─ SettingsInvalid           invalid_settings      an environment variable or option makes no sense
├─ CostLimitExceeded         cost_limit            the clip would cost more than you allowed
├─ ProviderError
│  ├─ CredentialsMissing     credentials_missing   no key was found anywhere
│  ├─ CredentialsRejected    credentials_rejected  the key is wrong, or of another region
│  ├─ AccessDenied           access_denied         the account may not use this model
│  ├─ AccountBlocked         account_blocked       overdue bill, quota used up, not purchased
│  ├─ ModelNotFound          model_not_found       the endpoint does not know the model
│  ├─ ProviderRefused        provider_refused      the provider refused the request's fields
│  │  ├─ MediaRejected       media_rejected        the provider could not read the picture or sound
│  │  └─ ContentRejected     content_rejected      moderation refused the prompt, picture or clip
│  ├─ Throttled              throttled             too many requests; wanvideo waits by itself
│  ├─ ProviderUnavailable    provider_unavailable  5xx, reset, unreadable answer; asked again by itself
│  ├─ NotDelivered           not_delivered         the request never left this machine
│  ├─ SubmitUncertain        submit_uncertain      the request left, no answer came: it may have been billed
│  ├─ ProviderFailed         provider_failed       the provider's own trouble ended the task; not billed
│  ├─ TaskExpired            task_expired          the provider no longer knows the task (24 h)
│  ├─ ResultExpired          result_expired        the clip's link died before it could be stored
│  └─ CancelRefused          cancel_refused        the task already runs and will be billed
├─ ClipInvalid               clip_invalid          the downloaded file is not a readable clip
├─ StorageFailed             storage_failed        the clip could not be written
├─ JobNotFound               job_not_found         no such job in this ledger
├─ JobConflict               job_conflict          the job's state does not allow that
├─ IdempotencyConflict       idempotency_conflict  the same key came with another request
├─ JobCancelled              cancelled             the job was cancelled
├─ WaitTimeout               wait_timeout          you stopped waiting; the job goes on
└─ AuditFailed               audit_failed          a create or a bill cannot be accounted for
"""

from __future__ import annotations

from typing import ClassVar


class WanvideoError(Exception):
    """Base of every error that users see.

    `code` is stable API: the same word in Python, on the command line, over HTTP and in the ledger.
    `retryable` says whether the same call may succeed later without a change.
    `status` is the HTTP status of the problem body, `exit_code` that of the command line.
    """

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Something went wrong"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False
    default_hint: ClassVar[str] = "Run `wanvideo doctor`."

    def __init__(
        self,
        detail: str,
        *,
        field: str | None = None,
        hint: str | None = None,
        job_id: str | None = None,
        task_id: str | None = None,
        request_id: str | None = None,
        provider_code: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.hint = hint or self.default_hint
        self.job_id = job_id
        self.task_id = task_id
        self.request_id = request_id
        self.provider_code = provider_code

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        return f"{where}{self.detail} {self.hint}".rstrip()


class RequestInvalid(WanvideoError):
    code, title, status, exit_code = "invalid_request", "The request breaks the contract", 422, 2
    default_hint = "Correct the field; `wanvideo schema` prints every rule. Nothing was sent."


class ImageInvalid(RequestInvalid):
    code, title = "invalid_image", "The reference picture cannot be used"
    default_hint = "Give a JPEG, PNG, BMP or WEBP file of 240 to 8000 pixels a side and at most 20 MB."


class ModelUnsupported(RequestInvalid):
    code, title = "unsupported_model", "Only wan2.6-i2v-flash is supported"
    default_hint = "Leave `model` out, or write exactly wan2.6-i2v-flash."


class SettingsInvalid(WanvideoError):
    code, title, exit_code = "invalid_settings", "A setting makes no sense", 2
    default_hint = "See docs/settings.md for every setting."


class CostLimitExceeded(WanvideoError):
    code, title, status, exit_code = "cost_limit", "The clip would cost more than you allowed", 402, 5
    default_hint = "Raise the limit, or ask for fewer seconds, 720P or no sound. Nothing was sent."


class ProviderError(WanvideoError):
    """Something between us and the provider. `provider_code` is the vendor's own word, when it gave one."""

    code, title, status, exit_code = "provider_error", "The provider reported an error", 502, 4


class CredentialsMissing(ProviderError):
    code, title, status, exit_code = "credentials_missing", "No DashScope key was found", 401, 3
    default_hint = "Set DASHSCOPE_API_KEY, or use `--provider preview`, which needs no key."


class CredentialsRejected(ProviderError):
    code, title, status, exit_code = "credentials_rejected", "The DashScope key was refused", 401, 3
    default_hint = (
        "Check the key, and that it belongs to the region of the endpoint; `wanvideo doctor` tests both."
    )


class AccessDenied(ProviderError):
    code, title, status, exit_code = "access_denied", "The account may not do this", 403, 3
    default_hint = "Grant the key's workspace access to wan2.6-i2v-flash in the Model Studio console."


class AccountBlocked(ProviderError):
    code, title, status, exit_code = "account_blocked", "The account cannot be billed", 402, 3
    default_hint = (
        "Settle the account or buy the service in the Model Studio console, then `wanvideo jobs retry`."
    )


class ModelNotFound(ProviderError):
    code, title, status, exit_code = "model_not_found", "The endpoint does not know the model", 404, 3
    default_hint = "wan2.6-i2v-flash is served in Beijing and Singapore only; check DASHSCOPE_HTTP_BASE_URL."


class ProviderRefused(ProviderError):
    code, title, status = "provider_refused", "The provider refused the request", 400
    default_hint = (
        "Change what the message names, then `wanvideo jobs retry` or ask again. Refusals are not billed."
    )


class MediaRejected(ProviderRefused):
    code, title = "media_rejected", "The provider could not use the picture or sound"
    default_hint = "Give the picture as a local file; wanvideo uploads it. Refusals are not billed."


class ContentRejected(ProviderRefused):
    code, title = "content_rejected", "Moderation refused the content"
    default_hint = "Change the prompt or the picture. Refusals are not billed."


class Throttled(ProviderError):
    code, title, status, retryable = "throttled", "The provider asks for a slower pace", 429, True
    default_hint = "wanvideo waits and goes on by itself."


class ProviderUnavailable(ProviderError):
    code, title, status, retryable = "provider_unavailable", "The provider did not answer properly", 503, True
    default_hint = "wanvideo asks again by itself."


class NotDelivered(ProviderError):
    code, title, status, retryable = "not_delivered", "The request never reached the provider", 503, True
    default_hint = "Check the network and DASHSCOPE_HTTP_BASE_URL; nothing was billed."


class SubmitUncertain(ProviderError):
    code, title, status, exit_code = "submit_uncertain", "The submit was sent but never answered", 502, 6
    default_hint = (
        "It may have been billed, so it is never sent again blindly. Look with `wanvideo jobs show`."
    )


class ProviderFailed(ProviderError):
    code, title, retryable = "provider_failed", "The provider failed to make the clip", True
    default_hint = "Failed tasks are not billed; try `wanvideo jobs retry`."


class TaskExpired(ProviderError):
    code, title, status = "task_expired", "The provider no longer knows the task", 410
    default_hint = (
        "The provider forgets tasks after 24 hours; `wanvideo jobs retry` makes (and bills) a new one."
    )


class ResultExpired(ProviderError):
    code, title, status = "result_expired", "The clip's link died before it was stored", 410
    default_hint = "The provider keeps clips for 24 hours; `wanvideo jobs retry` makes (and bills) a new one."


class CancelRefused(ProviderError):
    code, title, status = "cancel_refused", "The task can no longer be cancelled", 409
    default_hint = "It runs and will be billed; keep it (the default) or abandon it with `--abandon`."


class ClipInvalid(WanvideoError):
    code, title, status, retryable = "clip_invalid", "The file is not a readable clip", 502, True
    exit_code = 4
    default_hint = "wanvideo downloads it again until the link dies."


class StorageFailed(WanvideoError):
    code, title, status, retryable = "storage_failed", "The clip could not be written", 507, True
    default_hint = "Free some space or fix the folder's rights; wanvideo tries again by itself."


class JobNotFound(WanvideoError):
    code, title, status, exit_code = "job_not_found", "No such job", 404, 2
    default_hint = "`wanvideo jobs list` shows the jobs of this OUTPUT_DIR."


class JobConflict(WanvideoError):
    code, title, status = "job_conflict", "The job's state does not allow that", 409
    default_hint = "`wanvideo jobs show` tells the state of the job."


class IdempotencyConflict(WanvideoError):
    code, title, status, exit_code = "idempotency_conflict", "The key was used for another request", 422, 2
    default_hint = "Use a new key for a new request; the same key only for the very same request."


class JobCancelled(WanvideoError):
    code, title, status, exit_code = "cancelled", "The job was cancelled", 409, 7
    default_hint = "`wanvideo jobs retry` makes it anew."


class WaitTimeout(WanvideoError):
    code, title, status, exit_code, retryable = "wait_timeout", "Still waiting for the clip", 504, 8, True
    default_hint = "The job goes on; pick it up with `wanvideo jobs watch`."


class AuditFailed(WanvideoError):
    code, title, status, exit_code = "audit_failed", "The account and the ledger do not agree", 409, 9
    default_hint = "Look at the lines that are not `ok`; `wanvideo rescue` brings forgotten clips home."


def all_errors(root: type[WanvideoError] = WanvideoError) -> list[type[WanvideoError]]:
    """Every class of the tree, parents first, in the order they are drawn above."""
    found = [root]
    for child in root.__subclasses__():
        found += all_errors(child)
    return found


def by_code(code: str) -> type[WanvideoError]:
    """The class that carries `code`; the base class for a word this version does not know."""
    return next((cls for cls in all_errors() if cls.code == code), WanvideoError)
