"""Whatever happens, in whatever order: nobody pays twice, and no paid clip is lost.

Hypothesis plays provider, network, power cut and impatient person, and looks for an order that breaks it.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.fakes.bench import Bench

from wanvideo.contract.job import Job, State
from wanvideo.errors import JobConflict, ProviderUnavailable, Throttled
from wanvideo.jobs.failpoints import NAMES

OUTCOMES = (
    "accept", "refuse", "throttle", "not_delivered", "lost_with_task", "lost_without_task", "reset_with_task",
    "the SDK breaks", "refuse_parameter:fps",
)  # fmt: skip
ENDINGS = ("succeed", "failed", "trouble", "refused:size")
MOMENTS = [name for name in NAMES if name != "during_conform"]  # these clips fit as they are
MOST_JOBS = 3


class Life(RuleBasedStateMachine):
    """A few jobs, and everything that can happen to them."""

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.bench: Bench = self.loop.run(Bench.open(Path(self.folder.name)))
        self.bench.provider.list_lag_s = 8
        self.mine: list[Job] = []

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            try:
                self.loop.run(self.settle())
                self.no_paid_clip_is_lost()
                self.nobody_pays_twice()
            finally:
                self.loop.run(self.bench.ledger.close())
                self.loop.close()
                self.folder.cleanup()

    async def settle(self) -> None:
        """The trouble is over: everything ends, but for what waits for a person."""
        bench = self.bench
        bench.store.full, bench.die_at = False, None
        provider = bench.provider
        for script in (provider.creates, provider.fetches, provider.lists, provider.downloads):
            script.clear()
        await bench.let_pass(240)
        for job in self.mine:
            now = await bench.job(job)
            person = now.state is State.UNCERTAIN and "wanvideo jobs resolve" in str(now.note)
            assert person or now.state in (State.SUCCEEDED, State.FAILED, State.CANCELLED), (
                now.state,
                now.note,
            )

    # --- what happens ---

    @precondition(lambda self: len(self.mine) < MOST_JOBS and not self.bench.store.full)
    @rule(outcomes=st.lists(st.sampled_from(OUTCOMES), max_size=2), ending=st.sampled_from(ENDINGS))
    def ask(self, outcomes: list[str], ending: str) -> None:
        self.mine.append(self.loop.run(self.bench.submit(prompt=f"clip {len(self.mine)}")))
        self.bench.provider.creates += outcomes
        self.bench.provider.endings.append(ending)

    @rule()
    def work(self) -> None:
        self.loop.run(self.bench.round())

    @rule(seconds=st.sampled_from([1, 12, 35]))
    def work_on(self, seconds: int) -> None:
        self.loop.run(self.bench.let_pass(seconds))

    @rule(moment=st.sampled_from(MOMENTS))
    def crash(self, moment: str) -> None:
        self.bench.die_at = moment
        self.loop.run(self.bench.round())

    @rule(seconds=st.sampled_from([3, 31, 7 * 3600, 26 * 3600]))
    def power_cut(self, seconds: int) -> None:
        """Nobody works for a while."""
        self.bench.new_worker()
        self.loop.run(self.bench.clock.advance(seconds))

    @precondition(lambda self: self.mine)
    @rule(which=st.integers(0, MOST_JOBS - 1), abandon=st.booleans())
    def cancel(self, which: int, abandon: bool) -> None:
        job = self.mine[which % len(self.mine)]
        try:
            self.loop.run(self.bench.jobs.cancel(job.id, abandon=abandon))
        except JobConflict:
            return

    @rule(trouble=st.sampled_from([ProviderUnavailable("503"), Throttled("429"), OSError("reset")]))
    def polls_fail(self, trouble: Exception) -> None:
        self.bench.provider.fetches += [trouble, trouble]

    @rule()
    def lists_fail(self) -> None:
        self.bench.provider.lists += [ProviderUnavailable("503")]

    @rule(fault=st.sampled_from(["cut", "wrong_bytes", "unavailable", "no_range"]))
    def downloads_fail(self, fault: str) -> None:
        self.bench.provider.downloads.append(fault)

    @rule(full=st.booleans())
    def disk(self, full: bool) -> None:
        self.bench.store.full = full

    @rule(ending=st.sampled_from(["succeed", "failed"]))
    def somebody_else_makes_a_clip(self, ending: str) -> None:
        self.bench.provider.endings.insert(0, ending)
        self.bench.provider.stranger()

    # --- what must hold, always ---

    @invariant()
    def no_create_without_an_approved_attempt(self) -> None:
        if not hasattr(self, "bench"):
            return
        for job in self.mine:
            sent = [body for body in self.bench.provider.sent if self.is_of(body, job)]
            assert len(sent) <= len(self.loop.run(self.bench.ledger.attempts(job.id)))

    @invariant()
    def nobody_pays_twice(self) -> None:
        if not hasattr(self, "bench"):
            return
        for job in self.mine:
            assert len(self.bench.provider.billed(job.request["prompt"])) <= 1

    @invariant()
    def no_paid_clip_is_lost(self) -> None:
        if not hasattr(self, "bench"):
            return
        for job in self.mine:
            now = self.loop.run(self.bench.job(job))
            if now.state is State.SUCCEEDED:
                assert now.result is not None
                assert now.result["video_url"] in self.bench.store.files
                task = self.bench.provider.tasks[now.task_id]  # type: ignore[index]
                assert self.is_of(task.body, job), "this is somebody else's clip"

    @staticmethod
    def is_of(body: dict[str, Any], job: Job) -> bool:
        return bool(body["input"]["prompt"] == job.request["prompt"])


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=20,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
