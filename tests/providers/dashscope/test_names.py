"""A refusal points at the field that the user wrote."""

from __future__ import annotations

import pytest

from wanvideo.providers.dashscope.names import field_named, parameter_named


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("Field required: input.img_url", "reference_image"),
        ("parameters.duration must be <= 15", "duration"),
        ("Field required: input.audio_url", "wan.audio_url"),
        ("Input should be a valid integer: parameters.seed", "seed"),
        ("parameters.unheard_of is wrong", None),
        ("img_url", None),
    ],
)
def test_the_vendors_path_becomes_our_field(message: str, field: str | None) -> None:
    assert field_named(message) == field


@pytest.mark.parametrize(
    ("message", "parameter"),
    [
        ("Unknown parameter: parameters.fps", "fps"),
        ("The size is not match xxxxxx", "size"),
        ("Invalid size.", "size"),
        ("unsupported field 'motion_strength'", "motion_strength"),
        ("FPS is not supported", "fps"),
        ("File size is larger than 15MB", None),
        ("the image size must lie in [240, 8000]", None),
        ("The size of the image is beyond limit.", None),
        ("resize failed, oversized", None),
        ("Field required: input.prompt", None),
    ],
)
def test_only_the_word_itself_blames_a_parameter(message: str, parameter: str | None) -> None:
    assert parameter_named(message) == parameter
