"""The file itself: tagged colours, sound of the same length, playable while it still loads."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from tests.preview.conftest import as_bytes

from wanvideo.preview import Shot, render

SHOT = Shot(b"", prompt="static shot", width_px=128, height_px=96, frame_count=36)
BT709 = 1
HARBOUR = Path(__file__).parent.parent.parent / "examples/harbour.png"


def test_colours_are_bt709_limited_range_and_say_so(tmp_path: Path) -> None:
    """Pure colours come out at the levels that ITU-R BT.709 gives them; players need not guess."""
    levels = {(255, 0, 0): (63, 102, 240), (0, 255, 0): (173, 42, 26), (0, 0, 255): (32, 240, 118)}
    levels |= {(255, 255, 255): (235, 128, 128), (0, 0, 0): (16, 128, 128)}
    for colour, expected in levels.items():
        picture = as_bytes(Image.new("RGB", (128, 96), colour))
        render(replace(SHOT, picture=picture, frame_count=2), tmp_path / "colour.mp4")
        with av.open(str(tmp_path / "colour.mp4")) as file:
            context = file.streams.video[0].codec_context
            tags = (context.color_primaries, context.color_trc, context.colorspace, context.color_range)
            planes = next(file.decode(video=0)).to_ndarray(format="yuv420p")
        assert tags == (BT709, BT709, BT709, 1)
        middle = (planes[:96].mean(), planes[96:120].mean(), planes[120:].mean())
        assert middle == pytest.approx(expected, abs=1.5), colour


def test_the_container_says_bt709_too(wide_picture: bytes, tmp_path: Path) -> None:
    """Browsers read the colour box (`colr`, type `nclx`) before they decode anything."""
    render(replace(SHOT, picture=wide_picture), tmp_path / "clip.mp4")
    data = (tmp_path / "clip.mp4").read_bytes()
    at = data.index(b"colrnclx") + 8
    assert data[at : at + 7] == bytes([0, 1, 0, 1, 0, 1, 0]), "primaries, transfer, matrix, limited range"


def test_the_index_comes_before_the_pictures_and_no_date_is_written(
    wide_picture: bytes, tmp_path: Path
) -> None:
    render(replace(SHOT, picture=wide_picture, sound="ambient"), tmp_path / "clip.mp4")
    data = (tmp_path / "clip.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"Lavf" not in data


@pytest.mark.parametrize(
    ("fps", "frame_count"), [(Fraction(24), 36), (Fraction(24000, 1001), 50), (Fraction(1), 2)]
)
def test_the_sound_is_as_long_as_the_pictures_and_audible(
    wide_picture: bytes, tmp_path: Path, fps: Fraction, frame_count: int
) -> None:
    shot = replace(SHOT, picture=wide_picture, sound="ambient", fps=fps, frame_count=frame_count)
    render(shot, tmp_path / "clip.mp4")
    with av.open(str(tmp_path / "clip.mp4")) as file:
        stream = file.streams.audio[0]
        assert (stream.codec_context.name, stream.rate, stream.layout.name) == ("aac", 44_100, "stereo")
        assert stream.duration is not None
        assert stream.time_base is not None
        assert float(stream.duration * stream.time_base) == pytest.approx(shot.duration_s, abs=1e-4)
        assert file.duration is not None
        assert file.duration / 1e6 == pytest.approx(shot.duration_s, abs=1e-4)
        heard = np.concatenate([frame.to_ndarray() for frame in file.decode(stream)], axis=1)
    loudness = float(np.sqrt(np.mean(heard**2)))
    assert 0.02 < loudness < 0.2
    assert np.abs(heard).max() < 0.9
    assert not np.allclose(heard[0], heard[1], atol=0.01), "stereo"


def test_without_sound_there_is_no_sound_track(wide_picture: bytes, tmp_path: Path) -> None:
    render(replace(SHOT, picture=wide_picture, sound="none"), tmp_path / "clip.mp4")
    with av.open(str(tmp_path / "clip.mp4")) as file:
        assert len(file.streams.audio) == 0


def test_silence_is_a_sound_track_as_well(wide_picture: bytes, tmp_path: Path) -> None:
    """So that clips join without a player's or an editor's surprise."""
    render(replace(SHOT, picture=wide_picture), tmp_path / "clip.mp4")
    with av.open(str(tmp_path / "clip.mp4")) as file:
        heard = np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], axis=1)
    assert heard.shape[1] >= SHOT.duration_s * 44_100
    assert not heard.any()


def test_a_player_can_jump_to_any_five_seconds(wide_picture: bytes, tmp_path: Path) -> None:
    render(replace(SHOT, picture=wide_picture, frame_count=288, prompt="pan left"), tmp_path / "clip.mp4")
    with av.open(str(tmp_path / "clip.mp4")) as file:
        packets = [packet for packet in file.demux(video=0) if packet.is_keyframe]
        keys = [float(packet.pts * packet.time_base) for packet in packets if packet.pts is not None]
    assert keys[0] == 0
    assert max(np.diff([*keys, 12.0])) <= 5.001


def test_the_bytes_do_not_depend_on_what_memory_held_before(tmp_path: Path) -> None:
    """glibc fills fresh memory with another pattern in each run; 320*180 is a size at which that was seen."""
    program = f"""
import hashlib
from fractions import Fraction
from pathlib import Path
from wanvideo.preview import Shot, render
path = Path({str(tmp_path / "clip.mp4")!r})
picture = Path({str(HARBOUR)!r})
shot = Shot(picture, "push in, rain", width_px=320, height_px=180, frame_count=12, fps=Fraction(6))
for _ in range(3):
    render(shot, path)
    print(hashlib.sha256(path.read_bytes()).hexdigest())
"""
    made = set()
    for pattern in ("0", "1", "85", "170"):
        env = {**os.environ, "MALLOC_PERTURB_": pattern}
        run = subprocess.run(
            [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
        )
        made |= set(run.stdout.split())
    assert len(made) == 1
