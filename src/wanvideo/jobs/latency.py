"""How long clips take: one curve, learned from the latest clips of a kind, behind every look and estimate.

The curve is a density over log time (a small bump around each clip seen), with a thin broad tail for the
clip that takes far longer than any before. Before three clips were seen, a broad guess around the provider's
own figure stands in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wanvideo.jobs.policy import LEARN_AT_LEAST
from wanvideo.ports import Pace

Floats = NDArray[np.float64]

LOOKS_PER_CLIP: Final = 16.0
"""How many requests one clip on its own is worth: about one second of lag for clips that take a minute."""
# While nothing is known: any moment from a 75th of the provider's figure to three times it, in log time, so
# that a quick provider is noticed soon and a slow one not pestered.
_SOONER, _LATER, _GUESSES = math.log(75), math.log(3), 25
_BUMP: Final = 0.7  # of Silverman's width: clips of a kind lie close together
_DOUBT: Final = 0.8  # of log time, shared by the clips seen: a few of them tell little of how others stray
_TAIL_SHARE, _TAIL_LATER, _TAIL_SPREAD = 0.02, 3.0, 1.0
_CORE_POINTS, _TAIL_POINTS = 500, 120
_SHORTEST_S, _LONGEST_S = 0.01, 24 * 3600.0  # what lies outside was not measured but is a clock's mistake
_LEAST_ALIVE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Curve:
    """The share of clips that has ended by each age, and what follows from it.

    `waited_s` is the integral of `ended`: the mean lag that not looking has cost by an age.
    `price_s` is what a request is worth, in seconds of lag, so that one clip takes LOOKS_PER_CLIP of them.
    """

    ages_s: Floats
    ended: Floats
    waited_s: Floats
    price_s: float
    mean_s: float

    def lag_s(self, looked_s: Floats, ages_s: Floats) -> Floats:
        """The lag to be expected by now of tasks that still ran when they were `looked_s` old."""
        return self.lag_since(*self.by(looked_s), looked_s, ages_s)

    def lag_since(
        self, ended_then: Floats, waited_then_s: Floats, looked_s: Floats, ages_s: Floats
    ) -> Floats:
        """As `lag_s`, by what was so when they were looked at: that stays the same as they grow older."""
        _, waited_s = self.by(ages_s)
        alive = np.maximum(1 - ended_then, _LEAST_ALIVE)
        lag: Floats = (waited_s - waited_then_s - ended_then * (ages_s - looked_s)) / alive
        return np.maximum(lag, 0.0)

    def by(self, ages_s: Floats) -> tuple[Floats, Floats]:
        """The share that has ended, and its integral. Exact between the points: they lie far apart in the
        tail, and a straight line there would be worth a look a second at one end and none at the other.
        """
        point = np.maximum(np.searchsorted(self.ages_s, ages_s, side="right") - 1, 0)
        slopes = np.append(np.diff(self.ended) / np.diff(self.ages_s), 0.0)
        since_s = np.maximum(ages_s - self.ages_s[point], 0.0)
        ended_before = self.ended[point]
        ended = slopes[point] * since_s + ended_before
        return ended, self.waited_s[point] + (ended_before + ended) / 2 * since_s


def curve(latencies_s: Sequence[float], pace: Pace) -> Curve:
    """The curve of these clips, in seconds from the submit to the end."""
    told = np.asarray([value for value in latencies_s if value > 0], dtype=np.float64)
    seen = np.clip(told, _SHORTEST_S, _LONGEST_S)
    if len(seen) < LEARN_AT_LEAST:
        typical = math.log(pace.typical_s)
        centres = np.linspace(typical - _SOONER, typical + _LATER, _GUESSES)
    else:
        centres = np.log(seen)
    width = _width(centres)
    middle = float(np.median(centres))
    low, high = float(centres.min()) - 4 * width, float(centres.max()) + 5 * width
    tail_to = max(high + 0.1, math.log(_LONGEST_S))
    logs = np.concatenate(
        [
            np.linspace(low, high, _CORE_POINTS),
            np.linspace(high, tail_to, _TAIL_POINTS)[1:],
        ]
    )
    ages_s = np.exp(logs)
    core = _bumps(logs, centres, width) / ages_s
    tail = _bumps(logs, np.asarray([middle + math.log(_TAIL_LATER)]), _TAIL_SPREAD) / ages_s
    ended = _integral((1 - _TAIL_SHARE) * core + _TAIL_SHARE * tail, ages_s)
    ended /= ended[-1]
    alive = np.maximum(1 - _integral(core, ages_s), 0.0)
    reach = float(_integral(np.sqrt(core * alive), ages_s)[-1])
    return Curve(
        ages_s=ages_s,
        ended=ended,
        waited_s=_integral(ended, ages_s),
        # Looking whenever the lag to be expected has grown to the price takes reach/sqrt(2 price) looks a
        # clip, and the half that finds it: the best that can be had for that number (Cauchy and Schwarz).
        price_s=reach**2 / (2 * (LOOKS_PER_CLIP - 0.5) ** 2),
        mean_s=float(np.exp(centres).mean()),
    )


def _width(centres: Floats) -> float:
    """Silverman's rule, narrowed; never so narrow that one odd clip makes a spike of its own."""
    quarter, three = np.percentile(centres, [25, 75])
    spread = min(float(centres.std(ddof=1)), float(three - quarter) / 1.34) or float(centres.std(ddof=1))
    return float(max(0.9 * spread * len(centres) ** -0.2 * _BUMP, _DOUBT / len(centres), 0.02))


def _bumps(logs: Floats, centres: Floats, width: float) -> Floats:
    z = (logs[:, None] - centres[None, :]) / width
    bumps: Any = np.exp(-0.5 * z * z).mean(axis=1) / (width * math.sqrt(2 * math.pi))
    return np.asarray(bumps, dtype=np.float64)


def _integral(values: Floats, at: Floats) -> Floats:
    """The running integral by trapezoids, 0 at the first point."""
    steps = np.diff(at) * (values[1:] + values[:-1]) / 2
    return np.concatenate([[0.0], np.cumsum(steps)])
