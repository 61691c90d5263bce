"""The pace at a gate: turns that are evenly apart, and further apart after the provider asked for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

MOST_SLOWDOWN: Final = 64.0
LONGEST_PAUSE_S: Final = 60.0
FURTHEST_S: Final = 300.0
"""A gate further ahead than this was left there by a clock that has been set back since."""
RECOVERY: Final = 0.9  # each turn is followed by a pause this much shorter, until the full pace is back


@dataclass(frozen=True, slots=True)
class Gate:
    """When the next turn may come, and by how much the turns are further apart than they need be."""

    next_at: datetime
    slowdown: float = 1.0

    def turn(self, now: datetime, per_s: float) -> tuple[Gate, float]:
        """The gate after one more turn was given away, and the seconds until that turn comes."""
        at = now if self.next_at > now + timedelta(seconds=FURTHEST_S) else max(self.next_at, now)
        # rounded up: turns that are a hair too close would let one too many into a second
        apart = timedelta(microseconds=math.ceil(self.slowdown / per_s * 1_000_000))
        return Gate(at + apart, max(1.0, self.slowdown * RECOVERY)), (at - now).total_seconds()

    def shut(self, now: datetime) -> tuple[Gate, float]:
        """The gate after the provider asked for a slower pace, and the pause in seconds."""
        slowdown = min(max(2 * self.slowdown, 2.0), MOST_SLOWDOWN)
        pause_s = min(LONGEST_PAUSE_S, slowdown)
        return Gate(max(self.next_at, now + timedelta(seconds=pause_s)), slowdown), pause_s
