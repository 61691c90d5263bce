"""Embers: a few glowing sparks that rise, sway and flicker, with the light they shed around them."""

from __future__ import annotations

import math

import cv2
import numpy as np

from wanvideo.preview.effects import planes
from wanvideo.preview.effects.air import Drift, Layer, Numbers, unit_px
from wanvideo.preview.effects.setting import Setting
from wanvideo.preview.effects.stamps import Sheet, discs
from wanvideo.preview.effects.veil import Veil, veils
from wanvideo.preview.view import View

_CORE = (214, 84, 152)  # BT.709 limited range: a hot yellow
_GLOW = (74, 182)  # the chroma of a deep orange


_GLOW_SHARE = 0.62
_GLOW_LIGHT = 30  # levels that the middle of a glow adds
_GLOW_REACH = 8.0  # radii
_COARSE = 4  # a glow has no detail: it is drawn at a quarter of the size, both ways


class Embers:
    def __init__(self, setting: Setting) -> None:
        shot, chance = setting.shot, setting.chance
        wind = float(chance.choice([-1, 1]) * chance.uniform(0.02, 0.05))
        far = Layer(52, (-0.11, -0.06), 0.6 * wind, (0.006, 0.016), (0.15, 0.45), 0.9)
        near = Layer(24, (-0.26, -0.15), 1.4 * wind, (0.012, 0.035), (0.2, 0.5), 1.7)
        unit = unit_px(shot)
        self._kinds = (
            (_Sparks(Drift(far, shot, chance), chance, (0.0012 * unit, 0.0021 * unit)), 0.9),
            (_Sparks(Drift(near, shot, chance), chance, (0.0024 * unit, 0.0044 * unit)), 0.0),
        )
        rows, columns = shot.height_px, shot.width_px
        self._luma = Sheet((rows, columns))
        self._chroma = Sheet((rows // 2, columns // 2))
        self._glow = Sheet((max(1, rows // _COARSE), max(1, columns // _COARSE)))

    def apply(self, view: View, arrival: float) -> None:
        seen = [
            (*sparks.seen(view, arrival), sparks.radius_px, veils(view, subject=hidden))
            for sparks, hidden in self._kinds
        ]
        self._shed(view, seen)
        for x, y, light, radius_px, hiding in seen:
            cores = discs(x, y, radius_px, light, self._luma.shape, 1.0)
            self._luma.lay(cores.behind(hiding), view.frame.luma, _CORE[0])
            # Wider in chroma: a coloured rim around a light that is nearly white.
            cores = discs(x / 2, y / 2, radius_px, light, self._chroma.shape, 1.0).behind(hiding)
            self._chroma.lay(cores, view.frame.blue, _CORE[1])
            self._chroma.lay(cores, view.frame.red, _CORE[2])

    def _shed(self, view: View, seen: list[tuple[Numbers, Numbers, Numbers, Numbers, list[Veil]]]) -> None:
        """The light around all sparks."""
        coarse = np.zeros(self._glow.shape, np.uint8)
        across, along = (
            of / full for of, full in zip(self._glow.shape[::-1], self._luma.shape[::-1], strict=True)
        )
        for x, y, light, radius_px, _hiding in seen:
            reach_px = _GLOW_REACH * across * radius_px
            spots = discs(x * across, y * along, reach_px, light, self._glow.shape, 2.0)
            self._glow.lay(spots, coarse, 255)
        # Squared, since light falls off faster than a soft disc does.
        coarse = planes.bytes_of(cv2.multiply(coarse, coarse, scale=1 / 255))
        size = (self._chroma.shape[1], self._chroma.shape[0])
        glow = planes.bytes_of(cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR))
        luma = view.frame.luma
        planes.tint(luma, planes.doubled(glow), _GLOW_LIGHT)
        np.minimum(luma, planes.WHITE, out=luma)
        share = planes.bytes_of(cv2.convertScaleAbs(glow, alpha=_GLOW_SHARE))
        planes.veil(view.frame.blue, _GLOW[0], share)
        planes.veil(view.frame.red, _GLOW[1], share)


class _Sparks:
    def __init__(self, drift: Drift, chance: np.random.Generator, radius_px: tuple[float, float]) -> None:
        self._drift = drift
        self.radius_px: Numbers = np.maximum(0.8, chance.uniform(*radius_px, drift.count))
        self._weight: Numbers = chance.uniform(0.45, 1.0, drift.count)
        self._flicker_hz = chance.uniform(1.2, 4.5, (2, drift.count))
        self._flicker_phase = chance.random((2, drift.count))

    def seen(self, view: View, arrival: float) -> tuple[Numbers, Numbers, Numbers]:
        """Where they are, and how brightly each glows."""
        x, y = self._drift.seen(view)
        waves = np.sin(math.tau * (self._flicker_hz * view.time_s + self._flicker_phase))
        flicker = np.clip(0.72 + 0.22 * waves[0] + 0.16 * waves[1], 0.1, 1)
        # They cool as they rise: bright below, nearly gone at the upper rim.
        height = np.clip(y / view.frame.luma.shape[0], 0, 1)
        return x, y, arrival * self._weight * flicker * np.clip(0.12 + 1.3 * height, 0, 1)
