"""What was spent today and in the last seven days, by whom, and what is left of the day's budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import Spending

WEEK_DAYS: Final = 7
"""Today is one of them."""
_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sum:
    """Money of one stretch of time. `reserved_cny` is held back by attempts whose bill is still open."""

    spent_cny: Decimal = _NOTHING
    reserved_cny: Decimal = _NOTHING
    clips: int = 0
    saved_cny: Decimal = _NOTHING
    hits: int = 0  # clips that were there already

    def as_json(self) -> dict[str, Any]:
        return {
            "spent_cny": float(self.spent_cny),
            "reserved_cny": float(self.reserved_cny),
            "clips": self.clips,
            "saved_cny": float(self.saved_cny),
            "hits": self.hits,
        }


@dataclass(frozen=True, slots=True)
class OwnerLine:
    """One owner with one provider. `owner` is None for whoever uses the command line or Python."""

    owner: str | None
    provider: str
    today: Sum
    week: Sum


@dataclass(frozen=True, slots=True)
class SpendingReport:
    """`today` since local midnight, `week` since midnight six days before."""

    today_at: datetime
    week_at: datetime
    today: Sum
    week: Sum
    owners: tuple[OwnerLine, ...]
    daily_budget_cny: Decimal | None

    @property
    def left_cny(self) -> Decimal | None:
        """What of the day's budget is neither spent nor held back; never below 0. None without a budget."""
        if self.daily_budget_cny is None:
            return None
        return max(_NOTHING, self.daily_budget_cny - self.today.spent_cny - self.today.reserved_cny)

    def as_json(self) -> dict[str, Any]:
        budget, left = self.daily_budget_cny, self.left_cny
        return {
            "today": {"since_at": self.today_at.isoformat(), **self.today.as_json()},
            "last_7_days": {"since_at": self.week_at.isoformat(), **self.week.as_json()},
            "daily_budget_cny": None if budget is None else float(budget),
            "left_cny": None if left is None else float(left),
            "owners": [
                {
                    "owner": line.owner,
                    "provider": line.provider,
                    "today": line.today.as_json(),
                    "last_7_days": line.week.as_json(),
                }
                for line in self.owners
            ],
        }


def midnight(now: datetime, days_ago: int = 0) -> datetime:
    """When the day of the user's own clock began: the day by which clips are named and budgets counted."""
    day = now.astimezone().date() - timedelta(days=days_ago)
    return datetime.combine(day, time()).astimezone()


async def spending(shop: Workshop, daily_budget_cny: Decimal | None) -> SpendingReport:
    """Read from the ledger alone. An attempt counts on the day it began."""
    today_at = midnight(shop.clock.now())
    week_at = midnight(shop.clock.now(), WEEK_DAYS - 1)
    today = await shop.ledger.spending(today_at)
    week = await shop.ledger.spending(week_at)
    return SpendingReport(
        today_at, week_at, total(today), total(week), by_owner(today, week), daily_budget_cny
    )


def total(lines: Iterable[Spending]) -> Sum:
    """All of them together."""
    each = list(lines)
    return Sum(
        spent_cny=sum((line.settled_cny for line in each), _NOTHING),
        reserved_cny=sum((line.reserved_cny for line in each), _NOTHING),
        clips=sum(line.clips for line in each),
        saved_cny=sum((line.saved_cny for line in each), _NOTHING),
        hits=sum(line.hits for line in each),
    )


def by_owner(today: Sequence[Spending], week: Sequence[Spending]) -> tuple[OwnerLine, ...]:
    """Who spent most in the week comes first."""
    now = {(line.owner, line.provider): line for line in today}
    lines = [
        OwnerLine(
            line.owner,
            line.provider,
            total([now[line.owner, line.provider]]) if (line.owner, line.provider) in now else Sum(),
            total([line]),
        )
        for line in week
    ]
    return tuple(sorted(lines, key=lambda line: (-line.week.spent_cny, line.owner or "", line.provider)))
