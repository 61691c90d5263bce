"""The table of commands; words it cannot read; and the ends that are nobody's fault."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from wanvideo import __version__
from wanvideo.cli import generate
from wanvideo.cli import main as main_module
from wanvideo.cli.main import app, main, run

WANVIDEO = [sys.executable, "-m", "wanvideo"]
FULL = Path("/dev/full")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """The lines that a command line which cannot be read is answered with."""
    assert run(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    return told.err.splitlines()


def typed(*words: str, stdout: Any = subprocess.PIPE, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*WANVIDEO, *words],
        env={"PATH": os.environ["PATH"], **env},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )


def test_help_lists_the_commands_and_tells_where_to_start() -> None:
    told = CliRunner().invoke(app, ["--help"]).stdout
    assert 'wanvideo generate "slow push in" --image photo.jpg' in told
    for command in (
        "generate",
        "estimate",
        "jobs",
        "audit",
        "rescue",
        "spend",
        "doctor",
        "schema",
        "emulator",
    ):
        assert f"\n  {command} " in told


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"wanvideo {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said", "todo"),
    [
        ("generate x --durration 3", "--durration: There is no such option.", "Did you mean --duration?"),
        ("generate x -duration 3", "-duration: There is no such option.", "Did you mean --duration?"),
        ("generate x --neg blur", "--neg: There is no such option.", "Did you mean --negative-prompt?"),
        (
            "generate --prompt x",
            "--prompt: There is no such option.",
            'The prompt is the first argument: `wanvideo generate "slow push in" --image photo.jpg`.',
        ),
        (
            "generate slow push in",
            "prompt: There are words after the prompt: 'push in'.",
            'Put the prompt in quotes: `wanvideo generate "slow push in" --image photo.jpg`.',
        ),
        (
            "generate boats boat.png",
            "--image: 'boat.png' stands alone.",
            'Name a picture so: `wanvideo generate "slow push in" --image boat.png`.',
        ),
        (
            "generate x --image",
            "--image: It needs a value.",
            "`wanvideo generate --help` lists what it takes.",
        ),
        (
            "generate x --audio=1",
            "--audio: It takes no value.",
            "`wanvideo generate --help` lists what it takes.",
        ),
        ("jobs show", "ID: It is missing.", "`wanvideo jobs show --help` lists what it takes."),
        (
            "jobs show a b",
            "There are more words than it takes: 'b'.",
            "`wanvideo jobs show --help` lists what it takes.",
        ),
        (
            "jobs list --limit 0",
            "--limit: Input should be greater than or equal to 1.",
            "`wanvideo jobs list --help` lists what it takes.",
        ),
        ("genrate", "There is no command 'genrate'.", "Did you mean `wanvideo generate`?"),
        ("jobs lst", "There is no command 'lst'.", "Did you mean `wanvideo jobs list`?"),
        ("frobnicate", "There is no command 'frobnicate'.", "`wanvideo --help` lists what it takes."),
        (
            "--limit jobs list",
            "--limit: There is no such option.",
            "Options stand behind the command; `wanvideo --help` lists the commands.",
        ),
    ],
)
def test_words_that_cannot_be_read_are_answered_with_the_nearest_right_ones(
    words: str, said: str, todo: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, *words.split()) == [f"error: {said}", f"  {todo}", "  [invalid_request]"]


def test_a_prompt_without_a_command_is_recognised(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "a boat sails")[1] == (
        '  To make a clip: `wanvideo generate "slow push in" --image photo.jpg`.'
    )


@pytest.mark.parametrize(
    ("words", "field", "hint"),
    [
        ("generate push --json --durration 99", "--durration", "Did you mean --duration?"),
        ("jobs list --json --limit x", "--limit", "`wanvideo jobs list --help` lists what it takes."),
        ("jobs show --json", "ID", "`wanvideo jobs show --help` lists what it takes."),
        ("--json genrate", "--json", None),
        ("genrate --json", None, "Did you mean `wanvideo generate`?"),
    ],
)
def test_a_program_gets_one_object_for_them_too(
    words: str, field: str | None, hint: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words.split()) == 2
    told = capsys.readouterr()
    body = json.loads(told.out)
    assert told.err == ""
    assert (body["code"], body["field"]) == ("invalid_request", field)
    assert body["detail"]
    assert hint is None or body["hint"] == hint


def test_a_group_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jobs"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("Usage: wanvideo jobs ")
    assert "\n  resolve " in told.err


def test_python_m_wanvideo_is_the_command() -> None:
    ran = typed("--version")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"wanvideo {__version__}\n", "")


@pytest.mark.parametrize("sent", [False, True], ids=["nothing was sent", "something was"])
def test_ctrl_c_before_there_is_a_job_is_one_line(
    sent: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(generate, "_given", pressed)
    monkeypatch.setattr(sys, "argv", ["wanvideo", "generate", "x"])
    monkeypatch.delitem(sys.modules, "dashscope", raising=False)
    if sent:
        monkeypatch.setitem(sys.modules, "dashscope", main_module)
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as left:
            main()
    finally:
        signal.signal(signal.SIGINT, before)
    told = capsys.readouterr()
    assert (left.value.code, told.out) == (130, "")
    assert told.err == (
        "left; what was begun goes on: `wanvideo jobs list` shows it\n"
        if sent
        else "left; nothing was sent\n"
    )


def test_a_hint_is_spelt_as_the_user_called_it() -> None:
    ran = typed("jobs", "show", WANVIDEO_COMMAND="./wanvideo")
    assert "  `./wanvideo jobs show --help` lists what it takes.\n" in ran.stderr
    assert typed("estimate", WANVIDEO_COMMAND="./wanvideo").returncode == 0, "it counts as a misspelt setting"


def test_ctrl_c_while_the_program_is_loaded_is_the_same_line() -> None:
    """The finder stands for somebody who is quick: it presses when the command line is looked for."""
    quick = """
import runpy, sys
class Quick:
    def find_spec(self, name, path=None, target=None):
        if name == "wanvideo.cli.main":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Quick())
runpy.run_module("wanvideo", run_name="__main__")
"""
    ran = subprocess.run([sys.executable, "-c", quick], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "left; nothing was sent\n")


ASCII = [
    pytest.param({"PYTHONIOENCODING": "ascii"}, id="PYTHONIOENCODING"),
    pytest.param({"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, id="POSIX"),
]


@pytest.mark.parametrize("env", ASCII)
def test_a_stdout_without_a_yuan_sign_gets_the_answer_all_the_same(env: dict[str, str]) -> None:
    ran = typed("estimate", **env)
    assert (ran.returncode, ran.stdout) == (0, "\\xa51.20\n")
    assert "Traceback" not in ran.stderr


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", ["estimate", "estimate --json", "schema", "--help", "--version"])
def test_an_answer_that_cannot_be_written_is_one_line(words: str) -> None:
    with FULL.open("w") as full:
        ran = typed(*words.split(), stdout=full)
    assert ran.returncode == 1
    last = ran.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert last.endswith("No space left on device")
    assert "Traceback" not in ran.stderr
    assert len(ran.stderr.splitlines()) == (2 if words == "estimate" else 1)


def test_a_reader_who_has_read_enough_is_no_trouble() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ran = typed("schema", stdout=writer)
    finally:
        os.close(writer)
    assert (ran.returncode, ran.stderr) == (1, "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "2>/dev/full", ">&- 2>&-"])
def test_a_closed_stream_is_no_trouble(closed: str) -> None:
    ran = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *WANVIDEO, "estimate"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0
    assert "Traceback" not in ran.stderr


def test_the_schema_is_json_schema_with_the_defaults_in_it() -> None:
    schema = json.loads(CliRunner().invoke(app, ["schema"]).stdout)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["additionalProperties"] is False
    fields = schema["properties"]
    assert (fields["duration"]["default"], fields["fps"]["default"], fields["size"]["default"]) == (
        4,
        24,
        "1280*720",
    )
    result = json.loads(CliRunner().invoke(app, ["schema", "--result"]).stdout)
    assert list(result["properties"])[:4] == ["video_url", "duration", "fps", "seed"]


def test_the_emulator_has_its_own_help() -> None:
    result = CliRunner().invoke(app, ["emulator", "--help"])
    assert result.exit_code == 0
