"""Terms of Chinese that are put together from parts: 向左侧, 左移, 移到, 升起来, 看了看报纸.

The vocabulary lists the parts, so that what holds of one verb or one direction holds of all of them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from wanvideo.preview.words.vocabulary import Group, groups

Terms = dict[str, dict[str, Any]]

_DIRECTIONS = ("left", "right", "up", "down", "in", "out")
_DIAGONALS = tuple(f"{side} {height}" for side in ("left", "right") for height in ("up", "down"))
_PUT_BEFORE = frozenset("推拉移滑")  # 前推, 后移; but 前飞 is found in 面前飞过


def composed() -> Terms:
    """Every term that follows from the parts, and what it means there."""
    found: Terms = {}
    for terms in (_directions(), _turned_verbs(), _reaches(), _complements()):
        for term, parts in terms:
            found.setdefault(term, {}).update(parts)
    return found


@cache
def sides() -> dict[str, str]:
    """左, 右侧, 上方, 左上方 ... and the direction."""
    side = groups("chinese", "side")[0]
    return {
        "".join(side[part] for part in direction.split()) + edge: direction
        for direction in (*_DIRECTIONS, *_DIAGONALS)
        for edge in side["edge"]
    }


def way(goes: str, direction: str) -> str:
    """The token or tokens of a verb that goes so in a direction, or nothing: left and up are two moves."""
    ways = groups("chinese", "ways")[0][goes]
    tokens = [ways.get(part) for part in direction.split()]
    return " ".join(tokens) if all(tokens) else ways.get(direction, "")


def height_between(before: str, after: str) -> str:
    """Whether a camera that turns to what is named `after` looks "up" (摇到天空) or "down" (从星空), or
    "" for neither.
    """
    heights = groups("chinese", "heights")[0]
    origin = before.rpartition("从")[2] if "从" in before else ""
    for name, opposite in (("up", "down"), ("down", "up")):
        if after.startswith(tuple(heights[name])) or origin.startswith(tuple(heights[opposite])):
            return name
    return ""


def act_length(text: str, at: int) -> int:
    """Characters of what somebody does with something that begins at `at`, or 0."""
    found = _acts().match(text, at)
    return len(found[0]) if found else 0


def _directions() -> Iterator[tuple[str, dict[str, Any]]]:
    """向左, 往右侧, 朝上方, 从左到右; and 从左 alone, which says only where something begins."""
    side = groups("chinese", "side")[0]
    for place, direction in sides().items():
        for toward in side["toward"]:
            yield toward + place, {"direction": direction}
        for origin in side["origin"]:
            for frame in side["frame"]:
                yield origin + frame + place, {"follows": True}
    for start, direction in itertools.permutations(_DIRECTIONS, 2):
        for edge, origin, leads in itertools.product(side["edge"], side["origin"], side["leads"]):
            yield origin + side[start] + edge + leads + side[direction] + edge, {"direction": direction}


def _turned_verbs() -> Iterator[tuple[str, dict[str, Any]]]:
    """左摇, 右移, 上移 ...: a direction and a verb in one term."""
    side = groups("chinese", "side")[0]
    for group in groups("chinese", "verb"):
        kind = "move" if group["when"] == "sure" else "camera_move"
        for direction in _DIRECTIONS:
            for verb in group["words"]:
                token = way(group["goes"], direction)
                if token and (direction not in ("in", "out") or verb in _PUT_BEFORE):
                    yield side[direction] + verb, {kind: token, "last": verb}


def _reaches() -> Iterator[tuple[str, dict[str, Any]]]:
    """移到, 摇向 ...: what follows says where to, as a side or as a thing."""
    for group in groups("chinese", "reaches"):
        for verb in group["words"]:
            for end in group["ends"]:
                yield verb + end, {"reaches": (group["goes"], group["means"]), "verb": _verb(verb, group)}


def _complements() -> Iterator[tuple[str, dict[str, Any]]]:
    """升起来, 拉出去, 降下 ...: the second half says where to."""
    for group in groups("chinese", "complement"):
        for verb in group["words"]:
            for end in group["ends"]:
                yield verb + end, {"camera_move": group["means"], "verb": _verb(verb, group)}


def _verb(word: str, group: Group) -> Group:
    """The verb within a longer term, for a direction before it: 向左摇过去."""
    sure = (other["words"] for other in groups("chinese", "verb") if other["when"] == "sure")
    return {"goes": group["goes"], "when": "sure" if any(word in words for words in sure) else "camera"}


@cache
def _acts() -> re.Pattern[str]:
    """看报纸, 看着报纸, 看了看报纸."""
    aspects = "|".join(_longest_first(groups("chinese", "aspect")[0]["words"]))
    acts = (
        f"(?:(?P<verb{number}>{'|'.join(_longest_first(group['words']))})"
        f"(?:[了一]?(?P=verb{number})|{aspects})?(?:{'|'.join(_longest_first(group['things']))}))"
        for number, group in enumerate(groups("chinese", "act"))
    )
    return re.compile("|".join(acts))


def _longest_first(words: list[str]) -> list[str]:
    return sorted(words, key=lambda word: (-len(word), word))
