"""What a picture shows: a soft depth for all pictures, more only where it can be trusted.

Depth is one soft surface: nothing is cut out, so nothing can tear or show a doubled rim. A trusted subject is
all equally near, so that it stays itself, and the surface bends around it outside its outline.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from PIL import Image

from wanvideo.preview.given_map import read_map
from wanvideo.preview.person import find_person
from wanvideo.preview.picture import Pixels
from wanvideo.preview.plan import Plan
from wanvideo.preview.regions import find_regions
from wanvideo.preview.scene import Map, Scene
from wanvideo.preview.shot import Shot

WIDTH_PX: Final = 320
HORIZON: Final = 0.42  # from the top: what stands higher is equally far, so that nothing upright leans
LOWEST_HORIZON: Final = 0.92
UPRIGHT_SHARE: Final = 0.12  # of the height, that an edge runs straight up to count as a wall or a tower
WALLS_SHARE: Final = 0.05  # of the width, that such edges fill where the picture is a view of buildings
EDGE_LEVELS: Final = 24.0  # from one pixel to the next, of 255; Sobel's sum of slopes is four times that
GUESSED_RANGE: Final = (0.1, 0.9)  # a guess takes less than the whole range of nearness
LEAST_SUBJECT: Final = 0.65  # a subject is at least so near
HALO_SHARE: Final = 0.03  # of the width, over which the surface bends around a subject
SMOOTH_SHARE: Final = 0.015  # of the width, by which a given depth is smoothed
CARRIES: Final = frozenset(("in", "out", "truck", "pedestal", "orbit"))
NEEDS_REGIONS: Final = frozenset(("water", "clouds", "night"))  # at night the sky darkens most


def analyse(picture: Image.Image, plan: Plan, shot: Shot) -> Scene:
    """Look at the whole picture, as far as `plan` needs it. Raises: MapUnusable."""
    rows = max(8, round(WIDTH_PX * picture.height / picture.width))
    rgb = np.asarray(picture.resize((WIDTH_PX, rows), Image.Resampling.BOX, reducing_gap=1.0))
    deep = bool(plan.effects) or any(move.partition("_")[0] in CARRIES for move in plan.moves)
    subject = _subject(rgb, shot, deep)
    nearness = _ground(rgb) if shot.depth is None else _given_depth(read_map(shot.depth, rgb, "depth"))
    if subject is not None:
        nearness = _with_subject(nearness, subject)
    regions = find_regions(rgb) if NEEDS_REGIONS & {*plan.effects, *plan.light} else None
    return Scene(
        nearness=nearness,
        subject=subject,
        sky=None if regions is None else regions.sky,
        water=None if regions is None else regions.water,
    )


def pivot_of(scene: Scene) -> float:
    """The nearness that the camera moves by and turns round: the subject's, or between far and near."""
    if scene.subject is not None:
        return float(np.average(scene.nearness, weights=scene.subject))
    return float(np.mean(np.quantile(scene.nearness, (0.1, 0.9))))


def _subject(rgb: Pixels, shot: Shot, deep: bool) -> Map | None:
    if shot.mask is None:
        return find_person(rgb) if deep else None
    given = read_map(shot.mask, rgb, "mask")
    return given if float(given.max()) > 0.5 else None


def _ground(rgb: Pixels) -> Map:
    """Nearer towards the lower rim, as ground, floor and water are; buildings stand on it and do not lean."""
    rows = rgb.shape[0]
    height = (np.arange(rows, dtype=np.float32) + 0.5) / rows
    horizon = max(HORIZON, min(LOWEST_HORIZON, _foot_of_walls(rgb)))
    way = np.clip((height - horizon) / (1 - horizon), 0.0, 1.0)
    far, near = GUESSED_RANGE
    nearness = far + (near - far) * way * way * (3 - 2 * way)
    return np.repeat(nearness[:, np.newaxis], WIDTH_PX, axis=1).astype(np.float32)


def _foot_of_walls(rgb: Pixels) -> float:
    """Down to where walls and towers stand, as a share of the height from the top; 0 without any."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    edges = (np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)) > 4 * EDGE_LEVELS).astype(np.uint8)
    mended = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8))
    length_px = max(3, round(UPRIGHT_SHARE * rgb.shape[0]))
    upright = cv2.morphologyEx(mended, cv2.MORPH_OPEN, np.ones((length_px, 1), np.uint8))
    walled = np.flatnonzero(upright.mean(axis=1) > WALLS_SHARE)
    return float(walled[-1] + 1) / rgb.shape[0] if walled.size else 0.0


def _given_depth(depth: Map) -> Map:
    low, high = np.quantile(depth, (0.01, 0.99))
    spread = np.clip((depth - low) / max(1e-6, float(high - low)), 0.0, 1.0)
    return _blurred(np.asarray(spread, np.float32), SMOOTH_SHARE)


def _with_subject(nearness: Map, subject: Map) -> Map:
    """All of the subject at one nearness, and a soft slope outside its outline."""
    own = max(LEAST_SUBJECT, float(np.quantile(nearness[subject > 0.5], 0.9)))
    reach_px = 2 * round(HALO_SHARE * WIDTH_PX) + 1
    wide = cv2.dilate(subject, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach_px, reach_px)))
    share = _blurred(np.asarray(wide, np.float32), HALO_SHARE / 2)
    return np.asarray(nearness * (1 - share) + np.float32(own) * share, np.float32)


def _blurred(of: Map, share: float) -> Map:
    return np.asarray(
        cv2.GaussianBlur(of, (0, 0), share * WIDTH_PX, borderType=cv2.BORDER_REPLICATE), np.float32
    )
