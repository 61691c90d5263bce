"""An English prompt to moves, effects, light, and what is left undone."""

from __future__ import annotations

from wanvideo.preview.words.english_actions import undone
from wanvideo.preview.words.english_camera import CameraReader
from wanvideo.preview.words.english_scenery import SceneryReader
from wanvideo.preview.words.english_words import Text
from wanvideo.preview.words.vocabulary import Reading


def read(text: str, *, refusing: bool = False) -> Reading:
    """Find what `text` asks for and what it refuses, which is everything if `refusing`.

    The camera comes first: "a slow pan over the waves".
    """
    words = Text(text, refusing=refusing)
    camera = CameraReader(words)
    scenery = SceneryReader(words)
    return Reading(
        asked=tuple(camera.asked + scenery.asked),
        denied=frozenset(camera.denied | scenery.denied),
        pace=camera.pace,
        unused=undone(words),
    )
