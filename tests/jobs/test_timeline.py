"""The arrays say what their definitions say, reckoned task by task."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

import numpy as np
import pytest

from wanvideo.contract.job import JobId
from wanvideo.jobs.latency import Curve, curve
from wanvideo.jobs.timeline import Kind, Timeline
from wanvideo.ports import Pace

PACE = Pace(75, 15, 3)
KINDS: list[Kind] = [("720P", 5), ("1080P", 5)]
CURVES: dict[Kind, Curve] = {KINDS[0]: curve([50.0, 60, 65, 70, 90], PACE)}  # the other is not known yet


class Plain:
    """What a Timeline was told, in dictionaries."""

    def __init__(self, seed: int, doubt_s: float = 0.7) -> None:
        self.doubt_s = doubt_s
        self.chance = random.Random(seed)
        self.times = Timeline()
        self.kind: dict[JobId, Kind] = {}
        self.created_s: dict[JobId, float] = {}
        self.slack_s: dict[JobId, float] = {}
        self.born_s: dict[JobId, float] = {}
        self.looked_s: dict[JobId, float] = {}
        self.alone: set[JobId] = set()
        self.gone_s: list[float] = []
        self.count = 0

    def add(self, many: int) -> None:
        for _ in range(many):
            self.count += 1
            job_id, at_s = JobId(f"j_{self.count}"), self.chance.uniform(0, 60)
            self.kind[job_id] = self.chance.choice(KINDS)
            self.created_s[job_id], self.slack_s[job_id] = 1_000_000 + at_s, self.doubt_s
            self.born_s[job_id] = self.looked_s[job_id] = at_s
            self.times.add(job_id, self.kind[job_id], created_s=1_000_000 + at_s, born_s=at_s)

    def change(self) -> None:
        some = self.chance.sample(sorted(self.kind), len(self.kind) // 4)
        for job_id in some[:3]:
            self.created_s[job_id], self.slack_s[job_id] = self.created_s[job_id] + 0.2, 0.0
            self.times.created(job_id, self.created_s[job_id])
        self.times.look(some, 70.0)
        self.looked_s |= dict.fromkeys(some, 70.0)
        self.times.unlisted(some[:1])
        self.alone.update(some[:1])
        for job_id in some[1:4]:
            self.times.remove(job_id)
            self.gone_s.append(self.created_s[job_id])
            del self.kind[job_id]
            for known in (self.created_s, self.slack_s, self.born_s, self.looked_s):
                del known[job_id]

    def arrange(self, curves: Mapping[Kind, Curve] = CURVES) -> None:
        self.times.arrange(curves, self.doubt_s)

    def order(self) -> list[JobId]:
        return sorted(self.kind, key=self.created_s.__getitem__)

    def lag_s(self, job_id: JobId, now_s: float) -> float:
        if self.kind[job_id] not in CURVES:
            return 0.0
        born_s, looked_s = self.born_s[job_id], self.looked_s[job_id]
        known = CURVES[self.kind[job_id]]
        return float(known.lag_s(np.asarray([looked_s - born_s]), np.asarray([now_s - born_s]))[0])

    def lines(self, first: JobId, last: JobId) -> int:
        slack_s = {job_id: min(self.slack_s[job_id], 1.0) for job_id in (first, last)}
        from_s = math.floor(self.created_s[first] - slack_s[first])
        to_s = math.floor(self.created_s[last] + slack_s[last]) + 1
        oldest_s = min(self.created_s.values())
        listed_s = [*self.created_s.values(), *(at_s for at_s in self.gone_s if at_s >= oldest_s)]
        return sum(at_s < to_s for at_s in listed_s) - sum(at_s < from_s for at_s in listed_s)

    def worth(self, room: int, lag_s: dict[JobId, float]) -> float:
        """Of the best stretch: from each task on, all that fit into so many lines; the first always does."""
        order, found = self.order(), 0.0
        for start, first in enumerate(order):
            fits = [place for place, last in enumerate(order) if self.lines(first, last) <= room]
            stop = max(max(fits, default=start) + 1, start + 1)
            worth = sum(lag_s[job_id] for job_id in order[start:stop] if job_id not in self.alone)
            found = max(found, worth)
        return found


@pytest.mark.parametrize("doubt_s", [0.0, 0.7])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_kept_is_what_it_stands_for(seed: int, doubt_s: float) -> None:
    plain = Plain(seed, doubt_s)
    for _ in range(6):
        plain.add(30)
        plain.arrange()
        plain.change()
        plain.arrange()
        order, times = plain.order(), plain.times
        assert list(times.jobs(0, len(order))) == order
        lag_s = times.lag_s(100.0)
        assert lag_s == pytest.approx([plain.lag_s(job_id, 100.0) for job_id in order], abs=1e-9)
        start, stop = sorted(plain.chance.sample(range(len(order)), 2))
        assert times.lines(start, stop) == plain.lines(order[start], order[stop - 1])
        told = dict(zip(order, lag_s.tolist(), strict=True))
        for rooms in ([20], [7, 14, 21]):
            first, last, worth = times.stretch(lag_s, rooms)
            per_page = [plain.worth(room, told) / pages for pages, room in enumerate(rooms, 1)]
            assert 0 <= first < last <= len(order)
            if not doubt_s:  # else a later task may be one line sooner than the one before, on the brink
                assert worth == pytest.approx(max(per_page))
        assert times.longest_ago()[1] == min(plain.looked_s.values())


def test_a_look_counts_at_once_and_can_be_taken_back() -> None:
    plain = Plain(1)
    plain.add(10)
    plain.arrange(dict.fromkeys(KINDS, CURVES[KINDS[0]]))
    before = plain.times.lag_s(90.0)
    [job_id] = plain.times.jobs(4, 5)
    [looked_s] = plain.times.looked_s([job_id])
    plain.times.look([job_id], 90.0)
    assert plain.times.lag_s(90.0)[4] == 0
    plain.times.look([job_id], [looked_s])
    assert plain.times.lag_s(90.0) == pytest.approx(before)


def test_rows_are_used_again() -> None:
    plain = Plain(2)
    for _ in range(50):
        plain.add(20)
        plain.arrange()
        for job_id in plain.times.jobs(0, 20):
            plain.times.remove(job_id)
        plain.arrange()
    assert len(plain.times) == 0
    assert not plain.times.running
    assert len(plain.times._table) <= 64


def test_a_task_that_is_gone_before_it_had_a_place_leaves_nothing() -> None:
    times = Timeline()
    times.add(JobId("j_1"), KINDS[0], created_s=5.0, born_s=0.0)
    times.remove(JobId("j_1"))
    times.add(JobId("j_1"), KINDS[1], created_s=6.0, born_s=1.0)
    times.arrange(CURVES, 0.7)
    assert times.jobs(0, 9) == ("j_1",)
    assert dict(times.running) == {KINDS[1]: 1}
