"""Trouble on order: a compact grammar, and the plan that says which request meets which fault."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from wanvideo_emulator.codes import CODES

GRAMMAR = """\
A fault is WHERE:WHAT[=VALUE][+SKIP][*TIMES][@CHANCE], for example
  submit:drop*1   poll:503@0.2   download:truncate*2   task:fail=InternalError.Algo+1*1
Without *TIMES it hits every request, without @CHANCE always; +SKIP lets that many requests pass first.
A request meets the first armed fault that matches it, and only that one.

WHERE submit, poll, list, cancel, policy:
  drop           do the work, then close the connection without an answer (submit: the task runs and bills)
  drop-before    read the request, then close the connection; nothing is done
  reset          as drop, but with a TCP reset
  429 500 502 503 504   answer with that status; nothing is done
  html502        a gateway's HTML page with status 502; nothing is done
  code=CODE      refuse with that vendor code, its own HTTP status and words
  code200[=CODE] status 200 with a top-level code and no output; nothing is done
  badjson        do the work, then answer half a JSON document
  empty          do the work, then answer 200 with "output": null
  slow=SECONDS   do the work, then answer that late
WHERE submit also:
  500-created 502-created 503-created 504-created html502-created   make the task, then answer so
WHERE poll also:
  unknown        this poll says UNKNOWN although the task lives (not visible yet)
WHERE upload, the form POST of a file:
  drop drop-before reset slow=SECONDS   as above
  403 429 500 502 503 504               answer so, in the storage's XML; nothing is stored
WHERE task, met by a create:
  fail=CODE      the task ends FAILED with that code and its words
  stuck          it runs for ever (3 h, then InternalError.Timeout)
  pending        it never starts
  unknown        every poll says UNKNOWN; it still runs and bills
  nourl          it ends SUCCEEDED without a video_url
WHERE download:
  truncate       half the promised bytes, then the connection closes
  reset          half the promised bytes, then a TCP reset
  short          a clean 200 of half the file
  corrupt        the right length, wrong bytes in the middle
  norange        Range is ignored
  slow=SECONDS   spread over that time
  403 404 500 503
"""

_ANSWERS = {"429", "500", "502", "503", "504", "html502"}
_COMMON = _ANSWERS | {"drop", "drop-before", "reset", "code", "code200", "badjson", "empty", "slow"}
STORAGE_ANSWERS = {"403", "429", "500", "502", "503", "504"}
ACTIONS: dict[str, set[str]] = {
    "submit": _COMMON | {f"{status}-created" for status in _ANSWERS - {"429"}},
    "poll": _COMMON | {"unknown"},
    "list": _COMMON,
    "cancel": _COMMON,
    "policy": _COMMON,
    "upload": {"drop", "drop-before", "reset", "slow"} | STORAGE_ANSWERS,
    "task": {"fail", "stuck", "pending", "unknown", "nourl"},
    "download": {"truncate", "short", "corrupt", "reset", "norange", "slow", "403", "404", "500", "503"},
}
BEFORE = _ANSWERS | {"drop-before", "code", "code200"}
"""Actions that keep the work from being done."""

_SPEC = re.compile(
    r"(?P<where>[a-z]+):(?P<action>[a-z0-9-]+)(=(?P<value>[^+*@]+))?"
    r"(\+(?P<skip>\d+))?(\*(?P<times>\d+))?(@(?P<chance>\d*\.?\d+))?"
)


class BadFault(ValueError):
    """A fault spec that says nothing this emulator can do."""


@dataclass(frozen=True)
class Fault:
    """One fault as written. `value` is the code or the seconds, empty when there is none."""

    spec: str
    where: str
    action: str
    value: str = ""
    skip: int = 0
    times: int | None = None
    chance: float = 1.0

    @property
    def seconds(self) -> float:
        return float(self.value)


def parse(spec: str) -> Fault:
    """Read one spec. Raises BadFault that names what is wrong."""
    match = _SPEC.fullmatch(spec.strip())
    if match is None:
        raise BadFault(f"cannot read the fault {spec!r}; it is WHERE:WHAT[=VALUE][+SKIP][*TIMES][@CHANCE]")
    where, action, value = match["where"], match["action"], match["value"] or ""
    if where not in ACTIONS:
        raise BadFault(f"{spec!r}: no place {where!r}; places: {', '.join(sorted(ACTIONS))}")
    if action not in ACTIONS[where]:
        raise BadFault(f"{spec!r}: {where} cannot {action!r}; it can: {', '.join(sorted(ACTIONS[where]))}")
    if action in {"code", "fail"} and value not in CODES:
        raise BadFault(f"{spec!r}: unknown code {value!r}; codes: {', '.join(sorted(CODES))}")
    if action == "code200" and value and value not in CODES:
        raise BadFault(f"{spec!r}: unknown code {value!r}")
    if action == "slow" and not re.fullmatch(r"\d+(\.\d+)?", value):
        raise BadFault(f"{spec!r}: slow needs seconds, as in {where}:slow=30")
    return Fault(
        spec=spec.strip(),
        where=where,
        action=action,
        value=value,
        skip=int(match["skip"] or 0),
        times=int(match["times"]) if match["times"] else None,
        chance=float(match["chance"] or 1.0),
    )


class FaultPlan:
    """The armed faults and how often each has been met."""

    def __init__(self, specs: tuple[str, ...], draws: random.Random) -> None:
        self._draws = draws
        self._faults: list[Fault] = []
        self._seen: list[int] = []
        self._met: list[int] = []
        for spec in specs:
            self.add(spec)

    def add(self, spec: str) -> Fault:
        fault = parse(spec)
        self._faults.append(fault)
        self._seen.append(0)
        self._met.append(0)
        return fault

    def clear(self) -> None:
        self._faults, self._seen, self._met = [], [], []

    def take(self, where: str) -> Fault | None:
        """The fault that this request meets, counted; None for a quiet request."""
        for index, fault in enumerate(self._faults):
            if fault.where != where or (fault.times is not None and self._met[index] >= fault.times):
                continue
            self._seen[index] += 1
            if self._seen[index] <= fault.skip or self._draws.random() >= fault.chance:
                continue
            self._met[index] += 1
            return fault
        return None

    def report(self) -> list[dict[str, object]]:
        return [{"spec": fault.spec, "met": met} for fault, met in zip(self._faults, self._met, strict=True)]
