"""How long to wait: between polls, after trouble, and what to tell a person who waits. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wanvideo.ports import Pace

MAX_TROUBLES: Final = 2
"""How often the provider's own trouble sends a job back to the queue (a failed task is free)."""
MAX_UNDELIVERED: Final = 8
"""How many submits may fail to leave this machine before the job gives up: about a minute and a half."""
WATCHED_S: Final = 26 * 3600.0
"""When a running job is due by itself. The watch makes it due as soon as its task has ended, so never."""
LEARN_AT_LEAST: Final = 3
"""Before this many clips of a kind were seen, the provider's own figure counts."""
LEARN_FROM: Final = 200
"""How many of the latest clips of a kind the estimate looks at."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long a clip takes: a tenth are done by `early_s`, half by `typical_s`, most by `late_s`.

    `learned_from` counts the clips behind it; 0 means the provider's own figure.
    """

    early_s: float
    typical_s: float
    late_s: float
    learned_from: int


def estimate(latencies_s: Sequence[float], pace: Pace) -> Estimate:
    """Quantiles of what was seen, or the provider's pace while fewer than LEARN_AT_LEAST were."""
    if len(latencies_s) < LEARN_AT_LEAST:
        return Estimate(pace.first_look_s, pace.typical_s, pace.typical_s * 2, 0)
    ordered = sorted(latencies_s)

    def quantile(share: float) -> float:
        at = share * (len(ordered) - 1)
        low = int(at)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (at - low)

    return Estimate(quantile(0.1), quantile(0.5), quantile(0.9), len(ordered))


def backoff_s(tries: int, *, first_s: float = 1.0, most_s: float = 30.0) -> float:
    """1, 2, 4, ... seconds, at most `most_s`."""
    return float(min(first_s * 2 ** min(tries, 16), most_s))


def outlook(elapsed_s: float, expected: Estimate) -> str:
    """What to tell a person who waits. Never a percentage: the provider gives none."""
    left_s = expected.typical_s - elapsed_s
    if not expected.learned_from:
        if elapsed_s > expected.late_s:
            return "taking longer than usual"
        return f"usually about {_rounded(expected.typical_s)} s"
    if elapsed_s > expected.late_s * 1.1 + 1:
        return "taking longer than usual"
    return f"about {_rounded(left_s)} s left" if left_s >= 1 else "should finish soon"


def _rounded(seconds: float) -> int:
    """To whole seconds below 10, to fives above: no false precision."""
    return max(1, round(seconds)) if seconds < 10 else round(seconds / 5) * 5
