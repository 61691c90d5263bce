"""An error as JSON, and the same error back again."""

from __future__ import annotations

import json

import pytest

from wanvideo.contract.problem import FIELDS, from_problem, problem
from wanvideo.errors import Throttled, WanvideoError, all_errors


@pytest.mark.parametrize("cls", all_errors(), ids=lambda cls: cls.__name__)
def test_every_error_survives_the_way_through_json(cls: type[WanvideoError]) -> None:
    error = cls(
        "细节 detail.",
        field="size",
        hint="Do this.",
        job_id="j_1",
        task_id="t-1",
        request_id="r-1",
        provider_code="Some.Code",
    )
    back = from_problem(json.loads(json.dumps(problem(error))))
    assert type(back) is cls
    assert {name: getattr(back, name) for name in FIELDS} == {name: getattr(error, name) for name in FIELDS}
    assert str(back) == str(error)
    assert problem(back) == problem(error)


@pytest.mark.parametrize("cls", all_errors(), ids=lambda cls: cls.__name__)
def test_a_bare_error_survives_too(cls: type[WanvideoError]) -> None:
    body = problem(cls("Detail."))
    assert problem(from_problem(body)) == body
    assert body["hint"] == cls.default_hint


def test_the_body_has_the_fields_of_the_standard_and_ours() -> None:
    body = problem(Throttled("Slow down."))
    assert list(body) == [
        "type", "title", "status", "detail", "code", "field", "hint", "retryable", "job_id", "task_id",
        "request_id",
    ]  # fmt: skip
    assert (body["status"], body["code"], body["retryable"]) == (429, "throttled", True)
    assert body["type"].endswith(":throttled")


def test_a_code_of_a_later_version_is_still_an_error() -> None:
    error = from_problem({"code": "from_the_future", "detail": "New."})
    assert (type(error), error.detail) == (WanvideoError, "New.")
    assert from_problem({}).detail == ""
