"""What the renderer understands of a prompt, and what it honestly does not."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanvideo.preview import plan
from wanvideo.preview.plan import MOVES

ENGLISH = {
    "slow push in, light snow": ("in",),
    "The camera pushes in slowly on the lighthouse": ("in",),
    "zooms into the harbour": ("in",),
    "dolly-in": ("in",),
    "camera glides forward through the forest": ("in",),
    "The camera moves closer": ("in",),
    "pull back to reveal the town": ("out",),
    "Zooming out quickly": ("out",),
    "dollies backwards slowly": ("out",),
    "the camera retreats": ("out",),
    "pan left": ("pan_left",),
    "a slow pan from right to left": ("pan_left",),
    "panning smoothly to the left": ("pan_left",),
    "camera drifts leftwards": ("pan_left",),
    "The camera slowly pans from left to right across the harbour": ("pan_right",),
    "tracking shot to the right": ("pan_right",),
    "trucks right": ("pan_right",),
    "sliding shot to the right": ("pan_right",),
    "tilt up": ("tilt_up",),
    "camera tilts upward": ("tilt_up",),
    "drone rises over the city": ("tilt_up",),
    "crane shot": ("tilt_up",),
    "crane down": ("tilt_down",),
    "the camera descends": ("tilt_down",),
    "tilting downwards": ("tilt_down",),
    "static shot, waves": ("still",),
    "The camera remains completely still.": ("still",),
    "locked-off tripod": ("still",),
    "the camera doesn't move": ("still",),
    "no camera movement": ("still",),
    "Push in on her face, then pull back": ("in", "out"),
    "dolly out and tilt up": ("out", "tilt_up"),
    "zoom in and out": ("in", "out"),
    "The camera inches closer to the vase": ("in",),
    "cinematic dolly shot": ("in",),
    "the shot pulls back, revealing a valley": ("out",),
    "Camera moves from right to left": ("pan_left",),
    "the camera sweeps across the valley from left to right": ("pan_right",),
    "slow panning shot": ("pan_right",),
    "rising aerial shot": ("tilt_up",),
    "pedestal down slowly": ("tilt_down",),
    "pan to the right then tilt up": ("pan_right", "tilt_up"),
    "camera stays put": ("still",),
    "Don't move the camera": ("still",),
    "no movement of the camera": ("still",),
    "the camera does not pan, it zooms in": ("in",),
}

CHINESE = {
    "镜头缓缓推近，小雪": ("in",),
    "推镜头": ("in",),
    "镜头逐渐靠近女孩的脸": ("in",),
    "镜头向前推": ("in",),
    "一个女孩在海边奔跑，镜头拉远": ("out",),
    "镜头后退": ("out",),
    "向后拉": ("out",),
    "向左平移": ("pan_left",),
    "镜头向左移动": ("pan_left",),
    "左摇": ("pan_left",),
    "镜头从右到左缓慢移动": ("pan_left",),
    "镜头缓慢地往右侧平移": ("pan_right",),
    "向右摇镜头": ("pan_right",),
    "镜头跟随小船向右平移": ("pan_right",),
    "上摇": ("tilt_up",),
    "镜头快速上升": ("tilt_up",),
    "无人机升起": ("tilt_up",),
    "镜头自下而上移动": ("tilt_up",),
    "下摇": ("tilt_down",),
    "镜头俯冲": ("tilt_down",),
    "镜头向下摇": ("tilt_down",),
    "固定镜头，水面波光": ("still",),
    "镜头保持不动": ("still",),
    "没有镜头移动": ("still",),
    "镜头先推近再拉远": ("in", "out"),
    "镜头缓慢推进，然后向右移动": ("in", "pan_right"),
    "镜头从近到远": ("out",),
    "画面缓缓拉远": ("out",),
    "横向左移": ("pan_left",),
    "镜头水平向右移动": ("pan_right",),
    "镜头不要动": ("still",),
    "不推不拉": ("still",),
}

NOT_THE_CAMERA = [
    "she looks left",
    "the sun rises, a boat drifts left",
    "a shot of the rising sun",
    "a truck on the left",
    "a man pushes in the door",
    "pull back the curtain",
    "a pan of soup on the stove",
    "tilt-shift miniature town",
    "a car moving in the rain",
    "the camera moves in the rain",
    "brainstorm in a lighthouse",
    "上海外滩夜景",
    "上下班的人群",
    "她向左看",
    "太阳升起",
    "画面中升起一轮太阳",
    "树枝向左摇摆",
    "小船向右移动",
    "推开门",
    "小船靠近镜头",
    "云南的风景",
    "smoke rises",
    "He turns right and walks away",
    "she leans back in the chair",
    "孩子向前跑",
    "汽车后退",
    "男人推着车",
]


WORDS = sorted({word for text in [*ENGLISH, *CHINESE, *NOT_THE_CAMERA] for word in text.split()})


@pytest.mark.parametrize(("prompt", "moves"), [*ENGLISH.items(), *CHINESE.items()])
def test_camera_words_of_both_languages_are_understood(prompt: str, moves: tuple[str, ...]) -> None:
    assert plan(prompt).moves == moves


@pytest.mark.parametrize("prompt", NOT_THE_CAMERA)
def test_what_the_subject_does_moves_no_camera(prompt: str) -> None:
    """Without a camera word the camera pushes in; the words come back as not acted on."""
    assert plan(prompt).moves == ("in",)
    assert plan(prompt).unused_words


def test_without_any_words_the_camera_pushes_in() -> None:
    assert plan("").moves == ("in",)
    assert plan("").unused_words == ()


@pytest.mark.parametrize(
    ("prompt", "moves"),
    [
        ("no zoom", ("still",)),
        ("don't zoom or pan", ("still",)),
        ("without zooming, pan left", ("pan_left",)),
        ("pan left, no tilt", ("pan_left",)),
        ("no text, push in", ("in",)),
        ("never pan left, tilt up", ("tilt_up",)),
        ("no camera shake, pull back", ("out",)),
        ("不要推近", ("still",)),
        ("不要变焦，向右摇", ("pan_right",)),
        ("不要镜头晃动", ("in",)),
        ("镜头不要移动，向右平移", ("pan_right",)),
        ("镜头不断推近", ("in",)),
        ("无人机上升", ("tilt_up",)),
        ("推近，no pan", ("in",)),
    ],
)
def test_a_refusal_in_the_prompt_is_obeyed(prompt: str, moves: tuple[str, ...]) -> None:
    assert plan(prompt).moves == moves


@pytest.mark.parametrize(
    ("prompt", "negative_prompt", "moves"),
    [
        ("push in", "zoom in", ("still",)),
        ("push in and pan left", "zoom", ("pan_left",)),
        ("pan left", "panning, blur", ("still",)),
        ("向左平移", "平移", ("still",)),
        ("", "变焦", ("still",)),
        ("", "camera movement", ("still",)),
        ("向左平移", "镜头运动", ("still",)),
        ("pan left", "camera shake, 镜头晃动", ("pan_left",)),
        ("static shot", "静态，静止不动的画面", ("still",)),
        ("tilt up", "low quality", ("tilt_up",)),
        ("", "pan left", ("in",)),
    ],
)
def test_the_negative_prompt_only_takes_moves_away(
    prompt: str, negative_prompt: str, moves: tuple[str, ...]
) -> None:
    assert plan(prompt, negative_prompt).moves == moves


def test_words_that_are_not_acted_on_come_back_in_order_and_once() -> None:
    assert plan("Slow push in, light snow, boats sway, snow").unused_words == (
        "light",
        "snow",
        "boats",
        "sway",
    )
    assert plan("镜头缓缓推近，小雪，女孩的微笑").unused_words == ("小雪", "女孩", "微笑")
    assert plan("shaky handheld pan left").unused_words == ("shaky", "handheld")


@given(st.lists(st.sampled_from([*WORDS, "，", ". ", ", ", "\u0000", "é", "𝄞", "7"]), max_size=60))
def test_any_text_can_be_read_and_every_word_reported_is_in_it(words: list[str]) -> None:
    prompt = " ".join(words)
    understood = plan(prompt, prompt)
    assert understood.moves
    assert set(understood.moves) <= set(MOVES)
    assert all(word in prompt.lower() for word in understood.unused_words)


def test_planning_needs_no_pixels() -> None:
    """A page that shows the plan while somebody types must not load numpy, OpenCV and PyAV."""
    program = (
        "import sys, wanvideo.preview as preview; preview.plan('镜头推近'); "
        "print([name for name in ('numpy', 'cv2', 'av', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
