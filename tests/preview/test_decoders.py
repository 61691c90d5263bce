"""Another decoder: ffmpeg takes every file without a word, and reads the tags that were meant."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from tests.preview import pictures
from tests.preview.conftest import as_bytes

from wanvideo.preview import Shot, render

HARBOUR = Path(__file__).parents[2] / "examples" / "harbour.png"
SHOT = Shot(HARBOUR, prompt="push in, snow", width_px=320, height_px=180, frame_count=24)


@pytest.mark.needs("ffmpeg", "ffprobe")
@pytest.mark.parametrize(
    "shot",
    [
        SHOT,
        replace(SHOT, sound="ambient", draft=True, fps=Fraction(24000, 1001), frame_count=31),
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
    assert [stream["codec_name"] for stream in audio] == (["aac"] if shot.sound != "none" else [])
