"""A shot becomes a file: the asked motion, the exact frames, always the same bytes, and nothing after a
cancel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError
from tests.preview.conftest import as_bytes, luma_of, motion, textured

from wanvideo.preview import RenderCancelled, Shot, render

Clip = Callable[[str], Path]
SMALL = Shot(b"", width_px=320, height_px=180, frame_count=48, draft=True)


def small(picture: Path | bytes, prompt: str = "", **fields: Any) -> Shot:
    return replace(SMALL, picture=picture, prompt=prompt, **fields)


@pytest.mark.parametrize(
    ("prompts", "moves"),
    [
        (("push in", "推近"), "in"),
        (("pull back", "拉远"), "out"),
        (("pan left", "向左摇"), "pan_left"),
        (("pan right", "镜头向右摇"), "pan_right"),
        (("tilt up", "上摇"), "tilt_up"),
        (("tilt down", "镜头下摇"), "tilt_down"),
    ],
)
def test_the_picture_moves_as_the_words_say(
    wide_picture: bytes, clip: Clip, prompts: tuple[str, str], moves: str
) -> None:
    """Content runs against the camera: it grows on a push-in and slides left when the camera pans right."""
    for index, prompt in enumerate(prompts):
        assert render(small(wide_picture, prompt), clip(str(index))).plan.moves == (moves,)
    frames = luma_of(clip("0"))
    seen = motion(frames[0], frames[-1])
    along = {
        "in": seen.growth / 0.08,
        "out": -seen.growth / 0.03,
        "pan_left": seen.right_px / (0.03 * 320),
        "pan_right": -seen.right_px / (0.03 * 320),
        "tilt_up": seen.down_px / (0.03 * 180),
        "tilt_down": -seen.down_px / (0.03 * 180),
    }
    assert along[moves] > 1
    astray = [move for move in along if along[move] > 0.6 and move not in (moves, "in")]
    assert astray == []
    assert clip("0").read_bytes() == clip("1").read_bytes(), "both languages ask for the same clip"


def test_strength_scales_the_motion_and_nought_is_a_still(wide_picture: bytes, clip: Clip) -> None:
    growth = []
    for strength in (0.0, 0.25, 0.5, 1.0):
        render(small(wide_picture, "push in", motion_strength=strength), clip("strength"))
        frames = luma_of(clip("strength"))
        growth.append(motion(frames[0], frames[-1]).growth)
    assert abs(growth[0]) < 0.001
    assert growth[1] > 0.02
    assert growth == sorted(growth)
    assert growth[3] / growth[1] == pytest.approx(4, rel=0.35)


def test_a_still_shot_does_not_move_at_any_strength(wide_picture: bytes, clip: Clip) -> None:
    render(small(wide_picture, "static shot", motion_strength=1.0), clip("still"))
    frames = luma_of(clip("still"))
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() < 1.5


def test_motion_starts_and_ends_softly_and_never_jerks(wide_picture: bytes, clip: Clip) -> None:
    """Frame to frame the picture shifts by fractions of a pixel, in an even curve."""
    render(small(wide_picture, "pan right", motion_strength=1.0, draft=False, frame_count=96), clip("pan"))
    frames = luma_of(clip("pan"))
    steps = np.array([motion(one, other).right_px for one, other in pairwise(frames)])
    assert abs(steps[:4].mean()) < 0.35 * abs(steps[44:52].mean()) > abs(steps[-4:].mean())
    time = np.arange(steps.size)
    jitter_px = steps - np.polyval(np.polyfit(time, steps, 6), time)
    assert np.sqrt(np.mean(jitter_px**2)) < 0.05


def test_the_first_frame_is_the_picture_that_was_given(wide_picture: bytes, clip: Clip) -> None:
    render(small(wide_picture, "pan left", motion_strength=1.0, draft=False), clip("first"))
    with av.open(str(clip("first"))) as file:
        shown = next(file.decode(video=0)).to_ndarray(format="rgb24")
    given = np.asarray(textured(640, 360).resize((320, 180), Image.Resampling.LANCZOS)).astype(float)
    error = np.mean((shown - given) ** 2)
    assert 10 * np.log10(255**2 / error) > 33, "decibels"
    assert np.abs(shown.mean((0, 1)) - given.mean((0, 1))).max() < 1.5, "no colour cast"


@pytest.mark.parametrize(
    ("fps", "frame_count", "width_px", "height_px"),
    [
        (Fraction(24), 48, 320, 180),
        (Fraction(30), 1, 180, 320),
        (Fraction(24000, 1001), 25, 162, 94),
        (Fraction(60), 31, 64, 64),
        (Fraction(1), 3, 128, 96),
        (Fraction(25, 2), 10, 96, 128),
    ],
)
def test_size_rate_and_length_are_exact(
    wide_picture: bytes, clip: Clip, fps: Fraction, frame_count: int, width_px: int, height_px: int
) -> None:
    shot = small(wide_picture, fps=fps, frame_count=frame_count, width_px=width_px, height_px=height_px)
    render(shot, clip("exact"))
    with av.open(str(clip("exact"))) as file:
        stream = file.streams.video[0]
        assert stream.average_rate == fps
        assert stream.duration is not None
        assert stream.time_base is not None
        assert stream.duration * stream.time_base == frame_count / fps
        assert file.duration is not None
        assert file.duration / 1e6 == pytest.approx(float(frame_count / fps), abs=2e-5)
        frames = list(file.decode(stream))
    assert [(frame.width, frame.height) for frame in frames] == [(width_px, height_px)] * frame_count
    times = [frame.pts * frame.time_base for frame in frames if frame.pts is not None and frame.time_base]
    assert times == [index / fps for index in range(frame_count)]


def test_the_same_shot_gives_the_same_bytes_and_another_seed_another_clip(
    wide_picture: bytes, clip: Clip
) -> None:
    shot = small(wide_picture, "tilt up", seed=7, sound="ambient")
    for name, made in (("one", shot), ("two", shot), ("other", replace(shot, seed=8))):
        render(made, clip(name))
    assert clip("one").read_bytes() == clip("two").read_bytes()
    assert clip("one").read_bytes() != clip("other").read_bytes()


def test_progress_begins_at_once_and_ends_with_the_last_frame(wide_picture: bytes, clip: Clip) -> None:
    told: list[tuple[int, int]] = []
    render(small(wide_picture), clip("told"), on_progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 48)
    assert told[-1] == (48, 48)
    assert told == sorted(set(told))


@pytest.mark.parametrize("asked_before", [0, 1])
def test_a_cancelled_clip_leaves_nothing_behind(
    wide_picture: bytes, tmp_path: Path, asked_before: int
) -> None:
    answers = iter([False] * asked_before)
    with pytest.raises(RenderCancelled):
        render(
            small(wide_picture, frame_count=600, sound="ambient"),
            tmp_path / "never.mp4",
            cancelled=lambda: next(answers, True),
        )
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_the_older_file_as_it_was(tmp_path: Path) -> None:
    output = tmp_path / "clip.mp4"
    output.write_bytes(b"an older clip")
    with pytest.raises(UnidentifiedImageError):
        render(small(b"no picture at all"), output)
    assert output.read_bytes() == b"an older clip"
    assert list(tmp_path.iterdir()) == [output]


def test_an_error_of_the_caller_s_own_is_not_swallowed(wide_picture: bytes, tmp_path: Path) -> None:
    def on_progress(done: int, total: int) -> None:
        raise LookupError("the page has gone")

    with pytest.raises(LookupError):
        render(small(wide_picture), tmp_path / "clip.mp4", on_progress=on_progress)
    assert list(tmp_path.iterdir()) == []


def test_a_draft_is_larger_and_shows_the_same(wide_picture: bytes, clip: Clip) -> None:
    for draft in (False, True):
        render(small(wide_picture, draft=draft), clip(str(draft)))
    assert clip("True").stat().st_size > clip("False").stat().st_size
    one, other = luma_of(clip("True")), luma_of(clip("False"))
    assert np.abs(one[-1].astype(int) - other[-1]).mean() < 2


@pytest.mark.parametrize("prompt", ["pull back", "pan right", "tilt down", "pan left and pull back quickly"])
@pytest.mark.parametrize("size", [(640, 360), (360, 360), (900, 300)])
def test_nothing_beyond_the_picture_is_ever_seen(clip: Clip, prompt: str, size: tuple[int, int]) -> None:
    """Neither a black border nor the picture's own mirror image at the rim."""
    picture = as_bytes(textured(*size))
    render(small(picture, prompt, motion_strength=1.0, frame_count=24, fps=Fraction(6)), clip("rim"))
    last = luma_of(clip("rim"))[-1].astype(int)
    for turned in (last, last[::-1], last.T, last.T[::-1]):
        rim = turned[:4]
        assert rim.min() > 40, "the picture's darkest luma is 67"
        assert rim.std() > 4, "a smeared or blurred border has no texture"
        assert np.abs(turned[:24] - turned[24:48][::-1]).mean() > 4, "a mirror image"
