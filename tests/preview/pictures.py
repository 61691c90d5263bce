"""Pictures of different kinds, drawn from nothing: grain, a street under a skyline, a person."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tests.preview.conftest import textured


def grain(width_px: int = 640, height_px: int = 360) -> Image.Image:
    return textured(width_px, height_px)


def street(width_px: int = 640, height_px: int = 360) -> Image.Image:
    """Houses with windows under a sky with clouds, a road with stones that grow towards the viewer."""
    chance = np.random.default_rng(11)
    scale = height_px / 360
    pixels = np.array(textured(width_px, height_px, seed=3)).astype(np.float32) * 0.25
    pixels[: round(200 * scale)] += np.linspace([90, 130, 180], [170, 180, 185], round(200 * scale))[:, None]
    pixels[round(200 * scale) :] += 70
    x_px = 0
    while x_px < width_px:
        wide, high = (int(chance.integers(24, 60) * scale), int(chance.integers(50, 120) * scale))
        base = round(205 * scale)
        wall = chance.integers(70, 200, 3)
        pixels[base - high : base, x_px : x_px + wide] = wall
        for row in range(base - high + 6, base - 8, max(4, round(14 * scale))):
            for column in range(x_px + 4, min(x_px + wide, width_px) - 6, max(4, round(12 * scale))):
                pixels[row : row + 6, column : column + 5] = wall * chance.uniform(0.3, 1.3)
        x_px += wide
    for _stone in range(500):
        depth = chance.uniform(0.05, 1) ** 1.5
        place = (int(chance.integers(width_px)), round((205 + 155 * depth) * scale))
        size = (max(2, round(12 * depth * scale)), max(1, round(6 * depth * scale)))
        shade = float(chance.uniform(50, 200))
        cv2.ellipse(pixels, place, size, 0, 0, 360, (shade, shade, shade * 0.9), -1, cv2.LINE_AA)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def portrait(width_px: int = 640, height_px: int = 360) -> Image.Image:
    """Somebody before a patterned wall, near enough to a photo for a network that looks for people."""
    scale = height_px / 360
    wall = np.array(textured(width_px, height_px, seed=9)).astype(np.float32)
    pixels = np.array([95, 115, 105], np.float32) * 0.7 + wall * np.float32(0.25)
    middle = width_px / 2
    weave = np.array(textured(width_px, height_px, seed=4)).astype(np.float32) / 160
    for across, down, wide, high, colour, shade in (
        (0, 400, 165, 150, (62, 78, 120), 0.35),
        (0, 235, 34, 55, (196, 150, 125), 0.35),
        (0, 120, 80, 92, (52, 36, 28), 0.35),
        (0, 140, 62, 80, (226, 178, 150), 0.35),
        (0, 82, 66, 34, (52, 36, 28), 0.35),
        *((side * 24, 132, 11, 6, (245, 245, 245), 0.1) for side in (-1, 1)),
        *((side * 24, 132, 5, 5, (50, 35, 30), 0.1) for side in (-1, 1)),
        *((side * 24, 117, 15, 4, (60, 42, 34), 0.1) for side in (-1, 1)),
        (0, 155, 9, 16, (205, 155, 130), 0.2),
        (0, 183, 22, 7, (170, 80, 80), 0.2),
    ):
        _ellipse(pixels, (middle + across * scale, down * scale), (wide * scale, high * scale), colour, shade)
        if down == 400:
            cloth = pixels[..., 2] > 1.5 * pixels[..., 0]
            pixels[cloth] *= 0.7 + 0.3 * weave[cloth]
    smooth = cv2.GaussianBlur(pixels.clip(0, 255), (0, 0), 1.2 * scale)
    return Image.fromarray(np.asarray(smooth).astype(np.uint8))


def _ellipse(
    pixels: NDArray[np.float32],
    middle: tuple[float, float],
    half_px: tuple[float, float],
    colour: tuple[int, int, int],
    shade: float,
) -> None:
    y, x = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]].astype(np.float32)
    across = (x - middle[0]) / half_px[0]
    away = across**2 + ((y - middle[1]) / half_px[1]) ** 2
    cover = np.clip((1.02 - away) * 20, 0, 1)[..., np.newaxis]
    light = 1 - shade * np.clip(across / 2 + away / 2, 0, 1)[..., np.newaxis]
    pixels[:] = pixels * (1 - cover) + cover * np.array(colour, np.float32) * light
