"""The verbs of camera work in English: which way each goes, and what it takes to count."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from wanvideo.preview.plan import MOVES
from wanvideo.preview.words.english_words import forms
from wanvideo.preview.words.vocabulary import groups

OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}


@dataclass(frozen=True)
class Verb:
    """`way` is where each direction leads, `alone` the direction without one, `when` what it takes to count:
    "sure" nothing, "camera" that the camera does it, "" that nobody else does.
    """

    name: str
    way: dict[str, str]
    alone: str
    when: str
    refuses: tuple[str, ...]


@cache
def verbs() -> dict[str, Verb]:
    """Every form of every verb of the camera."""
    ways = groups("english", "ways")[0]
    by_name = {}
    for group in groups("english", "verb"):
        way, alone = ways[group["goes"]], group.get("alone", "")
        refuses = MOVES if group.get("refuses") == "all" else tuple(way.values())
        if alone and "refuses" not in group:
            refuses = tuple(move for move in way.values() if move.split("_")[0] == way[alone].split("_")[0])
            refuses = ("in", "out") if alone in ("in", "out") else refuses
            if alone in ("up", "down", "left", "right"):
                refuses = tuple({way[alone], way[OPPOSITE[alone]]})
        for name in group["words"]:
            by_name[name] = Verb(name, way, alone, group.get("when", ""), refuses)
    irregular: dict[str, str] = groups("english", "irregular")[0]["forms"]
    found = {form: by_name[name] for form, name in forms(by_name).items()}
    return found | {form: by_name[name] for form, name in irregular.items()}


@cache
def orbit_way() -> dict[str, str]:
    """Where the directions lead once the camera travels round something."""
    way: dict[str, str] = groups("english", "ways")[0]["orbit"]
    return way
