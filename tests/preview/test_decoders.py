"""Other people's decoders: ffmpeg takes every file without a word, chromium shows the picture's colours."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.preview import pictures
from tests.preview.chromium import play
from tests.preview.conftest import as_bytes

from wanvideo.preview import Shot, render

HARBOUR = Path(__file__).parents[2] / "examples" / "harbour.png"
SHOT = Shot(HARBOUR, prompt="push in, snow", width_px=320, height_px=180, frame_count=24)


@pytest.mark.needs("chromium")
def test_chromium_shows_the_colours_of_the_picture_and_plays_to_the_last_frame(tmp_path: Path) -> None:
    render(replace(SHOT, sound=True), tmp_path / "clip.mp4")
    played = play(tmp_path / "clip.mp4", tmp_path / "profile")
    with Image.open(HARBOUR) as opened:
        given = np.asarray(opened.convert("RGB").resize((320, 180), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(played.first.astype(int) - given).mean() < 3
    assert np.abs((played.first.astype(int) - given).mean((0, 1))).max() < 1.5, "no colour cast"
    assert played.ended_at_s == pytest.approx(1, abs=0.05)
    assert played.frames >= 20, "a busy machine may drop some"
    assert np.abs(played.last.astype(int) - played.first).mean() > 2, "it moved"


@pytest.mark.needs("ffmpeg", "ffprobe")
@pytest.mark.parametrize(
    "shot",
    [
        SHOT,
        replace(SHOT, sound=True, draft=True, fps=Fraction(24000, 1001), frame_count=31),
        replace(SHOT, picture=as_bytes(pictures.street()), width_px=642, height_px=362, fps=Fraction(60)),
        replace(SHOT, picture=as_bytes(pictures.portrait()), width_px=180, height_px=320, frame_count=1),
    ],
)
def test_ffmpeg_decodes_every_frame_without_a_message(tmp_path: Path, shot: Shot) -> None:
    path = tmp_path / "clip.mp4"
    render(shot, path)
    quiet = ["ffmpeg", "-v", "warning", "-i", str(path), "-f", "null", "-"]
    decoded = subprocess.run(quiet, capture_output=True, text=True, check=True)
    assert decoded.stderr == ""
    streams = subprocess.run(
        ["ffprobe", "-v", "warning", "-count_frames", "-show_streams", "-of", "json", path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert streams.stderr == ""
    video, *audio = json.loads(streams.stdout)["streams"]
    expected = {
        "codec_name": "h264",
        "pix_fmt": "yuv420p",
        "width": shot.width_px,
        "height": shot.height_px,
        "color_range": "tv",
        "color_space": "bt709",
        "color_transfer": "bt709",
        "color_primaries": "bt709",
        "chroma_location": "left",
        "nb_read_frames": str(shot.frame_count),
    }
    assert {name: video[name] for name in expected} == expected
    assert Fraction(video["r_frame_rate"]) == shot.fps
    assert [stream["codec_name"] for stream in audio] == (["aac"] if shot.sound else [])
