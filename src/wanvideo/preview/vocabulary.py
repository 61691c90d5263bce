"""The words of camera work in two languages, and what reading a prompt by them yields."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

MOVES = ("in", "out", "left", "right", "up", "down")


@dataclass(frozen=True)
class Reading:
    """What one language's reader found in a text. Positions are character offsets.

    `asked` are the moves wanted, `denied` those refused in so many words ("no zoom"), `named` all that were
    spoken of in any way, which is what a negative prompt removes. `pace` scales the amplitude; `unused` are
    words not acted on.
    """

    asked: tuple[tuple[int, str], ...]
    denied: frozenset[str]
    named: frozenset[str]
    pace: float
    unused: tuple[tuple[int, str], ...]


@cache
def words_of(language: str) -> dict[str, Any]:
    """The section of vocabulary.json for `language`, "english" or "chinese"."""
    text = files(__package__).joinpath("vocabulary.json").read_text(encoding="utf-8")
    section: dict[str, Any] = json.loads(text)[language]
    return section
