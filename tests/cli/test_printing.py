"""What people read: errors with their way out, and times as a person would say them."""

from __future__ import annotations

import io
import json
import sys
from decimal import Decimal

import pytest
import typer
import typer.main

from wanvideo.cli.main import app
from wanvideo.cli.printing import (
    as_called,
    errors_told,
    out,
    out_json,
    out_table,
    prepare_streams,
    say,
    seconds,
    yuan,
)
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


@pytest.mark.parametrize(
    ("called", "spelt"),
    [("./wanvideo", "./wanvideo"), ("/opt/my clone/wanvideo", "'/opt/my clone/wanvideo'"), ("", "wanvideo")],
)
def test_commands_are_spelt_as_the_user_calls_them(
    called: str, spelt: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANVIDEO_COMMAND", called)
    say("left.\n  pick it up:   wanvideo jobs watch j_1")
    out("Run `wanvideo doctor`, or `wanvideo jobs list`.")
    told = capsys.readouterr()
    assert told.err == f"left.\n  pick it up:   {spelt} jobs watch j_1\n"
    assert told.out == f"Run `{spelt} doctor`, or `{spelt} jobs list`.\n"


def test_no_command_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANVIDEO_COMMAND", "./wanvideo")
    for name in getattr(typer.main.get_command(app), "commands", {}):
        assert as_called(f"Run `wanvideo {name}`.") == f"Run `./wanvideo {name}`."


def test_a_table_is_aligned_and_its_last_column_may_be_of_any_length(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out_table(("name", "cost", "why"), [("a", "¥1.20", ""), ("long", "-", "because " * 3)], right=("cost",))
    assert capsys.readouterr().out.splitlines() == [
        "name   cost  why",
        "a     ¥1.20",
        "long      -  because because because",
    ]


def test_money_is_told_to_the_fen() -> None:
    assert (yuan(Decimal("1.2")), yuan(0.333333), yuan(12)) == ("¥1.20", "¥0.33", "¥12.00")


@pytest.mark.parametrize(
    "text",
    [
        "/home/ada/output/ai-video-wan-video/videos/clip.mp4",
        "/home/ada/my wanvideo jobs/clip.mp4",
        "/home/ada/wanvideo/jobs",
        "wanvideo waits and goes on by itself.",
        "wanvideo jobsite",
        "pip install wanvideo",
    ],
)
def test_everything_else_with_that_word_is_left_alone(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANVIDEO_COMMAND", "./wanvideo")
    assert as_called(text) == text


def test_a_program_reads_the_same_words_however_it_was_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANVIDEO_COMMAND", "./wanvideo")
    out_json({"hint": "Run `wanvideo doctor`."})
    assert json.loads(capsys.readouterr().out) == {"hint": "Run `wanvideo doctor`."}


@pytest.mark.parametrize(("encoding", "raw"), [("utf-8", "¥1 推近"), ("ascii", "\\u00a51 \\u63a8\\u8fd1")])
def test_json_stays_json_in_every_encoding(encoding: str, raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    prepare_streams()
    out_json({"text": "¥1 推近"})
    told = written.getvalue().decode(encoding)
    assert raw in told
    assert json.loads(told) == {"text": "¥1 推近"}


def test_words_that_nobody_can_read_stop_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    say("still waiting")
