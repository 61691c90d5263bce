"""An English text as words and clauses, the forms of its verbs, and what a negator reaches."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from wanvideo.preview.words.vocabulary import groups, paces, words

# Latin, Greek, Cyrillic ... words, but no Chinese; a number; or a mark that ends a clause or a sentence.
_PIECES = re.compile(
    r"[^\W\d_\u3040-\u9fff]+(?:'[^\W\d_\u3040-\u9fff]+)?|\d+|[,;:()\n\u3001-\u3002\uff0c]|[.!?]"
)
_PLAIN_SEQUENCES = ("state_before", "state_after", "waves", "noun_in_ing")  # never merged into one word
FURTHEST = 6  # words that may stand between a verb and its direction, or a negator and what it refuses
_SHORT_CLAUSE = 5


@dataclass(frozen=True)
class Word:
    """A word or a fixed phrase, its place in the text, and the clause and sentence it stands in."""

    text: str
    start: int
    end: int
    clause: int
    sentence: int


class Text:
    """The words of a text in lower case, and those of them that something has been made of."""

    def __init__(self, text: str, *, refusing: bool = False) -> None:
        self.refusing = refusing  # a negative prompt: every word in it is refused
        self.source = text.lower() if len(text.lower()) == len(text) else text
        self.words = _merged(_split(self.source.replace("’", "'")))
        self.used: set[int] = set()
        self._clauses: dict[int, range] = {}
        for index, word in enumerate(self.words):
            known = self._clauses.get(word.clause, range(index, index))
            self._clauses[word.clause] = range(known.start, index + 1)
        self.lists = _listing_clauses(self.words)

    def __len__(self) -> int:
        return len(self.words)

    def at(self, index: int) -> str:
        return self.words[index].text if 0 <= index < len(self.words) else ""

    def near(self, index: int, at: int) -> str:
        """The word at `at` if it stands in the clause of `index`, or nothing."""
        return self.words[at].text if self.same_clause(index, at) else ""

    def same_clause(self, index: int, at: int) -> bool:
        return 0 <= at < len(self.words) and self.words[at].clause == self.words[index].clause

    def clause_of(self, index: int) -> range:
        return self._clauses[self.words[index].clause]

    def around(self, index: int, reach: int) -> range:
        """The clause of `index`, as far as `reach` words from it: keeps long texts from taking long."""
        clause = self.clause_of(index)
        return range(max(clause.start, index - reach), min(clause.stop, index + 1 + reach))

    def written(self, index: int) -> str:
        """The word as it stands in the text, hyphens and all."""
        return self.source[self.words[index].start : self.words[index].end]

    def negated(self, index: int) -> bool:
        """Whether a negator reaches the word: "no heavy rain", "without snow, rain or fog"."""
        if self.refusing:
            return True
        crossed = False
        for at in range(index - 1, max(-1, index - 1 - 2 * FURTHEST), -1):
            if not self.same_clause(at + 1, at):
                if self.words[at + 1].clause not in self.lists:
                    return False
                crossed = True
            text = self.at(at)
            if text in words("english", "negator"):
                return True
            if not crossed and at not in self.used and text not in _bridges():
                return False
        return False


@cache
def _bridges() -> frozenset[str]:
    kinds = ("filler", "refusal_filler", "camera", "adjective")
    return frozenset({"or", "nor", "and"}).union(
        paces("english"), *(words("english", kind) for kind in kinds)
    )


def _split(text: str) -> list[Word]:
    found, clause, sentence = [], 0, 0
    for piece in _PIECES.finditer(text):
        if piece[0] in ".!?。":
            sentence += 1
            clause += 1
        elif piece[0] in ",;:()\n、，":
            clause += 1
        else:
            found.append(Word(piece[0], piece.start(), piece.end(), clause, sentence))
    return found


def _merged(found: list[Word]) -> list[Word]:
    """Fixed phrases as one word each, the longest first: "slow motion", "snow leopard"."""
    merged, index = [], 0
    while index < len(found):
        for phrase in _phrases().get(found[index].text, ()):
            run = found[index : index + len(phrase)]
            if tuple(word.text for word in run) == phrase and run[0].clause == run[-1].clause:
                merged.append(
                    Word(" ".join(phrase), run[0].start, run[-1].end, run[0].clause, run[0].sentence)
                )
                index += len(phrase)
                break
        else:
            merged.append(found[index])
            index += 1
    return merged


@cache
def _phrases() -> dict[str, list[tuple[str, ...]]]:
    """The fixed phrases of the vocabulary by their first word, longest first."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for group in groups("english"):
        if group["is"] not in _PLAIN_SEQUENCES:
            for word in group.get("words", ()):
                if " " in word:
                    phrase = tuple(word.split())
                    found.setdefault(phrase[0], set()).add(phrase)
    return {
        first: sorted(phrases, key=lambda phrase: (-len(phrase), phrase)) for first, phrases in found.items()
    }


def _listing_clauses(found: list[Word]) -> frozenset[int]:
    """The clauses that go on with the list of the clause before: the last two of "no snow, rain, or fog"."""
    by_clause: dict[int, list[Word]] = {}
    for word in found:
        by_clause.setdefault(word.clause, []).append(word)
    listing: set[int] = set()
    goes_on, sentence = False, -1
    for clause in sorted(by_clause, reverse=True):
        run = by_clause[clause]
        joined = any(word.text in ("or", "nor") for word in run)
        goes_on = len(run) <= _SHORT_CLAUSE and (joined or (goes_on and run[0].sentence == sentence))
        sentence = run[0].sentence
        if goes_on:
            listing.add(clause)
    return frozenset(listing)


def forms(verbs: Iterable[str], *, past: bool = True) -> dict[str, str]:
    """Every regular form of every verb to the verb: zooms, zoomed, zooming; panning; dollies."""
    found: dict[str, str] = {}
    for verb in verbs:
        stems = {verb, verb + verb[-1]} | ({verb[:-1]} if verb[-1] in "ey" else set())
        for ending in ("ing", "ed") if past else ("ing",):
            found |= {stem + ending: verb for stem in stems}
        found |= {verb + "s": verb, verb + "es": verb, verb: verb}
        if verb.endswith("y"):
            found[verb[:-1] + "ies"] = verb
            if past:
                found[verb[:-1] + "ied"] = verb
    return found
