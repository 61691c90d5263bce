"""A Chinese text as terms and clauses.

Terms are matched longest first, so that 上海 is a city and 雪豹 an animal; what no term claims is left as
single characters. One term may play several parts: 雨夜 is rain and night.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from wanvideo.preview.words.chinese_grid import act_length, composed
from wanvideo.preview.words.vocabulary import groups

_CLAUSES = re.compile(r"[\u3400-\u9fff\u30010-9]+")
_LIST_MARK = "、"
_HANDLES = ("把", "将")
_REACH = 16  # terms from there on
_CAMERA = len("镜头")
_LONGEST_SPLIT = 4  # characters of a word beyond the part it shares
_MEANS = (
    "move", "camera_move", "alone_move", "on_the_way", "shakes", "direction", "bare",
    "weather", "bare_weather", "light", "stopped",
)  # fmt: skip
_PLAIN = (
    "trap", "camera", "follows", "not_camera", "still", "stays", "any_move", "between", "joins",
    "ends_refusal", "negator", "motion", "happens", "undone", "action", "colour", "frame",
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

    def handles_a_thing(self, at: int) -> bool:
        """Whether something has been taken that is done to: 工人把箱子推到墙边. It may yet be a camera."""
        before = self.terms[max(0, at - _REACH) : max(0, at - 1)]
        return "camera" not in self.terms[at].parts and any(term.text in _HANDLES for term in before)


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
        act = act_length(text, at)
        for length in range(min(max(longest, act), end - at), 0, -1):
            piece = text[at : at + length]
            if length == act and length > 1 and piece not in known:
                found.append(Term(piece, at, {"action": True}))
                at += length
                break
            if length == 1 or (piece in known and not _splits_a_word(text, at, piece)):
                found.append(Term(piece, at, known.get(piece, {})))
                at += length
                break
    return found


def _splits_a_word(text: str, at: int, piece: str) -> bool:
    """Whether the end of a term belongs to a longer word: 向上|海, 上飞|过, 镜头移|动到."""
    known = _parts()
    parts = known[piece]
    last, wanted = 1, {"trap"}
    if "last" in parts:
        last, wanted = len(parts["last"]), {"trap", "action"}
        if act_length(text, at + len(piece) - last) > last:
            return True
    elif len(piece) > _CAMERA and "camera" in known.get(piece[:_CAMERA], ()):
        last, wanted = len(piece) - _CAMERA, {"reaches"}
    elif "direction" not in parts and "follows" not in parts:
        return False
    begin = at + len(piece) - last
    longer = (text[begin : begin + length] for length in range(last + 1, last + _LONGEST_SPLIT))
    return last < len(piece) and any(
        len(word) > last and wanted & set(known.get(word, ())) for word in longer
    )


@cache
def _parts() -> dict[str, dict[str, Any]]:
    """Every term, listed or put together, and its parts."""
    found = _listed()
    for word, parts in composed().items():
        if word in found:  # the vocabulary knows it as a word of its own
            parts.pop("last", None)
        if "verb" in parts and any("action" in found.get(word[:end], {}) for end in range(1, len(word))):
            parts["action"] = True  # 气球升起来
        found[word] = parts | found.get(word, {})
    return found


def _listed() -> dict[str, dict[str, Any]]:
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
    return found


@cache
def _longest() -> int:
    return max(map(len, _parts()))
