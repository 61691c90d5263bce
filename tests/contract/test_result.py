"""The result: the four fields people look for come first, and numbers read as people write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from wanvideo.contract.result import VideoResult

FIELDS: dict[str, Any] = {
    "video_url": "/out/a.mp4", "duration": 4.0, "fps": 24.0, "seed": 5, "job_id": "j_1", "task_id": "t",
    "provider": "dashscope", "model": "wan2.6-i2v-flash", "size": "1280*720", "cost": {"cny": 1.2},
    "sha256": "a" * 64, "created_at": datetime(2026, 1, 1, tzinfo=UTC),
}  # fmt: skip


def test_what_people_look_for_comes_first() -> None:
    assert list(VideoResult(**FIELDS).model_dump())[:4] == ["video_url", "duration", "fps", "seed"]


@pytest.mark.parametrize(("fps", "written"), [(24.0, "24"), (23.976, "23.976"), (30, "30")])
def test_whole_numbers_have_no_point(fps: float, written: str) -> None:
    result = VideoResult(**FIELDS | {"fps": fps})
    assert f'"fps":{written},' in result.model_dump_json()
    assert json.dumps(result.model_dump(mode="json")["fps"]) == written


def test_a_result_survives_the_way_through_json_and_cannot_be_changed() -> None:
    result = VideoResult(**FIELDS, warnings=["cropped"])
    assert VideoResult.model_validate(json.loads(result.model_dump_json())) == result
    with pytest.raises(ValidationError, match="frozen"):
        result.seed = 6  # type: ignore[misc]


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="extra"):
        VideoResult(**FIELDS | {"error": "no"})
