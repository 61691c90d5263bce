"""Camera words of a Chinese prompt.

Terms are matched longest first, so that 上海 is a city and 摇摆 a swaying branch. Terms of camera work
(推近, 左摇) speak for themselves; everyday ones (上升, 向左) count only directly after the camera, so that
太阳升起 moves nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from wanvideo.preview.vocabulary import MOVES, Reading, words_of

_CLAUSES = re.compile(r"[\u3400-\u9fff]+")


@dataclass(frozen=True)
class _Term:
    """One entry of the vocabulary: what it is, the moves it stands for, and its pace."""

    kind: str
    moves: tuple[str, ...] = ()
    pace: float = 1.0


def read(text: str) -> Reading:
    """Find the camera moves of `text`, what it refuses, and the words that mean nothing to the camera."""
    reader = _Reader(text)
    for clause in _CLAUSES.finditer(text):
        between = text[reader.end : clause.start()]
        if any(mark in "。！？.!?\n" for mark in between):
            reader.camera_acts = False
        reader.read_clause(clause.start(), clause.end())
    return Reading(
        tuple(reader.asked),
        frozenset(reader.denied),
        frozenset(reader.named),
        reader.pace,
        tuple(reader.unused),
    )


@cache
def _terms() -> dict[str, _Term]:
    known = words_of("chinese")
    terms: dict[str, _Term] = {}
    for word in known["between"]:
        terms[word] = _Term("between")
    for kind in ("joins", "negators"):
        terms |= {word: _Term(kind) for word in known[kind]}
    terms |= {word: _Term("between", pace=factor) for word, factor in known["pace"].items()}
    for kind in ("camera_only", "sure"):
        terms |= {word: _Term(kind, (move,)) for move, words in known[kind].items() for word in words}
    terms |= {word: _Term("bare", tuple(moves)) for word, moves in known["bare"].items()}
    terms |= {word: _Term("any_move", MOVES) for word in known["any_move"]}
    for kind in ("camera", "still", "never_done", "not_a_move"):
        terms |= {word: _Term(kind) for word in known[kind]}
    return terms


@cache
def _longest_term() -> int:
    return max(map(len, _terms()))


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Moves put together from parts: 向左侧缓慢平移, 从左到右移动. Group 1 is the direction or the sweep."""
    known = words_of("chinese")
    between = f"(?:{_any(known['between'])})*"
    turn = f"[{''.join(known['toward'])}]([{''.join(known['turns'])}])[{''.join(known['sides'])}]?{between}"
    sweeps = _any([sweep for words in known["sweeps"].values() for sweep in words])
    return (
        (re.compile(f"{turn}(?:{_any(known['toward_verbs'])})(?!摆|晃|曳|头)"), "sure"),
        (re.compile(f"({sweeps}){between}(?:{_any(known['sweep_verbs'])})"), "sure"),
        (re.compile(f"{turn}(?:{_any(known['everyday_verbs'])})?"), "camera_only"),
        (re.compile(f"({sweeps})"), "camera_only"),
    )


def _any(words: list[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


@cache
def _direction_of() -> dict[str, str]:
    known = words_of("chinese")
    swept = {sweep: move for move, sweeps in known["sweeps"].items() for sweep in sweeps}
    return {**known["turns"], **swept}


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.end = 0
        self.stop_characters = frozenset(words_of("chinese")["stop_characters"])
        self.asked: list[tuple[int, str]] = []
        self.denied: set[str] = set()
        self.named: set[str] = set()
        self.unused: list[tuple[int, str]] = []
        self.pace = 1.0
        self.camera_acts = False  # the camera is the subject of what comes next
        self.negated = False

    def read_clause(self, start: int, end: int) -> None:
        self.negated = False
        self.end = end
        spoken_from = at = start  # a run of characters that no term claims
        while at < end:
            length, term = self._term_at(at, end)
            if term is None:
                if self.text[at] in self.stop_characters:
                    self._leave_unused(spoken_from, at)
                    spoken_from = at + 1
                else:
                    self.camera_acts = self.negated = False
                at += 1
                continue
            if self._act(term, at, length):
                self._leave_unused(spoken_from, at)
                spoken_from = at + length
            at += length
        self._leave_unused(spoken_from, end)

    def _term_at(self, at: int, end: int) -> tuple[int, _Term | None]:
        for pattern, kind in _patterns():
            found = pattern.match(self.text, at, end)
            if found and (kind == "sure" or self.camera_acts):
                return len(found[0]), _Term(kind, (_direction_of()[found[1]],), self._pace_in(found[0]))
        for length in range(min(_longest_term(), end - at), 0, -1):
            term = _terms().get(self.text[at : at + length])
            if term is not None:
                return length, term
        return 1, None

    def _act(self, term: _Term, at: int, length: int) -> bool:
        """Do what a term says; False when it says nothing here, and counts as plain words."""
        match term.kind:
            case "camera":
                self.camera_acts = True
            case "negators":
                self.negated = True
            case "still":
                if not self.negated:
                    self.asked.append((at, "still"))
                self.camera_acts = True
            case "any_move":
                self._name(term.moves)
                self.camera_acts = True
            case "never_done":
                return self.negated
            case "between":
                self._set_pace(at, length, term.pace)
                return term.pace == 1 or self._pace_counts(at + length)
            case "joins":
                pass
            case "sure" | "camera_only" | "bare":
                return self._move(term, at, length)
            case _:
                self.camera_acts = self.negated = False
                return False
        return True

    def _move(self, term: _Term, at: int, length: int) -> bool:
        if term.kind == "bare":
            self.named.update(term.moves)
        if term.kind == "camera_only" and not self.camera_acts:
            self.negated = False
            return False
        if term.kind == "bare" and not (
            self.negated or self.camera_acts or self._camera_follows(at + length)
        ):
            return False
        if self.negated or term.kind != "bare":
            self._name(term.moves)
        if not self.negated:
            self.asked.append((at, term.moves[0]))
            self._set_pace(at, length, term.pace)
        self.camera_acts = True
        return True

    def _name(self, moves: tuple[str, ...]) -> None:
        self.named.update(moves)
        if self.negated:
            self.denied.update(moves)

    def _camera_follows(self, at: int) -> bool:
        return any(self.text.startswith(word, at) for word in words_of("chinese")["camera"])

    def _set_pace(self, at: int, length: int, pace: float) -> None:
        if pace != 1 and self.pace == 1 and not self.negated and self._pace_counts(at + length):
            self.pace = pace

    def _pace_counts(self, at: int) -> bool:
        """Whether an adverb that ends at `at` speaks of the camera: before it, after it, or before a camera
        term.
        """
        if self.camera_acts:
            return True
        while at < len(self.text):
            length, term = self._term_at(at, len(self.text))
            if term is None or term.kind not in ("between", "joins"):
                return term is not None and term.kind in ("sure", "camera", "any_move", "bare")
            at += length
        return False

    def _pace_in(self, words: str) -> float:
        pace: dict[str, float] = words_of("chinese")["pace"]
        return next((factor for word, factor in pace.items() if word in words), 1.0)

    def _leave_unused(self, start: int, end: int) -> None:
        if start < end:
            self.unused.append((start, self.text[start:end]))
