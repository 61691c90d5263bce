"""Each vendor code becomes the error that tells the user what to do."""

from __future__ import annotations

import pytest

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
from wanvideo.providers.dashscope.faults import FAULTS, from_reply, from_task
from wanvideo_emulator.codes import CODES

DOCUMENTED: list[tuple[str, type[ProviderError], bool]] = [
    ("InvalidParameter", ProviderRefused, False),
    ("InvalidParameter.DataInspection", MediaRejected, False),
    ("DataInspectionFailed", ContentRejected, False),
    ("IPInfringementSuspect", ContentRejected, False),
    ("InvalidURL", MediaRejected, False),
    ("InvalidURL.ConnectionRefused", MediaRejected, True),
    ("InvalidURL.Timeout", MediaRejected, True),
    ("InvalidImage.FileFormat", MediaRejected, False),
    ("InvalidImageFormat", MediaRejected, False),
    ("InvalidImageResolution", MediaRejected, False),
    ("InvalidImage.ImageSize", MediaRejected, False),
    ("BadRequest.EmptyInput", ProviderRefused, False),
    ("BadRequest.EmptyParameters", ProviderRefused, False),
    ("BadRequest.EmptyModel", ProviderRefused, False),
    ("BadRequest.IllegalInput", ProviderRefused, False),
    ("BadRequest.TooLarge", MediaRejected, False),
    ("BadRequest.InputDownloadFailed", MediaRejected, True),
    ("Arrearage", AccountBlocked, False),
    ("UnsupportedOperation", CancelRefused, False),
    ("InvalidApiKey", CredentialsRejected, False),
    ("NOT AUTHORIZED", AccessDenied, False),
    ("AccessDenied", AccessDenied, False),
    ("AccessDenied.Unpurchased", AccountBlocked, False),
    ("Model.AccessDenied", AccessDenied, False),
    ("Workspace.AccessDenied", AccessDenied, False),
    ("AllocationQuota.FreeTierOnly", AccountBlocked, False),
    ("ModelNotFound", ModelNotFound, False),
    ("WorkSpaceNotFound", AccessDenied, False),
    ("NotFound", ModelNotFound, False),
    ("Conflict", ProviderRefused, False),
    ("Throttling", Throttled, True),
    ("Throttling.RateQuota", Throttled, True),
    ("Throttling.BurstRate", Throttled, True),
    ("Throttling.AllocationQuota", Throttled, True),
    ("CommodityNotPurchased", AccountBlocked, False),
    ("PrepaidBillOverdue", AccountBlocked, False),
    ("PostpaidBillOverdue", AccountBlocked, False),
    ("InternalError", ProviderUnavailable, True),
    ("InternalError.Algo", ProviderUnavailable, True),
    ("SystemError", ProviderUnavailable, True),
    ("ModelServiceFailed", ProviderUnavailable, True),
    ("RequestTimeOut", ProviderUnavailable, True),
    ("RewriteFailed", ProviderUnavailable, True),
    ("InternalError.Upload", ProviderUnavailable, True),
    ("InternalError.FileUpload", ProviderUnavailable, True),
    ("InternalError.Timeout", ProviderUnavailable, True),
    ("ModelServingError", ProviderUnavailable, True),
    ("ModelUnavailable", ProviderUnavailable, True),
]


@pytest.mark.parametrize(("code", "error", "passing"), DOCUMENTED)
def test_every_documented_code_has_its_error(code: str, error: type[ProviderError], passing: bool) -> None:
    told = from_reply(CODES[code][0], code, "It did not work", "r-1")
    assert type(told) is error
    assert (told.provider_code, told.request_id) == (code, "r-1")
    assert told.detail == "It did not work."
    task = from_task(code, "It did not work", request_id="r-1", task_id="t-1")
    assert task.passing is passing
    assert not isinstance(task.error, Throttled | ProviderUnavailable | CancelRefused)
    assert (task.error.provider_code, task.error.task_id) == (code, "t-1")


def test_the_emulator_knows_no_code_that_is_not_in_the_table() -> None:
    assert set(CODES) <= set(FAULTS)
    assert {code for code, _, _ in DOCUMENTED} <= set(CODES)


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        ("InvalidParameter", "Model not exist.", ModelNotFound),
        ("InvalidParameter", "url error, please check url!", ModelNotFound),
        ("Throttling.AllocationQuota", "Free allocated quota exceeded.", AccountBlocked),
        ("Throttling.SomethingNew", "Slow down", Throttled),
        ("InternalError.SomethingNew", "Oops", ProviderUnavailable),
        ("DataInspectionFailed.Output", "No", ContentRejected),
    ],
)
def test_the_message_and_the_family_refine_the_code(
    code: str, message: str, error: type[ProviderError]
) -> None:
    assert type(from_reply(400, code, message)) is error


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "Unheard", ProviderRefused),
        (401, "Unheard", CredentialsRejected),
        (402, "Unheard", AccountBlocked),
        (403, "Unheard", AccessDenied),
        (404, "Unheard", ProviderRefused),
        (429, "Unheard", Throttled),
        (500, "Unheard", ProviderUnavailable),
        (200, "Unheard", ProviderUnavailable),
        (500, "InvalidParameter", ProviderUnavailable),
        (403, None, ProviderRefused),
        (404, None, ProviderRefused),
        (407, None, NotDelivered),
        (408, None, ProviderUnavailable),
        (429, None, Throttled),
        (302, None, ProviderUnavailable),
        (502, None, ProviderUnavailable),
    ],
)
def test_an_unknown_code_is_judged_by_the_status(
    status: int, code: str | None, error: type[ProviderError]
) -> None:
    told = from_reply(status, code, None)
    assert type(told) is error
    assert str(status) in told.detail


def test_a_wrong_endpoint_is_called_by_its_name() -> None:
    assert "DASHSCOPE_HTTP_BASE_URL" in str(from_reply(404, None, None))
    assert "DASHSCOPE_WORKSPACE_ID" in str(from_reply(404, "WorkSpaceNotFound", "no"))


@pytest.mark.parametrize(
    ("code", "message", "field"),
    [
        ("InvalidParameter", "Field required: input.img_url", "reference_image"),
        ("InvalidParameter", "parameters.duration is out of range", "duration"),
        ("InvalidURL", "The audio is longer than 30 s", "wan.audio_url"),
        ("InvalidURL", "File size is larger than 15MB", "wan.audio_url"),
        ("InvalidURL", "make sure the url is correct and is an image.", "reference_image"),
        ("DataInspectionFailed", "Input data may contain inappropriate content.", None),
    ],
)
def test_a_refusal_names_our_field(code: str, message: str, field: str | None) -> None:
    assert from_reply(400, code, message).field == field
    assert from_task(code, message).error.field == field


@pytest.mark.parametrize(
    ("code", "message", "parameter"),
    [
        ("InvalidParameter", "Unknown parameter: parameters.fps", "fps"),
        ("InvalidParameter", "The size is not match xxxxxx", "size"),
        ("InvalidParameter", "motion_strength: unexpected", "motion_strength"),
        ("InvalidParameter", "Field required: input.prompt", None),
        ("InvalidParameter.DataInspection", "the size is wrong", None),
        ("InternalError", "fps", None),
        (None, "fps", None),
    ],
)
def test_a_task_that_blames_size_fps_or_motion_strength_says_so(
    code: str | None, message: str, parameter: str | None
) -> None:
    told = from_task(code, message)
    assert told.rejected_parameter == parameter
    assert parameter is None or told.error.field == parameter


def test_an_unable_download_may_work_at_the_next_try_and_a_missing_file_will_not() -> None:
    code = "InvalidParameter.DataInspection"
    assert from_task(
        code, "Unable to download the media resource during the data inspection process."
    ).passing
    assert not from_task(code, "Failed to find the requested media resource").passing


def test_a_failure_without_a_code_is_still_told() -> None:
    told = from_task(None, None, task_id="t")
    assert type(told.error) is ProviderFailed
    assert told.error.detail == "The task failed."
    assert not told.passing


def test_the_vendors_words_are_freed_of_secrets_and_kept_short() -> None:
    told = from_reply(400, "InvalidURL", "see https://h/x.mp4?Signature=abc\nsk-0123456789 " + "x" * 900)
    assert "Signature" not in told.detail
    assert "0123456789" not in told.detail
    assert "\n" not in told.detail
    assert len(told.detail) <= 601
