"""Frames before they are encoded: the reference untouched, detail where there is some, no pop in between."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.preview.conftest import textured

from wanvideo.preview import Shot
from wanvideo.preview.frames import shoot, to_frame
from wanvideo.preview.picture import Pixels, fit
from wanvideo.preview.plan import Plan
from wanvideo.preview.room import film
from wanvideo.preview.scene_analysis import analyse, pivot_of
from wanvideo.preview.view import Frame

SHOT = Shot(b"", width_px=320, height_px=180, frame_count=24, motion_strength=1.0)


def frames_of(picture: Image.Image, *moves: str) -> list[Frame]:
    fitted = fit(picture.size, SHOT.width_px, SHOT.height_px)
    plan = Plan(moves)
    scene = analyse(picture, plan, SHOT)
    path = film(SHOT, plan, fitted, pivot_of(scene))
    return [view.frame for view in shoot(picture, fitted, scene, path, SHOT)]


def sharpness(luma: Pixels) -> float:
    return float(cv2.Laplacian(luma[40:-40, 60:-60], cv2.CV_32F).std())


@pytest.mark.parametrize("moves", [("in",), ("out",), ("pan_right", "tilt_up")])
def test_the_first_frame_is_the_fitted_picture_itself(moves: tuple[str, ...]) -> None:
    picture = textured(320, 180)
    expected = to_frame(np.asarray(picture))
    for made, given in zip(frames_of(picture, *moves)[0].planes(), expected.planes(), strict=True):
        assert np.array_equal(made, given)


def test_planes_have_the_shapes_of_420() -> None:
    frame = frames_of(textured(500, 500), "pan_left")[-1]
    assert [plane.shape for plane in frame.planes()] == [(180, 320), (90, 160), (90, 160)]
    assert all(plane.dtype == np.uint8 for plane in frame.planes())


def test_a_push_in_shows_detail_that_the_picture_has() -> None:
    """A large picture stays sharp when the camera comes near; its small copy cannot."""
    chance = np.random.default_rng(3)
    large = Image.fromarray(chance.integers(0, 255, (720, 1280, 3), np.uint8))
    small = large.resize((320, 180), Image.Resampling.LANCZOS)
    from_large, from_small = frames_of(large, "in"), frames_of(small, "in")
    assert sharpness(from_large[-1].luma) > 1.15 * sharpness(from_small[-1].luma)
    assert sharpness(from_large[-1].luma) > 0.75 * sharpness(from_large[0].luma)


def test_a_slow_pan_does_not_breathe() -> None:
    """Sharpness stays even while the picture slides over the pixel grid."""
    grain = np.random.default_rng(1).integers(0, 255, (60, 160, 3), np.uint8)
    fine = Image.fromarray(grain).resize((480, 180), Image.Resampling.BICUBIC)
    steps = [sharpness(frame.luma) for frame in frames_of(fine, "pan_right")]
    assert max(steps) / min(steps) < 1.10


def test_grey_stays_grey_wherever_the_camera_goes() -> None:
    for frame in frames_of(textured(640, 360).convert("L").convert("RGB"), "out", "pan_left"):
        assert np.abs(frame.blue.astype(int) - 128).max() <= 1
        assert np.abs(frame.red.astype(int) - 128).max() <= 1


def test_colour_and_brightness_move_together() -> None:
    """The red disc's chroma stays under its luma: they are sampled at the same places."""
    picture = np.full((360, 640, 3), 40, np.uint8)
    cv2.circle(picture, (400, 200), 60, (230, 40, 40), -1, cv2.LINE_AA)
    for frame in frames_of(Image.fromarray(picture), "in", "pan_right"):
        bright, red = frame.luma > 50, frame.red > 160
        rows, columns = np.nonzero(bright)
        red_rows, red_columns = np.nonzero(red)
        assert 2 * red_columns.mean() == pytest.approx(columns.mean(), abs=0.6)
        assert 2 * red_rows.mean() + 0.5 == pytest.approx(rows.mean(), abs=0.6)
