"""Without a key: the first command makes a real clip, exactly as asked; its first frame is the picture."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from .desk import Desk, painted


def probed(clip: Path) -> dict[str, str]:
    """What ffprobe reads and counts in the picture's stream."""
    asked = "stream=codec_name,pix_fmt,width,height,r_frame_rate,nb_read_frames,duration"
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-count_frames", "-show_entries", asked]
    run = subprocess.run([*command, "-of", "json", str(clip)], capture_output=True, text=True, check=True)
    (stream,) = json.loads(run.stdout)["streams"]
    return {name: str(value) for name, value in stream.items()}


def complaints(clip: Path) -> str:
    """What ffmpeg has to say while it decodes every packet; empty when all is well."""
    command = ["ffmpeg", "-v", "error", "-xerror", "-i", str(clip), "-f", "null", "-"]
    return subprocess.run(command, capture_output=True, text=True).stderr


def psnr_db(clip: Path, picture: Path) -> float:
    """How near the first frame is to the picture, over all planes."""
    graph = "[0:v]trim=end_frame=1,setpts=0[a];[1:v]format=yuv420p,setpts=0[b];[a][b]psnr"
    command = [
        "ffmpeg",
        "-v",
        "info",
        "-i",
        str(clip),
        "-i",
        str(picture),
        "-lavfi",
        graph,
        "-f",
        "null",
        "-",
    ]
    told = subprocess.run(command, capture_output=True, text=True).stderr
    found = re.search(r"average:(inf|[\d.]+)", told)
    assert found, told
    return float(found[1])


@pytest.mark.needs("ffprobe", "ffmpeg")
def test_the_first_command_prints_the_path_of_a_clip_that_is_exactly_what_was_asked(desk: Desk) -> None:
    made = desk.run(
        "generate", "slow push in", "--image", "boat.png",
        "--size", "320x240", "--duration", "2.5", "--fps", "12",
    ).succeeded()  # fmt: skip

    assert made.path.is_absolute()
    assert made.path.parent == desk.output / "videos"
    assert made.stderr.startswith("No DashScope key found: making a free local preview, not a Wan clip.\n")
    assert "free, local-preview/2" in made.stderr
    facts = probed(made.path)
    assert facts == {
        "codec_name": "h264", "pix_fmt": "yuv420p", "width": "320", "height": "240", "r_frame_rate": "12/1",
        "nb_read_frames": "30", "duration": "2.500000",
    }  # fmt: skip
    assert complaints(made.path) == ""
    assert psnr_db(made.path, desk.folder / "boat.png") >= 30


@pytest.mark.needs("ffprobe", "ffmpeg")
def test_a_wide_picture_is_cropped_to_the_middle_and_the_first_frame_shows_it(desk: Desk) -> None:
    wide = painted(640, 240)
    wide.save(desk.folder / "wide.png")
    wide.crop((160, 0, 480, 240)).save(desk.folder / "middle.png")

    made = desk.run(
        "generate", "镜头缓慢推进", "--image", "wide.png", "--size", "320*240", "--duration", "2", "--json"
    ).succeeded()  # fmt: skip

    clip = made.json
    assert list(clip)[:4] == ["video_url", "duration", "fps", "seed"]
    assert (clip["provider"], clip["cost"]["basis"], clip["task_id"]) == ("preview", "free", None)
    assert clip["warnings"] == ["cropped from 640x240 to 320x240 for size 320*240"]
    assert (clip["duration"], clip["fps"], clip["size"]) == (2, 24, "320*240")
    assert psnr_db(Path(clip["video_url"]), desk.folder / "middle.png") >= 30
    assert "镜头缓慢推进" in Path(clip["video_url"]).name


def test_a_mask_is_known_by_what_is_in_it(desk: Desk) -> None:
    request = ("generate", "orbit left", "--image", "boat.png", "--size", "320x240", "--duration", "2",
               "--fps", "4", "--seed", "1", "--preview-mask", "mask.png")  # fmt: skip
    (desk.folder / "mask.png").write_bytes((desk.folder / "boat.png").read_bytes())
    first = desk.run(*request).succeeded().path
    assert desk.run(*request).succeeded().path == first
    painted(320, 240).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(desk.folder / "mask.png")
    other = desk.run(*request).succeeded()
    assert other.path != first
    assert "but for what is in the file of the mask or depth" in other.stderr
