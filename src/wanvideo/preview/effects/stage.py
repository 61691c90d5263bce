"""From a plan to the effects it asks for, in the order in which light reaches the eye."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np

from wanvideo.preview.effects.ease import eased
from wanvideo.preview.effects.embers import Embers
from wanvideo.preview.effects.fade import fade_in, fade_out
from wanvideo.preview.effects.flow import Clouds, Water
from wanvideo.preview.effects.fog import Fog
from wanvideo.preview.effects.light import Dawn, Flicker, Night, Sunset
from wanvideo.preview.effects.petals import Petals
from wanvideo.preview.effects.rain import Rain
from wanvideo.preview.effects.setting import Exposure, Setting
from wanvideo.preview.effects.snow import Snow
from wanvideo.preview.plan import EFFECTS, LIGHTS, Plan
from wanvideo.preview.scene import Scene
from wanvideo.preview.shot import Shot
from wanvideo.preview.view import View

ARRIVAL_S = 0.6  # how long an effect takes to set in


class Effect(Protocol):
    def apply(self, view: View, arrival: float) -> None:
        """Write into the planes of the view. `arrival` rises from 0 to 1 while the effect sets in."""


_Make = Callable[[Setting], Effect]

# What flows in the picture, then what fills the air, then the light on all of it, then what is bright even
# at night.
_ORDER: Final[tuple[tuple[str, _Make], ...]] = (
    ("clouds", Clouds),
    ("water", Water),
    ("rain", Rain),
    ("fog", Fog),
    ("petals", Petals),
    ("dawn", Dawn),
    ("sunset", Sunset),
    ("night", Night),
    ("flicker", Flicker),
    ("snow", Snow),
    ("embers", Embers),
)
_NEEDS_MOTION: Final = {"clouds", "water", "rain", "fog", "petals", "snow", "flicker", "embers"}


def stage(plan: Plan, shot: Shot, scene: Scene) -> Stage:
    """Set up what `plan` asks for. With a motion strength of 0 nothing moves, so only light and fades are
    left.
    """
    named = (*plan.effects, *plan.light)
    asked = set(named)
    notes = []
    if "water" in asked and scene.water is None:
        asked.remove("water")
        notes.append("No water was found in the picture, so it does not flow.")
    if "clouds" in asked and scene.sky is None:
        asked.remove("clouds")
        notes.append("No sky was found in the picture, so its clouds do not drift.")
    stilled = [name for name in named if name in asked & _NEEDS_MOTION]
    if shot.motion_strength == 0 and stilled:
        asked -= _NEEDS_MOTION
        notes.append(f"The motion strength is 0, so these are left out: {', '.join(stilled)}.")
    return Stage(frozenset(asked), shot, tuple(notes))


class Stage:
    """The effects of one clip. `notes` says in plain English what was left undone, and why."""

    def __init__(self, names: frozenset[str], shot: Shot, notes: tuple[str, ...]) -> None:
        self.notes = notes
        self._names = names
        self._shot = shot
        self._effects: list[Effect] | None = None

    def apply(self, view: View) -> None:
        """Write the effects into the planes of `view`. Views come in the order of their frames: the first
        one shows how bright the picture is.
        """
        if not self._names:
            return
        if self._effects is None:
            self._effects = self._made(Exposure.of(view.frame))
        arrival = eased(view.time_s / ARRIVAL_S)
        if arrival > 0:
            for effect in self._effects:
                effect.apply(view, arrival)
        if "fade_in" in self._names:
            fade_in(view, self._shot.duration_s)
        if "fade_out" in self._names:
            fade_out(view, self._shot.duration_s)

    def _made(self, exposure: Exposure) -> list[Effect]:
        return [
            make(Setting(self._shot, _chance_of(name, self._shot.seed), exposure))
            for name, make in _ORDER
            if name in self._names
        ]


def _chance_of(name: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, (*EFFECTS, *LIGHTS).index(name)])
