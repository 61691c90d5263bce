"""Rain: thin streaks, blurred by their own speed, over a picture that is darker and paler for it."""

from __future__ import annotations

import numpy as np

from wanvideo.preview.effects import planes
from wanvideo.preview.effects.air import Drift, Layer, Numbers, unit_px
from wanvideo.preview.effects.setting import Setting
from wanvideo.preview.effects.stamps import Sheet, Stamps, streaks
from wanvideo.preview.effects.veil import veils
from wanvideo.preview.shot import Shot
from wanvideo.preview.view import View

_DARKER = 0.17
_PALER = 0.25
_HAZE = 0.07  # what falls too far away to be told apart lifts the blacks


class Rain:
    def __init__(self, setting: Setting) -> None:
        shot, chance, exposure = setting.shot, setting.chance, setting.exposure
        self._slant = float(chance.choice([-1, 1]) * chance.uniform(0.04, 0.14))
        # Lighter than the picture, yet never white: bright dashes look like scratches on film.
        self._level = float(np.clip(0.72 * exposure.middle + 80, 105, 190))
        self._sheet = Sheet((shot.height_px, shot.width_px))
        far, near = (1.15, 1.5), (1.9, 2.5)
        self._far = _Streaks(shot, chance, Layer(620, far, 0, (0, 0), (0, 0), 0.8), self._slant)
        self._near = _Streaks(shot, chance, Layer(110, near, 0, (0, 0), (0, 0), 1.8), self._slant)
        unit = unit_px(shot)
        self._far_width_px, self._near_width_px = max(0.6, 0.0009 * unit), max(0.8, 0.0017 * unit)
        self._amount = min(1.0, 0.6 + 0.8 * shot.motion_strength)

    def apply(self, view: View, arrival: float) -> None:
        amount = arrival * self._amount
        luma = planes.LEVELS * (1 - _DARKER * amount) + planes.BLACK * _DARKER * amount
        haze = _HAZE * amount
        planes.relevel(view.frame.luma, luma * (1 - haze) + self._level * haze)
        for plane in (view.frame.blue, view.frame.red):
            planes.recolour(plane, 1 - _PALER * amount)
        drops = self._far.seen(view, self._far_width_px, 0.46 * arrival, self._sheet.shape)
        drops = drops.behind(veils(view, subject=0.85, near=0.3))
        self._sheet.lay(drops, view.frame.luma, self._level)
        drops = self._near.seen(view, self._near_width_px, 0.36 * arrival, self._sheet.shape)
        self._sheet.lay(drops, view.frame.luma, self._level + 20)


class _Streaks:
    def __init__(self, shot: Shot, chance: np.random.Generator, layer: Layer, slant: float) -> None:
        self._slant = slant
        speed = float(np.mean(layer.speed))
        leaning = Layer(layer.count, layer.speed, speed * slant, layer.sway, layer.sway_hz, layer.nearness)
        self._drift = Drift(leaning, shot, chance)
        # As far as a drop falls while the shutter is open, about 1/30 s.
        self._length_px: Numbers = chance.uniform(0.8, 1.2, self._drift.count) * speed / 30 * unit_px(shot)
        self._weight: Numbers = chance.uniform(0.4, 1.0, self._drift.count)

    def seen(self, view: View, width_px: float, opacity: float, shape: tuple[int, int]) -> Stamps:
        x, y = self._drift.seen(view)
        return streaks(x, y, self._length_px, width_px, self._slant, opacity * self._weight, shape)
