"""What the provider's account shows: every task of the last hours, and what became of each. Read only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from wanvideo.contract.job import TaskId
from wanvideo.errors import WanvideoError
from wanvideo.jobs import listing, turns
from wanvideo.jobs.policy import backoff_s
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import Provider, TaskListing, TaskReport

Told = Callable[[str], None]
"""Takes one line for the person who waits."""

LONGEST_HOURS: Final = 24
"""The provider forgets tasks after this."""
TRIES: Final = 4
"""How often a question is asked before the whole answer is given up: some seven seconds."""
_AT_ONCE: Final = timedelta(hours=13)
"""Longer windows cannot be spelt so that they hold whichever zone the vendor reads them in (see adapter)."""
_TELL_EVERY: Final = 20
_IDS_AT_ONCE: Final = 1000

T = TypeVar("T")


async def tasks(
    shop: Workshop, provider: Provider, since_at: datetime, until_at: datetime, told: Told
) -> dict[TaskId, TaskListing]:
    """Every task of the window, the oldest first. Raises: the last error, rather than leave a part out."""
    told("asking for the task list")
    found: dict[TaskId, TaskListing] = {}
    first_at = since_at
    while first_at < until_at:
        last_at = min(first_at + _AT_ONCE, until_at)
        found |= {task.task_id: task for task in await _stretch(shop, provider, first_at, last_at)}
        first_at = last_at
    newest_last = list(found.items())[::-1]  # so that tasks of the same instant keep their order as well
    return dict(sorted(newest_last, key=lambda item: item[1].created_at))


async def report(shop: Workshop, provider: Provider, task_id: TaskId) -> TaskReport:
    """How one task stands, asked in its turn. Raises: the last error."""

    async def ask() -> TaskReport:
        await turns.take(shop, provider)
        try:
            return await provider.fetch(task_id)
        except WanvideoError as error:
            await turns.told(shop, provider, error)
            raise

    return await _patiently(shop, ask)


async def reports(
    shop: Workshop, provider: Provider, task_ids: Iterable[TaskId], told: Told
) -> dict[TaskId, TaskReport]:
    """How each of these tasks stands. Costs one query a task."""
    wanted, found = list(task_ids), dict[TaskId, TaskReport]()
    for number, task_id in enumerate(wanted):
        if number % _TELL_EVERY == 0:
            told(f"asking what was billed: {number} of {len(wanted)} tasks")
        found[task_id] = await report(shop, provider, task_id)
    return found


async def owned(shop: Workshop, task_ids: Iterable[TaskId]) -> set[TaskId]:
    """Those that an attempt of this ledger owns."""
    wanted, found = list(task_ids), set[TaskId]()
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        found |= await shop.ledger.known_tasks(wanted[start : start + _IDS_AT_ONCE])
    return found


async def _stretch(
    shop: Workshop, provider: Provider, since_at: datetime, until_at: datetime
) -> list[TaskListing]:
    async def ask() -> list[TaskListing]:
        return await listing.whole(shop, provider, since_at, until_at)

    return await _patiently(shop, ask)


async def _patiently(shop: Workshop, ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again where that may help. A person waits, so not for ever."""
    for tries in range(TRIES - 1):
        try:
            return await ask()
        except WanvideoError as error:
            if not error.retryable:
                raise
            await shop.clock.sleep(backoff_s(tries))
    return await ask()
