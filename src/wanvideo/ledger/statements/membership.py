"""Lists of any length as one parameter: one statement serves them all, and none is too long.

SQLite and PostgreSQL both have a `json_each` that makes rows of an object, with a `key` and a `value`.
Spelt out one by one, some 32,000 parameters is the most that either takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import JSON, ColumnElement, TableValuedAlias, bindparam, func, select


def rows_of(values: Mapping[Any, Any]) -> TableValuedAlias:
    """A table of texts (keys) and values. The values are JSON on PostgreSQL, and have to be cast first."""
    given = bindparam(None, dict(values), type_=JSON, unique=True)
    return func.json_each(given).table_valued("key", "value")


def among(column: ColumnElement[Any], texts: Iterable[str]) -> ColumnElement[bool]:
    """Is the column one of these?"""
    return column.in_(select(rows_of(dict.fromkeys(texts, 0)).c.key))
