"""Clips at the provider that no job here asked for: finding them, and giving each a job that brings it home.

A task that a submit without an answer may have made is left alone: taken away, it would be missing from the
list that this submit is judged by, the list would count as proof of absence, and the clip be paid for twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from wanvideo.contract.fingerprint import digest
from wanvideo.contract.job import Attempt, Event, Job, JobId, Picture, State, TaskId
from wanvideo.contract.model_card import COMMON_SIZES, limit
from wanvideo.contract.price import Cost
from wanvideo.contract.request import VideoRequest, parse_request
from wanvideo.errors import JobConflict, WanvideoError
from wanvideo.jobs import account
from wanvideo.jobs.comparison import RESCUED_BODY
from wanvideo.jobs.ids import new_id
from wanvideo.jobs.machine import after
from wanvideo.jobs.policy import MAX_TROUBLES
from wanvideo.jobs.reconcile import DOUBT_SLACK
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import NewJob, Provider, TaskReport, TaskStatus
from wanvideo.redact import redact

RESCUED: Final = (
    "This clip was rescued: its task was found at the provider. The picture, the seed and the size it was "
    "asked with are not known; the file is stored as the provider made it."
)
NO_PROMPT: Final = "The provider does not tell the prompt of this task."
NO_PRICE: Final = "The provider does not tell the tier that was billed: it is priced as 1080P with sound."
EXPECTED: Final = (RESCUED, NO_PROMPT)
"""Warnings that tell a person who has just asked for a rescue nothing new."""
UNKNOWN_PICTURE: Final = "(a picture that is not known here)"
_UNANSWERED: Final = (State.SUBMITTING, State.UNCERTAIN)
_ENDED_BADLY: Final = (TaskStatus.FAILED, TaskStatus.CANCELLED)
_MANY: Final = 1000
# what the vendor makes when a program names neither: a task that still runs does not tell
_USUAL_RESOLUTION, _USUAL_S = "1080P", 5


@dataclass(frozen=True, slots=True)
class Orphan:
    """A task that no attempt owns. `rival`: the job whose unanswered submit may have made it."""

    task_id: TaskId
    created_at: datetime | None  # None where the provider does not tell
    report: TaskReport
    rival: JobId | None = None

    @property
    def cost_cny(self) -> Decimal | None:
        return self.report.cost.cny if self.report.cost else None

    def link_left_s(self, now: datetime) -> float | None:
        """How long the clip can still be had; None where the provider does not tell."""
        expires_at = self.report.expires_at
        return None if expires_at is None else max(0.0, (expires_at - now).total_seconds())

    def as_json(self, now: datetime) -> dict[str, Any]:
        expires_at = self.report.expires_at
        return {
            "task_id": self.task_id,
            "created_at": self.created_at.isoformat() if self.created_at else None,
            "prompt": self.report.prompt_seen,
            "resolution": self.report.resolution,
            "billed_s": self.report.billed_s,
            "cost_cny": None if self.cost_cny is None else float(self.cost_cny),
            "link_expires_at": expires_at.isoformat() if expires_at else None,
            "link_left_s": self.link_left_s(now),
            "may_be_of": self.rival,
        }


async def orphans(
    shop: Workshop, provider: Provider, *, hours: int, told: account.Told = lambda _: None
) -> list[Orphan]:
    """The finished clips of the last `hours` that nobody here owns, the oldest first. Changes nothing.

    Raises: what the provider answered, when it cannot be asked in full.
    """
    now_at = shop.clock.now()
    listed = await account.tasks(shop, provider, now_at - timedelta(hours=hours), now_at + DOUBT_SLACK, told)
    finished = [task for task in listed.values() if task.status is TaskStatus.SUCCEEDED]
    owned = await account.owned(shop, [task.task_id for task in finished])
    free = [task for task in finished if task.task_id not in owned]
    reports = await account.reports(shop, provider, [task.task_id for task in free], told)
    found = [
        Orphan(task.task_id, task.created_at, reports[task.task_id])
        for task in free
        if reports[task.task_id].status is TaskStatus.SUCCEEDED
    ]
    return await _with_rivals(shop, provider, found)


async def named(shop: Workshop, provider: Provider, task_id: TaskId) -> Orphan:
    """One task by its id; it may still run. Raises: JobConflict when there is nothing to rescue."""
    report = await account.report(shop, provider, task_id)
    if report.status is TaskStatus.UNKNOWN:
        raise JobConflict(
            f"The provider knows no task {task_id}.",
            task_id=task_id,
            hint="It forgets tasks after 24 hours; `wanvideo rescue` lists what is there.",
        )
    if report.status in _ENDED_BADLY:
        raise JobConflict(
            f"The task {task_id} is {report.status}: there is no clip, and nothing was billed.",
            task_id=task_id,
            hint="`wanvideo rescue` lists what is there.",
        )
    (orphan,) = await _with_rivals(shop, provider, [Orphan(task_id, report.submitted_at, report)])
    return orphan


async def adopt(shop: Workshop, provider: Provider, orphan: Orphan) -> Job:
    """Write down a job for the task; whoever drives it then brings the clip home.

    Raises: JobConflict when a job owns the task, or a submit that was never answered may.
    """
    if orphan.rival is not None:
        raise JobConflict(
            f"The task {orphan.task_id} may be of the job {orphan.rival}, whose submit was never answered.",
            job_id=orphan.rival,
            task_id=orphan.task_id,
            hint=f"`wanvideo jobs watch {orphan.rival}` looks for it; to decide yourself: "
            f"`wanvideo jobs resolve {orphan.rival} --adopt {orphan.task_id}`.",
        )
    request, billed_s = _request(orphan), _billed_s(orphan)
    cost = orphan.report.cost or _priced(provider, request, billed_s, orphan.report)
    now_at = shop.clock.now()
    job_id, made_at = new_id(now_at), orphan.created_at or now_at
    new = NewJob(
        id=job_id,
        provider=provider.name,
        request=request.model_dump(mode="json"),
        picture=_no_picture(request),
        cache_key=digest({"rescued": orphan.task_id}),  # it answers no request
        seed=0,
        estimate_cny=str(cost.cny),
        account=provider.account.name,
        resolution=request.resolution,
        billed_s=round(billed_s),
        warnings=_told(orphan.report),
        shared=False,
    )
    changes: dict[str, Any] = {
        "state": after(State.UNCERTAIN, Event.FOUND),
        "submitted_at": made_at,
        "seen_status": orphan.report.status.value,
        "expires_at": orphan.report.expires_at,
        "troubles": MAX_TROUBLES,  # it is never made anew: what it was made from is not here
        "evidence": {"rescued": True},
    }
    return await shop.ledger.add_rescued(new, _attempt(provider, orphan, job_id, made_at, cost), changes)


async def adopt_all(
    shop: Workshop, provider: Provider, found: Sequence[Orphan], asked: Sequence[str] | None
) -> tuple[list[Job], WanvideoError | None]:
    """Jobs for the tasks that were asked for, or for all that were found; and the first refusal.

    One that is refused keeps none of the others from coming home.
    """
    jobs: list[Job] = []
    trouble: WanvideoError | None = None
    known = {orphan.task_id: orphan for orphan in found}
    wanted = list(known) if asked is None else [TaskId(task_id) for task_id in asked]
    for task_id in dict.fromkeys(wanted):
        try:
            orphan = known.get(task_id) or await named(shop, provider, task_id)
            jobs.append(await adopt(shop, provider, orphan))
        except WanvideoError as refusal:
            trouble = trouble or refusal
    return jobs, trouble


def _attempt(provider: Provider, orphan: Orphan, job_id: JobId, made_at: datetime, cost: Cost) -> Attempt:
    """The create that somebody else sent. It counts on the day it was made."""
    body = {RESCUED_BODY: orphan.task_id}
    return Attempt(
        job_id=job_id,
        number=1,
        fence=0,
        endpoint=provider.account.endpoint,
        key_fingerprint=provider.account.key_fingerprint,
        body_sha256=digest(body),
        body=body,
        started_at=made_at,
        outcome=Event.FOUND,
        task_id=orphan.task_id,
        account=provider.account.name,
        reserved_cny=cost.cny,
        settled_cny=cost.cny if orphan.report.status is TaskStatus.SUCCEEDED else None,
    )


def _request(orphan: Orphan) -> VideoRequest:
    """A request as it may have been, as far as the task tells: never sent, only shown and priced."""
    report = orphan.report
    resolution = report.resolution or _USUAL_RESOLUTION
    prompt = redact(report.prompt_seen or "").strip()[: limit("prompt_max_chars")]
    low_s, high_s = limit("duration_min_s"), limit("duration_max_s")
    return parse_request(
        {
            "prompt": prompt or f"rescued {orphan.task_id}",
            "duration": min(max(_billed_s(orphan), low_s), high_s),
            "fps": limit("provider_fps"),
            "size": COMMON_SIZES[resolution][0],
            "reference_image": UNKNOWN_PICTURE,
            "wan": {"resolution": resolution, "audio": report.sound is not False},
        }
    )


def _billed_s(orphan: Orphan) -> float:
    return _USUAL_S if orphan.report.billed_s is None else orphan.report.billed_s


def _priced(provider: Provider, request: VideoRequest, billed_s: float, report: TaskReport) -> Cost:
    if report.status is TaskStatus.SUCCEEDED:
        return provider.settled(request, billed_s)
    return provider.estimate(request)


def _told(report: TaskReport) -> tuple[str, ...]:
    """What a person should know of the clip before they show it to others."""
    told = [RESCUED]
    if not (report.prompt_seen or "").strip():
        told.append(NO_PROMPT)
    if report.status is TaskStatus.SUCCEEDED and report.cost is None:
        told.append(NO_PRICE)
    return tuple(told)


def _no_picture(request: VideoRequest) -> Picture:
    size = request.frame_size
    return Picture("", "", "", "", size.width_px, size.height_px)


async def _with_rivals(shop: Workshop, provider: Provider, found: Sequence[Orphan]) -> list[Orphan]:
    """Asked after the list: what the list shows was made by then, so its attempt is written down."""
    open_submits = await _open_submits(shop, provider) if found else []
    return [replace(orphan, rival=_rival(orphan, open_submits)) for orphan in found]


_Window = tuple[JobId, datetime, datetime | None]


async def _open_submits(shop: Workshop, provider: Provider) -> list[_Window]:
    """Each submit that is out or was never answered, with the time in which it may have made a task.

    One that is still out has no end yet, and the clock of this machine may be a wrong one.
    """
    windows = []
    for job in await shop.ledger.jobs(limit=_MANY, states=_UNANSWERED):
        attempts = await shop.ledger.attempts(job.id)
        if job.provider == provider.name and attempts:
            lost_at = job.evidence.get("lost_at")
            until_at = datetime.fromisoformat(lost_at) + DOUBT_SLACK if lost_at else None
            windows.append((job.id, attempts[-1].started_at - DOUBT_SLACK, until_at))
    return windows


def _rival(orphan: Orphan, open_submits: Sequence[_Window]) -> JobId | None:
    """A task of an unknown time may be of any of them."""
    for job_id, first_at, last_at in open_submits:
        made_at = orphan.created_at
        if made_at is None or (first_at <= made_at and (last_at is None or made_at <= last_at)):
            return job_id
    return None
