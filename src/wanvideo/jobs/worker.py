"""Who holds a lease. A worker's name tells others on the same machine whether it still lives."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Worker:
    """One process: `place` is this boot of this machine and its process namespace, `born` its start time."""

    place: str
    pid: int
    born: str

    @property
    def name(self) -> str:
        return f"{self.place}:{self.pid}:{self.born}"


def this_worker() -> Worker:
    """The running process."""
    return Worker(_place(), os.getpid(), _born(os.getpid()) or "0")


def dead(names: Iterable[str], here: Worker) -> set[str]:
    """The workers of this very place whose process is gone; of other machines nothing can be said.

    A pid that was given to a newer process counts as gone: its start time differs.
    """
    gone = set()
    for name in names:
        place, _, rest = name.partition(":")
        pid, _, born = rest.partition(":")
        if place and place == here.place and pid.isdigit() and _born(int(pid)) != born:
            gone.add(name)
    return gone


def _place() -> str:
    """Boot id and pid namespace; empty where the system has no /proc, and then nobody is called dead."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        space = (_PROC / "self/ns/pid").readlink().name
    except OSError:
        return ""
    return f"{boot}/{space.strip('pid:[]')}"


def _born(pid: int) -> str | None:
    """The process's start time in clock ticks since boot, or None when there is no such process."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name may hold spaces and brackets
    return None if fields[0] in ("Z", "X") else fields[19]
