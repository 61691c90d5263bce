"""Runs a command while holding a lock file: `python hold_lock.py FILE NOTE COMMAND...`.

The lock belongs to the kernel, so it is free again however the command ends; none can go stale. Prints
NOTE when it has to wait. This is Python and not flock(1), which macOS lacks.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys


def main() -> None:
    path, note, *command = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the wait without a traceback
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(note, file=sys.stderr, flush=True)
        fcntl.flock(handle, fcntl.LOCK_EX)
    os.set_inheritable(handle, True)  # the command keeps it, and its children
    os.execvp(command[0], command)  # noqa: S606 -- setup.sh hands the command in


main()
