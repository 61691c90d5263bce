"""The cache key: the same clip, or another one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanvideo.contract.fingerprint import cache_key, canonical, digest
from wanvideo.contract.request import PreviewOptions, VideoRequest, WanOptions, parse_request

FIELDS: dict[str, Any] = {
    "prompt": "海港", "negative_prompt": "blur", "duration": 4, "fps": 24, "size": "1280*720", "seed": 5,
    "motion_strength": 0.5, "reference_image": "a.png", "fit": "cover", "wan": {"audio": True},
}  # fmt: skip

CHANGES: dict[str, Any] = {
    "prompt": "other", "negative_prompt": "", "duration": 4.5, "fps": 25, "size": "720*1280", "seed": None,
    "motion_strength": None, "fit": "contain",
}  # fmt: skip

WAN_CHANGES: dict[str, Any] = {
    "resolution": "1080P", "audio": False, "audio_url": "https://x.test/a.mp3", "prompt_extend": False,
    "shot_type": "multi", "watermark": True, "template": "squish", "motion_phrase": False,
}  # fmt: skip


PREVIEW_CHANGES: dict[str, Any] = {
    "sound": True, "draft": True, "overscan": True, "mask": "mask.png", "depth": "depth.onnx"
}  # fmt: skip


def key(fields: dict[str, Any] = FIELDS, *, picture: str = "p", provider: str = "dashscope") -> str:
    return cache_key(parse_request(fields), picture_sha256=picture, provider=provider)


def test_every_field_is_considered_here() -> None:
    assert set(CHANGES) | {"model", "reference_image", "wan", "preview"} == set(VideoRequest.model_fields)
    assert set(WAN_CHANGES) == set(WanOptions.model_fields)
    assert set(PREVIEW_CHANGES) == set(PreviewOptions.model_fields)


@pytest.mark.parametrize("name", CHANGES)
def test_another_value_is_another_clip(name: str) -> None:
    assert key(FIELDS | {name: CHANGES[name]}) != key()


@pytest.mark.parametrize("name", WAN_CHANGES)
def test_another_option_is_another_clip(name: str) -> None:
    assert key(FIELDS | {"wan": {name: WAN_CHANGES[name]}}) != key()


@pytest.mark.parametrize("name", PREVIEW_CHANGES)
def test_an_option_of_the_preview_is_another_preview_and_the_same_wan_clip(name: str) -> None:
    fields = FIELDS | {"preview": {name: PREVIEW_CHANGES[name]}}
    assert key(fields, provider="preview") != key(provider="preview")
    assert key(fields) == key(), "else people would pay again for what they have"


def test_another_picture_or_provider_is_another_clip() -> None:
    assert len({key(), key(picture="q"), key(provider="preview")}) == 3


def test_the_pictures_name_does_not_count() -> None:
    assert key(FIELDS | {"reference_image": "elsewhere/b.png"}) == key()
    assert key(FIELDS | {"reference_image": b"\x89PNG\xff"}) == key()


def test_spelling_does_not_count() -> None:
    assert key(dict(reversed(FIELDS.items()))) == key()
    assert key(FIELDS | {"duration": 4.0, "fps": "24", "size": "1280x720"}) == key()
    assert key(FIELDS | {"wan": {}}) == key(), "a default that is written out is still the default"
    assert key(FIELDS | {"wan": {"resolution": "720P"}}) == key(), "so is the tier that `size` leads to"


def test_the_key_stays_the_same_over_versions() -> None:
    """A change here makes every stored clip unfindable: people would pay again for what they have."""
    assert key() == PINNED


PINNED = "6ef8d451ad47b3430cc0115978700654c896d2fb4875e742edc110d0b6420874"

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_canonical_json_means_the_same(value: Any) -> None:
    assert json.loads(canonical(value)) == json.loads(json.dumps(value))


@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_the_order_of_fields_does_not_count(value: dict[str, Any]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))


@given(st.integers(-1000, 1000))
def test_a_whole_number_is_the_same_with_and_without_a_point(number: int) -> None:
    assert canonical({"a": [number]}) == canonical({"a": [float(number)]})
