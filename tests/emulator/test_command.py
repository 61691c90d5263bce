"""The command: one flag for each option, one line when it listens, a clean end."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from wanvideo_emulator import Emulator, Options, add_arguments, main, options_from


def parsed(*argv: str) -> Options:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return options_from(parser.parse_args(argv))


def test_no_flags_are_the_defaults() -> None:
    assert parsed() == Options()


def test_every_flag_reaches_its_option() -> None:
    assert parsed(
        "--host=::1", "--port=8123", "--speed=60", "--api-key=sk-a", "--api-key=sk-b=two", "--run-s=55-90",
        "--pending-s=0", "--max-running=2", "--over-concurrency=429", "--submit-per-s=1", "--query-per-s=3",
        "--size-multiple=16", "--missing-field=sync", "--unknown-parameter=refuse", "--unknown-model=400",
        "--fault=submit:drop*1", "--fault=poll:500@0.1", "--list-page-max=7", "--list-lag-s=2",
        "--link-ttl-s=30", "--task-ttl-s=40", "--fetch-timeout-s=3", "--seed=9", "--clips-folder=/tmp/clips",
    ) == Options(
        host="::1", port=8123, speed=60, api_keys=("sk-a", "sk-b=two"), run_s=(55, 90), pending_s=(0, 0),
        max_running=2, over_concurrency="429", submit_per_s=1, query_per_s=3, size_multiple=16,
        missing_field="sync", unknown_parameter="refuse", unknown_model="400",
        faults=("submit:drop*1", "poll:500@0.1"), list_page_max=7, list_lag_s=2, link_ttl_s=30, task_ttl_s=40,
        fetch_timeout_s=3, seed=9, clips_folder=Path("/tmp/clips"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--fault=submit:explode", "cannot 'explode'"),
        ("--speed=0", "speed must be above 0"),
        ("--run-s=90-50", "shortest, longest"),
        ("--run-s=soon", "--run-s: 'soon' is not a time: write 60 or 55-90, seconds"),
        ("--port=99999", "--port: '99999' is not a port: write 0 (any free one) to 65535"),
        ("--port=-1", "--port: '-1' is not a port"),
        ("--prot=8808", "unrecognized arguments: --prot=8808; did you mean --port?"),
        ("--frobnicate", "unrecognized arguments: --frobnicate; `wanvideo emulator --help` lists every flag"),
        ("--port", "--port: expected one argument; `wanvideo emulator --help` lists every flag"),
    ],
)
def test_senseless_flags_are_refused_with_the_reason(
    flag: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([flag])
    assert caught.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    assert line.startswith("error: ")
    assert words in line


def test_help_explains_the_faults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for word in ("submit:drop*1", "task:fail=", "truncate", "/emulator/truth", "DASHSCOPE_HTTP_BASE_URL"):
        assert word in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_and_stops_on_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "wanvideo_emulator", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        base_url = line.split()[-1]
        assert base_url.startswith("http://127.0.0.1:")
        assert base_url.endswith("/api/v1")
        control = base_url.removesuffix("/api/v1") + "/emulator/truth"
        with urllib.request.urlopen(control) as response:
            assert json.load(response)["tasks"] == []
        process.send_signal(number)
        rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest, errors) == (0, "", "")


async def test_a_taken_port_is_said_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    import asyncio

    async with Emulator() as emulator:
        port = emulator.origin.rpartition(":")[2]
        code = await asyncio.to_thread(_main_without_signals, port)
    assert code == 1
    assert "error: cannot listen on 127.0.0.1" in capsys.readouterr().err


def _main_without_signals(port: str) -> int:
    """Signal handlers belong to the main thread; a taken port is found before anybody waits for one."""
    from unittest.mock import patch

    with patch("asyncio.unix_events._UnixSelectorEventLoop.add_signal_handler"):
        return main(["--port", port])
