"""Whether every create and every bill of the last hours can be accounted for. Changes nothing.

The list is asked for first and the ledger read last: whatever the list shows was made before that, so an
attempt of ours that made it is written down by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from wanvideo.contract.job import Attempt, TaskId
from wanvideo.contract.model_card import limit
from wanvideo.contract.problem import problem
from wanvideo.errors import AuditFailed
from wanvideo.jobs import account
from wanvideo.jobs.comparison import Line, Verdict, joined
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import Provider, TaskListing, TaskStatus

SLACK: Final = timedelta(minutes=15)
"""How far the two clocks may lie apart."""


@dataclass(frozen=True, slots=True)
class Audit:
    """All lines of a stretch of time, oldest first. `elsewhere` counts attempts of other accounts."""

    account: str
    since_at: datetime
    until_at: datetime
    lines: tuple[Line, ...]
    elsewhere: int = 0

    @property
    def approved(self) -> int:
        return sum(line.attempt is not None and not line.rescued for line in self.lines)

    @property
    def rescued(self) -> int:
        return sum(line.rescued for line in self.lines)

    @property
    def at_provider(self) -> int:
        return sum(line.status is not None for line in self.lines)

    @property
    def billed_s(self) -> float:
        return sum(line.billed_s or 0 for line in self.lines)

    @property
    def cost_cny(self) -> Decimal:
        return total_cny(self.lines)

    @property
    def unpriced(self) -> int:
        """Clips whose bill the provider does not tell: the totals lack them."""
        return sum(line.status is TaskStatus.SUCCEEDED and line.cost_cny is None for line in self.lines)

    @property
    def unaccounted(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.verdict is Verdict.UNACCOUNTED)

    @property
    def verdicts(self) -> dict[Verdict, int]:
        return dict(Counter(line.verdict for line in self.lines))

    @property
    def is_clean(self) -> bool:
        return all(line.verdict is Verdict.OK for line in self.lines)

    def failure(self) -> AuditFailed | None:
        """The error that a script should see; None when everything is accounted for."""
        if self.is_clean:
            return None
        wrong = {verdict: self.verdicts.get(verdict, 0) for verdict in tuple(Verdict)[1:]}
        told = ", ".join(f"{count} {verdict}" for verdict, count in wrong.items() if count)
        count = sum(wrong.values())
        lines = "1 line does" if count == 1 else f"{count} lines do"
        return AuditFailed(f"{lines} not add up: {told}.", hint=" ".join(_todo(wrong)))

    def as_json(self) -> dict[str, Any]:
        failure = self.failure()
        return {
            "clean": self.is_clean,
            "account": self.account,
            "since_at": self.since_at.isoformat(),
            "until_at": self.until_at.isoformat(),
            "creates": {
                "approved": self.approved,
                "rescued": self.rescued,
                "at_provider": self.at_provider,
            },
            "billed_s": self.billed_s,
            "cost_cny": float(self.cost_cny),
            "unaccounted": {
                "count": len(self.unaccounted),
                "cost_cny": float(total_cny(self.unaccounted)),
            },
            "verdicts": {verdict.value: count for verdict, count in self.verdicts.items()},
            "unpriced": self.unpriced,
            "elsewhere": self.elsewhere,
            "lines": [line.as_json() for line in self.lines],
            "error": problem(failure) if failure else None,
        }


def total_cny(lines: Iterable[Line]) -> Decimal:
    """What the provider billed for these."""
    return sum((line.cost_cny or Decimal(0) for line in lines), Decimal(0))


async def audit(
    shop: Workshop, provider: Provider, *, hours: int, told: account.Told = lambda _: None
) -> Audit:
    """Compare the last `hours`. Costs a few queries and one for each task that succeeded.

    Raises: what the provider answered, when it cannot be asked in full. Then nothing is claimed.
    """
    now_at = shop.clock.now()
    since_at = now_at - timedelta(hours=hours)
    listed = await account.tasks(shop, provider, since_at, now_at + SLACK, told)
    made = [task_id for task_id, task in listed.items() if task.status is TaskStatus.SUCCEEDED]
    reports = await account.reports(shop, provider, made, told)
    found = await shop.ledger.attempts_since(since_at - SLACK)
    forgotten_at = now_at - timedelta(seconds=limit("task_ttl_s")) + SLACK
    attempts = [one for one in found if _counts(provider, one, listed, since_at, forgotten_at)]
    # A list may lag behind, or end at another second: only a direct question tells that a task is not there.
    hidden = [one.task_id for one in attempts if one.task_id is not None and one.task_id not in listed]
    reports |= await account.reports(shop, provider, hidden, told)
    jobs = {one.job_id: await shop.ledger.job(one.job_id) for one in attempts}
    lines = joined(provider, attempts, jobs, listed, reports, await account.owned(shop, listed))
    return Audit(provider.account.name, since_at, now_at, tuple(lines), _elsewhere(provider, found, listed))


def _counts(
    provider: Provider,
    attempt: Attempt,
    listed: Mapping[TaskId, TaskListing],
    since_at: datetime,
    forgotten_at: datetime,
) -> bool:
    """Whether an attempt belongs into the audit: its task is listed, or it began in time and here."""
    if attempt.task_id in listed:
        return True
    began_at = since_at if attempt.task_id is None else max(since_at, forgotten_at)
    return attempt.started_at >= began_at and _is_of(provider, attempt)


def _is_of(provider: Provider, attempt: Attempt) -> bool:
    here = provider.account
    return (attempt.endpoint, attempt.key_fingerprint) == (here.endpoint, here.key_fingerprint)


def _elsewhere(provider: Provider, attempts: Iterable[Attempt], listed: Mapping[TaskId, TaskListing]) -> int:
    """Attempts with another key or endpoint that this list does not show: nothing can be said of them."""
    return sum(
        attempt.account.startswith(f"{provider.name}|")
        and not _is_of(provider, attempt)
        and attempt.task_id not in listed
        for attempt in attempts
    )


def _todo(wrong: dict[Verdict, int]) -> list[str]:
    todo = []
    if wrong[Verdict.UNACCOUNTED]:
        todo.append("`wanvideo rescue` shows the clips that nobody here asked for, and brings them home.")
    if wrong[Verdict.UNCERTAIN]:
        todo.append("`wanvideo jobs watch ID` looks for the task of a submit that was never answered.")
    if wrong[Verdict.MISSING] or wrong[Verdict.BILL_DIFFERS]:
        todo.append("Compare the lines with the bill in the Model Studio console.")
    return todo
