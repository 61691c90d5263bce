"""Whatever happens, in whatever order: nobody pays twice, and no paid clip is lost.

Hypothesis plays provider, network, power cut, sleeping laptops, wrong clocks and impatient people, and looks
for an order that breaks it. For a longer search: `WANVIDEO_MONEY_EXAMPLES=2000`, which also draws anew.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.fakes.bench import LEASE_S, Bench
from tests.fakes.provider import LOCAL, RATIONED

from wanvideo.contract.job import Attempt, Event, Job, JobId, State
from wanvideo.errors import CostLimitExceeded, JobConflict, ProviderUnavailable, Throttled
from wanvideo.jobs.failpoints import NAMES
from wanvideo.jobs.spending import midnight
from wanvideo.jobs.workshop import Rules
from wanvideo.ports import Budget, Lease, Pace, TaskStatus

OUTCOMES = (
    "accept", "refuse", "throttle", "not_delivered", "lost_with_task", "lost_without_task", "reset_with_task",
    "the SDK breaks", "refuse_parameter:fps",
)  # fmt: skip
ENDINGS = ("succeed", "failed", "trouble", "refused:size", "cancelled")
MOMENTS = [name for name in NAMES if name not in ("during_conform", "after_source")]  # these clips fit
STALLS = ("upload", "create", "answer", "fetch", "list", "cancel", "download")
MOST_JOBS = 3
CLIP_CNY = Decimal("0.6")
SENT_FOR_SURE = {Event.ACCEPTED, Event.REFUSED, Event.THROTTLED, Event.PARAMETER_DROPPED, Event.FOUND}
TOO_LATE = {"result_expired", "task_expired"}
"""How a clip that was billed may end all the same: nobody worked for a day."""
OPEN_BILL = {Event.ABANDON, Event.TASK_EXPIRED, Event.GIVEN_UP}
"""After these the ledger holds the estimate, whatever the provider bills in the end."""
EXAMPLES = int(os.environ.get("WANVIDEO_MONEY_EXAMPLES", "0"))


class Life(RuleBasedStateMachine):
    """A few jobs, two processes on one ledger, and everything that can happen to them."""

    pace: ClassVar[Pace]

    @initialize(budget=st.sampled_from([None, Decimal("0.6"), Decimal("1.3")]))
    def open(self, budget: Decimal | None) -> None:
        self.loop = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        first: Bench = self.loop.run(Bench.open(Path(self.folder.name)))
        self.loop.run(first.clock.advance(12 * 3600))
        self.provider, self.clock, self.ledger = first.provider, first.clock, first.ledger
        self.provider.pace, self.provider.list_lag_s = self.pace, 8
        first.shop = replace(first.shop, rules=Rules(lease_s=LEASE_S, daily_budget_cny=budget))
        first.new_worker()
        self.benches = [first, first.beside()]
        self.frozen: dict[int, tuple[asyncio.Event, asyncio.Task[int]]] = {}
        self.mine: list[Job] = []
        self.words: dict[JobId, int] = {}  # how often a person has asked for one more, paid or not
        self.overspent = ""
        self._watch_the_budget()

    def _watch_the_budget(self) -> None:
        approve = self.ledger.open_attempt

        async def watched(*given: Any, budget: Budget | None = None, **named: Any) -> Any:
            opened = await approve(*given, budget=budget, **named)
            if isinstance(opened, Lease) and budget is not None:
                spent_cny = await self.ledger.spent_cny(budget.since_at)
                if spent_cny > budget.cny:
                    self.overspent = f"{spent_cny} of {budget.cny}"
            return opened

        self.ledger.open_attempt = watched  # type: ignore[method-assign]

    def teardown(self) -> None:
        if hasattr(self, "benches"):
            try:
                self.loop.run(self.settle())
                self.check_now()
                self.loop.run(self.check_the_end())
            finally:
                self.loop.run(self.ledger.close())
                self.loop.close()
                self.folder.cleanup()

    async def settle(self) -> None:
        """The trouble is over: everything ends, but for what waits for a person."""
        for which in list(self.frozen):
            await self._thaw(which)
        provider = self.provider
        scripts = (
            provider.creates, provider.fetches, provider.lists, provider.downloads, provider.cancels,
        )  # fmt: skip
        for script in scripts:
            script.clear()
        for bench in self.benches:
            bench.store.full, bench.die_at = False, None
        self.clock.jump(provider.apart_s)
        provider.apart_s = 0.0
        for _ in range(20):
            await self.benches[0].let_pass(60)
            await self.benches[1].let_pass(5)
            jobs = [await self.benches[0].job(job) for job in self.mine]
            if all(_is_settled(job) for job in jobs):
                return
        raise AssertionError([(job.state, job.note) for job in jobs])

    def awake(self, which: int) -> Bench | None:
        """The bench, or the other one while its process sleeps."""
        for one in (which, 1 - which):
            if one not in self.frozen:
                return self.benches[one]
        return None

    # --- what happens ---

    @precondition(lambda self: len(self.mine) < MOST_JOBS and not self.benches[0].store.full)
    @rule(outcomes=st.lists(st.sampled_from(OUTCOMES), max_size=2), ending=st.sampled_from(ENDINGS))
    def ask(self, outcomes: list[str], ending: str) -> None:
        try:
            job = self.loop.run(self.benches[0].submit(prompt=f"clip {'abc'[len(self.mine)] * 9}"))
        except CostLimitExceeded:
            return
        self.mine.append(job)
        self.words[job.id] = 0
        self.provider.creates += outcomes
        self.provider.endings.append(ending)

    @rule(which=st.integers(0, 1))
    def work(self, which: int) -> None:
        if (bench := self.awake(which)) is not None:
            self.loop.run(bench.round())

    @rule(which=st.integers(0, 1), seconds=st.sampled_from([1, 12, 35]))
    def work_on(self, which: int, seconds: int) -> None:
        if (bench := self.awake(which)) is not None:
            self.loop.run(bench.let_pass(seconds))

    @rule(which=st.integers(0, 1))
    def only_look(self, which: int) -> None:
        if (bench := self.awake(which)) is not None:
            self.loop.run(bench.look())

    @rule(which=st.integers(0, 1), moment=st.sampled_from(MOMENTS), seconds=st.sampled_from([0, 25]))
    def crash(self, which: int, moment: str, seconds: int) -> None:
        if (bench := self.awake(which)) is not None:
            bench.die_at = moment
            self.loop.run(bench.let_pass(seconds))

    @precondition(lambda self: not self.frozen)
    @rule(which=st.integers(0, 1), stall=st.sampled_from(STALLS), seconds=st.sampled_from([0, 21]))
    def freeze(self, which: int, stall: str, seconds: int) -> None:
        """A laptop is closed, or a virtual machine stopped, in the middle of a request."""
        self.loop.run(self._freeze(which, stall, seconds))

    async def _freeze(self, which: int, stall: str, seconds: int) -> None:
        await self.clock.advance(seconds)
        self.provider.stalls = stall
        working, stalled = asyncio.create_task(self.benches[which].round()), len(self.provider.stalled)
        while not working.done() and len(self.provider.stalled) == stalled:
            await asyncio.sleep(0.001)
        self.provider.stalls = ""
        if working.done():
            working.result()
        else:
            self.frozen[which] = self.provider.stalled[-1], working

    @precondition(lambda self: self.frozen)
    @rule(seconds=st.sampled_from([0, 40, 100]))
    def thaw(self, seconds: int) -> None:
        """It wakes up, perhaps long after others took its jobs over, and goes on where it was."""
        self.loop.run(self.clock.advance(seconds))
        for which in list(self.frozen):
            self.loop.run(self._thaw(which))

    async def _thaw(self, which: int) -> None:
        wake, working = self.frozen.pop(which)
        wake.set()
        await working

    @rule(seconds=st.sampled_from([3, 31, 7 * 3600, 26 * 3600]))
    def power_cut(self, seconds: int) -> None:
        """Nobody works for a while."""
        for which, bench in enumerate(self.benches):
            if which not in self.frozen:
                bench.new_worker()
        self.loop.run(self.clock.advance(seconds))

    @rule(seconds=st.sampled_from([-3600, -59, -20, 20, 59, 3600]))
    def somebody_sets_the_clock(self, seconds: int) -> None:
        """Ours; the provider's stays right."""
        self.clock.jump(seconds)
        self.provider.apart_s -= seconds

    @precondition(lambda self: self.mine)
    @rule(which=st.integers(0, MOST_JOBS - 1), abandon=st.booleans())
    def cancel(self, which: int, abandon: bool) -> None:
        job = self.mine[which % len(self.mine)]
        try:
            self.loop.run(self.benches[0].jobs.cancel(job.id, abandon=abandon))
        except JobConflict:
            return

    @precondition(lambda self: self.mine)
    @rule(which=st.integers(0, MOST_JOBS - 1))
    def retry(self, which: int) -> None:
        self.loop.run(self._ask_once_more(self.mine[which % len(self.mine)], "retry"))

    @precondition(lambda self: self.mine)
    @rule(which=st.integers(0, MOST_JOBS - 1), how=st.sampled_from(["resubmit", "give_up"]))
    def decide(self, which: int, how: str) -> None:
        self.loop.run(self._ask_once_more(self.mine[which % len(self.mine)], how))

    async def _ask_once_more(self, job: Job, how: str) -> None:
        jobs = self.benches[0].jobs
        try:
            with self.benches[0].moving():  # who asks waits for a worker that has the job in hand
                if how == "retry":
                    await jobs.retry(job.id, as_it_is=True)
                else:
                    await jobs.resolve(job.id, how)
        except JobConflict:
            return
        self.words[job.id] += how != "give_up"

    @rule(
        trouble=st.sampled_from(
            [ProviderUnavailable("503"), Throttled("429"), OSError("reset"), TaskStatus.UNKNOWN]
        )
    )
    def polls_fail(self, trouble: Exception | TaskStatus) -> None:
        self.provider.fetches += [trouble, trouble]

    @rule(trouble=st.sampled_from([ProviderUnavailable("503"), Throttled("429"), RuntimeError("odd")]))
    def lists_fail(self, trouble: Exception) -> None:
        self.provider.lists += [trouble]

    @rule()
    def cancels_fail(self) -> None:
        self.provider.cancels += [ProviderUnavailable("503")]

    @rule(fault=st.sampled_from(["cut", "wrong_bytes", "unavailable", "no_range"]))
    def downloads_fail(self, fault: str) -> None:
        self.provider.downloads.append(fault)

    @rule(full=st.booleans())
    def disk(self, full: bool) -> None:
        self.benches[0].store.full = full

    @rule(ending=st.sampled_from(["succeed", "failed"]))
    def somebody_else_makes_a_clip(self, ending: str) -> None:
        self.provider.endings.insert(0, ending)
        self.provider.stranger("somebody else's words entirely")

    # --- what must hold, always ---

    @invariant()
    def check_now(self) -> None:
        if hasattr(self, "benches"):
            assert not self.overspent
            for job in self.mine:
                self.loop.run(self._check(job))

    async def _check(self, job: Job) -> None:
        attempts = await self.ledger.attempts(job.id)
        sent = [body for body in self.provider.sent if _is_of(body, job)]
        assert len(sent) <= len(attempts), "a create without an approved attempt"
        billed = self.provider.billed(job.request["prompt"])
        assert len(billed) <= 1 + self.words[job.id], "paid twice, and nobody asked for it"
        now = await self.benches[0].job(job)
        if now.state is State.SUCCEEDED:
            assert now.result is not None
            assert now.result["video_url"] in self.benches[0].store.files
            assert now.task_id is not None
            assert _is_of(self.provider.tasks[now.task_id].body, job), "this is somebody else's clip"

    # --- what must hold once all is settled ---

    async def check_the_end(self) -> None:
        for job in self.mine:
            now, attempts = await self.benches[0].job(job), await self.ledger.attempts(job.id)
            history = set(await self.benches[0].history(job.id))
            sent = [body for body in self.provider.sent if _is_of(body, job)]
            for_sure = [attempt for attempt in attempts if attempt.outcome in SENT_FOR_SURE]
            assert len(for_sure) <= len(sent), "an attempt is said to be sent that was not"
            assert not [attempt for attempt in attempts if attempt.outcome is None], "an end nobody knows of"
            billed = self.provider.billed(job.request["prompt"])
            if billed and not self.words[job.id]:
                assert _is_home_or_loud(now, history), (now.state, now.error, now.note)
            if not history & OPEN_BILL and not self.words[job.id] and now.state is not State.UNCERTAIN:
                assert _settled_cny(attempts) == CLIP_CNY * len(billed), "what the ledger says that it cost"
        since_at = midnight(self.clock.now(), days_ago=30)
        spending = await self.ledger.spending(since_at)
        counted = sum((line.settled_cny + line.reserved_cny for line in spending), Decimal(0))
        assert counted == await self.ledger.spent_cny(since_at)
        assert counted >= CLIP_CNY * sum(
            len(self.provider.billed(job.request["prompt"])) for job in self.mine
        )


def _is_settled(now: Job) -> bool:
    if now.state is State.UNCERTAIN:
        return "wanvideo jobs resolve" in str(now.note)
    return now.state in (State.SUCCEEDED, State.FAILED, State.CANCELLED)


def _is_home_or_loud(now: Job, history: set[str]) -> bool:
    """A clip that somebody pays for is stored, or its owner was told why not."""
    if now.state is State.FAILED:
        return now.error is not None and now.error["code"] in (*TOO_LATE, "submit_uncertain")
    return now.state in (State.SUCCEEDED, State.UNCERTAIN) or Event.ABANDON in history


def _settled_cny(attempts: list[Attempt]) -> Decimal:
    assert all(attempt.settled_cny is not None for attempt in attempts)
    return sum((attempt.settled_cny or Decimal(0) for attempt in attempts), Decimal(0))


def _is_of(body: dict[str, Any], job: Job) -> bool:
    return bool(body["input"]["prompt"] == job.request["prompt"])


class LocalLife(Life):
    """Every process looks for itself, at each task by itself."""

    pace = LOCAL


class SharedLife(Life):
    """One process looks for all, at the task list as well, in turns."""

    pace = RATIONED


_SETTINGS = settings(
    max_examples=EXAMPLES or 8,
    stateful_step_count=40 if EXAMPLES else 16,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=not EXAMPLES,
    print_blob=True,
)
TestLocalLife = LocalLife.TestCase
TestLocalLife.settings = _SETTINGS
TestSharedLife = SharedLife.TestCase
TestSharedLife.settings = _SETTINGS
