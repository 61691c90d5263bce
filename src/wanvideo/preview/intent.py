"""A prompt, in English or Chinese, to what the renderer will do about it."""

from __future__ import annotations

from wanvideo.preview.plan import EFFECTS, LIGHTS, MOVES, Plan
from wanvideo.preview.words import chinese, english

DEFAULT_MOVE = "in"
DEFAULT_PACE = 0.6  # without a camera word the push-in is gentler than one that was asked for


def plan(prompt: str, negative_prompt: str = "") -> Plan:
    """Say what `render` would do with these words, without rendering. Takes about a millisecond.

    The negative prompt only ever removes. Without any camera word the camera pushes in, unless that was
    refused.
    """
    readings = (english.read(prompt), chinese.read(prompt))
    against = (english.read(negative_prompt, refusing=True), chinese.read(negative_prompt, refusing=True))
    refused = frozenset[str]().union(
        *(reading.denied for reading in readings), *(other.denied for other in against)
    )
    steps = [step for reading in readings for step in reading.asked]
    named = [token for _, token in sorted(steps, key=lambda step: step[0])]  # moves of one verb stay in order
    asked = [move for move in named if move in MOVES]
    moves = [move for move in asked if move not in refused and move != "still"]
    moves = [move for index, move in enumerate(moves) if index == 0 or moves[index - 1] != move]
    pace = min((reading.pace for reading in readings if reading.pace != 1), default=1.0)
    camera_spoken_of = bool(asked) or DEFAULT_MOVE in refused
    if not moves:
        moves = ["still"] if camera_spoken_of else [DEFAULT_MOVE]
        pace = pace if camera_spoken_of else DEFAULT_PACE
    unused = [word for _, word in sorted(item for reading in readings for item in reading.unused)]
    return Plan(
        moves=tuple(moves),
        effects=tuple(
            effect for effect in dict.fromkeys(named) if effect in EFFECTS and effect not in refused
        ),
        light=tuple(light for light in dict.fromkeys(named) if light in LIGHTS and light not in refused),
        pace=pace,
        asked=camera_spoken_of,
        unused_words=tuple(dict.fromkeys(unused)),
    )
