"""A prompt, in English or Chinese, to what the renderer will do about it."""

from __future__ import annotations

from typing import Final

from wanvideo.preview import chinese, english
from wanvideo.preview.plan import Plan

DEFAULT_MOVE: Final = "in"
DEFAULT_PACE: Final = 0.6  # without a camera word the push-in is gentler than one that was asked for
_TURNS: Final = {"left": "pan_left", "right": "pan_right", "up": "tilt_up", "down": "tilt_down"}


def plan(prompt: str, negative_prompt: str = "") -> Plan:
    """Say what `render` would do with these words, without rendering. Takes well under a millisecond.

    The negative prompt only ever removes moves; without any camera word the camera pushes in.
    """
    readings = (english.read(prompt), chinese.read(prompt))
    against = (english.read(negative_prompt), chinese.read(negative_prompt))
    refused = frozenset[str]().union(
        *(reading.denied for reading in readings), *(other.named for other in against)
    )

    named = [move for _, move in sorted(step for reading in readings for step in reading.asked)]
    moves = [move for move in named if move not in refused and move != "still"]
    moves = [move for index, move in enumerate(moves) if index == 0 or moves[index - 1] != move]
    pace = min((reading.pace for reading in readings if reading.pace != 1), default=1.0)
    asked = bool(named) or DEFAULT_MOVE in refused
    if not moves:
        if asked:
            moves = ["still"]
        else:
            moves, pace = [DEFAULT_MOVE], DEFAULT_PACE * pace
    unused = [word for _, word in sorted(item for reading in readings for item in reading.unused)]
    return Plan(
        moves=tuple(_TURNS.get(move, move) for move in moves),
        pace=pace,
        asked=asked,
        unused_words=tuple(dict.fromkeys(unused)),
    )
