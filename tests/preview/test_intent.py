"""What the renderer understands of a prompt, and what it honestly does not."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanvideo.preview import Plan, plan
from wanvideo.preview.plan import EFFECTS, LIGHTS, MOVES
from wanvideo.preview.words.vocabulary import groups

PHRASES = Path(__file__).parent / "phrases"
LANGUAGES = ("english", "chinese")
RIGHT_SHARE = 0.95
SLOWEST_S = 0.2  # 1,500 characters take a hundredth of a second; this is for a busy machine

EXAMPLES = [
    (language, prompt, wanted)
    for language in LANGUAGES
    for group in groups(language)
    for prompt, wanted in group["examples"].items()
]

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
    "a snow leopard in a raincoat",
    "smoke rises",
    "He turns right and walks away",
    "she leans back in the chair",
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
    "孩子向前跑",
    "汽车后退",
    "男人推着车",
]


def camera_of(understood: Plan) -> tuple[str, ...]:
    return understood.moves if understood.asked else ()


def wrong_parts(understood: Plan, row: dict[str, Any]) -> list[str]:
    """What differs from a row. Without moves no camera was asked for, or what was asked has been refused."""
    moves = tuple(row["moves"])
    is_right = {
        "moves": camera_of(understood) == moves or (not moves and understood.moves == ("still",)),
        "effects": set(understood.effects) == set(row["effects"]),
        "light": set(understood.light) == set(row["light"]),
        "unused": all(
            any(word in told for told in understood.unused_words) for word in row.get("unused", ())
        ),
    }
    return [part for part, right in is_right.items() if not right]


@pytest.mark.parametrize("table", [*LANGUAGES, *(f"{language}_second" for language in LANGUAGES)])
def test_the_phrases_of_a_language_are_understood(table: str) -> None:
    """The first two tables were written before the reader was. Of them it first got 93.3 % (English) and
    88.7 % (Chinese) right. The second two were written by somebody who had not seen it: when first read,
    English was at 99 and Chinese at 89 of 100. Since then it has been mended with the help of all four, so
    they are no longer a fair judge.
    """
    rows = json.loads((PHRASES / f"{table}.json").read_text(encoding="utf-8"))
    wrong = []
    for row in rows:
        understood = plan(row["prompt"], row.get("negative", ""))
        parts = wrong_parts(understood, row)
        if parts:
            wrong.append(f"{row['prompt']!r}: {', '.join(parts)}; got {understood}")
    assert 1 - len(wrong) / len(rows) >= RIGHT_SHARE, "\n".join(wrong)


@pytest.mark.parametrize(("language", "prompt", "wanted"), EXAMPLES)
def test_every_group_of_the_vocabulary_means_what_its_examples_say(
    language: str, prompt: str, wanted: str
) -> None:
    """An example lists moves, effects and light, and after a ~ the words that must be told as not done."""
    tokens = wanted.split()
    row = {
        "moves": [token for token in tokens if token in MOVES],
        "effects": [token for token in tokens if token in EFFECTS],
        "light": [token for token in tokens if token in LIGHTS],
        "unused": [token[1:] for token in tokens if token.startswith("~")],
    }
    assert sum(map(len, row.values())) == len(tokens), f"no such token in {wanted!r}"
    assert wrong_parts(plan(prompt), row) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_vocabulary_has_one_group_a_line_and_each_has_examples(language: str) -> None:
    folder = Path(sys.modules["wanvideo.preview.words.vocabulary"].__file__ or "").parent
    lines = (folder / f"{language}.json").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(groups(language)) + 2  # and the two brackets
    for group in groups(language):
        assert group["examples"], group
        listed = group.get("words", [])
        assert len(listed) == len(set(listed)), sorted({word for word in listed if listed.count(word) > 1})


@pytest.mark.parametrize("prompt", NOT_THE_CAMERA)
def test_what_the_subject_does_moves_no_camera(prompt: str) -> None:
    assert plan(prompt).moves == ("in",)
    assert not plan(prompt).asked


def test_without_any_words_the_camera_pushes_in_gently() -> None:
    assert plan("") == Plan(moves=("in",), pace=0.6, asked=False)


def test_effects_alone_are_no_camera_words() -> None:
    assert plan("snow falls at night") == Plan(
        moves=("in",), effects=("snow",), light=("night",), pace=0.6, asked=False
    )


@pytest.mark.parametrize(
    ("prompt", "moves"),
    [
        ("no zoom", ("still",)),
        ("don't zoom or pan", ("still",)),
        ("no zoom, pan, or tilt", ("still",)),
        ("no zoom, pan left", ("pan_left",)),
        ("without zooming, pan left", ("pan_left",)),
        ("pan left, no tilt", ("pan_left",)),
        ("no text, push in", ("in",)),
        ("never pan left, tilt up", ("tilt_up",)),
        ("no camera shake, pull back", ("out",)),
        ("the camera does not pan, it zooms in", ("in",)),
        ("Don't move the camera", ("still",)),
        ("不要推近", ("still",)),
        ("不要变焦，向右摇", ("pan_right",)),
        ("镜头不要移动，向右平移", ("truck_right",)),
        ("镜头不断推近", ("in",)),
        ("无人机上升", ("pedestal_up",)),
        ("推近，no pan", ("in",)),
        ("不要推近、拉远、摇移，固定镜头", ("still",)),
    ],
)
def test_a_refusal_in_the_prompt_is_obeyed(prompt: str, moves: tuple[str, ...]) -> None:
    assert camera_of(plan(prompt)) == moves


@pytest.mark.parametrize(
    "prompt",
    [
        "no rain, no fog",
        "without snow, rain or fog",
        "don't let it snow",
        "it never rains here",
        "the rain has stopped",
        "no waves, no clouds, no petals",
        "不要下雪，也不要下雨",
        "没有雨、雪和雾",
        "雨停了",
        "无风无雨",
    ],
)
def test_effects_that_are_refused_or_over_are_not_shown(prompt: str) -> None:
    assert plan(prompt).effects == ()


@pytest.mark.parametrize(
    ("prompt", "negative_prompt", "moves"),
    [
        ("push in", "zoom in", ("still",)),
        ("push in and pan left", "zoom", ("pan_left",)),
        ("pan left", "panning, blur", ("still",)),
        ("pan left", "motion blur", ("pan_left",)),
        ("向左平移", "平移", ("still",)),
        ("", "变焦", ("still",)),
        ("", "camera movement", ("still",)),
        ("向左平移", "镜头运动", ("still",)),
        ("pan left", "camera shake, 镜头晃动", ("pan_left",)),
        ("handheld pan left", "camera shake", ("pan_left",)),
        ("手持镜头，向左平移", "晃动", ("truck_left",)),
        ("static shot", "静态，静止不动的画面", ("still",)),
        ("tilt up", "low quality", ("tilt_up",)),
        ("", "pan left", ("in",)),
    ],
)
def test_the_negative_prompt_takes_moves_away(
    prompt: str, negative_prompt: str, moves: tuple[str, ...]
) -> None:
    assert plan(prompt, negative_prompt).moves == moves


def test_the_negative_prompt_takes_effects_and_light_away() -> None:
    assert plan("snow, fog and waves at night", "fog, waves, night").effects == ("snow",)
    assert plan("snow at night", "night").light == ()
    assert plan("大雪，薄雾，夜晚，海浪拍岸", "雾，夜晚，波浪").effects == ("snow",)


def test_moves_come_in_the_order_they_were_named() -> None:
    assert plan("zoom out and in").moves == ("out", "in")
    assert plan("pan right then left, then push in").moves == ("pan_right", "pan_left", "in")
    assert plan("镜头先拉远，再向右摇，最后上升").moves == ("out", "pan_right", "pedestal_up")
    assert plan("tilt up，然后镜头推近").moves == ("tilt_up", "in")


@pytest.mark.parametrize(
    ("prompt", "pace"),
    [
        ("push in", 1.0),
        ("slow push in", 0.6),
        ("camera quickly pans left", 1.6),
        ("slow-motion, pan left", 1.0),
        ("she slowly smiles, zoom in", 1.0),
        ("镜头缓缓推近", 0.6),
        ("镜头快速拉远", 1.6),
        ("女孩慢慢转身，推近", 1.0),
        ("not too fast, zoom in", 1.0),
    ],
)
def test_the_pace_is_that_of_the_camera(prompt: str, pace: float) -> None:
    assert plan(prompt).pace == pace


def test_actions_and_changes_that_are_not_done_come_back_in_order_and_once() -> None:
    assert plan("Slow push in, light snow, boats sway, she smiles and a flag sways").unused_words == (
        "sway",
        "smiles",
        "sways",
    )
    assert plan("She smiles, he smiles, slow-motion").unused_words == ("smiles", "slow-motion")
    assert plan("镜头缓缓推近，小雪，女孩微笑着挥手，微笑").unused_words == ("微笑", "挥手")


def test_what_only_names_the_picture_is_not_complained_about() -> None:
    assert plan("An old harbour with wooden boats and a red building in the morning").unused_words == ()
    assert plan("一座古老的港口，木船，红色的房子").unused_words == ()


WORDS = sorted({word for _, prompt, _ in EXAMPLES for word in (prompt, *prompt.split())})
MARKS = ["，", ". ", ", ", "、", "。", "\u0000", "é", "𝄞", "7", "no", "not", "or", "不要", "镜头", "camera"]
TEXTS = st.lists(st.sampled_from([*WORDS, *MARKS]), max_size=40).map(" ".join) | st.text(max_size=60)


@given(TEXTS, TEXTS)
def test_any_text_can_be_read_and_the_negative_prompt_never_adds(prompt: str, negative_prompt: str) -> None:
    freely, bound = plan(prompt), plan(prompt, negative_prompt)
    for understood in (freely, bound):
        assert understood.moves
        assert set(understood.moves) <= set(MOVES)
        assert "still" not in understood.moves or understood.moves == ("still",)
        assert set(understood.effects) <= set(EFFECTS)
        assert set(understood.light) <= set(LIGHTS)
        assert all(word in prompt.lower() for word in understood.unused_words)
    assert set(bound.moves) <= {*freely.moves, "still"}
    assert set(bound.effects) <= set(freely.effects)
    assert set(bound.light) <= set(freely.light)
    assert bound.unused_words == freely.unused_words


@pytest.mark.parametrize(
    "piece",
    [
        "the camera slowly pans and ",
        "zoom, or ",
        "no very ",
        "orbit ",
        "clouds ",
        "镜头缓缓",
        "云从",
        "不要、",
        "a",
    ],
)
def test_a_long_prompt_is_read_at_once(piece: str) -> None:
    prompt = (piece * 1500)[:1500]
    plan(prompt)
    began_s = time.perf_counter()
    plan(prompt)
    assert time.perf_counter() - began_s < SLOWEST_S


def test_planning_needs_no_pixels() -> None:
    """A page that shows the plan while somebody types must not load numpy, OpenCV and PyAV."""
    program = (
        "import sys, wanvideo.preview as preview; preview.plan('镜头推近'); "
        "print([name for name in ('numpy', 'cv2', 'av', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
