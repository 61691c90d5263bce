"""What every step of a job works with, handed in once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from wanvideo.clock import Clock
from wanvideo.contract.job import Event, Job, JobId, TaskId
from wanvideo.contract.problem import problem
from wanvideo.contract.request import VideoRequest
from wanvideo.errors import SettingsInvalid, WanvideoError
from wanvideo.jobs.failpoints import Failpoint, never
from wanvideo.jobs.machine import after
from wanvideo.jobs.policy import LEARN_FROM, Estimate, estimate
from wanvideo.ports import Ledger, Provider, TaskReport, VideoStore

_LEARN_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings of the engine. `lease_s`: how long a silent worker keeps a job;
    `submit_reach_s`: how long after an attempt's start the provider may still make its task.
    `max_cost_cny` is for one clip, `daily_budget_cny` for all that are submitted between two midnights.
    """

    lease_s: float = 30.0
    keep_source: bool = True
    absence_gap_s: float = 30.0
    submit_reach_s: float = 75.0
    max_cost_cny: Decimal | None = None
    daily_budget_cny: Decimal | None = None


@dataclass(frozen=True)
class Workshop:
    """The neighbours (through their ports), the clock, and `work_dir` for files that are not finished."""

    ledger: Ledger
    providers: Mapping[str, Provider]
    store: VideoStore
    clock: Clock
    work_dir: Path
    rules: Rules = field(default_factory=Rules)
    failpoint: Failpoint = never
    finished: dict[TaskId, TaskReport] = field(default_factory=dict)
    """Reports with a live link, in memory only: a signed link is never written down."""

    empty_since_s: dict[JobId, float] = field(default_factory=dict)
    """When this process first saw an empty task list for an uncertain job, on the steady clock."""
    parts: set[Path] = field(default_factory=set)
    """Unfinished downloads that this process wrote itself: only those are gone on with."""
    conforming: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """Each conforms with all cores already: more at once would only hold more memory."""
    expectations: dict[tuple[str, str, int], tuple[float, Estimate]] = field(default_factory=dict)
    """How long clips of a kind take, and when that was learned, on the steady clock."""
    lanes: defaultdict[str, asyncio.Semaphore] = field(
        default_factory=lambda: defaultdict(lambda: asyncio.Semaphore(2))
    )
    """How many of this process's workers wait at a gate at once (see turns)."""

    def provider(self, name: str) -> Provider:
        try:
            return self.providers[name]
        except KeyError:
            raise SettingsInvalid(
                f"The provider {name} is not set up here: there is no key.",
                field="DASHSCOPE_API_KEY",
                hint="Set it, then run this again.",
            ) from None

    async def expected(self, job: Job) -> Estimate:
        """How long a clip like this one takes, learned from the same clips as the watch's curve."""
        kind = (job.provider, job.resolution, job.billed_s)
        known = self.expectations.get(kind)
        now_s = self.clock.steady_s()
        if known is None or now_s - known[0] > _LEARN_EVERY_S:
            seen = await self.ledger.latencies_s(*kind, limit=LEARN_FROM)
            known = self.expectations[kind] = (now_s, estimate(seen, self.provider(job.provider).pace))
        return known[1]

    def elapsed_s(self, since_at: datetime | None) -> float:
        return 0.0 if since_at is None else max(0.0, (self.clock.now() - since_at).total_seconds())


def request_of(job: Job) -> VideoRequest:
    """The request as it was accepted."""
    return VideoRequest.model_validate(job.request)


def moved(job: Job, event: Event, **changes: Any) -> dict[str, Any]:
    """The changes that go with an event: the new state by the table, and a clean note."""
    return {"state": after(job.state, event), "note": None, "progress": None, **changes}


def failure(job: Job, error: WanvideoError) -> dict[str, Any]:
    """The problem body of an error that ends this job, with the ids a person needs."""
    error.job_id = job.id
    error.task_id = error.task_id or job.task_id
    return problem(error)
