"""One torture run on one database: orders come in, workers are killed, in the end all is left to settle."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageDraw

from torture_plan import FAULTS, RARE, RARE_EVERY_S, SETTINGS, Kill
from torture_world import Provider, Worker, environment, provider, start_worker
from wanvideo.app import App, open_app
from wanvideo.contract.job import Job, JobId, State
from wanvideo.contract.request import parse_request
from wanvideo.errors import WanvideoError
from wanvideo.jobs.intake import Asked
from wanvideo.jobs.machine import OPEN
from wanvideo.settings import Settings

EMULATOR: Final = ("--run-s", "0.8-2.5", "--pending-s", "0-0.3", "--query-per-s", "60")
"""5 tasks at once and 5 creates a second, as the real one. The product asks 15 times a second at most; the
audit at the end may ask more often, so that it does not take minutes."""
PICTURES: Final = 12
WORDS: Final = (
    "amber", "anchor", "autumn", "balloon", "bamboo", "barge", "beacon", "birch", "blossom", "breeze",
    "candle", "canyon", "castle", "cedar", "cliff", "cloud", "comet", "coral", "crane", "dawn", "desert",
    "dolphin", "drift", "dune", "ember", "falcon", "feather", "fern", "field", "fjord", "fog", "forest",
    "fountain", "garden", "glacier", "gull", "harbour", "hawk", "heron", "island", "ivory", "jade", "kite",
    "lagoon", "lantern", "lighthouse", "meadow", "mist", "moon", "moss", "mountain", "ocean", "orchard",
    "otter", "owl", "pagoda", "pebble", "pine", "pond", "prairie",
)  # fmt: skip
"""Prompts of seven of these are as different as those of different people."""
PATIENCE_S: Final = 60.0
"""How long a worker may take to come to its failpoint."""
ASKED_S, PATIENT_S = 3.0, 90.0
"""How long a job that asks for a person waits for one, and one that says it is looking by itself."""
SETTLE_S: Final = 180.0
LEAVE_S: Final = 60.0


@dataclass
class Report:
    """What the run did, beside what the ledger and the provider's truth tell."""

    kills: Counter[str] = field(default_factory=Counter)  # by point; "any moment"; "asleep"
    missed: Counter[str] = field(default_factory=Counter)  # points that a worker never came to
    trouble: list[str] = field(default_factory=list)  # workers that ended by themselves, or badly
    whims: Counter[str] = field(default_factory=Counter)  # what people did beside ordering
    asked: dict[JobId, str] = field(default_factory=dict)  # jobs that asked a person: what was decided
    impatient: dict[JobId, str] = field(default_factory=dict)  # jobs that were still looking by themselves
    met: list[dict[str, Any]] = field(default_factory=list)  # faults
    killing_s: float = 0.0
    settling_s: float = 0.0
    settled: bool = False

    @property
    def killed(self) -> int:
        return self.kills.total()


class Run:
    """Everything that happens at the same time. `folder` holds the clips, `logs` what the workers said."""

    def __init__(
        self,
        folder: Path,
        bytecode: Path,
        told: Provider,
        database_url: str | None,
        *,
        seed: int,
        open_jobs: int,
    ) -> None:
        self.folder, self.logs, self.provider = folder, folder / "logs", told
        self.logs.mkdir(parents=True)
        url = {"WANVIDEO_DATABASE_URL": database_url} if database_url else {}
        self.env = environment(folder, bytecode, told.base_url, **SETTINGS, **url)
        self.report = Report()
        self._chance = random.Random(seed)
        self._open_jobs = open_jobs
        self._orders = 0
        self._words: list[dict[str, Any]] = []
        self._waiting_s: dict[JobId, float] = {}
        self._left: list[Kill] = []
        self._feeding = True
        self._over = asyncio.Event()

    def settings(self) -> Settings:
        """Those of the workers, for this very process."""
        return Settings.read(self.env)

    async def carry_out(self, plan: list[Kill], workers: int) -> Report:
        """All kills of the plan, then quiet, until every job is over."""
        self._left = list(reversed(plan))
        await self.provider.arm(FAULTS)
        async with open_app(self.settings()) as app:
            began_s = time.monotonic()
            people = [
                asyncio.create_task(work)
                for work in (
                    self._feed(app),
                    self._decide(app),
                    self._trouble(),
                    self._tell(app, len(plan)),
                )
            ]
            slots = [asyncio.create_task(self._slot(number)) for number in range(workers)]
            try:
                while self._left or self.report.killed < len(plan):
                    await asyncio.sleep(0.2)
                    _raise_first(people + slots)
                self._feeding = False
                self.report.killing_s = time.monotonic() - began_s
                self.report.met = await self.provider.disarm()
                await self._settle(app)
                self.report.settling_s = time.monotonic() - began_s - self.report.killing_s
            finally:
                self._over.set()
                await asyncio.gather(*slots, return_exceptions=True)
                for task in people:
                    task.cancel()
                await asyncio.gather(*people, return_exceptions=True)
        return self.report

    # --- the workers ---

    async def _slot(self, number: int) -> None:
        """One place for a worker: whoever is killed is replaced at once, in the end by one that may live."""
        while self._left:
            await self._kill(self._left.pop())
        last = 0
        while not self._over.is_set():
            worker = await self._start(f"last-{number}-{last}", "")
            last += 1
            ending = [asyncio.create_task(worker.process.wait()), asyncio.create_task(self._over.wait())]
            await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
            ending[1].cancel()
            worker.send(signal.SIGTERM)
            if not await worker.ends(LEAVE_S):
                self.report.trouble.append(f"{worker.log.name}: does not leave")
            code = await worker.kill()
            if code != 0:
                self.report.trouble.append(f"{worker.log.name}: left with exit code {code}")

    async def _kill(self, kill: Kill) -> None:
        worker = await self._start(f"{kill.number:03d}-{kill.failpoint or 'moment'}", kill.failpoint)
        if kill.point and not kill.asleep_s:
            if await worker.ends(PATIENCE_S):
                self._count(worker, await worker.kill(), kill.point)
            else:
                await self._missed(worker, kill)
            return
        if kill.point:
            if not await worker.falls_asleep(PATIENCE_S):
                await self._missed(worker, kill)
                return
        else:
            await worker.works()
            await asyncio.sleep(kill.after_s)
            if kill.asleep_s:
                worker.send(signal.SIGSTOP)
        if kill.asleep_s:
            await asyncio.sleep(kill.asleep_s)
            worker.send(signal.SIGCONT)
            await asyncio.sleep(kill.awake_s)
        self._count(worker, await worker.kill(), "asleep" if kill.asleep_s else "any moment")

    async def _missed(self, worker: Worker, kill: Kill) -> None:
        """It never came to its point: killed all the same, which is a kill at some moment."""
        self.report.missed[kill.failpoint] += 1
        self._count(worker, await worker.kill(), "any moment")

    def _count(self, worker: Worker, code: int, what: str) -> None:
        self.report.kills[what] += 1
        if code != -signal.SIGKILL:
            self.report.trouble.append(f"{worker.log.name}: ended by itself with exit code {code}")

    async def _start(self, name: str, failpoint: str) -> Worker:
        env = self.env | ({"WANVIDEO_FAILPOINT": failpoint} if failpoint else {})
        return await start_worker(self.logs / f"{name}.log", env, self.folder)

    # --- the people ---

    async def _feed(self, app: App) -> None:
        """Keep so many jobs open; now and then ask twice, cancel, or retry."""
        while self._feeding:
            try:
                there = await app.jobs.jobs(limit=1000, states=OPEN)
                for _ in range(self._open_jobs - len(there)):
                    await self._order(app, self._next_words())
                if there and self._chance.random() < 0.02:
                    await self._whim(app, self._chance.choice(there))
            except WanvideoError as error:
                self.report.whims[f"refused: {error.code}"] += 1
            await asyncio.sleep(0.1)

    async def _trouble(self) -> None:
        rare = random.Random(self._chance.random()).sample(RARE, len(RARE))
        for spec in itertools.cycle(rare):
            await asyncio.sleep(RARE_EVERY_S)
            if not self._feeding:
                return
            await self.provider.arm((spec,))

    async def _order(self, app: App, words: dict[str, Any]) -> Job:
        taken = await app.jobs.submit(parse_request(words), "dashscope", Asked())
        return taken.job

    def _next_words(self) -> dict[str, Any]:
        """Prompts differ, clips repeat: with a template the prompt changes nothing, so few are rendered."""
        number = self._orders
        self._orders += 1
        picture = number % PICTURES
        native = picture % 3 == 0  # a clip that fits as it comes
        words = {
            "prompt": f"{' '.join(self._chance.sample(WORDS, 7))} {number:05d}",
            "reference_image": painted(picture, str(number) if number % 9 == 8 else ""),
            "duration": 2,
            "fps": 30 if native else 24,
            "size": "1280*720" if native else "320*240",
            "seed": 100 + picture,
            "wan": {"audio": False, "template": "flying"},
        }
        self._words.append(words)
        return words

    async def _whim(self, app: App, job: Job) -> None:
        if (
            self._chance.random() < 0.3
        ):  # the very same once more: the clip that is there, or the job in flight
            again = await self._order(app, self._words[int(job.request["prompt"].split()[-1])])
            self.report.whims["asked again, same job" if again.id == job.id else "asked again, new job"] += 1
            return
        over = await app.jobs.jobs(limit=50, states=(State.CANCELLED, State.FAILED))
        if over and self._chance.random() < 0.3:
            await app.jobs.retry(self._chance.choice(over).id, as_it_is=True)
            self.report.whims["retried"] += 1
            return
        abandon = self._chance.random() < 0.5
        await app.jobs.cancel(job.id, abandon=abandon)
        self.report.whims["abandoned" if abandon else "cancelled"] += 1

    async def _decide(self, app: App) -> None:
        """The person whom a job asks for: looks for its words in the provider's console, and says so.

        Comes as well, much later, where a job says that it is still looking by itself.
        """
        while True:
            await asyncio.sleep(2)
            try:
                waiting = [
                    job
                    for job in await app.jobs.jobs(limit=1000, states=(State.UNCERTAIN,))
                    if "jobs resolve" in (job.note or "")
                ]
                now_s = time.monotonic()
                self._waiting_s = {job.id: self._waiting_s.get(job.id, now_s) for job in waiting}
                late = [job for job in waiting if now_s - self._waiting_s[job.id] > _patience_s(job)]
                if late:
                    await self._resolve(app, late)
            except WanvideoError as error:
                self.report.whims[f"person refused: {error.code}"] += 1

    async def _resolve(self, app: App, late: list[Job]) -> None:
        truth = await self.provider.truth()
        for job in late:
            attempt = (await app.jobs.attempts(job.id))[-1]
            made = [
                create["task_id"]
                for create in truth["creates"]
                if create["body"] and create["body"]["input"]["prompt"] == job.request["prompt"]
                and create["task_id"] and create["at"] >= attempt.started_at.timestamp()
            ]  # fmt: skip
            how = "adopt" if made else "give_up"
            why = f"{how}: {job.note}"
            lines = self.report.asked if _patience_s(job) == ASKED_S else self.report.impatient
            await app.jobs.resolve(job.id, how, made[-1] if made else None)
            print(f"  a person decided: {job.id} {why}", file=sys.stderr, flush=True)
            lines[job.id] = why
            self._waiting_s.pop(job.id, None)

    async def _settle(self, app: App) -> None:
        end_s = time.monotonic() + SETTLE_S
        while time.monotonic() < end_s:
            try:
                if not await app.jobs.jobs(limit=1, states=OPEN):
                    self.report.settled = True
                    return
            except WanvideoError as error:
                self.report.whims[f"settling refused: {error.code}"] += 1
            await asyncio.sleep(0.25)

    async def _tell(self, app: App, planned: int) -> None:
        began_s = time.monotonic()
        while True:
            await asyncio.sleep(15)
            states = Counter(job.state for job in await app.jobs.jobs(limit=5000))
            told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
            minutes = (time.monotonic() - began_s) / 60
            print(
                f"  {minutes:.1f} min: {self.report.killed} of {planned} kills; {told}",
                file=sys.stderr,
                flush=True,
            )


def _patience_s(job: Job) -> float:
    return ASKED_S if "decide with" in (job.note or "") else PATIENT_S


def _raise_first(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise error


def painted(number: int, words: str) -> bytes:
    """A picture for an order; words on it make it another one."""
    image = Image.new("RGB", (480, 360), (40 + 15 * number, 110, 200 - 12 * number))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 240, 480, 360), fill=(20, 90 + 10 * number, 110))
    draw.polygon([(100 + 12 * number, 240), (220, 60), (330, 240)], fill="ivory")
    if words:
        draw.text((20, 300), words, fill="gold")
    kept = BytesIO()
    image.save(kept, "png")
    return kept.getvalue()


@asynccontextmanager
async def opened(
    folder: Path, clips: Path, database_url: str | None, *, seed: int, open_jobs: int
) -> AsyncIterator[Run]:
    """A run with a provider of its own."""
    flags = (*EMULATOR, "--seed", str(seed), "--clips-folder", str(clips / "clips"))
    async with provider(folder / "emulator.log", *flags) as told:
        yield Run(folder, clips / "bytecode", told, database_url, seed=seed, open_jobs=open_jobs)
