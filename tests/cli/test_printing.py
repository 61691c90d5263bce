"""What people read: errors with their way out, and times as a person would say them."""

from __future__ import annotations

import json

import pytest
import typer

from wanvideo.cli.printing import errors_told, seconds
from wanvideo.errors import ImageInvalid, ProviderRefused, WanvideoError, all_errors


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.9, "0 s"), (59.9, "59 s"), (65, "1 min 05 s"), (3599, "59 min 59 s"), (7800, "2 h 10 min")],
)
def test_times_are_said_as_a_person_would(value: float, words: str) -> None:
    assert seconds(value) == words


def test_an_error_says_where_what_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, errors_told(as_json=False):
        raise ImageInvalid("It is a drawing of a sheep.", field="reference_image", hint="Draw a boat.")
    assert left.value.exit_code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        "error: reference_image: It is a drawing of a sheep.\n  Draw a boat.\n  [invalid_image]\n"
    )


def test_the_ids_that_a_report_needs_stand_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), errors_told(as_json=False):
        raise ProviderRefused("No.", job_id="j_1", task_id="t-2", request_id="r-3")
    assert capsys.readouterr().err.endswith("[provider_refused; job j_1, task t-2, request r-3]\n")


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_is_one_object_with_its_exit_code(
    kind: type[WanvideoError], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as left, errors_told(as_json=True):
        raise kind("Why.")
    told = capsys.readouterr()
    body = json.loads(told.out)
    assert told.err == ""
    assert (body["code"], body["detail"], body["status"]) == (kind.code, "Why.", kind.status)
    assert left.value.exit_code == kind.exit_code > 0
