"""The ledger against the provider's truth, create by create, clip by clip and fen by fen."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import av

from torture_world import Provider
from wanvideo.app import App
from wanvideo.contract.fingerprint import digest
from wanvideo.contract.job import Attempt, Event, Job, JobEvent, JobId, State
from wanvideo.jobs.machine import FINAL

CLOCKS_DIFFER_S: Final = 0.05
_BY_WORD: Final = (Event.ABANDON, Event.GIVEN_UP, Event.RETRY)
"""Events that a person asked for, after which a job may be billed without a clip, or once more."""
_AT_ONCE: Final = 4


@dataclass
class Books:
    """Both sides, read once everything is quiet."""

    jobs: dict[JobId, Job]
    attempts: list[Attempt]
    events: dict[JobId, list[JobEvent]]
    truth: dict[str, Any]

    def by_word(self, job_id: JobId) -> int:
        """How often a person said something about this job that may cost money."""
        return sum(
            event.event in _BY_WORD or event.data.get("by") == "a person" for event in self.events[job_id]
        )


@dataclass
class Verdict:
    """Each list names what is wrong; all must be empty."""

    beyond_approved: list[str] = field(default_factory=list)
    paid_again: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    money: list[str] = field(default_factory=list)
    audit: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    owner_of: dict[str, Attempt] = field(default_factory=dict)
    """By the provider's word on what came in: which attempt made each task."""

    WRONG = (
        "beyond_approved",
        "paid_again",
        "lost",
        "corrupt",
        "strays",
        "stuck",
        "money",
        "audit",
        "broken",
    )

    def wrong(self) -> dict[str, list[str]]:
        return {name: getattr(self, name) for name in self.WRONG if getattr(self, name)}


async def read_books(app: App, provider: Provider) -> Books:
    ledger = app.shop.ledger
    jobs = {job.id: job for job in await ledger.jobs(limit=100_000)}
    first_at = min(job.created_at for job in jobs.values())
    return Books(
        jobs,
        await ledger.attempts_since(first_at - timedelta(hours=1)),
        {job_id: await ledger.events(job_id) for job_id in jobs},
        await provider.truth(),
    )


async def judge(books: Books, provider: Provider, app_dir: Path) -> Verdict:
    """Compare. The files are read where the results say that they are."""
    verdict = Verdict()
    owner_of = verdict.owner_of = _creates(books, verdict)
    _clips(books, owner_of, verdict)
    _money(books, owner_of, verdict)
    verdict.stuck += [
        f"{job.id} is {job.state}: {job.note}" for job in books.jobs.values() if job.state not in FINAL
    ]
    await _files(books, provider, app_dir, verdict)
    queries = books.truth["queries"]
    verdict.counts |= {
        "jobs": len(books.jobs),
        "states": dict(Counter(job.state.value for job in books.jobs.values())),
        "approved": len(books.attempts),
        "creates": len(books.truth["creates"]),
        "tasks": len(books.truth["tasks"]),
        "billed": sum(task["billed_s"] > 0 for task in books.truth["tasks"]),
        "billed_cny": books.truth["billed_cny"],
        "outcomes": dict(Counter(str(attempt.outcome) for attempt in books.attempts)),
        "peak_running": books.truth["peak_running"],
        "peak_per_s": {name: queries[name]["peak_per_s"] for name in ("submit", "query", "list")},
        "by a person": sum(books.by_word(job_id) > 0 for job_id in books.jobs),
    }
    return verdict


def _creates(books: Books, verdict: Verdict) -> dict[str, Attempt]:
    """Each create that came in against an attempt that was written down before it; whose each task is.

    One attempt approves one create: with the very same body, between its start and that of the next one.
    """
    approved: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in sorted(books.attempts, key=lambda attempt: attempt.started_at):
        approved[attempt.body_sha256].append(attempt)
    used: set[tuple[JobId, int]] = set()
    owner_of = {str(attempt.task_id): attempt for attempt in books.attempts if attempt.task_id}
    for create in sorted(books.truth["creates"], key=lambda create: create["at"]):
        before = [
            attempt
            for attempt in approved[digest(create["body"])]
            if attempt.started_at.timestamp() <= create["at"] + CLOCKS_DIFFER_S
        ]
        match = before[-1] if before else None
        if match is None or (match.job_id, match.number) in used:
            words = (create["body"] or {}).get("input", {}).get("prompt")
            verdict.beyond_approved.append(
                f"create {create['request_id']} ({words}), task {create['task_id']}"
            )
            continue
        used.add((match.job_id, match.number))
        task_id = create["task_id"]
        if task_id is None:
            continue
        named = owner_of.setdefault(task_id, match)
        if (named.job_id, named.number) != (match.job_id, match.number):
            verdict.paid_again.append(
                f"task {task_id} was made for {match.job_id} and given to {named.job_id}"
            )
    return owner_of


def _clips(books: Books, owner_of: dict[str, Attempt], verdict: Verdict) -> None:
    """A clip that was billed is the result of its job, once, unless a person decided otherwise."""
    billed = [task for task in books.truth["tasks"] if task["billed_s"]]
    of_job = Counter(owner_of[task["task_id"]].job_id for task in billed if task["task_id"] in owner_of)
    for job_id, times in of_job.items():
        if times > 1 + books.by_word(job_id):
            verdict.paid_again.append(f"{job_id} was billed {times} times")
    known = {str(attempt.task_id) for attempt in books.attempts}
    for task in billed:
        task_id = task["task_id"]
        attempt = owner_of.get(task_id)
        job = books.jobs.get(attempt.job_id) if attempt else None
        if job is None:
            verdict.lost.append(f"task {task_id} ({task['prompt']}) belongs to nobody")
        elif books.by_word(job.id):
            continue
        elif job.state is not State.SUCCEEDED or job.task_id != task_id:
            verdict.lost.append(
                f"task {task_id}: {job.id} is {job.state} with task {job.task_id}: {job.note or job.error}"
            )
        elif task_id not in known:
            verdict.lost.append(f"task {task_id}: no attempt of {job.id} names it")


def _money(books: Books, owner_of: dict[str, Attempt], verdict: Verdict) -> None:
    billed: dict[JobId, Decimal] = defaultdict(Decimal)
    for task in books.truth["tasks"]:
        if task["task_id"] in owner_of:
            billed[owner_of[task["task_id"]].job_id] += Decimal(str(task["billed_cny"]))
    settled: dict[JobId, Decimal] = defaultdict(Decimal)
    open_of: dict[JobId, Decimal] = defaultdict(Decimal)
    for attempt in books.attempts:
        if attempt.settled_cny is None:
            open_of[attempt.job_id] += attempt.reserved_cny
        else:
            settled[attempt.job_id] += attempt.settled_cny
    words = {"settled": Decimal(), "billed": Decimal()}
    for job in books.jobs.values():
        if books.by_word(job.id):
            words["settled"] += settled[job.id] + open_of[job.id]
            words["billed"] += billed[job.id]
            continue
        told = Decimal(str((job.result or {}).get("cost", {}).get("cny", 0)))
        if job.state in FINAL and not settled[job.id] == billed[job.id] == told:
            verdict.money.append(
                f"{job.id} ({job.state}): settled {settled[job.id]}, billed {billed[job.id]}, told {told}"
            )
        if job.state in FINAL and open_of[job.id]:
            verdict.money.append(f"{job.id} ({job.state}): {open_of[job.id]} are still held back")
    verdict.counts["settled_cny"] = float(sum(settled.values()))
    verdict.counts["money of jobs a person decided about"] = {k: float(v) for k, v in words.items()}


async def _files(books: Books, provider: Provider, app_dir: Path, verdict: Verdict) -> None:
    results = [job for job in books.jobs.values() if job.state is State.SUCCEEDED and job.result]
    turns = asyncio.Semaphore(_AT_ONCE)

    async def look(job: Job) -> None:
        async with turns:
            assert job.task_id is not None
            made = hashlib.sha256(await provider.clip(job.task_id)).hexdigest()
            wrong = await asyncio.to_thread(_wrong_file, job, made)
        if wrong:
            verdict.corrupt.append(f"{job.id}: {wrong}")

    await asyncio.gather(*(look(job) for job in results))
    known = {url for job in results for url in _urls(job)}
    there = sorted(path for path in (app_dir / "videos").iterdir() if path.is_file())
    gone = {
        str(path) for job in books.jobs.values() if job.state is not State.SUCCEEDED
        for path in there if job.id[-6:] in path.name
    }  # fmt: skip
    hidden = [path for path in there if path.name.startswith(".")]
    verdict.strays += [
        str(p) for p in there if p not in hidden and str(p) not in known and str(p) not in gone
    ]
    verdict.counts["files"] = len(known)
    verdict.counts["files of jobs that were cancelled meanwhile"] = len(gone - known)
    verdict.counts["half-written, hidden, left behind"] = len(hidden)
    work = app_dir / "work"
    verdict.counts["work files left behind"] = len(list(work.iterdir())) if work.is_dir() else 0


def _urls(job: Job) -> list[str]:
    result = job.result or {}
    return [url for url in (result["video_url"], result.get("source_url")) if url]


def _wrong_file(job: Job, made_sha256: str) -> str:
    """What is wrong with the stored clip of a job, and with the provider's own file beside it."""
    result = job.result
    assert result is not None
    clip = Path(result["video_url"])
    source = Path(result["source_url"] or clip)
    try:
        if hashlib.sha256(source.read_bytes()).hexdigest() != made_sha256:
            return f"{source.name} is not the file that the provider made"
        if hashlib.sha256(clip.read_bytes()).hexdigest() != result["sha256"]:
            return f"{clip.name} has another sha256 than its result says"
        with av.open(str(clip)) as container:
            video = container.streams.video[0]
            frames = sum(1 for _ in container.decode(video))
            size = f"{video.width}*{video.height}"
    except (OSError, av.error.FFmpegError) as error:
        return str(error)
    wanted = round(job.request["duration"] * job.request["fps"])
    if (frames, size) != (wanted, job.request["size"]):
        return f"{frames} frames of {size} instead of {wanted} of {job.request['size']}"
    return "" if size == result["size"] else f"its result says {result['size']}"


def judge_audit(audit: dict[str, Any], books: Books, verdict: Verdict) -> None:
    """`wanvideo audit` must find what the truth shows: nothing, except about what a person decided.

    And except tasks that failed and cost nothing: after a lost submit nobody can tell whose such a one was.
    The task of a submit that a person gave up has no owner either, until `wanvideo rescue`.
    """
    free = {task["task_id"] for task in books.truth["tasks"] if task["status"] in ("FAILED", "CANCELED")}
    verdict.counts["failed tasks that nobody owns"] = 0
    verdict.counts["tasks of submits that a person gave up"] = 0
    for line in audit["lines"]:
        if line["verdict"] == "ok":
            continue
        if line["verdict"] == "unaccounted" and line["task_id"] in free:
            verdict.counts["failed tasks that nobody owns"] += 1
            continue
        made_by = verdict.owner_of.get(line["task_id"])
        if line["verdict"] == "unaccounted" and made_by is not None and books.by_word(made_by.job_id):
            verdict.counts["tasks of submits that a person gave up"] += 1
            continue
        job_id = line["job_id"]
        if job_id is not None and books.by_word(JobId(job_id)):
            continue
        verdict.audit.append(f"{line['verdict']}: {line['task_id']} of {job_id}: {line['why']}")
    if audit["creates"]["approved"] != len(books.attempts):
        verdict.audit.append(f"{audit['creates']['approved']} approved, the ledger has {len(books.attempts)}")
    if audit["creates"]["at_provider"] != len(books.truth["tasks"]):
        verdict.audit.append(
            f"{audit['creates']['at_provider']} at the provider, it made {len(books.truth['tasks'])}"
        )


def judge_logs(logs: Path, verdict: Verdict) -> None:
    """A step that broke is a bug, even where the job got over it."""
    seen: Counter[str] = Counter()
    for log in sorted(logs.glob("*.log")):
        text = log.read_text(errors="replace")
        for mark in ("Traceback", "a step broke", "a look broke", "the ledger does not answer"):
            if mark in text:
                last = [line for line in text.splitlines() if line and not line.startswith(" ")][-1]
                seen[f"{mark}: {last[:160]} (first in {log.name})"] += 1
    verdict.broken += [f"{count} x {words}" for words, count in seen.items()]
