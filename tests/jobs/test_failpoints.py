"""A process that is to die at a named moment really dies there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import wanvideo.jobs
from wanvideo.jobs.failpoints import NAMES, never


def test_the_process_is_killed_at_the_chosen_moment_only() -> None:
    code = (
        "from wanvideo.jobs.failpoints import dies_at; f = dies_at('b');"
        "f('a'); print('past a', flush=True); f('b'); print('past b')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == "past a\n"


def test_a_process_can_pass_the_moment_a_few_times_or_be_stopped_there() -> None:
    code = (
        "from wanvideo.jobs.failpoints import dies_at; f = dies_at('stop:b+1');"
        "f('b'); print('past b', flush=True); f('b'); print('woken', flush=True); f('b')"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert process.stdout is not None
        assert process.stdout.readline() == "past b\n"
        process.send_signal(signal.SIGCONT)
        assert process.stdout.read() == "woken\n"
    assert process.returncode == 0


def test_a_real_run_never_dies() -> None:
    for name in NAMES:
        never(name)


def test_every_name_is_a_moment_in_the_code() -> None:
    folder = Path(wanvideo.jobs.__file__).parent
    used = {
        name for path in folder.glob("*.py") for name in re.findall(r'failpoint\("(\w+)"\)', path.read_text())
    }
    assert used == set(NAMES)
