"""A process that is to die at a named moment really dies there."""

from __future__ import annotations

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


def test_a_real_run_never_dies() -> None:
    for name in NAMES:
        never(name)


def test_every_name_is_a_moment_in_the_code() -> None:
    folder = Path(wanvideo.jobs.__file__).parent
    used = {
        name for path in folder.glob("*.py") for name in re.findall(r'failpoint\("(\w+)"\)', path.read_text())
    }
    assert used == set(NAMES)
