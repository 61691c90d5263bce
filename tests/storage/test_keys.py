"""How files are named: a person finds them, and no prompt can break out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanvideo.contract.job import Job, JobId, Picture, State
from wanvideo.ports import Keep
from wanvideo.storage.keys import clip_key, picture_key, slug


def job(**changes: Any) -> Job:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    values: dict[str, Any] = {
        "id": JobId("j_0pjer00k3f9qz"), "state": State.STORING, "provider": "dashscope",
        "request": {"prompt": "Slow push-in, light snow"}, "picture": Picture("", "a", "b", "", 1, 1),
        "cache_key": "", "seed": 1, "estimate_cny": "1", "account": "a", "resolution": "720P", "billed_s": 4,
        "created_at": at, "updated_at": at, "due_at": at,
    }  # fmt: skip
    return Job(**(values | changes))


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("Slow push-in, light snow!", "slow-push-in-light-snow"),
        ("海港的雪，镜头缓慢推进", "海港的雪-镜头缓慢推进"),
        ("../../etc/passwd", "etc-passwd"),
        ("  ...  ", "clip"),
        ("CAFÉ \x00 ﬁlm_noir", "café-film-noir"),
        ("one " * 40, "-".join(["one"] * 15)),
        ("x" * 200, "x" * 16),
        ("海" * 100, "海" * 16),
    ],
)
def test_a_name_says_what_the_prompt_says(prompt: str, name: str) -> None:
    assert slug(prompt) == name


@given(st.text(max_size=300))
def test_no_prompt_makes_a_dangerous_name(prompt: str) -> None:
    key = clip_key(job(request={"prompt": prompt}), Keep.SOURCE)
    folder, _, name = key.partition("/")
    assert folder == "videos"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-[^\s/\\:*?\"<>|.\x00-\x1f]+-k3f9qz\.source\.mp4", name)
    assert len(name.encode()) <= 255


def test_clip_and_source_stand_side_by_side() -> None:
    clip, source = (clip_key(job(), kind) for kind in (Keep.CLIP, Keep.SOURCE))
    assert re.fullmatch(r"videos/2026-11-2[234]-slow-push-in-light-snow-k3f9qz\.mp4", clip)
    assert source == clip.replace(".mp4", ".source.mp4")


def test_a_picture_is_named_by_its_content() -> None:
    assert picture_key("abc", ".png") == "pictures/abc.png"
