"""The pace of an account, kept by all processes together: each request to the provider takes its turn first.

Queries, lists and cancels share one gate, creates have another. A 429 shuts the gate for everybody; it
opens gently, with turns further apart at first.
"""

from __future__ import annotations

from enum import StrEnum

from wanvideo.contract.job import TaskId
from wanvideo.errors import Throttled, WanvideoError
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import Provider, TaskReport


class Lane(StrEnum):
    """Who wants a turn. The watch and the workers share the gate of the queries."""

    SUBMIT = "submit"
    QUERY = "query"
    WATCH = "watch"


def gate(provider: Provider, lane: Lane) -> str:
    """The gate's name in the ledger."""
    kind = Lane.SUBMIT if lane is Lane.SUBMIT else Lane.QUERY
    return f"{kind}|{provider.account.name}"


async def take(shop: Workshop, provider: Provider, lane: Lane = Lane.QUERY) -> None:
    """Wait for this process's turn. A provider on this machine has no gate.

    Few workers ask at a time, so that however many want a turn, the watch gets its own.
    """
    pace = provider.pace
    per_s = pace.submits_per_s if lane is Lane.SUBMIT else pace.queries_per_s
    if per_s is None:
        return
    if lane is Lane.WATCH:
        await _wait(shop, gate(provider, lane), per_s)
        return
    async with shop.lanes[gate(provider, lane)]:
        await _wait(shop, gate(provider, lane), per_s)


async def _wait(shop: Workshop, name: str, per_s: float) -> None:
    wait_s = await shop.ledger.take_turn(name, per_s=per_s)
    if wait_s > 0:
        await shop.clock.sleep(wait_s)


async def fetch(shop: Workshop, provider: Provider, task_id: TaskId) -> TaskReport:
    """How the task is, asked in its turn. Raises: what the provider raises."""
    await take(shop, provider)
    try:
        return await provider.fetch(task_id)
    except WanvideoError as error:
        await told(shop, provider, error)
        raise


async def told(shop: Workshop, provider: Provider, error: Exception, lane: Lane = Lane.QUERY) -> None:
    """Shut the gate when an answer asked for a slower pace."""
    if isinstance(error, Throttled):
        await shop.ledger.shut_gate(gate(provider, lane))
