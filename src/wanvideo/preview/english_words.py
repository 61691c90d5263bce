"""English words, their clauses, and the forms of the verbs of camera work."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from wanvideo.preview.vocabulary import words_of

# Latin, Greek, Cyrillic ... words, but no Chinese; or a mark that ends a clause or a sentence.
_PIECES = re.compile(r"[^\W\d_\u3040-\u9fff]+(?:'[^\W\d_\u3040-\u9fff]+)?|[,;:()\n]|[.!?]", re.UNICODE)


@dataclass(frozen=True)
class Word:
    """A word, its offset in the text, and the clause and sentence it stands in."""

    text: str
    start: int
    clause: int
    sentence: int


def split(text: str) -> list[Word]:
    """The words of a text in lower case."""
    words, clause, sentence = [], 0, 0
    for piece in _PIECES.finditer(text):
        if piece[0] in ".!?":
            sentence += 1
            clause += 1
        elif piece[0] in ",;:()\n":
            clause += 1
        else:
            words.append(Word(piece[0], piece.start(), clause, sentence))
    return words


@cache
def lemmas() -> dict[str, str]:
    """Every form of every verb to the verb: zooms, zoomed, zooming; panning; dollies."""
    known = words_of("english")
    forms: dict[str, str] = dict(known["irregular"])
    for verb in known["verbs"]:
        stems = {verb, verb + verb[-1]} | ({verb[:-1]} if verb[-1] in "ey" else set())
        forms |= {stem + ending: verb for stem in stems for ending in ("ing", "ed")}
        forms |= {verb + "s": verb, verb + "es": verb, verb: verb}
        if verb.endswith("y"):
            forms |= {verb[:-1] + "ies": verb, verb[:-1] + "ied": verb}
    return forms


@cache
def phrases() -> tuple[tuple[tuple[str, ...], str], ...]:
    """Fixed phrases and their kind, longest first."""
    known = words_of("english")
    kinds = ("not_a_move", "still", "any_move", "never_done")
    found = [(tuple(phrase.split()), kind) for kind in kinds for phrase in known[kind]]
    return tuple(sorted(found, key=lambda phrase: -len(phrase[0])))
