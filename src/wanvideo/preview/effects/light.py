"""The hour of the day, and lamps that flicker: grades that fit the brightness of the picture."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from wanvideo.preview.effects import planes
from wanvideo.preview.effects.ease import eased
from wanvideo.preview.effects.setting import Setting
from wanvideo.preview.picture import Pixels
from wanvideo.preview.shot import Shot
from wanvideo.preview.view import View

_TURN = 0.8  # share of the clip after which the hour has come
_GLOWS_FROM = 172  # luma: a face or a wall in the light must not glow
_NIGHT_MEAN = 64  # the luma a picture's mean falls to


def _hour(share: float) -> float:
    return eased(share / _TURN)


def _from_black(luma: float) -> float:
    return (luma - planes.BLACK) / (planes.WHITE - planes.BLACK)


_TONES = np.clip((planes.LEVELS - planes.BLACK) / (planes.WHITE - planes.BLACK), 0, 1)


class Night:
    """Night falls over the clip: darker, cooler, paler, and darkest in the corners and the sky."""

    def __init__(self, setting: Setting) -> None:
        shot, exposure = setting.shot, setting.exposure
        mean = max(0.05, _from_black(exposure.mean))
        self._gain = float(np.clip(_from_black(_NIGHT_MEAN) / mean, 0.42, 0.95))
        self._depth = (1 - self._gain) / 0.58  # 1 for a bright day, near 0 for what is dark already
        rows, columns = shot.height_px // 2, shot.width_px // 2
        y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(np.float32)
        self._rim = np.clip((x * x + y * y - 0.35) / 1.65, 0, 1)

    def apply(self, view: View, arrival: float) -> None:
        dark = _hour(view.share) * min(1.0, arrival)
        gain = 1 - (1 - self._gain) * dark
        # The curve holds on to the highlights, so that lamps and windows still shine.
        tones = _TONES ** (1 + 0.25 * self._depth * dark)
        tones = tones * (gain + (1 - gain) * 0.55 * (1 - 0.7 * self._depth) * tones**3)
        planes.relevel(view.frame.luma, planes.BLACK + (planes.WHITE - planes.BLACK) * tones)
        self._darken(view, dark)
        seen = planes.halved(view.frame.luma)
        for plane, cast in ((view.frame.blue, 44.0), (view.frame.red, -20.0)):
            planes.recolour(plane, 1 - (0.24 + 0.3 * self._depth) * dark)
            planes.tint(plane, seen, cast * dark)

    def _darken(self, view: View, dark: float) -> None:
        keep = 1 - np.float32((0.18 + 0.2 * self._depth) * dark) * self._rim
        sky = view.region("sky")
        if sky is not None:
            # From above, not by the region's outline, which would glow.
            high = sky.mean(axis=1, dtype=np.float32) / 255
            reach = max(1, round(0.12 * high.size))
            fall = cv2.GaussianBlur(high, (1, 4 * reach + 1), 0, borderType=cv2.BORDER_REPLICATE)
            keep = keep * (1 - np.float32(0.42 * self._depth * dark) * np.asarray(fall).reshape(-1, 1))
        gone = planes.bytes_of(cv2.convertScaleAbs(1 - keep, alpha=255))
        planes.veil(view.frame.luma, planes.BLACK, planes.doubled(gone))


class _Glow:
    """Light that spills over from what is bright."""

    def __init__(self, shot: Shot) -> None:
        self._size = (max(2, shot.width_px // 8), max(2, shot.height_px // 8))
        self._spread = max(1.0, 0.03 * self._size[0])

    def of(self, luma: Pixels, threshold: float) -> Pixels:
        """At the size of the chroma planes."""
        small = planes.bytes_of(cv2.resize(luma, self._size, interpolation=cv2.INTER_AREA))
        planes.relevel(small, planes.LEVELS - threshold)
        soft = cv2.GaussianBlur(small, (0, 0), self._spread)
        size = (luma.shape[1] // 2, luma.shape[0] // 2)
        return planes.bytes_of(cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR))


class Sunset:
    """The sun goes down: warm lights, shadows that turn violet, and a soft bloom."""

    def __init__(self, setting: Setting) -> None:
        shot, exposure = setting.shot, setting.exposure
        rows = shot.height_px // 2
        y = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
        # Strongest where the sun would stand; the ground takes some of it.
        band = 0.62 + 0.38 * np.exp(-(((y - 0.42) / 0.24) ** 2))
        self._band = planes.bytes_of(np.rint(255 * np.broadcast_to(band, (rows, shot.width_px // 2))))
        self._glow = _Glow(shot)
        self._threshold = float(np.clip(exposure.bright - 12, _GLOWS_FROM, 215))

    def apply(self, view: View, arrival: float) -> None:
        late = _hour(view.share) * min(1.0, arrival)
        bloom = self._glow.of(view.frame.luma, self._threshold)
        tones = _TONES ** (1 + 0.14 * late) * (1 - 0.04 * late)
        planes.relevel(view.frame.luma, planes.BLACK + (planes.WHITE - planes.BLACK) * tones)
        planes.tint(view.frame.luma, planes.doubled(bloom), 200 * late)
        seen = planes.halved(view.frame.luma)
        warm = planes.bytes_of(cv2.multiply(seen, self._band, scale=1 / 255))
        shadow = cv2.bitwise_not(seen)
        for plane in (view.frame.blue, view.frame.red):
            planes.recolour(plane, 1 - 0.22 * late)  # else green leaves would turn brown
        planes.tint(view.frame.red, warm, 34 * late)
        planes.tint(view.frame.blue, warm, -40 * late)
        planes.tint(view.frame.blue, planes.bytes_of(shadow), 12 * late)
        planes.tint(view.frame.red, planes.bytes_of(shadow), 4 * late)
        planes.tint(view.frame.red, bloom, 60 * late)
        planes.tint(view.frame.blue, bloom, -60 * late)
        # What was warm before, a face above all, does not turn into a lantern.
        planes.relevel(view.frame.red, _kneed(planes.LEVELS - planes.GREY, 24, late) + planes.GREY)
        planes.relevel(view.frame.blue, planes.GREY - _kneed(planes.GREY - planes.LEVELS, 24, late))


def _kneed(colour: NDArray[np.float32], knee: float, late: float) -> NDArray[np.float32]:
    """Above `knee` a colour grows at less than half its pace."""
    return np.asarray(colour - 0.6 * late * np.maximum(colour - knee, 0), np.float32)


class Dawn:
    """Day breaks: first cool and a little dim, then lighter, rosy and warm."""

    def __init__(self, setting: Setting) -> None:
        shot, exposure = setting.shot, setting.exposure
        self._glow = _Glow(shot)
        self._threshold = float(np.clip(exposure.bright - 12, _GLOWS_FROM, 215))

    def apply(self, view: View, arrival: float) -> None:
        ahead = min(1.0, view.share / 0.9)
        cool = math.sin(math.pi * min(1.0, ahead / 0.7)) ** 2 * min(1.0, arrival)
        warm = _hour(max(0.0, (view.share - 0.3) / 0.7) * _TURN) * min(1.0, arrival)
        bloom = self._glow.of(view.frame.luma, self._threshold)
        tones = _TONES ** (1 + 0.12 * cool - 0.14 * warm) * (1 - 0.08 * cool)
        planes.relevel(view.frame.luma, planes.BLACK + (planes.WHITE - planes.BLACK) * tones)
        planes.tint(view.frame.luma, planes.doubled(bloom), 70 * warm)
        seen = planes.halved(view.frame.luma)
        planes.tint(view.frame.blue, seen, 16 * cool - 22 * warm)
        planes.tint(view.frame.red, seen, 20 * warm - 9 * cool)


class Flicker:
    """The light of a fire or a candle: slow, uneven, warm."""

    def __init__(self, setting: Setting) -> None:
        shot, chance = setting.shot, setting.chance
        self._hz = chance.uniform([0.7, 1.4, 2.6], [1.2, 2.4, 4.0])
        self._phase = chance.random(3)
        self._depth = 0.11 * min(1.0, 0.4 + 1.2 * shot.motion_strength)

    def apply(self, view: View, arrival: float) -> None:
        waves = np.sin(math.tau * (self._hz * view.time_s + self._phase))
        swing = float(waves @ np.array([0.5, 0.32, 0.18]))
        tones = _TONES * (1 + self._depth * arrival * swing)
        planes.relevel(view.frame.luma, planes.BLACK + (planes.WHITE - planes.BLACK) * tones)
        seen = planes.halved(view.frame.luma)
        warmth = arrival * (0.7 + 0.5 * swing)
        planes.tint(view.frame.red, seen, 9 * warmth)
        planes.tint(view.frame.blue, seen, -12 * warmth)
