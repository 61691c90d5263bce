"""The running tasks of an account as arrays, in the order of their creation: what `looks` reckons with.

There may be ten thousand, and what to ask next is reckoned anew for each request. So nothing here goes over
them one by one, and what stays the same from one request to the next is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wanvideo.contract.job import JobId
from wanvideo.jobs.latency import Curve, Floats

Kind = tuple[str, int]
"""Resolution and billed seconds: clips of one kind take alike."""
Ints = NDArray[np.intp]

_ROW: Final = np.dtype(
    [
        ("created_s", "f8"),
        ("slack_s", "f8"),  # not a number until the provider has told the time of creation
        ("born_s", "f8"),
        ("looked_s", "f8"),
        ("listed", "?"),
        ("runs", "?"),
        ("kind", "i4"),
    ]
)
_NOTHING: Final = 0.05  # of the mean lag: not worth a line on the page
_MOST_SLACK_S: Final = 1.0  # in counting lines: before a list has told, as if it had


class Timeline:
    """`created_s` are seconds since 1970, `born_s` and `looked_s` those of the steady clock of any `now_s`.

    A task keeps its row of the table for as long as it runs; its place is the one in the order. Places are as
    of the latest `arrange`, and so is all that is told of them, but for when a task was looked at.
    """

    def __init__(self) -> None:
        self._table = np.zeros(64, dtype=_ROW)
        self._rows: dict[JobId, int] = {}
        self._jobs: list[JobId] = []  # by row
        self._free: list[int] = []
        self._new: list[int] = []  # rows without a place
        self._kinds: list[Kind] = []
        self.running: Counter[Kind] = Counter()
        self._order: Ints = np.zeros(0, dtype=np.intp)  # rows, by place
        self._gone_s: Floats = np.zeros(0)  # tasks that have ended stay on the list
        self._going_s: list[float] = []
        self.arrange({}, 0.0)

    def __len__(self) -> int:
        """How many places there are."""
        return len(self._order)

    # --- what runs ---

    def add(self, job_id: JobId, kind: Kind, *, created_s: float, born_s: float) -> None:
        if kind not in self._kinds:
            self._kinds.append(kind)
        if self._free:
            row = self._free.pop()
            self._jobs[row] = job_id
        else:
            row = len(self._jobs)
            self._jobs.append(job_id)
            if row == len(self._table):
                self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        self._rows[job_id] = row
        self._table[row] = (created_s, np.nan, born_s, born_s, True, True, self._kinds.index(kind))
        self.running[kind] += 1
        self._new.append(row)

    def remove(self, job_id: JobId) -> None:
        row = self._rows.pop(job_id)
        self._table["runs"][row] = False
        self._going_s.append(float(self._table["created_s"][row]))
        kind = self._kinds[self._table["kind"][row]]
        self.running[kind] -= 1
        self.running += Counter()  # drops what is 0

    def is_told(self, job_id: JobId) -> bool:
        """Whether the provider has told when it made the task."""
        return not np.isnan(self._table["slack_s"][self._rows[job_id]])

    def created(self, job_id: JobId, at_s: float) -> None:
        row = self._rows[job_id]
        self._table["created_s"][row], self._table["slack_s"][row] = at_s, 0.0

    def unlisted(self, job_ids: Collection[JobId]) -> None:
        """They do not count for a page of the list."""
        self._table["listed"][self._of(job_ids)] = False

    def age_s(self, job_id: JobId, now_s: float) -> float:
        return now_s - float(self._table["born_s"][self._rows[job_id]])

    def looked_s(self, job_ids: Collection[JobId]) -> list[float]:
        found: list[float] = self._table["looked_s"][self._of(job_ids)].tolist()
        return found

    def look(self, job_ids: Collection[JobId], at_s: Collection[float] | float) -> None:
        """These were looked at then."""
        rows = self._of(job_ids)
        self._table["looked_s"][rows] = at_s
        self._remember(self._places[rows])

    def _of(self, job_ids: Collection[JobId]) -> Ints:
        return np.fromiter((self._rows[job_id] for job_id in job_ids), np.intp, len(job_ids))

    # --- in order ---

    def arrange(self, curves: Mapping[Kind, Curve], doubt_s: float) -> None:
        """Give each task its place, as it is known now; `doubt_s` is the slack where nothing was told."""
        self._sort()
        rows = self._table[self._order]
        created_s = np.ascontiguousarray(rows["created_s"])
        slack_s = np.where(np.isnan(rows["slack_s"]), doubt_s, rows["slack_s"])
        self.from_s: Floats = np.minimum.accumulate((created_s - slack_s)[::-1])[::-1]
        self.to_s: Floats = np.maximum.accumulate(created_s + slack_s)
        self._count_lines(created_s, np.minimum(slack_s, _MOST_SLACK_S))
        listed = np.ascontiguousarray(rows["listed"])
        self._unlisted: NDArray[np.bool_] | None = None if listed.all() else ~listed
        self._born_s: Floats = np.ascontiguousarray(rows["born_s"])
        self._kind = np.ascontiguousarray(rows["kind"])
        self._curves = [curves.get(kind) for kind in self._kinds]
        self._members = [
            (curve, np.flatnonzero(self._kind == number))
            for number, curve in enumerate(self._curves)
            if curve is not None
        ]
        self._looked_age_s, self._ended, self._waited_s = np.zeros((3, len(rows)))
        self._remember(np.arange(len(rows)))

    def _sort(self) -> None:
        runs = self._table["runs"]
        gone = [row for row in self._new if not runs[row]]
        self._free += self._order[~runs[self._order]].tolist() + gone
        new = np.asarray([row for row in self._new if runs[row]], dtype=np.intp)
        self._new = []
        order = np.concatenate([self._order[runs[self._order]], new])
        created_s = self._table["created_s"][order]
        self._order = order[np.argsort(created_s, kind="stable")]
        self._places: Ints = np.zeros(len(self._table), dtype=np.intp)
        self._places[self._order] = np.arange(len(order))
        gone_s = np.concatenate([self._gone_s, self._going_s])
        self._gone_s = gone_s[gone_s >= created_s.min(initial=np.inf)]
        self._going_s = []

    def _count_lines(self, created_s: Floats, slack_s: Floats) -> None:
        """The lines of the list before a task's second and up to its end, those of ended tasks among them: so
        many lines a window from one task to another would show.
        """
        listed_s = np.sort(np.concatenate([created_s, self._gone_s]), kind="stable")
        self._lines_before: Ints = np.searchsorted(listed_s, np.floor(created_s - slack_s))
        self._lines_to: Ints = np.searchsorted(listed_s, np.floor(created_s + slack_s) + 1)
        self._ends: dict[int, Ints] = {}

    def _remember(self, places: Ints) -> None:
        """What these have waited until they were looked at: from then on only time adds to it."""
        looked_s = self._table["looked_s"][self._order[places]] - self._born_s[places]
        self._looked_age_s[places] = looked_s
        kinds = self._kind[places]
        for number, curve in enumerate(self._curves):
            of_kind = places if len(self._curves) == 1 else places[kinds == number]
            if curve is not None and len(of_kind):
                ended, waited_s = curve.by(self._looked_age_s[of_kind])
                self._ended[of_kind], self._waited_s[of_kind] = ended, waited_s

    # --- what a look is worth ---

    def longest_ago(self) -> tuple[JobId, float]:
        """Which was not looked at for the longest time, and when it last was. There must be one."""
        looked_s = self._table["looked_s"][self._order]
        place = int(np.argmin(looked_s))
        return self._jobs[self._order[place]], float(looked_s[place])

    def unseen_s(self, now_s: float) -> Floats:
        """How long each was not looked at, by place."""
        return now_s - self._born_s - self._looked_age_s

    def lag_s(self, now_s: float) -> Floats:
        """The lag to be expected by now of each, by place."""
        lag_s = np.zeros(len(self._order))
        ages_s = now_s - self._born_s
        for curve, members in self._members:
            of = slice(None) if len(members) == len(lag_s) else members
            then = self._ended[of], self._waited_s[of], self._looked_age_s[of]
            lag_s[of] = curve.lag_since(*then, ages_s[of])
        return lag_s

    def stretch(self, lag_s: Floats, rooms: Sequence[int]) -> tuple[int, int, float]:
        """The neighbours whose pages are worth most each: the first, one past the last, the worth.

        `rooms`: how many lines one page has room for, two pages, and so on.
        """
        if len(lag_s) < 2:
            return 0, 0, 0.0
        start, stop, worth = 0, 0, 0.0
        sums = np.zeros(len(lag_s) + 1)
        np.cumsum(lag_s if self._unlisted is None else np.where(self._unlisted, 0.0, lag_s), out=sums[1:])
        for pages, room in enumerate(rooms, 1):
            ends = self._ends_of(room)
            worths = sums[ends] - sums[:-1]
            first = int(np.argmax(worths))
            if worths[first] / pages > worth:
                start, stop, worth = first, int(ends[first]), float(worths[first]) / pages
        # Without what was looked at just now or is too young, so that those do not fill the page: it shows
        # the newest first, and what was left over last time must come on it this time.
        telling = np.flatnonzero(lag_s[start:stop] > _NOTHING * sums[-1] / len(lag_s))
        if not len(telling):
            return 0, 0, 0.0
        return start + int(telling[0]), start + int(telling[-1]) + 1, worth

    def _ends_of(self, room: int) -> Ints:
        """For each place as the first: one past the last that still fits into so many lines."""
        if room not in self._ends:
            if len(self._ends) > 2 * 8:
                self._ends = {}
            fits = np.searchsorted(self._lines_to, self._lines_before + room, side="right")
            self._ends[room] = np.maximum(fits, np.arange(1, len(fits) + 1))
        return self._ends[room]

    def jobs(self, start: int, stop: int) -> tuple[JobId, ...]:
        return tuple(self._jobs[row] for row in self._order[start:stop].tolist())

    def lines(self, start: int, stop: int) -> int:
        """How many lines the list is expected to show from the one to the last."""
        return int(self._lines_to[stop - 1] - self._lines_before[start])
