"""The words of two languages, one group a line in a JSON file each, and what reading by them yields."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

Group = dict[str, Any]
"""`is` says what kind of words these are, `examples` are prompts and what they must be read as."""


@dataclass(frozen=True)
class Reading:
    """What one language's reader found in a text. Positions are character offsets; tokens are those of
    `plan`: moves, effects and lights alike.

    `asked` are those wanted, `denied` those refused in so many words ("no zoom"). `pace` scales the
    moves; `unused` are words not acted on.
    """

    asked: tuple[tuple[int, str], ...]
    denied: frozenset[str]
    pace: float
    unused: tuple[tuple[int, str], ...]


@cache
def groups(language: str, kind: str = "") -> tuple[Group, ...]:
    """The groups of "english" or "chinese" in the order of the file, or only those of one kind."""
    text = files(__package__).joinpath(f"{language}.json").read_text(encoding="utf-8")
    return tuple(group for group in json.loads(text) if kind in ("", group["is"]))


@cache
def words(language: str, kind: str) -> frozenset[str]:
    """All words of one kind."""
    return frozenset(word for group in groups(language, kind) for word in group["words"])


@cache
def meanings(language: str, kind: str) -> dict[str, str]:
    """All words of one kind and what they mean: a token, or several with spaces between, or a direction."""
    return {word: group["means"] for group in groups(language, kind) for word in group["words"]}


@cache
def paces(language: str) -> dict[str, float]:
    """The words that say how fast, and the factor of the pace."""
    return {word: group["factor"] for group in groups(language, "pace") for word in group["words"]}
