"""Effects and light of an English prompt.

Weather counts when it is named, and not as a part of another noun ("snow leopard") or as something that lies
there ("covered in snow"). Water, clouds and petals are in most pictures: they count when they are said to
move.
"""

from __future__ import annotations

from functools import cache

from wanvideo.preview.words.english_words import Text, forms
from wanvideo.preview.words.vocabulary import Group, groups, meanings, paces, words

_REACHES_VERB = 6  # words between "clouds" and "drift", or "falling" and "petals"
_REACHES_STATE = 4  # words of the longest phrase in state_before and state_after
_OBJECTS = frozenset(
    (
        "at",
        "to",
        "goodbye",
        "hello",
        "his",
        "her",
        "their",
        "a",
        "from",
        "back",
        "good",
        "hands",
        "hand",
        "its",
        "off",
        "for",
        "him",
        "me",
    )
)
_LINKS = frozenset(
    (
        "and",
        "or",
        "nor",
        "with",
        "in",
        "on",
        "over",
        "at",
        "through",
        "as",
        "while",
        "during",
        "from",
        "under",
        "to",
        "into",
        "the",
        "a",
    )
)


class SceneryReader:
    """Reads a text once; `asked` and `denied` are what was found, as in a `Reading`."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.asked: list[tuple[int, str]] = []
        self.denied: set[str] = set()
        for index in range(len(text)):
            if index not in text.used:
                self._read(index)

    def _read(self, index: int) -> None:
        word = self.text.at(index)
        is_colour = self.text.near(index, index + 1) in words("english", "colour")  # sunset orange
        if word in (lights := meanings("english", "light")) and not is_colour:
            for token in lights[word].split():
                self._take(index, token)
        elif (effect := self._weather(index, word)) or (effect := self._adjective(index, word)):
            self._take(index, effect)
        for group in groups("english", "flow"):
            if word in group["words"]:
                self._flow(index, group)

    def _weather(self, index: int, word: str) -> str | None:
        effect = meanings("english", "weather").get(word)
        if effect is None or not self._is_noun_of_its_own(index):
            return None
        return None if self._is_state(index) else effect

    def _is_noun_of_its_own(self, index: int) -> bool:
        """Whether the next word does not make another thing of it: a snow leopard, rain boots."""
        word, after = self.text.at(index), self.text.near(index, index + 1)
        if word in ("sparks", "rains", "snows", "storm", "mists") or word.endswith("ed"):
            if after in _OBJECTS or (word == "sparks" and after in ("the", "joy", "an")):
                return False
            if self.text.near(index, index - 1) in ("he", "she", "they", "who") and word != "snowed":
                return False
        if word.endswith("ing"):
            return True
        return (
            not after
            or after in _LINKS
            or after in _happening()
            or after.endswith("ly")
            or after in words("english", "ends")
            or after in words("english", "stop")
            or after in meanings("english", "weather")
            or after in meanings("english", "light")
            or after in words("english", "negator")
            or after in words("english", "joins")
            or index + 1 in self.text.used
        )

    def _is_state(self, index: int) -> bool:
        before = [self.text.near(index, index - step) for step in range(1, _REACHES_STATE)]
        after = [self.text.near(index, index + step) for step in range(1, _REACHES_STATE)]
        for length in range(1, _REACHES_STATE):
            if " ".join(reversed(before[:length])) in words("english", "state_before"):
                return True
        lies = groups("english", "state_after")[0]
        return (
            meanings("english", "weather")[self.text.at(index)] == lies["means"]
            and after[0] in lies["words"]
            and before[0] not in lies["unless_after"]
        )

    def _adjective(self, index: int, word: str) -> str | None:
        for group in groups("english", "adjective"):
            if word in group["words"]:
                after = self.text.near(index, index + 1)
                fits = after in group["before"] if "before" in group else after not in group["not_before"]
                return str(group["means"]) if fits else None
        return None

    def _flow(self, index: int, group: Group) -> None:
        word, effect = self.text.at(index), group["means"]
        if self._is_thing(index, word) is False:
            return
        if self.text.negated(index):
            self._take(index, effect)
            return
        does = _does(effect)
        for at in self.text.around(index, _REACHES_VERB):
            said = self.text.at(at)
            if at == index or said not in does:
                continue
            participle = said.endswith("ing") or "lapse" in said or said == "animate"
            if at > index or participle or self._comes_upon(at, index):
                self._take(index, effect)
                self.text.used.add(at)
                return
        if word in words("english", "alone") and self._is_thing(index, word):
            self._take(index, effect)

    def _comes_upon(self, at: int, index: int) -> bool:
        """Whether what the verb says happens to it: "sunlight glitters on the sea", "ripples on the lake"."""
        between = [self.text.at(step) for step in range(at + 1, index)]
        on = between[:1] in (["on"], ["across"], ["over"]) and self._effect_of(index) == "water"
        return on and self.text.at(at).startswith(
            ("shimmer", "glitter", "glisten", "sparkle", "ripple", "glint")
        )

    def _effect_of(self, index: int) -> str:
        flows = groups("english", "flow")
        return next((str(group["means"]) for group in flows if self.text.at(index) in group["words"]), "")

    def _is_thing(self, index: int, word: str) -> bool | None:
        """False for somebody who waves or a muscle that ripples; None where the word is always a noun."""
        if word not in ("waves", "wave", "ripples", "ripple"):
            is_alone = all(
                at == index or at in self.text.used or self.text.at(at) in _quiet_words()
                for at in self.text.around(index, _REACHES_VERB)
            )
            return True if is_alone else None
        before, after = self.text.near(index, index - 1), self.text.near(index, index + 1)
        if after in _OBJECTS or before in words("english", "other"):
            return False
        if after in _does("water") or not before or before in words("english", "waves"):
            return True
        return (
            before.endswith("ing")
            or before in words("english", "joins")
            or before in words("english", "negator")
            or index - 1 in self.text.used
            or before in meanings("english", "weather")
        )

    def _take(self, index: int, token: str) -> None:
        self.text.used.add(index)
        ends = words("english", "ends")
        after = index + 1
        if self.text.near(index, after) in ("has", "have", "finally", "suddenly"):
            after += 1
        if self.text.near(index, after) in ends:
            self.text.used.add(after)
            self.denied.add(token)
        elif self.text.negated(index):
            self.denied.add(token)
        else:
            self.asked.append((self.text.words[index].start, token))
            self._use_verb(index)

    def _use_verb(self, index: int) -> None:
        """The verb of the weather is acted on with it: "snow falls", "falling snow"."""
        for at in self.text.around(index, 2):
            said = self.text.at(at)
            if said in _happening() and (at > index or said.endswith("ing")):
                self.text.used.add(at)


@cache
def _quiet_words() -> frozenset[str]:
    """Words beside which a noun still stands alone: "gentle petals"."""
    return words("english", "alone") | words("english", "filler") | paces("english").keys()


@cache
def _happening() -> frozenset[str]:
    """What weather does, without what was done to something: falls, falling, but not soaked."""
    return frozenset(forms(words("english", "happens"), past=False))


@cache
def _does(effect: str) -> frozenset[str]:
    """The verbs that set water, clouds or petals in motion."""
    said = next(group["does"] for group in groups("english", "flow") if group["means"] == effect)
    return frozenset(forms(said)) | {"fallen", "fell", "flew", "blown"}
