"""The whole task list of a stretch of time, page by page. A list with holes in it is no list."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from wanvideo.contract.job import TaskId
from wanvideo.errors import ProviderUnavailable, WanvideoError
from wanvideo.jobs import turns
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import Provider, TaskListing, TaskPage

MOST_PAGES: Final = 500


async def page(
    shop: Workshop, provider: Provider, since_at: datetime, until_at: datetime, page_no: int = 1
) -> TaskPage:
    """One page, in its turn. Raises: what the provider raises; retryable for anything but a real answer."""
    await turns.take(shop, provider)
    try:
        return await provider.list_page(since_at, until_at, page_no)
    except WanvideoError as error:
        await turns.told(shop, provider, error)
        raise


async def whole(
    shop: Workshop, provider: Provider, since_at: datetime, until_at: datetime
) -> list[TaskListing]:
    """Every task that was created in the window, at most 24 hours of it, each once.

    Costs one query a page. Raises a retryable error rather than give a list with holes in it: a task that
    is not listed counts as never made.
    """
    found: dict[TaskId, TaskListing] = {}
    page_no, pages, total = 0, 1, 0
    while page_no < pages:
        page_no += 1
        got = await page(shop, provider, since_at, until_at, page_no)
        if got.pages > MOST_PAGES:
            raise ProviderUnavailable(f"The task list has {got.pages} pages; that cannot be right.")
        pages, total = got.pages, total or got.total
        found.update({task.task_id: task for task in got.tasks})
    if len(found) < total:
        raise ProviderUnavailable(f"The task list broke off: {len(found)} lines of {total}.")
    return [task for task in found.values() if since_at <= task.created_at <= until_at]
