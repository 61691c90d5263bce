"""The pace of an account, kept by all processes together: each request to the provider takes its turn first.

Queries, lists and cancels share one gate, creates have another. A 429 shuts the gate for everybody; it
opens gently, with turns further apart at first.
"""

from __future__ import annotations

from typing import Final

from wanvideo.errors import Throttled
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import Provider

QUERY: Final = "query"
SUBMIT: Final = "submit"


def gate(provider: Provider, kind: str) -> str:
    """The gate's name in the ledger."""
    return f"{kind}|{provider.account.name}"


async def take(shop: Workshop, provider: Provider, kind: str = QUERY) -> None:
    """Wait for this process's turn. A provider on this machine has no gate."""
    pace = provider.pace
    per_s = pace.submits_per_s if kind == SUBMIT else pace.queries_per_s
    if per_s is not None:
        wait_s = await shop.ledger.take_turn(gate(provider, kind), per_s=per_s)
        if wait_s > 0:
            await shop.clock.sleep(wait_s)


async def told(shop: Workshop, provider: Provider, error: Exception, kind: str = QUERY) -> None:
    """Shut the gate when an answer asked for a slower pace."""
    if isinstance(error, Throttled):
        await shop.ledger.shut_gate(gate(provider, kind))
