"""What a clip, and a day, may cost. Looked at when a request is taken in, and again by the submit itself."""

from __future__ import annotations

from decimal import Decimal

from wanvideo.contract.job import Job
from wanvideo.errors import CostLimitExceeded
from wanvideo.jobs.spending import midnight
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import Budget


def check_clip(shop: Workshop, estimate_cny: Decimal, own_cny: Decimal | None) -> None:
    """Raises: CostLimitExceeded above the caller's own limit for a clip, or else the settings'."""
    most_cny = shop.rules.max_cost_cny if own_cny is None else own_cny
    if most_cny is not None and estimate_cny > most_cny:
        raise CostLimitExceeded(f"The clip costs about ¥{estimate_cny:.2f}; the limit is ¥{most_cny:.2f}.")


async def check_day(shop: Workshop, estimate_cny: Decimal) -> None:
    """Raises: CostLimitExceeded when the day's budget has no room for one more clip of this price."""
    budget = day_budget(shop)
    if budget is not None and estimate_cny > 0:
        spent_cny = await shop.ledger.spent_cny(budget.since_at)
        if spent_cny + estimate_cny > budget.cny:
            raise over_budget(budget, estimate_cny, spent_cny)


def day_budget(shop: Workshop) -> Budget | None:
    """What may be spent since midnight, by the user's own clock."""
    if shop.rules.daily_budget_cny is None:
        return None
    return Budget(shop.rules.daily_budget_cny, midnight(shop.clock.now()))


def over_budget(budget: Budget, estimate_cny: Decimal, spent_cny: Decimal) -> CostLimitExceeded:
    return CostLimitExceeded(
        f"The clip costs about ¥{estimate_cny:.2f}; ¥{spent_cny:.2f} of today's ¥{budget.cny:.2f} are spent "
        "or held back by clips in the making.",
        field="WANVIDEO_DAILY_BUDGET",
        hint="Raise it, or ask again tomorrow. Nothing was sent.",
    )


def own_limit_cny(job: Job) -> Decimal | None:
    return None if job.max_cost_cny is None else Decimal(job.max_cost_cny)
