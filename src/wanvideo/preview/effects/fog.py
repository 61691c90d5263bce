"""Fog: banks that drift and change, thick over what is far, thin before the subject."""

from __future__ import annotations

import cv2
import numpy as np

from wanvideo.preview.effects import planes
from wanvideo.preview.effects.air import density, unit_px
from wanvideo.preview.effects.ease import eased
from wanvideo.preview.effects.noise import SIDE, Field, clouds_of_noise, look_up
from wanvideo.preview.effects.setting import Setting
from wanvideo.preview.picture import Pixels
from wanvideo.preview.view import View

ARRIVAL_S = 1.6  # fog that is there in half a second looks like a fault
_CELL_PX = 8  # fog has no finer detail than this
_FAR = 0.7  # how much the thickest bank hides
_FAR_UNKNOWN = 0.54  # where no subject is known that it could stay behind
_FRONT = 0.24


class Fog:
    def __init__(self, setting: Setting) -> None:
        shot, chance, exposure = setting.shot, setting.chance, setting.exposure
        self._field = clouds_of_noise(chance, 1.75)
        self._way = float(chance.choice([-1, 1]))
        self._amount = min(1.0, 0.55 + 0.45 * density(shot))
        self._level = float(np.clip(0.45 * exposure.bright + 90, 110, 205))
        self._blue = planes.GREY + 0.4 * (exposure.blue - planes.GREY)
        self._red = planes.GREY + 0.4 * (exposure.red - planes.GREY)
        rows, columns = max(2, shot.height_px // _CELL_PX), max(2, shot.width_px // _CELL_PX)
        self._size = (shot.width_px // 2, shot.height_px // 2)
        self._middle_px = (shot.width_px / 2, shot.height_px / 2)
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        self._x_px = x * (shot.width_px / columns) - self._middle_px[0]
        self._y_px = y * (shot.height_px / rows) - self._middle_px[1]
        self._cells_per_px = SIDE / (1.5 * unit_px(shot))

    def apply(self, view: View, arrival: float) -> None:
        amount = self._amount * min(arrival, eased(view.time_s / ARRIVAL_S))
        far = self._bank(view, 1.0, 9.0, 0.0)
        front = self._bank(view, 1.6, 21.0, 97.0)
        hides = _FAR if view.region("subject") is not None else _FAR_UNKNOWN
        thickness = self._over(view, 0.32 + 0.68 * far, hides * amount)
        wisps = self._up(np.clip(2.2 * (front - 0.42), 0, 1) * _FRONT * amount)
        thickness = planes.bytes_of(cv2.add(thickness, wisps))
        planes.veil(view.frame.luma, self._level, planes.doubled(thickness))
        planes.veil(view.frame.blue, self._blue, thickness)
        planes.veil(view.frame.red, self._red, thickness)

    def _bank(self, view: View, nearness: float, speed: float, apart: float) -> Field:
        """Noise in the air at one distance, 0..1, with the wide, flat spots of a bank."""
        scale = np.float32(self._cells_per_px / view.zoom**nearness)
        x = self._x_px * scale + np.float32(
            self._cells_per_px * view.shift_x_px * nearness - self._way * speed * view.time_s + apart
        )
        y = self._y_px * scale + np.float32(self._cells_per_px * view.shift_y_px * nearness + apart)
        bank = look_up(self._field, 0.6 * x, 1.5 * y + np.float32(0.12 * speed * view.time_s))
        # A second look at another pace: banks dissolve and form instead of sliding by.
        other = look_up(self._field, 1.3 * x + np.float32(0.8 * self._way * speed * view.time_s), 2.4 * y)
        mixed = np.clip(1.9 * (0.62 * bank + 0.38 * other - 0.5) + 0.5, 0, 1)
        return np.asarray(mixed * mixed * (3 - 2 * mixed), np.float32)

    def _over(self, view: View, bank: Field, amount: float) -> Pixels:
        """The bank over what is far, thinner over near things and the subject."""
        thickness = self._up(bank * np.float32(amount))
        near, subject = view.region("nearness"), view.region("subject")
        if near is not None:
            thickness = planes.bytes_of(cv2.multiply(thickness, _falling(near, 0.72), scale=1 / 255))
        if subject is not None:
            thickness = planes.bytes_of(cv2.multiply(thickness, _falling(subject, 0.8), scale=1 / 255))
        return thickness

    def _up(self, cells: Field) -> Pixels:
        wide = cv2.resize(cells * np.float32(255), self._size, interpolation=cv2.INTER_LINEAR)
        return planes.bytes_of(np.rint(wide))


def _falling(region: Pixels, strength: float) -> Pixels:
    return planes.bytes_of(
        cv2.convertScaleAbs(cv2.bitwise_not(region), alpha=strength, beta=255 * (1 - strength))
    )
