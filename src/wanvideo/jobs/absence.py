"""The proof that a lost submit made no task that anybody pays for: two lists in which none can be its own.

The lists lie `absence_gap_s` apart, because a new task may be listed late, and the second comes after the
submit's reach, because a gateway may hold a create that long. Both are asked for by one process and timed by
its steady clock, which nobody sets; a restart begins anew. Beside them may stand:

- tasks that attempts of ours own, and tasks of other programs: they succeeded with words that have little in
  common with those that were sent. So may a shared account be as busy as it likes.
- tasks that failed or were cancelled. They never tell whose they were, but they are free: either such a task
  was this submit's, which then cost nothing, or it was not, and then none was made. Sent again, the job is
  paid for once in both cases.

A job is sent again by such a proof once. Two proofs would be as good as one if each could only fail by
chance; but a list that does not show what this key makes (a workspace, a gateway with a memory of its own)
fails every time, and a line that was lost twice is likely to be lost again: the loop would pay at every
turn. So at most one clip is ever at stake, and a second loss waits for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from wanvideo.contract.job import Attempt, Event, Job
from wanvideo.contract.model_card import limit
from wanvideo.contract.price import FREE
from wanvideo.errors import WanvideoError
from wanvideo.jobs import turns
from wanvideo.jobs.unanswered import DOUBT_SLACK, EARLY_SLACK, MOST_SKEW
from wanvideo.jobs.workshop import Workshop, moved
from wanvideo.ports import Ending, Lease, Provider


def doubt(
    shop: Workshop,
    job: Job,
    attempts: Sequence[Attempt],
    learned: Mapping[str, Any],
    provider_at: datetime | None,
) -> str:
    """Why an empty list proves nothing for this job; empty when it may, and where nothing is at stake."""
    if _costs_nothing(job):
        return ""
    attempt, lost_at = attempts[-1], datetime.fromisoformat(job.evidence["lost_at"])
    if shop.elapsed_s(attempt.started_at) > limit("task_ttl_s") - DOUBT_SLACK.total_seconds():
        return "the submit is older than the provider's task list, so nothing can be proved any more"
    if learned.get("set_back") or lost_at < attempt.started_at - EARLY_SLACK:
        return "the clock was set back since the submit, so nobody knows which part of the list to look at"
    skew = timedelta() if provider_at is None else abs(shop.clock.now() - provider_at)
    if skew > MOST_SKEW:
        return f"this clock is {skew.total_seconds():.0f} s off, so an empty list proves nothing"
    if any(earlier.outcome == Event.PROVED_ABSENT for earlier in attempts):
        return "a submit of this job was lost and proved absent once before"
    return ""


def _costs_nothing(job: Job) -> bool:
    return Decimal(job.estimate_cny) == 0


def proof_in_s(shop: Workshop, job: Job, attempt: Attempt) -> float:
    """Seconds until the list that proves absence, after an empty one now; 0 when this one does."""
    if _costs_nothing(job):
        return 0.0
    now_s = shop.clock.steady_s()
    since_first_s = now_s - shop.empty_since_s.setdefault(job.id, now_s)
    lost_at = datetime.fromisoformat(job.evidence["lost_at"])
    out_s = (lost_at - attempt.started_at).total_seconds()
    return max(shop.rules.absence_gap_s - since_first_s, shop.rules.submit_reach_s - out_s - since_first_s)


async def provider_time(shop: Workshop, provider: Provider) -> datetime | None:
    """The provider's own time, asked in turn; None where it does not tell."""
    await turns.take(shop, provider)
    try:
        return await provider.ping()
    except WanvideoError as error:
        await turns.told(shop, provider, error)
        raise


async def proved(shop: Workshop, lease: Lease, data: dict[str, Any]) -> None:
    """Back to the queue; the attempt cost nothing."""
    shop.empty_since_s.pop(lease.job.id, None)
    changes = moved(lease.job, Event.PROVED_ABSENT, evidence={})
    ending = Ending(Event.PROVED_ABSENT, settled_cny=FREE.cny)
    await shop.ledger.close_attempt(lease, ending, changes, data=data, release_in_s=0)
