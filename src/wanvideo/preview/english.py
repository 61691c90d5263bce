"""Camera words of an English prompt.

Verbs of camera work ("zoom", "pan") speak for themselves; everyday verbs ("moves", "rises") count only when
the camera is their subject, so that "she looks left" and "the sun rises" move nothing.
"""

from __future__ import annotations

from typing import Any

from wanvideo.preview.english_words import Word, lemmas, phrases, split
from wanvideo.preview.vocabulary import MOVES, Reading, words_of

_FURTHEST = 6  # fillers between a verb and its direction, or between a negator and its verb
_OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}
_ENDS_CAMERA = frozenset({"a", "an", "the", "with", "any", "all", "from"})
_ARTICLES = frozenset({"a", "an", "the", "his", "her", "its", "their", "this", "that", "front"})
_WIDE = frozenset({"across", "over", "along", "around"})


def read(text: str) -> Reading:
    """Find the camera moves of `text`, what it refuses, and the words that mean nothing to the camera."""
    return _Reader(split(text.lower().replace("’", "'"))).reading()


class _Reader:
    def __init__(self, words: list[Word]) -> None:
        known = words_of("english")
        self.words = words
        self.verbs: dict[str, dict[str, Any]] = known["verbs"]
        self.directions: dict[str, str] = known["directions"]
        self.camera = frozenset(known["camera"])
        self.pace_words: dict[str, float] = known["pace"]
        self.fillers = frozenset(known["fillers"]) | self.pace_words.keys()
        self.joins = frozenset(known["joins"])
        self.negators = frozenset(known["negators"])
        self.others = frozenset(known["others"])
        self.stop_words = frozenset(known["stop_words"]) | self.negators | self.joins
        self.used: set[int] = set()
        self.asked: list[tuple[int, str]] = []
        self.denied: set[str] = set()
        self.named: set[str] = set()
        self.pace = 1.0
        self.camera_acts = False  # the camera is the subject of what comes next

    def reading(self) -> Reading:
        index = 0
        while index < len(self.words):
            if index and self.words[index].sentence != self.words[index - 1].sentence:
                self.camera_acts = False
            index = self._phrase(index) or self._move(index) or self._other(index)
        unused = tuple(
            (word.start, word.text)
            for index, word in enumerate(self.words)
            if index not in self.used and word.text not in self.stop_words
        )
        return Reading(tuple(self.asked), frozenset(self.denied), frozenset(self.named), self.pace, unused)

    # Each of these three returns the index to go on from; the first two 0 when they do not apply.

    def _phrase(self, index: int) -> int:
        for phrase, kind in phrases():
            end = self._match(phrase, index)
            if not end or (kind == "any_move" and self._says_where(index, end)):
                continue
            negated = self._negated(index)
            self.camera_acts = "camera" in phrase
            if kind == "not_a_move":
                return end
            if kind == "never_done" and not negated:
                return self._other(index)  # asked for, but not done
            self.used.update(range(index, end))
            if kind == "still" and not negated:
                self.asked.append((self.words[index].start, "still"))
            if kind == "any_move":
                self._name(MOVES, negated)
            return end
        return 0

    def _says_where(self, index: int, end: int) -> bool:
        """Whether a direction follows: "the camera moves left" is no camera movement in general."""
        return self._direction(self._skip_fillers(end, index), index, MOVES) is not None

    def _match(self, phrase: tuple[str, ...], index: int) -> int:
        """The index after `phrase`, which may be interspersed with fillers, or 0."""
        if self.words[index].text != phrase[0]:
            return 0
        at = index + 1
        for wanted in phrase[1:]:
            while self._same_clause(index, at) and self.words[at].text != wanted and self._is_filler(at):
                at += 1
            if not self._same_clause(index, at) or self.words[at].text != wanted:
                return 0
            at += 1
        return at

    def _move(self, index: int) -> int:
        name = lemmas().get(self.words[index].text)
        if name is None:
            return 0
        verb = self.verbs[name]
        object_at = index + 2 if self._text(index + 1) == "the" else index + 1
        follows_camera = self.camera_acts or self._text(object_at) in self.camera
        if verb.get("camera_only") and not follows_camera:
            return 0
        if not verb.get("sure") and not follows_camera and self._has_other_subject(index):
            return 0
        takes = tuple(verb.get("takes", MOVES))
        negated = self._negated(index)
        end, moves = self._directions(index, takes, not verb.get("sure"))
        if not moves:
            self._name(takes, negated)
            if not negated and not self._speaks_alone(index, verb):
                return 0
            end, moves = index + 1, [verb["bare"]] if "bare" in verb else []
        else:
            self._name(moves, negated)
        if not negated:
            self.asked += [(self.words[index].start, move) for move in moves]
        self.used.update(range(index, end))
        self._take_pace(index, end, negated)
        self.camera_acts = True
        return end

    def _directions(self, index: int, takes: tuple[str, ...], careful: bool) -> tuple[int, list[str]]:
        """What follows a verb: "slowly to the left", "in and out", "from left to right"."""
        at = self._skip_fillers(index + 1, index)
        move = self._direction(at, index, takes)
        if move is None:
            return self._sweep(index, takes)
        loose = careful and self.words[at].text in ("in", "out", "back", "up", "down")
        if loose and self._text(at + 1) in _ARTICLES and self._text(at + 2) not in self.camera:
            return index, []  # "the camera moves in the rain", "pull back the curtain"
        if self._text(at + 1) == "to":
            across = self._direction(self._skip_fillers(at + 1, index), index, takes)
            if across is not None and across == _OPPOSITE.get(move):
                return self._skip_fillers(at + 1, index) + 1, [across]
        moves, end = [move], at + 1
        while self._text(end) in self.joins:
            further = end
            while self._text(further) in self.joins or (
                self._same_clause(index, further) and self._is_filler(further)
            ):
                further += 1
            move = self._direction(further, index, takes)
            if move is None:
                break
            moves.append(move)
            end = further + 1
        if self._text(end) == "on" and moves[-1] == "in":
            end += 1
        return end, moves

    def _sweep(self, index: int, takes: tuple[str, ...]) -> tuple[int, list[str]]:
        """Further on in the clause: "sweeps across the valley from left to right"."""
        at = index + 1
        while self._same_clause(index, at):
            to = self._skip_fillers(at + 1, index)
            across = self._direction(to, index, takes)
            if (
                across
                and self._text(at + 1) == "to"
                and self.directions.get(self._text(at)) == _OPPOSITE.get(across)
            ):
                self.used.update((at, to))
                return index + 1, [across]
            at += 1
        return index, []

    def _direction(self, at: int, index: int, takes: tuple[str, ...]) -> str | None:
        if not self._same_clause(index, at):
            return None
        move = self.directions.get(self.words[at].text)
        return move if move in takes else None

    def _speaks_alone(self, index: int, verb: dict[str, Any]) -> bool:
        """Whether a verb without a direction is a move: "slow zoom", "crane shot", "the camera rises"."""
        if "bare" not in verb:
            return False
        before, after = (
            self._text(index - 1) if self._same_clause(index, index - 1) else "",
            self._text(index + 1),
        )
        if before in self.pace_words or after in ("shot", "shots"):
            return True
        if verb.get("camera_only") and after in self.camera:
            return True
        return self.camera_acts or (bool(verb.get("sure")) and after in _WIDE)

    def _has_other_subject(self, index: int) -> bool:
        """Whether somebody else pushes, pulls or tilts: "a man pushes in the door"."""
        before = index - 1
        while self._same_clause(index, before) and self._is_filler(before):
            before -= 1
        if not self._same_clause(index, before) or before in self.used:
            return False
        inflected = self.words[index].text not in self.verbs
        return self.words[before].text in self.others or (
            inflected and self.words[before].text not in self.camera | self.joins
        )

    def _other(self, index: int) -> int:
        text = self.words[index].text
        if text in self.camera:
            self.camera_acts = True
            self.used.add(index)
        elif text in _ENDS_CAMERA or not (
            self._is_filler(index) or text in self.joins or text in self.negators
        ):
            self.camera_acts = False
        return index + 1

    def _negated(self, index: int) -> bool:
        for at in range(index - 1, max(-1, index - 1 - _FURTHEST), -1):
            if not self._same_clause(index, at):
                return False
            text = self.words[at].text
            if text in self.negators:
                return True
            if not (
                self._is_filler(at) or text in self.camera or text in ("or", "nor", "and") or at in self.used
            ):
                return False
        return False

    def _name(self, moves: tuple[str, ...] | list[str], negated: bool) -> None:
        self.named.update(moves)
        if negated:
            self.denied.update(moves)

    def _take_pace(self, start: int, end: int, negated: bool) -> None:
        """Use up the adverbs around a move; the first that says something sets the pace."""
        nearby = list(range(start, end))
        for at, step in ((start - 1, -1), (end, 1)):
            while self._same_clause(start, at) and (
                self._is_filler(at) or self.words[at].text in self.camera
            ):
                nearby.append(at)
                at += step
        for at in nearby:
            factor = self.pace_words.get(self.words[at].text)
            if factor is not None:
                self.used.add(at)
                if self.pace == 1 and not negated:
                    self.pace = factor

    def _skip_fillers(self, at: int, index: int) -> int:
        end = at
        while end - at < _FURTHEST and self._same_clause(index, end) and self._is_filler(end):
            end += 1
        return end

    def _is_filler(self, at: int) -> bool:
        return self.words[at].text in self.fillers

    def _text(self, at: int) -> str:
        return self.words[at].text if 0 <= at < len(self.words) else ""

    def _same_clause(self, index: int, at: int) -> bool:
        return 0 <= at < len(self.words) and self.words[at].clause == self.words[index].clause
