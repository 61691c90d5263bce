"""What an English prompt asks for that the renderer does not do.

Told are actions ("smiles") and changes ("slow motion", "wind"). A noun that only names what the picture shows
("harbour") is no request, so it is left out: the warning stays short and true.
"""

from __future__ import annotations

from functools import cache

from wanvideo.preview.words.english_words import Text, forms
from wanvideo.preview.words.vocabulary import meanings, paces, words

_SUBJECTS = frozenset({"he", "she", "they", "who"})
_OBJECTS = frozenset({"him", "her", "it", "them"})
_HELPS = frozenset({"make", "makes", "making", "let", "lets", "have", "help", "see", "watch"})
_IS = frozenset({"is", "are", "was", "were", "starts", "begins", "keeps", "while", "by"})
_BEFORE_ACTION = frozenset({"and", "to", "then", "slowly", "will", "starts"})
_DETERMINERS = frozenset(
    {"a", "an", "the", "his", "her", "its", "their", "my", "your", "this", "these", "some", "no"}
)
_PREPOSITIONS = frozenset(
    {"of", "in", "on", "at", "with", "for", "from", "by", "over", "under", "through", "across", "past"}
)
_SHORTEST_ING = 6  # letters: "flying"; below are king, wing, thing


def undone(text: Text) -> tuple[tuple[int, str], ...]:
    """Offset and words, as they are written, in order. To be called when moves, effects and light have been
    read.
    """
    return tuple(
        (text.words[index].start, text.written(index))
        for index in range(len(text))
        if index not in text.used and _is_request(text, index) and not text.negated(index)
    )


def _is_request(text: Text, index: int) -> bool:
    word = text.at(index)
    if word in words("english", "undone"):
        return True
    if word in words("english", "trap") or word in _not_told():
        return False
    before, after = text.near(index, index - 1), text.near(index, index + 1)
    if (
        _is_third_person(word)
        and after in _DETERMINERS
        and before not in {"", "and"} | _DETERMINERS | _PREPOSITIONS
    ):
        return True  # "the developer reviews a request": whatever it is, it has an object
    if word in _states() or (word in words("english", "noun_in_ing") and before not in _IS):
        return False
    if before in _SUBJECTS and not word.endswith("ly"):
        return True
    if word in _actions():
        is_base = word in words("english", "action")  # swing, feed
        return (word.endswith(("ing", "ed")) and not is_base) or not _is_noun_here(text, index)
    return word.endswith("ing") and len(word) >= _SHORTEST_ING and not word.endswith("thing")


def _is_noun_here(text: Text, index: int) -> bool:
    """Whether it is "a smile", "her walk", "blue light": a noun that could be an action."""
    word, before, after = text.at(index), text.near(index, index - 1), text.near(index, index + 1)
    if before in _OBJECTS and text.near(index, index - 2) in _HELPS:
        return False  # "make her smile"
    if before in _DETERMINERS or before in _PREPOSITIONS:
        return True
    if _is_third_person(word):
        return not before and not after
    if not before:
        return _is_third_person(after) and after in _actions()  # "fire flickers"
    is_subject = before in words("english", "other") or before.endswith(("s", "ly", "men"))
    return not is_subject and before not in _BEFORE_ACTION


def _is_third_person(word: str) -> bool:
    return word.endswith("s") and not word.endswith("ss")


@cache
def _actions() -> frozenset[str]:
    return frozenset(forms(words("english", "action"))) | words("english", "irregular_action")


@cache
def _states() -> frozenset[str]:
    return frozenset(forms(words("english", "state")))


@cache
def _not_told() -> frozenset[str]:
    """Words that name no action even after a pronoun: "she is", "they slowly"."""
    kinds = ("stop", "filler", "joins", "negator", "camera", "other")
    told = frozenset[str]().union(*(words("english", kind) for kind in kinds))
    return told | paces("english").keys() | meanings("english", "direction").keys()
