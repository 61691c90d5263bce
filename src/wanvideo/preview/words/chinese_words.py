"""A Chinese text as terms and clauses.

Terms are matched longest first, so that 上海 is a city and 雪豹 an animal; what no term claims is left as
single characters. One term may play several parts: 雨夜 is rain and night.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from wanvideo.preview.words.vocabulary import groups

_CLAUSES = re.compile(r"[\u3400-\u9fff\u30010-9]+")
_LIST_MARK = "、"
_MEANS = (
    "move", "camera_move", "alone_move", "on_the_way", "shakes", "direction", "bare",
    "weather", "bare_weather", "light", "stopped",
)  # fmt: skip
_PLAIN = (
    "trap", "camera", "follows", "not_camera", "still", "stays", "any_move", "between", "joins",
    "ends_refusal", "negator", "motion", "happens", "undone", "action", "colour",
)  # fmt: skip


@dataclass(frozen=True)
class Term:
    """A term and its parts: kind of group to what it means there. Without any it is a plain character."""

    text: str
    start: int
    parts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Clause:
    """Terms between two marks, and whether a sentence begins here."""

    terms: list[Term]
    begins_sentence: bool


def clauses(text: str) -> list[Clause]:
    """Everything Chinese in `text`; an enumeration with 、 is one clause."""
    found, end = [], 0
    for run in _CLAUSES.finditer(text):
        between = text[end : run.start()]
        found.append(
            Clause(_terms_of(text, run.start(), run.end()), any(mark in "。！？.!?\n" for mark in between))
        )
        end = run.end()
    return found


def _terms_of(text: str, start: int, end: int) -> list[Term]:
    found, at = [], start
    known, longest = _parts(), _longest()
    while at < end:
        for length in range(min(longest, end - at), 0, -1):
            piece = text[at : at + length]
            if length == 1 or piece in known:
                found.append(Term(piece, at, known.get(piece, {})))
                at += length
                break
    return found


@cache
def _parts() -> dict[str, dict[str, Any]]:
    """Every term of the vocabulary and its parts."""
    found: dict[str, dict[str, Any]] = {}
    for group in groups("chinese"):
        kind = group["is"]
        for word in group.get("words", ()):
            parts = found.setdefault(word, {})
            if kind in _MEANS:
                parts.setdefault(kind, group["means"])
            elif kind == "pace":
                parts[kind] = group["factor"]
            elif kind in _PLAIN:
                parts[kind] = True
            elif kind == "flow":
                parts.setdefault(kind, []).append(group)
            elif kind == "verb":
                parts.setdefault(kind, group)
        for word in group.get("does", ()):
            found.setdefault(word, {})["does"] = True
    found[_LIST_MARK] = {"joins": True}
    return _directions() | _turned_verbs() | found


@cache
def _longest() -> int:
    return max(map(len, _parts()))


def _directions() -> dict[str, dict[str, Any]]:
    """向左, 往右侧, 朝上方 ..."""
    side = groups("chinese", "side")[0]
    return {
        toward + side[direction] + edge: {"direction": direction}
        for toward in side["toward"]
        for direction in ("left", "right", "up", "down", "in", "out")
        for edge in side["edge"]
    }


def _turned_verbs() -> dict[str, dict[str, Any]]:
    """左摇, 右移, 上移 ...: a direction and a verb in one term."""
    side = groups("chinese", "side")[0]
    ways = groups("chinese", "ways")[0]
    found: dict[str, dict[str, Any]] = {}
    for group in groups("chinese", "verb"):
        for direction in ("left", "right", "up", "down"):
            token = ways[group["goes"]].get(direction)
            for verb in group["words"] if token else ():
                kind = "move" if group["when"] == "sure" else "camera_move"
                found.setdefault(side[direction] + verb, {})[kind] = token
    return found
