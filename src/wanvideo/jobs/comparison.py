"""Our books against the provider's, line by line: one for each attempt, one for each task that is left over.

Pure: whoever calls has asked both sides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from wanvideo.contract.job import Attempt, Event, Job, JobId, TaskId
from wanvideo.contract.price import Cost
from wanvideo.jobs.workshop import request_of
from wanvideo.ports import Provider, TaskListing, TaskReport, TaskStatus

MADE_NO_TASK: Final = frozenset(
    {
        Event.NOT_DELIVERED,
        Event.THROTTLED,
        Event.REFUSED,
        Event.PARAMETER_DROPPED,
        Event.PROVED_ABSENT,
        Event.GIVEN_UP,
    }
)
"""Endings without a task. Were one made all the same, it would be left over, and so unaccounted."""
RESCUED_BODY: Final = "rescued"
"""The only key in the body of an attempt that stands for a rescued task: nothing was sent from here."""
_FREE: Final = (TaskStatus.FAILED, TaskStatus.CANCELLED)
_FEN: Final = Decimal("0.01")
_EXACT: Final = Decimal("0.000001")
_UNTOLD: Final = "the provider does not tell what it billed"


class Verdict(StrEnum):
    """What can be said of one line."""

    OK = "ok"
    UNACCOUNTED = "unaccounted"  # a task that no attempt owns: another program's, or a submit that was lost
    MISSING = "missing"  # the attempt was accepted, and the provider does not know its task
    UNCERTAIN = "uncertain"  # the attempt was never answered, and nothing settled it yet
    BILL_DIFFERS = "bill differs"  # what the ledger holds is not what the provider billed


@dataclass(frozen=True, slots=True)
class Line:
    """One create, as far as either side knows of it.

    `cost_cny` is what the provider billed, `ours_cny` what the ledger has; None while that is open.
    """

    verdict: Verdict
    task_id: TaskId | None = None
    job_id: JobId | None = None
    attempt: int | None = None
    status: TaskStatus | None = None  # the provider's word; None when it has no such task
    outcome: str | None = None  # how the attempt ended by our books
    state: str | None = None  # of the job
    created_at: datetime | None = None
    started_at: datetime | None = None
    billed_s: float | None = None
    cost_cny: Decimal | None = None
    ours_cny: Decimal | None = None
    rescued: bool = False  # the attempt is somebody else's create, taken over later
    why: str = ""

    @property
    def at(self) -> datetime:
        """When it was made, or else begun."""
        at = self.created_at or self.started_at
        assert at is not None
        return at

    def as_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.value,
            "why": self.why,
            "task_id": self.task_id,
            "job_id": self.job_id,
            "attempt": self.attempt,
            "status": self.status.value if self.status else None,
            "outcome": self.outcome,
            "state": self.state,
            "rescued": self.rescued,
            "created_at": self.created_at.isoformat() if self.created_at else None,
            "started_at": self.started_at.isoformat() if self.started_at else None,
            "billed_s": self.billed_s,
            "cost_cny": None if self.cost_cny is None else float(self.cost_cny),
            "ours_cny": None if self.ours_cny is None else float(self.ours_cny),
        }


def joined(
    provider: Provider,
    attempts: Sequence[Attempt],
    jobs: Mapping[JobId, Job | None],
    listed: Mapping[TaskId, TaskListing],
    reports: Mapping[TaskId, TaskReport],
    owned: Set[TaskId],
) -> list[Line]:
    """One line for each attempt, and for each task that none of them has. Asks `provider` for prices only.

    `owned` are the listed tasks that any attempt of the ledger has, of whatever age.
    """
    left, reports_left = dict(listed), dict(reports)
    lines = []
    for attempt in attempts:
        task, report = None, None
        if attempt.task_id is not None:  # taken away: a task cannot be that of two attempts
            task, report = left.pop(attempt.task_id, None), reports_left.pop(attempt.task_id, None)
        lines.append(_line(provider, attempt, task, report, jobs.get(attempt.job_id)))
    for task_id, task in left.items():
        lines.append(_left_over(task, reports_left.get(task_id), owned=task_id in owned))
    return sorted(lines, key=lambda line: line.at)


def _line(
    provider: Provider, attempt: Attempt, task: TaskListing | None, report: TaskReport | None, job: Job | None
) -> Line:
    """An attempt of ours, with its task where there is one."""
    status = task.status if task else report.status if report else None
    if status is TaskStatus.UNKNOWN:
        status = None
    line = Line(
        Verdict.OK,
        attempt.task_id,
        attempt.job_id,
        attempt.number,
        status,
        attempt.outcome,
        job.state.value if job else None,
        task.created_at if task else report.submitted_at if report else None,
        attempt.started_at,
        ours_cny=_ours_cny(attempt, job),
        rescued=RESCUED_BODY in attempt.body,
    )
    if attempt.task_id is None:
        if attempt.outcome in MADE_NO_TASK:
            return line
        why = "no answer yet" if attempt.outcome is None else "never answered, and nothing has settled it"
        return replace(line, verdict=Verdict.UNCERTAIN, why=why)
    if status is None:
        return replace(line, verdict=Verdict.MISSING, why="the provider knows no such task")
    if status in _FREE:
        line = replace(line, billed_s=0.0, cost_cny=Decimal(0))
    elif status is TaskStatus.SUCCEEDED:
        cost = _cost(provider, report, job)
        if cost is None:
            return replace(line, why=_UNTOLD)
        line = replace(line, billed_s=cost.billed_s, cost_cny=cost.cny)
    return _compared(line, job)


def _compared(line: Line, job: Job | None) -> Line:
    """The line with what its bill says against our books; a task that still runs has none yet."""
    if line.cost_cny is None or line.ours_cny is None:
        return line
    if not _same(line.ours_cny, line.cost_cny):
        why = f"the ledger has {_yuan(line.ours_cny)}, the provider billed {_yuan(line.cost_cny)}"
        return replace(line, verdict=Verdict.BILL_DIFFERS, why=why)
    told = _told_cny(job) if job is not None and job.task_id == line.task_id else None
    if told is not None and not _same(told, line.cost_cny):
        why = f"the result says {_yuan(told)}, the provider billed {_yuan(line.cost_cny)}"
        return replace(line, verdict=Verdict.BILL_DIFFERS, why=why)
    return line


def _left_over(task: TaskListing, report: TaskReport | None, *, owned: bool) -> Line:
    """A task that none of the attempts owns; `owned`: an older one does."""
    line = Line(
        Verdict.OK if owned else Verdict.UNACCOUNTED,
        task.task_id,
        status=task.status,
        created_at=task.created_at,
        why="an older attempt has it" if owned else "no attempt of this ledger made it",
    )
    if task.status in _FREE:
        return replace(line, billed_s=0.0, cost_cny=Decimal(0))
    if report is None:
        return line
    return replace(line, billed_s=report.billed_s, cost_cny=report.cost.cny if report.cost else None)


def _cost(provider: Provider, report: TaskReport | None, job: Job | None) -> Cost | None:
    """What the provider billed; by the request's price where `usage` does not name the tier."""
    if report is None:
        return None
    if report.cost is None and report.billed_s is not None and job is not None:
        return provider.settled(request_of(job), report.billed_s)
    return report.cost


def _ours_cny(attempt: Attempt, job: Job | None) -> Decimal | None:
    """What the ledger says that the attempt cost; None while that is open."""
    if attempt.settled_cny is not None or job is None or job.task_id != attempt.task_id:
        return attempt.settled_cny
    return _told_cny(job)


def _told_cny(job: Job) -> Decimal | None:
    """The price in the result that the user has."""
    cost: Mapping[str, Any] = (job.result or {}).get("cost", {})
    return Decimal(str(cost["cny"])) if "cny" in cost else None


def _same(one: Decimal, other: Decimal) -> bool:
    return one.quantize(_EXACT) == other.quantize(_EXACT)


def _yuan(cny: Decimal) -> str:
    """To the fen, or as exactly as it takes."""
    return f"¥{max(cny.normalize(), cny.quantize(_FEN), key=_places):f}"


def _places(cny: Decimal) -> int:
    exponent = cny.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
