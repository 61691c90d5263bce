"""Sky and water are found where they are, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.preview.conftest import textured

from wanvideo.preview.picture import Pixels
from wanvideo.preview.regions import find_regions

HARBOUR = Path(__file__).parents[2] / "examples" / "harbour.png"
ROWS, COLUMNS, HORIZON = 240, 426, 106
Colours = NDArray[np.float32]


def noise(rows: int, columns: int, cell: tuple[int, int], seed: int) -> Colours:
    """Smooth noise with spots of `cell` rows * columns; one channel that spreads over all three."""
    grid = np.random.default_rng(seed).normal(size=(rows // cell[0] + 3, columns // cell[1] + 3))
    wide = cv2.resize(grid.astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.asarray(wide, np.float32)[..., np.newaxis]


def under_clouds(ground: Colours | None = None) -> Pixels:
    """A blue sky with clouds over `ground`, which begins at HORIZON."""
    down = np.linspace(0, 1, ROWS, dtype=np.float32)[:, None, None]
    blue = np.array([90, 140, 210], np.float32) + down * np.array([90, 60, 20], np.float32)
    cloud = 0.4 * np.clip(noise(ROWS, COLUMNS, (18, 54), 2) + 0.5 * noise(ROWS, COLUMNS, (7, 18), 3), 0, 2)
    picture = blue * (1 - cloud) + 245 * cloud
    if ground is not None:
        picture[HORIZON:] = ground
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def sea() -> Colours:
    rows = ROWS - HORIZON
    nearer = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None] ** 0.5
    ripples = sum(noise(rows, COLUMNS, (2 + step, 20 + 40 * step), 10 + step) for step in range(3))
    return np.asarray(np.array([40, 80, 110], np.float32) + 10 * nearer * ripples, np.float32)


def meadow() -> Colours:
    blades = noise(ROWS - HORIZON, COLUMNS, (2, 2), 5)
    return np.asarray(np.array([70, 130, 50], np.float32) + 22 * blades, np.float32)


def room() -> Pixels:
    picture = np.array([205, 200, 190], np.float32) + 6 * noise(ROWS, COLUMNS, (80, 120), 4)
    boards = np.array([110, 80, 60], np.float32) + 8 * noise(70, COLUMNS, (2, 30), 11)
    return np.asarray(np.clip(np.vstack([picture[:-70], boards]), 0, 255), np.uint8)


def portrait() -> Pixels:
    picture = np.array([130, 118, 108], np.float32) + 12 * noise(480, 270, (75, 75), 8)
    cv2.ellipse(picture, (135, 470), (112, 195), 0, 0, 360, (45, 60, 90), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (135, 195), (49, 66), 0, 0, 360, (205, 160, 135), -1, cv2.LINE_AA)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def test_the_harbour_has_a_sky_and_a_sea() -> None:
    rgb = np.asarray(Image.open(HARBOUR).convert("RGB").resize((480, 270), Image.Resampling.LANCZOS))
    found = find_regions(rgb)
    assert found.sky is not None
    assert found.water is not None
    for region in (found.sky, found.water):
        assert region.shape == (270, 480)
        assert region.dtype == np.float32
        assert 0 <= region.min() <= region.max() == 1
    assert found.sky[:110].mean() > 0.75
    assert found.sky[150:].max() == 0
    assert found.water[:150].max() == 0
    assert found.water[160:210, 180:270].mean() > 0.75
    assert found.water[240:, 400:].max() == 0  # the jetty
    assert found.sky[125, 105:112].min() == 0  # the mast before the sky
    assert found.sky[70:74, 246:250].max() == 0  # a bird


def test_an_open_sea_under_clouds() -> None:
    found = find_regions(under_clouds(sea()))
    assert found.sky is not None
    assert found.water is not None
    assert found.sky[: HORIZON - 15].mean() > 0.7
    assert found.sky[HORIZON + 3 :].max() == 0
    assert found.water[HORIZON + 12 :].mean() > 0.8
    assert found.water[: HORIZON - 3].max() == 0


def test_a_meadow_has_a_sky_but_no_water() -> None:
    found = find_regions(under_clouds(meadow()))
    assert found.sky is not None
    assert found.water is None


@pytest.mark.parametrize(
    "picture",
    [
        room(),
        portrait(),
        np.asarray(textured(426, 240)),
        np.full((240, 426, 3), 255, np.uint8),
        np.zeros((240, 426, 3), np.uint8),
        np.full((8, 8, 3), 128, np.uint8),
        np.random.default_rng(1).integers(0, 255, (240, 426, 3), np.uint8),
    ],
    ids=["room", "portrait", "blobs", "white", "black", "tiny", "noise"],
)
def test_what_has_neither_gets_neither(picture: Pixels) -> None:
    found = find_regions(picture)
    assert found.sky is None
    assert found.water is None


def test_a_large_picture_gets_maps_of_its_own_size() -> None:
    large = cv2.resize(under_clouds(sea()), (1280, 720), interpolation=cv2.INTER_CUBIC)
    found = find_regions(np.asarray(large, np.uint8))
    assert found.sky is not None
    assert found.sky.shape == (720, 1280)
