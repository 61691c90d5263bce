"""From words to pixels: each move, effect and light in English and Chinese, which give the same clip."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from tests.preview import pictures
from tests.preview.conftest import as_bytes, luma_of
from tests.preview.test_motion import similarity

from wanvideo.preview import Shot, render

HARBOUR = Path(__file__).parent.parent.parent / "examples/harbour.png"
SHOT = Shot(b"", width_px=320, height_px=180, frame_count=25, fps=Shot.fps / 4, draft=True)
WORDS = {
    "in": ("push in", "镜头推近"),
    "out": ("pull back", "镜头拉远"),
    "pan_left": ("pan left", "镜头向左摇"),
    "pan_right": ("pan right", "镜头向右摇"),
    "truck_left": ("truck left", "镜头向左平移"),
    "truck_right": ("truck right", "镜头向右平移"),
    "tilt_up": ("tilt up", "镜头上摇"),
    "tilt_down": ("tilt down", "镜头下摇"),
    "pedestal_up": ("the camera rises", "镜头上升"),
    "pedestal_down": ("the camera descends", "镜头下降"),
    "orbit_left": ("the camera orbits to the left", "镜头向左环绕"),
    "orbit_right": ("the camera orbits to the right", "镜头向右环绕"),
    "roll_left": ("the camera rolls left", "镜头向左翻滚"),
    "roll_right": ("the camera rolls right", "镜头向右翻滚"),
    "handheld": ("handheld camera", "手持镜头"),
    "still": ("static shot", "固定镜头"),
}
WAYS = {
    "in": ("growth", 0.05), "out": ("growth", -0.03),
    "roll_left": ("turn", 0.02), "roll_right": ("turn", -0.02),
    "pan_left": ("right", 0.02), "pan_right": ("right", -0.02),
    "truck_left": ("right", 0.02), "truck_right": ("right", -0.02),
    "tilt_up": ("down", 0.025), "tilt_down": ("down", -0.025),
    "pedestal_up": ("down", 0.025), "pedestal_down": ("down", -0.025),
}  # fmt: skip


@pytest.mark.parametrize("move", WORDS)
def test_each_move_is_asked_for_in_two_languages(tmp_path: Path, move: str) -> None:
    picture = as_bytes(pictures.grain())
    for number, words in enumerate(WORDS[move]):
        rendered = render(replace(SHOT, picture=picture, prompt=words), tmp_path / f"{number}.mp4")
        assert rendered.plan.moves == (move,), words
        assert rendered.plan.unused_words == ()
    assert (tmp_path / "0.mp4").read_bytes() == (tmp_path / "1.mp4").read_bytes()
    frames = luma_of(tmp_path / "0.mp4")
    seen = similarity(frames[0], frames[-1])
    if move in WAYS:
        way, least = WAYS[move]
        assert seen[way] / least > 1, seen
    if move == "still":
        assert all(abs(amount) < 0.002 for amount in seen.values())


AIR_AND_LIGHT = {
    "snow": ("snow is falling", "下雪", "snow"),
    "rain": ("in the rain", "下雨", "rain"),
    "fog": ("fog drifts in", "起雾", "雾"),
    "embers": ("embers rise", "火星飘起", "embers"),
    "petals": ("petals fall", "花瓣飘落", "petals"),
    "water": ("the water ripples", "水面波光粼粼", "water"),
    "clouds": ("clouds drift by", "云朵飘过", "clouds"),
    "night": ("night falls", "夜幕降临", "night"),
    "sunset": ("sunset", "日落", "sunset"),
    "dawn": ("dawn breaks", "黎明", "dawn"),
    "flicker": ("flickering candlelight", "烛光摇曳", "flickering candlelight"),
    "fade_in": ("fade in from black", "淡入", "fade in"),
    "fade_out": ("fade to black", "淡出", "淡出"),
}
"""Words of two languages that ask for each, and a negative prompt that takes it away."""


@pytest.mark.parametrize("name", AIR_AND_LIGHT)
def test_each_effect_and_light_is_asked_for_in_two_languages_and_taken_away_by_a_word(
    tmp_path: Path, name: str
) -> None:
    english, chinese, against = AIR_AND_LIGHT[name]

    def made(prompt: str, negative_prompt: str = "") -> bytes:
        path = tmp_path / "clip.mp4"
        shot = Shot(
            HARBOUR, prompt, negative_prompt, width_px=320, height_px=180, frame_count=12, fps=Fraction(6)
        )
        render(shot, path)
        return path.read_bytes()

    still = made("static shot")
    there = made(f"static shot, {english}")
    assert there == made(f"固定镜头，{chinese}")
    assert there != still
    assert made(f"static shot, {english}", against) == still
