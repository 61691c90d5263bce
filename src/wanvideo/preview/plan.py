"""What the renderer will do about a prompt: camera moves, effects and light, and what it leaves undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOVES: Final = (
    "in", "out",
    "pan_left", "pan_right", "truck_left", "truck_right",
    "tilt_up", "tilt_down", "pedestal_up", "pedestal_down",
    "orbit_left", "orbit_right", "roll_left", "roll_right",
    "handheld", "still",
)  # fmt: skip
"""What the camera does; left, right, up and down are where it looks or goes, so the picture goes the other
way. A pan or tilt turns it, a truck or pedestal carries it; an orbit travels round the subject; `roll_right`
turns it clockwise. "still" stands alone.
"""
EFFECTS: Final = ("snow", "rain", "fog", "embers", "petals", "water", "clouds")
LIGHTS: Final = ("night", "sunset", "dawn", "flicker", "fade_in", "fade_out")


@dataclass(frozen=True)
class Plan:
    """What was understood of a prompt and its negative prompt.

    `moves`, in the order they were named, are never empty: without a camera word the camera pushes in gently,
    and `asked` is false. `pace` scales the moves: 1 is normal, below slower. `unused_words` are the actions
    and changes of the prompt, in order, that the renderer does not do ("smiles", "slow motion"); a noun that
    only names what the picture shows is not among them.
    """

    moves: tuple[str, ...]
    effects: tuple[str, ...] = ()
    light: tuple[str, ...] = ()
    pace: float = 1.0
    asked: bool = True
    unused_words: tuple[str, ...] = ()
