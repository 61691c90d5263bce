"""A prompt, in English or Chinese, to what the renderer will do about it."""

from __future__ import annotations

from dataclasses import dataclass

from wanvideo.preview import chinese, english

DEFAULT_MOVE = "in"
DEFAULT_PACE = 0.6  # without a camera word the push-in is gentler than one that was asked for


@dataclass(frozen=True)
class Plan:
    """What the renderer understood.

    `moves` are "in", "out", "left", "right", "up", "down" in the order they were named, or the single
    "still". `unused_words` are the words of the prompt that it does not act on, in order.
    """

    moves: tuple[str, ...]
    unused_words: tuple[str, ...]


@dataclass(frozen=True)
class Intent:
    """A plan and its pace: 1 is normal, below is slower."""

    plan: Plan
    pace: float


def plan(prompt: str, negative_prompt: str = "") -> Plan:
    """Say what `render` would do with these words, without rendering. Takes well under a millisecond."""
    return understand(prompt, negative_prompt).plan


def understand(prompt: str, negative_prompt: str = "") -> Intent:
    """Read both prompts. The negative one only ever removes moves; without any camera word the camera pushes
    in.
    """
    readings = (english.read(prompt), chinese.read(prompt))
    against = (english.read(negative_prompt), chinese.read(negative_prompt))
    refused = frozenset[str]().union(
        *(reading.denied for reading in readings), *(other.named for other in against)
    )

    asked = [move for _, move in sorted(step for reading in readings for step in reading.asked)]
    moves = [move for move in asked if move not in refused and move != "still"]
    moves = [move for index, move in enumerate(moves) if index == 0 or moves[index - 1] != move]
    pace = min((reading.pace for reading in readings if reading.pace != 1), default=1.0)
    if not moves:
        if asked or DEFAULT_MOVE in refused:
            moves = ["still"]
        else:
            moves, pace = [DEFAULT_MOVE], DEFAULT_PACE * pace
    unused = [word for _, word in sorted(item for reading in readings for item in reading.unused)]
    return Intent(Plan(tuple(moves), tuple(dict.fromkeys(unused))), pace)
