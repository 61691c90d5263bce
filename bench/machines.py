"""Two machines, one ledger, one bucket: every job is made once, whoever leaves in the middle.

    .venv/bin/python bench/machines.py                # 100 jobs
    .venv/bin/python bench/machines.py --jobs 24 --store moto

Each machine is two `wanvideo worker` processes with a home, an output folder and an environment of their
own; where the system permits it they do not see each other's processes either, as on different machines.
They share a PostgreSQL server, an S3 server and the account of an emulated provider with its real limits:
5 tasks at once, 5 creates and 20 queries a second. When a third of the clips are stored one worker is told to
leave (SIGTERM), when two thirds are another is killed (`kill -9`). Exit code 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.fakes.buckets import KEY as BUCKET_KEY
from tests.fakes.buckets import Moto, Nanio, moto_running, nanio_running
from tests.postgres import command, database_url, started

from machine import machine
from torture_run import painted
from torture_world import Provider, Worker, environment, provider, start_worker
from wanvideo.app import App, open_app
from wanvideo.contract.job import Job, State
from wanvideo.contract.request import parse_request
from wanvideo.jobs.intake import Asked
from wanvideo.jobs.machine import OPEN
from wanvideo.settings import Settings

EMULATOR: Final = ("--run-s", "0.8-2", "--pending-s", "0-0.1")
SETTINGS: Final = {
    "WANVIDEO_LEASE": "4",
    "WANVIDEO_ABSENCE_GAP": "2",
    "WANVIDEO_SUBMIT_TIMEOUT": "4",
    "WANVIDEO_CONNECT_TIMEOUT": "1",
}
GRACE_S: Final = 20.0
LIMIT_S: Final = 300.0
PICTURES: Final = 6
APART: Final = ("unshare", "--fork", "--pid", "--mount-proc", "--kill-child")


@dataclass
class Member:
    """One worker, and what was seen of it."""

    machine: str
    name: str
    worker: Worker
    place: str  # of its process namespace, as its leases tell it
    ended: str = "to the end"
    stored: set[str] = field(default_factory=set)  # jobs whose clip it was seen bringing home


@contextmanager
def bucket(kind: str, folder: Path) -> Iterator[tuple[Moto | Nanio, str]]:
    """A running S3 server and a bucket in it."""
    folder.mkdir()
    with moto_running() if kind == "moto" else nanio_running(folder) as server:
        yield server, server.create()


def can_be_apart() -> bool:
    """Whether this user may give processes a namespace of their own."""
    if shutil.which(APART[0]) is None:
        return False
    return subprocess.run([*APART, "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0


class Office:
    """The machines, and whoever orders from them."""

    def __init__(
        self, folder: Path, clips: Path, told: Provider, shared: dict[str, str], *, jobs: int
    ) -> None:
        self.folder, self.clips, self.provider, self.shared, self.jobs = folder, clips, told, shared, jobs
        self.members: list[Member] = []
        self.wrong: list[str] = []
        self.facts: dict[str, Any] = {}
        self.apart = can_be_apart()

    def env(self, name: str) -> dict[str, str]:
        own = {"DASHSCOPE_WORKSPACE_ID": f"ws-{name}"}  # the emulator notes it with each create
        return environment(
            self.folder / name,
            self.clips / "bytecode",
            self.provider.base_url,
            **SETTINGS,
            **self.shared,
            **own,
        )

    def settings(self) -> Settings:
        return Settings.read(self.env("desk"))

    async def open(self) -> None:
        for name in ("one", "two"):
            for number in (1, 2):
                log = self.folder / f"{name}-{number}.log"
                env = self.env(name)
                worker = await start_worker(
                    log,
                    env,
                    self.folder / name,
                    "--grace",
                    f"{GRACE_S:g}",
                    before=APART if self.apart else (),
                )
                if not await worker.works():
                    raise RuntimeError(log.read_text())
                place = worker.namespace()
                self.members.append(
                    Member(name, f"{name}-{number}", worker, f"/{place}:" if self.apart else "")
                )

    async def order(self, app: App) -> None:
        for number in range(self.jobs):
            words = {
                "prompt": f"slow push in, take {number:03d}",
                "reference_image": painted(number % PICTURES, ""),
                "duration": 2,
                "fps": 24,
                "size": "320*240",
                "seed": 100 + number % PICTURES,
                "wan": {"audio": False, "template": "flying"},
            }
            await app.jobs.submit(parse_request(words), "dashscope", Asked())

    async def watch(self, app: App) -> None:
        """Until nothing is open: note who has what in hand, and send two of them away in the middle."""
        end_s = time.monotonic() + LIMIT_S
        leaving: asyncio.Task[None] | None = None
        killed = False
        while time.monotonic() < end_s:
            there = await app.jobs.jobs(limit=self.jobs + 10)
            for job in there:
                if job.state is State.STORING and job.lease_owner:
                    self._note(job)
            done = sum(job.state is State.SUCCEEDED for job in there)
            if done >= self.jobs / 3 and leaving is None:
                leaving = asyncio.create_task(self._let_go(self.members[1]))
            if done >= self.jobs * 2 / 3 and not killed:
                killed = True
                await self._kill(self.members[3])
            if not any(job.state in OPEN for job in there):
                break
            await asyncio.sleep(0.03)
        else:
            self.wrong.append(f"jobs stuck: {Counter(job.state for job in there)}")
        if leaving is not None:
            await leaving

    def _note(self, job: Job) -> None:
        for member in self.members:
            pid = 1 if self.apart else member.worker.pid()
            if f"{member.place}{pid}:" in (job.lease_owner or ""):
                member.stored.add(job.id)

    async def _let_go(self, member: Member) -> None:
        told_s = time.monotonic()
        member.worker.send(signal.SIGTERM)
        in_time = await member.worker.ends(GRACE_S)
        took_s = time.monotonic() - told_s
        code = await member.worker.kill()
        member.ended = f"SIGTERM: exit code {code} after {took_s:.1f} s"
        if code != 0 or not in_time:
            self.wrong.append(f"{member.name} did not leave in good order: {member.ended}")

    async def _kill(self, member: Member) -> None:
        await member.worker.kill()
        member.ended = "kill -9"

    async def close(self) -> None:
        for member in self.members:
            if member.ended == "to the end":
                await self._let_go(member)

    async def judge(self, app: App, server: Moto | Nanio, name: str) -> None:
        """The ledger, the provider's truth and the bucket must tell the same story."""
        jobs = await app.jobs.jobs(limit=self.jobs + 10)
        truth = await self.provider.truth()
        attempts = [attempt for job in jobs for attempt in await app.jobs.attempts(job.id)]
        prompts = Counter(create["body"]["input"]["prompt"] for create in truth["creates"])
        billed = {task["task_id"] for task in truth["tasks"] if task["billed_s"]}
        files = await asyncio.to_thread(server.files, name)
        clips = {key: data for key, data in files.items() if key.endswith(".mp4")}
        results = {job.id: job.result for job in jobs if job.result}
        expected = {
            "jobs that succeeded": (sum(job.state is State.SUCCEEDED for job in jobs), self.jobs),
            "creates received": (len(truth["creates"]), self.jobs),
            "prompts among them": (len(prompts), self.jobs),
            "clips billed": (len(billed), self.jobs),
            "tasks that the ledger owns": (
                len({attempt.task_id for attempt in attempts} & billed), self.jobs
            ),
            "clips in the bucket": (sum(".source." not in key for key in clips), self.jobs),
            "files of the provider beside them": (sum(".source." in key for key in clips), self.jobs),
            "clips that a link brings": (await self._linked(app, jobs), self.jobs),
            "durable s3:// URLs in the ledger": (
                sum(result["video_url"].startswith(f"s3://{name}/") for result in results.values()), self.jobs
            ),
            "signatures in the ledger": (
                sum("Signature" in json.dumps([job.result, job.evidence, job.note]) for job in jobs), 0
            ),
        }  # fmt: skip
        self.facts = {what: found for what, (found, _) in expected.items()}
        self.facts["approved creates"] = len(attempts)
        self.facts["most tasks at once"] = truth["peak_running"]
        self.facts["most creates, polls, lists in a second"] = tuple(
            truth["queries"][what]["peak_per_s"] for what in ("submit", "query", "list")
        )
        self.facts["refused for their pace"] = sum(one["refused"] for one in truth["queries"].values())
        self.wrong += [
            f"{what}: {found} instead of {right}"
            for what, (found, right) in expected.items()
            if found != right
        ]
        by = Counter(create["headers"].get("x-dashscope-workspace") for create in truth["creates"])
        for one in ("one", "two"):
            stored = {job for member in self.members if member.machine == one for job in member.stored}
            self.facts[f"machine {one}: creates sent"] = by[f"ws-{one}"]
            self.facts[f"machine {one}: clips seen being stored"] = len(stored)
            if by[f"ws-{one}"] < self.jobs / 10:
                self.wrong.append(
                    f"machine {one} sent {by[f'ws-{one}']} of {self.jobs} creates: no share of the work"
                )
        for member in self.members:
            if "Traceback" in member.worker.log.read_text():
                self.wrong.append(f"a step broke: {member.worker.log}")

    async def _linked(self, app: App, jobs: list[Job]) -> int:
        """How many results carry a link that works, to the very bytes of the result."""
        good = 0
        async with aiohttp.ClientSession() as http:
            for job in jobs:
                if job.state is not State.SUCCEEDED:
                    continue
                result = await app.jobs.result(job)
                async with http.get(result.video_url) as answer:
                    data = await answer.read()
                good += answer.status == 200 and hashlib.sha256(data).hexdigest() == result.sha256
        return good


async def worked(folder: Path, clips: Path, given: argparse.Namespace) -> Office:
    server = await asyncio.to_thread(started)
    try:
        await command(server.url, "CREATE DATABASE machines")
        with bucket(given.store, folder / "bucket") as (buckets, name):
            shared = {
                "WANVIDEO_DATABASE_URL": database_url(server.url, "machines"),
                "WANVIDEO_STORAGE_URL": f"s3://{name}?endpoint=http://127.0.0.1:{buckets.port}&region=us-east-1",
                "AWS_ACCESS_KEY_ID": BUCKET_KEY.id.get_secret_value(),
                "AWS_SECRET_ACCESS_KEY": BUCKET_KEY.secret.get_secret_value(),
            }
            flags = (*EMULATOR, "--clips-folder", str(clips / "clips"))
            async with provider(folder / "emulator.log", *flags) as told:
                office = Office(folder, clips, told, shared, jobs=given.jobs)
                async with open_app(office.settings()) as app:
                    try:
                        await office.open()
                        began_s = time.monotonic()
                        await office.order(app)
                        await office.watch(app)
                        seconds = time.monotonic() - began_s
                    finally:
                        await office.close()
                    await office.judge(app, buckets, name)
                    office.facts["seconds"] = f"{seconds:.0f}"
                return office
    finally:
        await asyncio.to_thread(server.close)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--store", choices=("nanio", "moto"), default="nanio")
    parser.add_argument("--folder", type=Path, help="for logs; a temporary one else")
    parser.add_argument(
        "--clips", type=Path, help="rendered clips and byte code, to be found again next time"
    )
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="machines-"))
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{machine()}; logs in {folder}", flush=True)
    office = asyncio.run(worked(folder, given.clips or folder / "cache", given))
    apart = (
        "do not see each other's processes" if office.apart else "are told apart by their environment only"
    )
    print(f"2 machines of 2 workers, which {apart}; PostgreSQL, {given.store} as S3; {given.jobs} jobs\n")
    rows = [*office.facts.items(), *((f"worker {member.name}", member.ended) for member in office.members)]
    wide = max(len(str(name)) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{wide}}  {value}")
    for line in office.wrong:
        print(f"WRONG: {line}")
    if not office.wrong and given.folder is None:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
    return 1 if office.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
