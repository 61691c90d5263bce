"""Camera moves of an English prompt.

Verbs of camera work ("zoom", "pan") speak for themselves; everyday verbs ("moves", "rises") count only when
the camera is their subject, so that "she looks left" and "the sun rises" move nothing.
"""

from __future__ import annotations

from dataclasses import replace

from wanvideo.preview.plan import MOVES
from wanvideo.preview.words.english_directions import Compass
from wanvideo.preview.words.english_verbs import Verb, orbit_way, verbs
from wanvideo.preview.words.english_words import Text
from wanvideo.preview.words.vocabulary import meanings, paces, words

_ENDS_CAMERA = frozenset({"a", "an", "the", "with", "any", "all", "from"})
_WIDE = frozenset({"across", "over", "along", "around"})
_REACHES_SHOT = 4  # words between "static" and "shot"


class CameraReader:
    """Reads a text once; `asked`, `denied` and `pace` are what was found, as in a `Reading`."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.camera = words("english", "camera")
        self.pace_words = paces("english")
        self.compass = Compass(text)
        self.joins = words("english", "joins")
        self.negators = words("english", "negator")
        self.phrases = meanings("english", "phrase")
        self.asked: list[tuple[int, str]] = []
        self.denied: set[str] = set()
        self.pace = 1.0
        self.camera_acts = False  # the camera is the subject of what comes next
        index = 0
        while index < len(text):
            if index and text.words[index].sentence != text.words[index - 1].sentence:
                self.camera_acts = False
            index = self._phrase(index) or self._stands(index) or self._move(index) or self._other(index)

    # Each of these returns the index to go on from; the first three 0 when they do not apply.

    def _phrase(self, index: int) -> int:
        """A fixed phrase: "shaky cam", "locked-off", "no camera movement"."""
        word, negated = self.text.at(index), self.text.negated(index)
        move = self.phrases.get(word)
        if move is None and word in words("english", "when_refused"):
            if not (negated or self.camera_acts):
                return 0
            move = "handheld"
        if move is not None:
            self._take(index, move, negated)
        elif word in words("english", "motion") and self._speaks_of_camera(index):
            self.text.used.add(index)
            if negated:
                self.denied.update(MOVES)
                self.asked.append((self.text.words[index].start, "still"))
        else:
            return 0
        self.camera_acts = True
        return index + 1

    def _speaks_of_camera(self, index: int) -> bool:
        """Whether "movement" is the camera's: "camera movement", "movement of the camera", "no movement"."""
        if "camera" in self.text.at(index):
            return True
        if self.text.near(index, self.compass.skip_fillers(index + 1, index)) in self.compass.known:
            return False
        before = index - 1
        while self.compass.is_filler(before, index) and self.text.at(before) not in self.camera:
            before -= 1
        if self.text.near(index, before) in self.camera and self.text.at(index).startswith(("mov", "mot")):
            return not self.text.at(index).startswith("move") or self.text.negated(index)
        after = [self.text.near(index, index + step) for step in (1, 2, 3)]
        if after[0] == "of" and self.camera & set(after):
            return True
        if self.text.refusing and not after[0] and not self.text.near(index, index - 1):
            return True
        return not after[0] and self.text.near(index, index - 1) in self.negators | {"any"}

    def _stands(self, index: int) -> int:
        """A camera that does not move: "static wide shot", "the camera remains still", "static"."""
        word = self.text.at(index)
        if word in words("english", "still"):
            standing = self._is_shot(index)
        elif word in words("english", "holds"):
            standing = self.camera_acts and self.text.near(index, index - 1) not in self.negators
        else:
            return 0
        if not standing:
            return 0
        self._take(index, "still", self.text.negated(index))
        self.camera_acts = True
        return index + 1

    def _is_shot(self, index: int) -> bool:
        rest = [self.text.near(index, index + step) for step in range(1, _REACHES_SHOT + 1)]
        for word in rest:
            if word in self.camera or word in ("frame", "view", "framing", "composition"):
                return True
            if not word or word in ("of", "in", "on", "at", "to", "and", "the"):
                break
        if self.camera_acts:
            return True
        return all(
            self.compass.is_filler(at, index) or self.text.at(at) in words("english", "still")
            for at in self.text.around(index, 2 * _REACHES_SHOT)
        )

    def _move(self, index: int) -> int:
        verb = verbs().get(self.text.at(index))
        if verb is None or index in self.text.used:  # used: "moving" of "an arc shot moving left"
            return 0
        object_at = index + 2 if self.text.at(index + 1) == "the" else index + 1
        follows_camera = (
            self.camera_acts
            or self.text.near(index, object_at) in self.camera
            or self._is_implied(index, verb)
        )
        if verb.when == "camera" and not follows_camera:
            return 0
        if verb.when != "sure" and not follows_camera and self._has_other_subject(index, verb):
            return 0
        whither = self.text.near(index, self.compass.skip_fillers(index + 1, index))
        if self.compass.known.get(whither) == "around" and "around" in verb.way:
            verb = replace(verb, way=verb.way | orbit_way())  # "moves around the statue clockwise"
        negated = self.text.negated(index)
        end, found = self.compass.after(index, verb, self.camera_acts)
        if not found and (before := self.compass.before(index, verb)):
            end, found = index + 1, [before]
        is_bare = not found
        if is_bare:
            if not negated and not self._speaks_alone(index, verb):
                return 0
            end, found = index + 1, [verb.alone] if verb.alone else []
        moves = [verb.way[direction] for direction in found]
        if negated:
            self.denied.update(verb.refuses if is_bare else moves)
        else:
            self.asked += [(self.text.words[index].start, move) for move in moves]
        self.text.used.update(range(index, end))
        self._take_pace(index, end, negated)
        self.camera_acts = True
        return end

    def _is_implied(self, index: int, verb: Verb) -> bool:
        """Whether a clause that begins so can only mean the camera: "moving in on the cat"."""
        if index != self.text.clause_of(index).start or not self.text.at(index).endswith("ing"):
            return False
        at = self.compass.skip_fillers(index + 1, index)
        direction = self.compass.direction(at, index, verb)
        return direction in ("in", "out") and not self.compass.is_place(at, verb, self.camera_acts)

    def _speaks_alone(self, index: int, verb: Verb) -> bool:
        """Whether a verb without a direction is a move: "slow zoom", "crane shot", "the camera rises"."""
        if not verb.alone:
            return False
        before, after = self.text.near(index, index - 1), self.text.near(index, index + 1)
        if after in ("shot", "shots", "move", "movement", "effect") or (
            before in self.pace_words and verb.when != "camera"
        ):
            return True
        if verb.when == "camera" and after in self.camera:
            return True
        orbits = verb.name == "orbit" and after != "of"
        return self.camera_acts or (bool(verb.when == "sure") and after in _WIDE) or orbits

    def _has_other_subject(self, index: int, verb: Verb) -> bool:
        """Whether somebody else pushes, pulls or tilts: "a man pushes in the door"."""
        before = index - 1
        while self.compass.is_filler(before, index):
            before -= 1
        if not self.text.same_clause(index, before) or before in self.text.used:
            return False
        inflected = self.text.at(index) != verb.name
        subject = self.text.at(before)
        if subject in self.compass.known or subject in meanings("english", "on_the_way"):
            return False  # "forward tracking shot", "sideways slide left"
        if subject.endswith("s") and subject not in self.camera:
            return True
        return subject in words("english", "other") or (
            inflected and self.text.at(before) not in self.camera | self.joins
        )

    def _other(self, index: int) -> int:
        text = self.text.at(index)
        if text in self.camera:
            self.camera_acts = True
            self.text.used.add(index)
        elif text in _ENDS_CAMERA or not (
            text in self.compass.fillers or text in self.joins or text in self.negators
        ):
            self.camera_acts = False
        return index + 1

    def _take(self, index: int, token: str, negated: bool) -> None:
        if negated:
            self.denied.add(token)
        else:
            self.asked.append((self.text.words[index].start, token))
        self.text.used.add(index)

    def _take_pace(self, start: int, end: int, negated: bool) -> None:
        """Use up the adverbs around a move; the first that says something sets the pace."""
        nearby = list(range(start, end))
        for at, step in ((start - 1, -1), (end, 1)):
            while self.compass.is_filler(at, start) or self.text.near(start, at) in self.camera:
                nearby.append(at)
                at += step
        for at in nearby:
            factor = self.pace_words.get(self.text.at(at))
            if factor is not None:
                self.text.used.add(at)
                if self.pace == 1 and not negated:
                    self.pace = factor
