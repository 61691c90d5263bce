"""The terms of a call, beside its request: who makes the clip, at what price, how long to wait."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

from wanvideo.errors import RequestInvalid

Cache = Literal["use", "refresh", "off"]
CACHES: Final = ("use", "refresh", "off")
PROVIDERS: Final = ("dashscope", "preview")


@dataclass(frozen=True, slots=True)
class Terms:
    """`max_cost_cny` in yuan, `timeout_s` in seconds; None: no limit, and the settings' provider."""

    provider: str | None = None
    cache: str = "use"
    max_cost_cny: Decimal | None = None
    timeout_s: float | None = None


def read_terms(
    *,
    provider: Any = None,
    cache: Any = "use",
    max_cost: Any = None,
    timeout_s: Any = None,
    on_progress: Callable[..., Any] | None = None,
) -> Terms:
    """Check the terms before anything else happens. Raises: RequestInvalid naming the argument."""
    if provider is not None and provider not in PROVIDERS:
        raise _wrong("provider", provider, "a provider", f"Write {' or '.join(PROVIDERS)}.")
    if cache is True or not isinstance(cache, str) or cache not in CACHES:
        raise _wrong(
            "cache",
            cache,
            "a way to use the cache",
            "Write use (an earlier identical clip, free), refresh (a new one for all) or off (a new one).",
        )
    if on_progress is not None and not callable(on_progress):
        raise _wrong("on_progress", on_progress, "a function", "Give a function that takes a snapshot.")
    return Terms(provider, cache, _yuan(max_cost), _seconds(timeout_s))


def _yuan(value: Any) -> Decimal | None:
    if value is None:
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(value, bool) or not amount.is_finite() or amount < 0:
        raise _wrong("max_cost", value, "an amount of yuan", "Write 1.5, say.")
    return amount


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value <= 0:
        raise _wrong(
            "timeout_s", value, "a time to wait", "Write seconds above 0, or leave it out to wait to the end."
        )
    return float(value)


def _wrong(field: str, value: Any, what: str, hint: str) -> RequestInvalid:
    return RequestInvalid(f"{value!r} is not {what}.", field=field, hint=f"{hint} Nothing was sent.")
