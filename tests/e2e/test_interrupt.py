"""Ctrl-C: what costs nothing is cancelled, what is paid for is left for later. And the live line."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import threading
import time

from .conftest import OpenDesk
from .desk import Desk, job_id_in, until

SLOW = {"run_s": (8_000, 8_000)}  # eight seconds at the speed of these tests


def test_ctrl_c_while_nothing_was_sent_cancels_for_nothing(wan: Desk) -> None:
    nobody = {"DASHSCOPE_HTTP_BASE_URL": "http://127.0.0.1:9/api/v1"}
    process = wan.start_generate(env=nobody)
    told = ""
    while "could not be reached" not in told:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line, told
        told += line
    process.send_signal(signal.SIGINT)
    left = wan.finish(process)

    assert (left.code, left.stdout) == (130, "")
    job_id = job_id_in(told)
    assert f"cancelled; nothing was billed. Make it after all: wanvideo jobs retry {job_id}" in left.stderr
    assert wan.job().state == "cancelled"
    assert wan.nothing_was_sent()


def test_ctrl_c_while_it_is_made_leaves_it_and_watch_brings_it_home(open_desk: OpenDesk) -> None:
    desk = open_desk(**SLOW)
    process = desk.start_generate()
    until(lambda: [task["status"] for task in desk.truth()["tasks"]] == ["RUNNING"])
    process.send_signal(signal.SIGINT)
    left = desk.finish(process, timeout_s=10)

    assert (left.code, left.stdout) == (130, "")
    job_id = job_id_in(left.stderr)
    assert "left; the clip goes on at the provider and will be billed (¥0.30)." in left.stderr
    assert f"pick it up within 24 hours: wanvideo jobs watch {job_id}" in left.stderr
    assert desk.job().state == "running"

    assert desk.run("jobs", "watch", job_id).succeeded().path.exists()
    assert len(desk.truth()["creates"]) == 1
    assert desk.paid_once()


def test_ctrl_c_twice_leaves_at_once_and_still_pays_once(open_desk: OpenDesk) -> None:
    desk = open_desk(faults=("submit:slow=30*1",))
    process = desk.start_generate()
    until(lambda: desk.truth()["creates"])
    process.send_signal(signal.SIGINT)  # the answer to the POST is money: it is waited for
    time.sleep(1)
    assert process.poll() is None
    pressed_s = time.monotonic()
    process.send_signal(signal.SIGINT)
    left = desk.finish(process)
    assert time.monotonic() - pressed_s < 2
    assert left.code == 130
    job_id = job_id_in(left.stderr.split("left at once.")[1])

    desk.watch(job_id)
    assert len(desk.truth()["creates"]) == 1
    assert desk.paid_once()


class Terminal:
    """A pseudo-terminal of 100 columns that keeps everything a program writes on it."""

    def __init__(self) -> None:
        self.ours, self.theirs = pty.openpty()
        self._pieces: list[bytes] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self.ours, 4096)
            except OSError:  # the last program on it has gone
                return
            self._pieces.append(piece)

    def close(self) -> str:
        """What was written, after the programs on it have ended."""
        os.close(self.theirs)
        self._reader.join()
        os.close(self.ours)
        return b"".join(self._pieces).decode()


def shown_lines(written: str) -> list[str]:
    """Every state the live line was in, without the codes that move and colour it."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)
    lines = (re.sub(r"^\W+", "", line).strip() for line in re.split(r"[\r\n]+", plain))
    return [line for line in dict.fromkeys(lines) if line]


def on_terminal(desk: Desk, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, and what was on the terminal."""
    screen = Terminal()
    size = {"COLUMNS": "100", "LINES": "30", "TERM": "xterm-256color"}
    process = desk.start_generate(*arguments, env=size, stderr=screen.theirs, stdin=screen.theirs)
    try:
        stdout, _ = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    finally:
        written = screen.close()
    return process.returncode, stdout, written


def test_the_live_line_shows_state_time_outlook_and_cost_and_never_a_percentage(open_desk: OpenDesk) -> None:
    desk = open_desk(run_s=(4_000, 4_000))
    code, stdout, written = on_terminal(desk)
    assert code == 0
    assert stdout.endswith(".mp4\n")
    lines = shown_lines(written)
    made = [line for line in lines if line.startswith("being made")]
    assert re.fullmatch(r"being made · \d s · usually about 75 s · ¥0.30", made[0]), made
    assert len(made) >= 3, "the time goes on"
    assert "%" not in "".join(lines)
    assert lines[-1].startswith("2 s, 24 fps, 320*240, seed 7, ¥0.30, wan2.6-i2v-flash, job j_")


def test_a_preview_knows_how_far_it_is(desk: Desk) -> None:
    code, _, written = on_terminal(desk, "--size", "1280*720", "--duration", "4")
    assert code == 0
    assert any(re.search(r"being made · \d+ s · \d+% rendered", line) for line in shown_lines(written)), (
        written
    )
