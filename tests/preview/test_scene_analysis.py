"""What a picture shows: soft ground for all, a subject only where it can be trusted, maps that users give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.preview import pictures
from tests.preview.onnx_file import grey_network

from wanvideo.preview import MapUnusable, Plan, Shot, render
from wanvideo.preview.scene_analysis import analyse, pivot_of

SHOT = Shot(b"")
CARRIED = Plan(("truck_left",))
HARBOUR = Path(__file__).parents[2] / "examples" / "harbour.png"


def disc(path: Path) -> Path:
    y, x = np.mgrid[0:90, 0:160]
    Image.fromarray((255 * (np.hypot(x - 80, y - 60) < 25)).astype(np.uint8)).save(path)
    return path


def test_the_ground_is_near_below_and_all_that_stands_above_the_horizon_is_far() -> None:
    nearness = analyse(pictures.grain(), CARRIED, SHOT).nearness
    assert nearness.dtype == np.float32
    assert nearness[0, 0] == nearness[70, 100] < 0.2
    assert nearness[-1].min() > 0.85
    assert np.diff(nearness, axis=0).min() >= 0
    assert np.abs(np.diff(nearness, axis=0)).max() < 0.02, "no edge that could tear"


def test_a_person_is_found_in_the_whole_picture_and_is_all_equally_near() -> None:
    scene = analyse(pictures.portrait(), CARRIED, SHOT)
    assert scene.subject is not None
    own = scene.nearness[scene.subject > 0.9]
    assert own.size > 0.1 * scene.nearness.size
    assert np.ptp(own) < 0.02
    assert pivot_of(scene) == pytest.approx(float(np.median(own)), abs=0.02)
    assert scene.nearness[20, 20] < 0.2


@pytest.mark.parametrize("name", ["grain", "street", "harbour"])
def test_nobody_is_found_where_nobody_is(name: str) -> None:
    shown = Image.open(HARBOUR).convert("RGB") if name == "harbour" else getattr(pictures, name)()
    assert analyse(shown, CARRIED, SHOT).subject is None


def test_a_pan_needs_no_subject_and_does_not_look_for_one() -> None:
    assert analyse(pictures.portrait(), Plan(("pan_left",)), SHOT).subject is None


def test_sky_and_water_are_looked_for_only_when_they_shall_move() -> None:
    shown = Image.open(HARBOUR).convert("RGB")
    still = analyse(shown, Plan(("in",)), SHOT)
    assert still.sky is still.water is None
    flowing = analyse(shown, Plan(("in",), effects=("water", "clouds")), SHOT)
    assert flowing.sky is not None
    assert flowing.sky.shape == flowing.nearness.shape


def test_a_user_s_mask_is_trusted(tmp_path: Path) -> None:
    scene = analyse(pictures.street(), CARRIED, replace(SHOT, mask=disc(tmp_path / "mask.png")))
    assert scene.subject is not None
    assert scene.subject[120, 160] == 1
    assert np.ptp(scene.nearness[scene.subject > 0.9]) < 0.02


@pytest.mark.parametrize("bits", [8, 16])
def test_a_user_s_depth_is_white_where_it_is_near(tmp_path: Path, bits: int) -> None:
    across = np.linspace(0, 2**bits - 1, 160)[np.newaxis].repeat(90, axis=0)
    Image.fromarray(across.astype(np.uint8 if bits == 8 else np.uint16)).save(tmp_path / "depth.png")
    scene = analyse(pictures.street(), CARRIED, replace(SHOT, depth=tmp_path / "depth.png"))
    assert scene.nearness[:, :10].max() < 0.06
    assert scene.nearness[:, -10:].min() > 0.94


def test_a_user_s_network_is_run(tmp_path: Path) -> None:
    """It answers with the mean of its three planes: bright is near."""
    (tmp_path / "depth.onnx").write_bytes(grey_network())
    halves = np.zeros((90, 160, 3), np.uint8)
    halves[:, 80:] = 220
    shot = replace(SHOT, depth=tmp_path / "depth.onnx")
    nearness = analyse(Image.fromarray(halves), CARRIED, shot).nearness
    assert nearness[:, :100].max() < 0.1 < 0.9 < nearness[:, 220:].min()


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("mask.png", b"no", "is neither a picture nor an .onnx file"),
        ("mask.onnx", b"no network", r"cannot be used \(OpenCV cannot run it: [^/]*\)"),
        ("no", None, r"cannot be used \("),
    ],
)
def test_a_map_that_cannot_be_read_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes | None, why: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MapUnusable, match=rf"^mask: {name} {why}"):
        render(replace(SHOT, picture=HARBOUR, mask=path, frame_count=2), tmp_path / "clip.mp4")
    assert not (tmp_path / "clip.mp4").exists()


@pytest.mark.parametrize("name", ["mask", "depth"])
def test_a_map_of_another_shape_is_refused_since_it_would_lie_beside_what_it_shows(
    tmp_path: Path, name: str
) -> None:
    Image.new("L", (300, 400), 255).save(tmp_path / "map.png")
    path = tmp_path / "map.png"
    shot = replace(SHOT, mask=path) if name == "mask" else replace(SHOT, depth=path)
    with pytest.raises(MapUnusable, match=rf"^{name}: .*300x400 is not the shape of the picture"):
        analyse(pictures.street(), CARRIED, shot)


def test_towers_do_not_lean_whatever_the_camera_travels() -> None:
    """What stands upright is equally far from its foot to its top; the ground begins below it."""
    pixels = np.full((360, 640, 3), (150, 185, 220), np.uint8)
    for x_px in range(20, 620, 60):
        pixels[60 + x_px % 90 : 320, x_px : x_px + 36] = (70, 75, 95)
    pixels[320:] = (60, 70, 60)
    nearness = analyse(Image.fromarray(pixels), Plan(("orbit_right",)), Shot(b"")).nearness
    foot = round(320 / 360 * nearness.shape[0])
    assert np.ptp(nearness[: foot - 2]) < 0.01
    assert nearness[-1].min() > 0.3
