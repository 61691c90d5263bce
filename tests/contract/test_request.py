"""The request: every rule, and what a person is told when it is broken."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wanvideo.contract.model_card import MODEL, limit
from wanvideo.contract.request import VideoRequest, parse_request
from wanvideo.errors import ImageInvalid, ModelUnsupported, RequestInvalid

SMALLEST = {"prompt": "a harbour", "reference_image": "harbour.png"}


def parse(**fields: Any) -> VideoRequest:
    return parse_request(SMALLEST | fields)


def refusal(fields: Any) -> RequestInvalid:
    with pytest.raises(RequestInvalid) as refused:
        parse_request(fields)
    return refused.value


def test_the_two_fields_that_are_needed_and_the_defaults_of_the_rest() -> None:
    request = parse()
    assert (request.duration, request.fps, request.size) == (4, 24, "1280*720")
    assert (request.negative_prompt, request.seed, request.motion_strength) == ("", None, None)
    assert (request.fit, request.model) == ("cover", MODEL)
    wan = request.wan
    assert (wan.resolution, wan.audio, wan.audio_url, wan.prompt_extend) == (None, True, None, True)
    assert (wan.shot_type, wan.watermark, wan.template, wan.motion_phrase) == (None, False, None, True)


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "x"},
        {"prompt": "海" * 1500},
        {"negative_prompt": "x" * 500},
        {"duration": 2},
        {"duration": 15},
        {"duration": 4.5},
        {"duration": "4"},
        {"fps": 1},
        {"fps": 60},
        {"fps": 23.976},
        {"size": "720x1280"},
        {"size": " 720 × 1280 "},
        {"seed": 0},
        {"seed": 2147483647},
        {"motion_strength": 0},
        {"motion_strength": 1},
        {"fit": "contain"},
        {"model": "wan2.6-i2v-flash"},
        {"wan": {"resolution": "1080P", "audio": False, "shot_type": "multi", "template": "squish"}},
    ],
    ids=str,
)
def test_what_is_inside_the_limits_is_taken(fields: dict[str, Any]) -> None:
    parse(**fields)


@pytest.mark.parametrize(
    ("fields", "field", "reason", "hint"),
    [
        ({"prompt": ""}, "prompt", "at least 1 character", "Write 1 to 1500"),
        ({"prompt": "x" * 1501}, "prompt", "it has 1501", "cut it silently and bill"),
        ({"prompt": 5}, "prompt", "valid string", "Write 1 to 1500"),
        ({"prompt": "\ud800"}, "prompt", "unicode", "Write 1 to 1500"),
        ({"negative_prompt": "x" * 501}, "negative_prompt", "it has 501", "at most 500"),
        ({"duration": 1.99}, "duration", "greater than or equal to 2, not 1.99", "2 to 15 seconds"),
        ({"duration": 15.01}, "duration", "less than or equal to 15", "2 to 15 seconds"),
        ({"duration": "long"}, "duration", "valid number", "2 to 15 seconds"),
        ({"duration": True}, "duration", "not true or false", "2 to 15 seconds"),
        ({"duration": float("nan")}, "duration", "finite", "2 to 15 seconds"),
        ({"duration": "nan"}, "duration", "'nan'", "2 to 15 seconds"),
        ({"fps": 0.5}, "fps", "greater than or equal to 1", "1 to 60 frames"),
        ({"fps": 61}, "fps", "less than or equal to 60, not 61", "1 to 60 frames"),
        ({"fps": float("inf")}, "fps", "finite", "1 to 60 frames"),
        ({"size": "large"}, "size", "'large' is not a size", "W*H with even sides"),
        ({"size": "1281*720"}, "size", "odd side", "W*H with even sides"),
        ({"size": "200*200"}, "size", "below 240", "W*H"),
        ({"size": "3842*400"}, "size", "above 3840", "W*H"),
        ({"size": "1922*1080"}, "size", "more pixels than 1080P", "W*H"),
        ({"size": "1400*300"}, "size", "longer than 4:1", "W*H"),
        ({"size": 720}, "size", "valid string", "W*H"),
        ({"seed": -1}, "seed", "greater than or equal to 0", "whole number"),
        ({"seed": 2147483648}, "seed", "less than or equal", "whole number"),
        ({"seed": 1.5}, "seed", "fractional", "whole number"),
        ({"seed": False}, "seed", "not true or false", "whole number"),
        ({"motion_strength": 1.1}, "motion_strength", "less than or equal to 1", "0 (still) to 1 (lively)"),
        ({"motion_strength": "nan"}, "motion_strength", "'nan'", "0 (still) to 1 (lively)"),
        ({"fit": "stretch"}, "fit", "'cover' or 'contain'", "cover or contain"),
        ({"wan": {"resolution": "480P"}}, "wan.resolution", "'720P' or '1080P'", "wanvideo schema"),
        ({"wan": {"shot_type": "three"}}, "wan.shot_type", "'single' or 'multi'", "wanvideo schema"),
        ({"wan": "fast"}, "wan", "dictionary", "wanvideo schema"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_field_reason_and_way_out(
    fields: dict[str, Any], field: str, reason: str, hint: str
) -> None:
    error = refusal(SMALLEST | fields)
    assert error.field == field
    assert reason in error.detail
    assert hint in error.hint
    assert "Value error" not in str(error)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("promt", "prompt"), ("sizes", "size"), ("image", "reference_image"), ("frame_rate", None)],
)
def test_an_unknown_field_gets_a_did_you_mean(wrong: str, meant: str | None) -> None:
    error = refusal(SMALLEST | {wrong: "x"})
    assert error.field == wrong
    if meant and meant != "reference_image":
        assert error.hint.startswith(f"Did you mean `{meant}`?")
    else:
        assert "`" in error.hint or "Known: prompt, " in error.hint


def test_an_unknown_wan_option_is_compared_with_wans_own_fields() -> None:
    error = refusal(SMALLEST | {"wan": {"audo": True}})
    assert (error.field, error.hint) == ("wan.audo", "Did you mean `audio`?")


@pytest.mark.parametrize(
    "model",
    ["wan2.6", "wan2.6-i2v", "wan2.6-i2v-flash-2026-01-01", "WAN2.6-I2V-FLASH", "wan2.6-i2v-flash ", None],
)
def test_any_other_model_is_refused_even_an_alias(model: Any) -> None:
    error = refusal(SMALLEST | {"model": model})
    assert isinstance(error, ModelUnsupported)
    assert (error.field, error.code) == ("model", "unsupported_model")


def test_a_missing_picture_says_how_to_give_one() -> None:
    error = refusal({"prompt": "x"})
    assert isinstance(error, ImageInvalid)
    assert error.field == "reference_image"
    assert "--image FILE" in error.hint


def test_further_wrong_fields_are_named() -> None:
    assert "Wrong too: fps, seed." in refusal(SMALLEST | {"fps": 0, "seed": -1, "duration": 99}).hint
    assert "Wrong too: seed." in refusal(SMALLEST | {"fps": 0, "seed": -1}).hint


@pytest.mark.parametrize("fields", [[], "prompt", None, 5])
def test_a_request_is_an_object(fields: Any) -> None:
    assert "object of fields" in refusal(fields).detail


# --- the picture ---


@pytest.mark.parametrize(
    "given",
    ["a.png", "https://x.test/a.png", "oss://bucket/a.png", "data:image/png;base64,AAAA", b"\x89PNG\xff"],
)
def test_a_picture_is_kept_as_it_was_given(given: str | bytes) -> None:
    assert parse(reference_image=given).reference_image == given


def test_paths_files_and_buffers_are_taken_too(tmp_path: Path) -> None:
    assert parse(reference_image=tmp_path / "a.png").reference_image == str(tmp_path / "a.png")
    assert parse(reference_image=io.BytesIO(b"abc")).reference_image == b"abc"
    assert parse(reference_image=memoryview(b"abc")).reference_image == b"abc"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", "is empty"),
        (b"", "is empty"),
        (io.BytesIO(), "is empty"),
        (io.StringIO("text"), "binary mode"),
        (5, "must be a path"),
        (["a.png"], "must be a path"),
        (None, "must be a path"),
    ],
)
def test_what_is_no_picture_is_refused(given: Any, reason: str) -> None:
    error = refusal(SMALLEST | {"reference_image": given})
    assert isinstance(error, ImageInvalid)
    assert reason in error.detail


# --- a value ---


def test_a_request_cannot_be_changed() -> None:
    request = parse()
    with pytest.raises(ValidationError, match="frozen"):
        request.prompt = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        request.wan.audio = False  # type: ignore[misc]


def test_the_callers_own_objects_are_left_alone() -> None:
    fields: dict[str, Any] = {**SMALLEST, "size": "640x480", "wan": {"audio": False}}
    before = repr(fields)
    parse_request(fields)
    assert repr(fields) == before


def test_a_request_survives_the_way_through_json() -> None:
    request = parse(duration=4.5, fps=23.976, seed=3, wan={"audio": False})
    assert VideoRequest.model_validate_json(request.model_dump_json()) == request
    assert parse_request(request) is request


@given(st.floats(2, 15), st.sampled_from(["720P", "1080P", None]))
def test_billed_seconds_are_whole_and_never_too_few(duration_s: float, resolution: str | None) -> None:
    request = parse(duration=duration_s, wan={"resolution": resolution})
    assert duration_s <= request.billed_s < duration_s + 1
    assert 2 <= request.billed_s <= 15


@pytest.mark.parametrize(
    ("size", "asked", "tier"),
    [
        ("1280*720", None, "720P"),
        ("240*240", None, "720P"),
        ("1282*720", None, "1080P"),
        ("1920*1080", None, "1080P"),
        ("1280*720", "1080P", "1080P"),
        ("1920*1080", "720P", "720P"),
    ],
)
def test_the_tier_is_the_smallest_that_has_the_pixels_unless_asked_for(
    size: str, asked: str | None, tier: str
) -> None:
    assert parse(size=size, wan={"resolution": asked}).resolution == tier


# --- the schema ---


def test_the_schema_has_the_defaults_and_forbids_anything_else() -> None:
    schema = VideoRequest.model_json_schema()
    fields = schema["properties"]
    assert schema["required"] == ["prompt", "reference_image"]
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["WanOptions"]["additionalProperties"] is False
    assert {name: fields[name]["default"] for name in ("duration", "fps", "size", "model")} == {
        "duration": 4, "fps": 24, "size": "1280*720", "model": MODEL,
    }  # fmt: skip
    assert all("description" in field or "$ref" in field for field in fields.values())


def test_the_schema_states_the_limits_of_the_model_card() -> None:
    fields = VideoRequest.model_json_schema()["properties"]
    assert (fields["prompt"]["minLength"], fields["prompt"]["maxLength"]) == (1, limit("prompt_max_chars"))
    assert fields["negative_prompt"]["maxLength"] == limit("negative_prompt_max_chars")
    assert (fields["duration"]["minimum"], fields["duration"]["maximum"]) == (2, 15)
    assert (fields["fps"]["minimum"], fields["fps"]["maximum"]) == (1, 60)
    seed, strength = fields["seed"]["anyOf"][0], fields["motion_strength"]["anyOf"][0]
    assert (seed["minimum"], seed["maximum"]) == (0, limit("seed_max"))
    assert (strength["minimum"], strength["maximum"]) == (0, 1)
