"""What a torture run does to the workers and to the provider, drawn from one seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from wanvideo.jobs.failpoints import NAMES

LEASE_S: Final = 4.0
SUBMIT_TIMEOUT_S, CONNECT_TIMEOUT_S = 3.0, 0.7
SETTINGS: Final = {
    "WANVIDEO_LEASE": f"{LEASE_S:g}",
    "WANVIDEO_ABSENCE_GAP": "2",
    "WANVIDEO_SUBMIT_TIMEOUT": f"{SUBMIT_TIMEOUT_S:g}",
    "WANVIDEO_CONNECT_TIMEOUT": f"{CONNECT_TIMEOUT_S:g}",
    "WANVIDEO_QUERY_TIMEOUT": "5",
    "WANVIDEO_TRANSFER_TIMEOUT": "5",
}
"""Those of the workers: everything that is waited for is over within seconds. The pace is the product's own:
5 tasks at once, 5 creates and 15 queries a second."""

FAULTS: Final = (
    # a create: no answer, a wrong one, or a late one, with and without a task behind it
    "submit:drop@0.03", "submit:reset@0.02", "submit:500-created@0.02", "submit:html502-created@0.01",
    "submit:badjson@0.01", "submit:empty@0.01", f"submit:slow={2 * SUBMIT_TIMEOUT_S:g}@0.01",
    "submit:slow=2@0.03", "submit:drop-before@0.02", "submit:500@0.01", "submit:503@0.01",
    "submit:html502@0.01", "submit:429@0.02",
    "task:fail=InternalError.Algo@0.03", "task:fail=InternalError.Upload@0.02",
    "poll:429@0.005", "poll:500@0.03", "poll:503@0.03", "poll:html502@0.03", "poll:badjson@0.03",
    "poll:reset@0.03", "poll:drop@0.03", "poll:unknown@0.04", "poll:slow=1@0.03",
    "list:429@0.005", "list:503@0.05", "list:drop@0.05", "list:badjson@0.05", "list:html502@0.03",
    "cancel:503@0.2", "cancel:drop@0.1",
    "policy:500@0.03", "policy:reset@0.03", "upload:drop@0.04", "upload:503@0.04", "upload:reset@0.04",
    "download:truncate@0.06", "download:reset@0.05", "download:short@0.04", "download:corrupt@0.05",
    "download:norange@0.05", "download:503@0.05", "download:slow=1@0.04",
)  # fmt: skip

RARE: Final = (
    "submit:drop*1", "submit:reset*1", "submit:500-created*1", "submit:html502-created*1", "submit:badjson*1",
    "submit:empty*1", f"submit:slow={2 * SUBMIT_TIMEOUT_S:g}*1", "submit:drop-before*1", "submit:500*1",
    "submit:503*1", "submit:html502*1", "submit:429*1", "cancel:503*1", "cancel:drop*1", "policy:500*1",
    "policy:reset*1", "upload:drop*1", "upload:503*1", "upload:reset*1", "task:fail=InternalError.Algo*1",
)  # fmt: skip
"""Armed beside the others one after the other, so that even a short run meets many, and a long one all."""
RARE_EVERY_S: Final = 12.0

_ASLEEP_IN = ("after_upload", "after_post", "after_poll", "during_download", "after_conform", "before_stored")
"""Points where a process is put to sleep beyond its lease. Not `before_post`: no check can help a POST that
leaves after the machine slept between that check and the network, and the provider has no idempotency key."""


@dataclass(frozen=True)
class Kill:
    """One `kill -9`: at a named point, the `skip`-th time passed over, or `after_s` of work.

    `asleep_s`: it is first stopped there for so long, woken, and killed `awake_s` later.
    """

    number: int
    point: str = ""
    skip: int = 0
    after_s: float = 0.0
    asleep_s: float = 0.0
    awake_s: float = 0.0

    @property
    def failpoint(self) -> str:
        """For WANVIDEO_FAILPOINT; empty for a kill at no special point."""
        if not self.point:
            return ""
        return f"{'stop:' if self.asleep_s else ''}{self.point}{f'+{self.skip}' if self.skip else ''}"

    def __str__(self) -> str:
        where = self.failpoint or f"after {self.after_s:.1f} s"
        return f"{self.number:03d} {where}{f', asleep {self.asleep_s:.0f} s' if self.asleep_s else ''}"


def kills(count: int, seed: int) -> list[Kill]:
    """Half at named points, each name in its turn, half at any moment; every eighth is asleep before."""
    chance = random.Random(seed)
    points: list[str] = []
    sleepers: list[str] = []
    planned = []
    for number in range(count):
        asleep_s, awake_s = chance.uniform(1.3, 3.0) * LEASE_S, chance.uniform(0.1, 2.0)
        after_s, skip = chance.uniform(0.0, 6.0), chance.choice((0, 0, 0, 1, 2))
        if number % 2 == 0:
            points = points or chance.sample(NAMES, len(NAMES))
            planned.append(Kill(number, points.pop(), skip))
        elif number % 16 == 3:
            planned.append(Kill(number, "", 0, after_s, asleep_s, awake_s))
        elif number % 16 == 11:
            sleepers = sleepers or chance.sample(_ASLEEP_IN, len(_ASLEEP_IN))
            planned.append(Kill(number, sleepers.pop(), skip, 0.0, asleep_s, awake_s))
        else:
            planned.append(Kill(number, "", 0, after_s))
    return planned
