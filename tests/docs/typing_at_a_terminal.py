"""Running a command as a person does: in a folder, at a terminal, reading what stays on the screen."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .pages import ROOT

_TOKEN = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n]+)")
WANVIDEO = [sys.executable, "-c", "from wanvideo.cli.main import main; main()"]


def plain_place(place: Path) -> dict[str, str]:
    """Make `place` a folder with the example picture and return an environment without key or settings.

    It matters that no setting gets through: with a key, the README's commands would spend money.
    """
    if not (place / "examples").exists():
        (place / "examples").symlink_to(ROOT / "examples")
    return {"PATH": os.environ["PATH"], "HOME": str(place), "TERM": "xterm", "LC_ALL": "C.UTF-8"}


def type_in(arguments: Sequence[str], place: Path) -> tuple[int, list[str]]:
    """Run `wanvideo ARGUMENTS` at a terminal in `place`: the exit code and the lines left on the screen."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [*WANVIDEO, *arguments],
        cwd=place,
        env=plain_place(place),
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
    ) as process:
        os.close(slave)
        told = b""
        with contextlib.suppress(OSError):  # Linux says EIO when the last writer is gone
            while chunk := os.read(master, 65536):
                told += chunk
        os.close(master)
        return process.wait(timeout=60), screen(told.decode())


def screen(told: str) -> list[str]:
    """What is left on a terminal: carriage returns, line erasing and moving up are honoured."""
    lines, row, column = [""], 0, 0
    for numbers, letter, back, down, text in _TOKEN.findall(told):
        if text:
            lines[row] = (
                lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
            ).rstrip()
            column += len(text)
        elif back:
            column = 0
        elif down:
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif letter == "A":
            row = max(0, row - int(numbers or 1))
        elif letter == "K":
            lines[row] = ""
    return [line for line in lines if line]
