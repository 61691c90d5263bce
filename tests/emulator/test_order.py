"""Fields as the real service treats them: defaults, silent cuts, refusals after queueing."""

from __future__ import annotations

from typing import Any

import pytest

from wanvideo_emulator import order


def read(refuse_unknown: bool = False, **parts: Any) -> order.Reading:
    body = {"model": order.MODEL, "input": {"prompt": "p", "img_url": "data:"}, **parts}
    return order.read(body, refuse_unknown=refuse_unknown)


def why(reading: order.Reading) -> str:
    assert reading.refusal is not None
    assert reading.refusal.code == "InvalidParameter"
    return reading.refusal.message


def test_left_out_fields_get_the_dear_defaults() -> None:
    got = read().order
    assert (got.resolution, got.duration_s, got.audio) == ("1080P", 5, True)
    assert (got.prompt_extend, got.shot_type, got.watermark, got.seed) == (True, "single", False, None)


def test_long_prompts_are_cut_without_a_word() -> None:
    reading = read(input={"prompt": "雪" * 1600, "negative_prompt": "n" * 600, "img_url": "data:"})
    assert reading.refusal is None
    assert reading.order.prompt == "雪" * 1500
    assert reading.order.negative_prompt == "n" * 500


def test_a_missing_image_is_named_as_the_service_names_it() -> None:
    assert why(read(input={"prompt": "p"})) == "Field required: input.img_url"


def test_a_null_prompt_is_no_prompt() -> None:
    """The 1.x SDK sends null when none was given."""
    reading = read(input={"prompt": None, "img_url": "data:"})
    assert reading.refusal is None
    assert reading.order.prompt is None


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"resolution": "480P"}, "Input should be '720P' or '1080P': parameters.resolution"),
        ({"duration": 1}, "Input should be greater than or equal to 2: parameters.duration"),
        ({"duration": 16}, "Input should be less than or equal to 15: parameters.duration"),
        ({"duration": "5"}, "Input should be a valid integer: parameters.duration"),
        ({"duration": 4.5}, "Input should be a valid integer: parameters.duration"),
        ({"duration": True}, "Input should be a valid integer: parameters.duration"),
        ({"seed": -1}, "Input should be greater than or equal to 0: parameters.seed"),
        ({"seed": 2**31}, "Input should be less than or equal to 2147483647: parameters.seed"),
        ({"shot_type": "double"}, "Input should be 'single' or 'multi': parameters.shot_type"),
        ({"audio": "false"}, "Input should be a valid boolean: parameters.audio"),
    ],
)
def test_values_out_of_range_or_of_the_wrong_type_are_refused(parameters: Any, message: str) -> None:
    assert why(read(parameters=parameters)) == message


def test_the_first_unknown_parameter_is_named_when_they_are_refused() -> None:
    parameters = {"duration": 3, "fps": 24, "size": "1280*720"}
    assert read(parameters=parameters).refusal is None
    assert why(read(True, parameters=parameters)) == "Unknown parameter: parameters.fps"


def test_unknown_input_keys_never_matter() -> None:
    """The 1.x SDK always sends `extend_prompt` and `function`."""
    given = {"prompt": "p", "img_url": "data:", "extend_prompt": True, "function": "video-synthesis"}
    assert read(True, input=given).refusal is None


def test_words_trip_the_moderation_at_either_end() -> None:
    before = read(input={"prompt": "a Forbidden thing", "img_url": "data:"})
    assert before.refusal is not None
    assert before.refusal.message == "Input data may contain inappropriate content."
    after = read(input={"prompt": "不雅", "img_url": "data:"})
    assert after.refusal is None
    assert after.late_refusal is not None
    assert after.late_refusal.message == "Output data may contain inappropriate content."
