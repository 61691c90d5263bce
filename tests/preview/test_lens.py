"""Maps of where a frame looks: exact where nothing bends, and the same for regions as for pixels."""

from __future__ import annotations

import numpy as np
import pytest

from wanvideo.preview.lens import Lens, Plate
from wanvideo.preview.picture import fit
from wanvideo.preview.room import REST, Pose
from wanvideo.preview.scene import Scene

NOTHING = np.zeros((1, 1), np.uint8)


def lens(width_px: int, height_px: int, scene: Scene | None = None) -> Lens:
    flat = Scene(nearness=np.full((90, 160), 0.5, np.float32))
    return Lens(fit((width_px, height_px), width_px, height_px), scene or flat, 0.5, (0, 0))


def plate(luma_gain: int = 1) -> Plate:
    return Plate(NOTHING, NOTHING, NOTHING, 0, 0, 1.0, 1.0, luma_gain)


@pytest.mark.parametrize(("width_px", "height_px"), [(320, 180), (642, 362), (1280, 720)])
def test_at_rest_every_sample_is_its_own(width_px: int, height_px: int) -> None:
    """Also at the rim, and in a doubled plate; chroma alike."""
    sight = lens(width_px, height_px).look(REST)
    y, x = np.mgrid[0:height_px, 0:width_px]
    for gain in (1, 2):
        luma = sight.luma_map(plate(gain))
        assert np.abs(luma[0] - gain * x).max() < 2e-3
        assert np.abs(luma[1] - gain * y).max() < 2e-3
    chroma = sight.chroma_map(plate())
    assert np.abs(chroma[0] - x[: height_px // 2, : width_px // 2]).max() < 1e-3
    assert np.abs(chroma[1] - y[: height_px // 2, : width_px // 2]).max() < 1e-3


def test_a_turn_a_zoom_and_a_shift_are_exact_everywhere() -> None:
    pose = Pose(zoom=1.3, shift_x_px=7.3, shift_y_px=-4.1, roll_rad=0.04)
    x, y = (np.mgrid[0:360, 0:640][axis] + 0.5 - half for axis, half in ((1, 320), (0, 180)))
    seen = lens(640, 360).look(pose).luma_map(plate())
    expected_x = (x * np.cos(0.04) - y * np.sin(0.04)) / 1.3 + 7.3 + 320 - 0.5
    expected_y = (x * np.sin(0.04) + y * np.cos(0.04)) / 1.3 - 4.1 + 180 - 0.5
    assert np.abs(seen[0] - expected_x).max() < 1e-3
    assert np.abs(seen[1] - expected_y).max() < 1e-3


def test_beyond_the_picture_the_rim_is_stretched_and_never_folded() -> None:
    seen = (
        lens(640, 360).look(Pose(zoom=0.93, shift_x_px=12.0, shift_y_px=0.0, roll_rad=0.0)).luma_map(plate())
    )
    assert seen.min() > -0.6
    assert seen[0].max() < 639.6
    assert seen[1].max() < 359.6
    steps = np.diff(seen[0], axis=1)
    assert steps.min() > 0.4
    assert steps[:, 300:340] == pytest.approx(1 / 0.93, abs=0.01), "the middle is left alone"


def test_a_region_goes_where_the_pixels_go() -> None:
    sky = np.zeros((90, 160), np.float32)
    sky[:, :80] = 1
    scene = Scene(nearness=np.full((90, 160), 0.5, np.float32), sky=sky)
    through = lens(640, 360, scene)
    moved = through.look(Pose(zoom=1.0, shift_x_px=40.0, shift_y_px=0.0, roll_rad=0.0)).region("sky")
    assert moved is not None
    assert moved.shape == (180, 320)
    edge = np.count_nonzero(moved > 127, axis=1)
    assert np.abs(edge - 140).max() <= 2, "320 px less 40 px, at chroma size"
    assert through.look(REST).region("water") is None
