"""The wall clock of an emulator: real time plus whatever a test has skipped."""

from __future__ import annotations

import time


class WallClock:
    """Seconds since the epoch. Only ever moves forward."""

    def __init__(self) -> None:
        self._skipped_s = 0.0

    def now(self) -> float:
        return time.time() + self._skipped_s

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("the clock does not go back")
        self._skipped_s += seconds
