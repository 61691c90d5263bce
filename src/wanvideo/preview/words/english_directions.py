"""Where the camera goes in an English prompt: the directions that follow one of its verbs."""

from __future__ import annotations

from wanvideo.preview.words.english_verbs import OPPOSITE, Verb
from wanvideo.preview.words.english_words import FURTHEST, Text
from wanvideo.preview.words.vocabulary import meanings, paces, words

_ARTICLES = frozenset({"a", "an", "the", "his", "her", "its", "their", "this", "that", "front"})
# Directions that may belong to what follows: "moves in the rain", "pulls up a chair".
_LOOSE = {"": ("in", "out", "back"), "pull": ("in", "out", "back", "up")}
_SHOTS = frozenset({"shot", "shots", "move", "movement"})
_REACH = 16  # words of a clause in which "from left to right" or "clockwise" still belongs to a verb


class Compass:
    """Finds directions in a text. `fillers` are the words that may stand between a verb and its direction."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.known = meanings("english", "direction")
        self.camera = words("english", "camera")
        self.joins = words("english", "joins")
        self.fillers = words("english", "filler") | paces("english").keys()

    def after(self, index: int, verb: Verb, camera_acts: bool) -> tuple[int, list[str]]:
        """What follows a verb: "slowly to the left", "in and out", "from left to right"."""
        if "clockwise" in verb.way and (turn := self._turning(index, verb)):
            return index + 1, [turn]
        at = self._past_shot(index, self.skip_fillers(index + 1, index))
        first = self.direction(at, index, verb)
        if first is None:
            return self._sweep(index, verb)
        if (
            verb.when != "sure"
            and self.text.at(at) in _LOOSE.get(verb.name, _LOOSE[""])
            and self.is_place(at, verb, camera_acts)
        ):
            return index, []  # "the camera moves in the rain", "pull back the curtain"
        if verb.alone in ("up", "down") and first in ("in", "out"):
            return at, [verb.alone]  # "descends toward the lake"
        if self.text.near(index, at + 1) == "to":
            to = self.skip_fillers(at + 1, index)
            across = self.direction(to, index, verb)
            if across is not None and across == OPPOSITE.get(first):
                return to + 1, [across]
        end, found = self._list(index, at, first, verb)
        if self.text.near(index, end) in ("on", "closer", "towards") and found[-1] == "in":
            end += 1
        return end, found

    def _past_shot(self, index: int, at: int) -> int:
        """Over "moving" in "tracking shot moving left", which is one move and no second one."""
        is_shot = self.text.at(at - 1) in _SHOTS and at - 1 > index
        if is_shot and self.text.near(index, at) in words("english", "carries_on"):
            return self.skip_fillers(at + 1, index)
        return at

    def before(self, index: int, verb: Verb) -> str | None:
        """What stands before a verb that is a noun: "upward tilt", "left pan", "left to right pan"."""
        at = index - 1
        while self.is_filler(at, index) and self.text.at(at) != "to":
            at -= 1
        found = self.direction(at, index, verb)
        if found is None or at in self.text.used:
            return None
        ahead = self.text.near(index, at - 1)
        crosses = ahead == "to" and self.known.get(self.text.near(index, at - 2)) == OPPOSITE.get(found)
        word = self.text.at(at)
        plain = word in OPPOSITE and verb.when == "sure" and ahead not in ("the", "to", "on", "from")
        if not (word.endswith(("ward", "wards")) or word == "reverse" or crosses or plain):
            return None
        self.text.used.update(range(at - 2 if crosses else at, index))
        return found

    def _list(self, index: int, at: int, first: str, verb: Verb) -> tuple[int, list[str]]:
        """All directions from the first one on: "left, then right", "in and out"."""
        found, end = [first], at + 1
        while True:
            further, joined = end, False
            while self._goes_on(index, further):
                joined = joined or self.text.at(further) in self.joins
                further += 1
            following = self.direction(further, index, verb, across_clauses=joined)
            if following is None or (not joined and further > end):
                break
            if following != found[-1]:
                found.append(following)
            end = further + 1
        return end, found

    def _goes_on(self, index: int, at: int) -> bool:
        """Whether a list of directions may go on over this word: "left, and then slowly right"."""
        if at >= len(self.text) or self.text.words[at].sentence != self.text.words[index].sentence:
            return False
        return self.text.at(at) in self.joins or self.text.at(at) in self.fillers

    def is_place(self, at: int, verb: Verb, camera_acts: bool) -> bool:
        after = self.text.near(at, at + 1)
        if after not in _ARTICLES or self.text.at(at + 2) in self.camera:
            return False
        return verb.when == "camera" or not camera_acts

    def _turning(self, index: int, verb: Verb) -> str | None:
        """The direction of an orbit or a roll, which stands anywhere in its clause."""
        around = None
        for at in self._this_clause_and_a_word(index):
            word = self.known.get(self.text.at(at), "")
            if word not in verb.way or (at < index and "wise" not in word):
                continue
            if "wise" in word:
                self.text.used.add(at)
                return word
            if word == "around":
                around = word
            elif self.text.near(at, at + 1) != "to" and (
                self._carries_on(at)
                or self.text.at(at - 1) == "to"
                or self.text.at(at - 2) == "to"
                or at - index <= 2
            ):
                return word
        return around

    def _carries_on(self, at: int) -> bool:
        """Whether "moving" stands before: "an arc shot around her moving right"."""
        before = at - 1
        while self.text.near(at, before) in ("to", "the"):
            before -= 1
        if self.text.near(at, before) not in words("english", "carries_on"):
            return False
        self.text.used.add(before)
        return True

    def _this_clause_and_a_word(self, index: int) -> list[int]:
        """The clause, and the next one when it goes on so: "around the statue, clockwise", "moving left"."""
        end = self.text.clause_of(index).stop
        following = self.text.clause_of(end) if end < len(self.text) else range(0)
        goes_on = len(following) == 1 or self.text.at(following.start) in words("english", "carries_on")
        return [*self.text.around(index, _REACH), *(following[:_REACH] if goes_on else ())]

    def _sweep(self, index: int, verb: Verb) -> tuple[int, list[str]]:
        """Further on in the clause: "sweeps across the valley from left to right", "glides along"."""
        way = meanings("english", "on_the_way")
        if verb.when == "sure" and verb.name != "dolly":
            way = {}
        on_the_way = ""
        comes_from = False
        for at in range(index + 1, self.text.around(index, _REACH).stop):
            word = self.known.get(self.text.at(at))
            to = self.skip_fillers(at + 1, index)
            across = self.direction(to, index, verb)
            if across and self.text.at(at + 1) == "to" and word == OPPOSITE.get(across):
                self.text.used.update((at, to))
                return index + 1, [across]
            comes_from = comes_from or self.text.at(at) == "from"
            if word in verb.way and word in OPPOSITE and comes_from and self.text.near(index, at + 1) == "to":
                return index + 1, [word]  # "from the tower down to the street"
            beside = self.text.at(at - 1) == "the" and self.text.at(at - 2) == "to"
            if word in verb.way and beside and word in OPPOSITE:
                return index + 1, [word]
            on_the_way = on_the_way or way.get(self.text.at(at), "")
        usable = on_the_way in verb.way and not verb.alone
        return (index + 1, [on_the_way]) if usable else (index, [])

    def direction(self, at: int, index: int, verb: Verb, *, across_clauses: bool = False) -> str | None:
        if not (across_clauses or self.text.same_clause(index, at)):
            return None
        found = self.known.get(self.text.at(at))
        return found if found in verb.way else None

    def skip_fillers(self, at: int, index: int) -> int:
        end = at
        while end - at < FURTHEST and self.is_filler(end, index):
            end += 1
        return end

    def is_filler(self, at: int, index: int) -> bool:
        return self.text.near(index, at) in self.fillers
