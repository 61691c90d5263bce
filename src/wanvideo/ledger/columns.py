"""How values lie in a column: instants and money as whole numbers, exact on every database; JSON as text."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pydantic_core import from_json
from sqlalchemy import BigInteger, Dialect, TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO_YUAN = Decimal("0.000001")


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as microseconds since 1970: they sort and compare alike everywhere."""

    impl = BigInteger
    cache_ok = True

    # SQLAlchemy names the arguments; times need nothing of the dialect
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    # as above
    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], Any]:  # noqa: ARG002
        return _instant  # the plain function: a row of a job has seven of them


def _instant(value: int | None) -> datetime | None:
    return None if value is None else _EPOCH + timedelta(0, 0, value)


class Yuan(TypeDecorator[Decimal]):
    """An amount in yuan, stored as whole micro-yuan: sums that the database makes are exact."""

    impl = BigInteger
    cache_ok = True

    # as above: money needs nothing of the dialect either
    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else micro_yuan(value)

    # as above
    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else Decimal(int(value)).scaleb(-6)


def micro_yuan(cny: Decimal) -> int:
    """Yuan as whole millionths of a yuan."""
    return int(cny.quantize(_MICRO_YUAN, ROUND_HALF_UP).scaleb(6))


def read_json(text: str) -> Any:
    """Five times as fast as `json`, and a page of jobs is mostly JSON."""
    try:
        return from_json(text)
    except ValueError:  # half a surrogate pair, which `json` writes and reads
        return json.loads(text)
