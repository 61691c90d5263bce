"""Draws the pictures of docs/preview.md: one strip for each move, effect and light, of the sample picture.

    python scripts/preview_sheets.py             all of them, about a minute
    python scripts/preview_sheets.py snow night  only these

A strip is four frames of a real preview, 640*360, 4 s, 24 frames a second, seed 7, at `STRENGTH`.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from wanvideo.media.sheet import contact_sheet
from wanvideo.preview import Shot, render

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "examples/harbour.png"
FOLDER = ROOT / "docs/preview"
STRENGTH = 0.8
CELL_PX, QUALITY = 236, 82

SHOWN: dict[str, tuple[str, str]] = {
    "in": ("the camera pushes in", "镜头推近"),
    "out": ("the camera pulls back", "镜头拉远"),
    "pan_left": ("the camera pans left", "镜头向左摇"),
    "pan_right": ("the camera pans right", "镜头向右摇"),
    "truck_left": ("truck left", "镜头向左平移"),
    "truck_right": ("truck right", "镜头向右平移"),
    "tilt_up": ("the camera tilts up", "镜头上摇"),
    "tilt_down": ("the camera tilts down", "镜头下摇"),
    "pedestal_up": ("the camera rises", "镜头上升"),
    "pedestal_down": ("the camera descends", "镜头下降"),
    "orbit_left": ("the camera orbits to the left", "镜头向左环绕"),
    "orbit_right": ("the camera orbits to the right", "镜头向右环绕"),
    "roll_left": ("the camera rolls counterclockwise", "镜头逆时针旋转"),
    "roll_right": ("the camera rolls clockwise", "镜头顺时针旋转"),
    "handheld": ("handheld camera", "手持镜头"),
    "still": ("static shot", "固定镜头"),
    "snow": ("static shot, snow is falling", "固定镜头，下雪"),
    "rain": ("static shot, in the rain", "固定镜头，下雨"),
    "fog": ("static shot, fog drifts in", "固定镜头，起雾"),
    "embers": ("static shot, embers rise", "固定镜头，火星飘起"),
    "petals": ("static shot, petals fall", "固定镜头，花瓣飘落"),
    "water": ("static shot, the water ripples", "固定镜头，水面波光粼粼"),
    "clouds": ("static shot, clouds drift by", "固定镜头，云朵飘过"),
    "night": ("static shot, night falls", "固定镜头，夜幕降临"),
    "sunset": ("static shot, sunset", "固定镜头，日落"),
    "dawn": ("static shot, dawn breaks", "固定镜头，黎明"),
    "flicker": ("static shot, flickering candlelight", "固定镜头，烛光摇曳"),
    "fade_in": ("static shot, fade in from black", "固定镜头，淡入"),
    "fade_out": ("static shot, fade to black", "固定镜头，淡出"),
}
"""What is shown for each word of `preview.plan`, and how it is asked for in both languages."""


def strip(prompt: str) -> bytes:
    """Four frames of a preview of the sample picture, side by side, as JPEG."""
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "preview.mp4"
        shot = Shot(PICTURE, prompt, seed=7, motion_strength=STRENGTH, width_px=640, height_px=360)
        render(shot, clip)
        png = contact_sheet(clip, columns=4, rows=1, cell_width_px=CELL_PX, titled=False)
    jpeg = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.save(jpeg, "JPEG", quality=QUALITY, optimize=True)
    return jpeg.getvalue()


def main(names: Sequence[str]) -> int:
    unknown = set(names) - SHOWN.keys()
    if unknown:
        sys.stderr.write(f"Not known: {', '.join(sorted(unknown))}. Known: {', '.join(SHOWN)}.\n")
        return 2
    FOLDER.mkdir(exist_ok=True)
    for name in names or SHOWN:
        path = FOLDER / f"{name}.jpg"
        path.write_bytes(strip(SHOWN[name][0]))
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
