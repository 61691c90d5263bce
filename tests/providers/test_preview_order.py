"""What is ordered of the preview, what the renderer makes of it, and what the customer is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from tests.providers.studio import ended, order, picture

from wanvideo.errors import ProviderRefused
from wanvideo.ports import TaskReport
from wanvideo.preview.shot import Shot
from wanvideo.providers.preview import PreviewProvider
from wanvideo.providers.preview_order import body_of, shot_of, told_of


@pytest.fixture
async def preview(tmp_path: Path) -> AsyncIterator[PreviewProvider]:
    provider = PreviewProvider(tmp_path / "previews")
    yield provider
    await provider.close()


async def made(provider: PreviewProvider, **changes: Any) -> TaskReport:
    upload = await provider.upload(picture(), name="harbour.png")
    task = await provider.create(provider.body(order(upload.url, **changes)))
    return await ended(provider, task)


def test_the_order_says_what_will_be_made_of_the_prompt() -> None:
    body = body_of(order("file:///a.png", prompt="slow push in, she smiles", negative_prompt="zoom out"))
    assert body["plan"]["moves"] == ["in"]
    assert "smiles" in body["plan"]["unused_words"]
    assert json.loads(json.dumps(body)) == body


def test_every_option_reaches_the_renderer(tmp_path: Path) -> None:
    (tmp_path / "near.png").write_bytes(picture())
    options = {"sound": True, "draft": True, "overscan": True,
               "mask": str(tmp_path / "near.png"), "depth": str(tmp_path / "near.png")}  # fmt: skip
    shot = shot_of(body_of(order("file:///a.png", preview=options)))
    assert {name: getattr(shot, name) for name in options} == {
        "sound": "ambient",
        "draft": True,
        "overscan": True,
        "mask": tmp_path / "near.png",
        "depth": tmp_path / "near.png",
    }


def test_an_order_of_an_earlier_version_has_no_options() -> None:
    body = body_of(order("file:///a.png"))
    del body["options"], body["plan"]
    assert shot_of(body) == shot_of(body_of(order("file:///a.png")))
    assert shot_of(body).motion_strength == Shot.motion_strength


async def test_a_mask_that_is_not_there_is_refused_before_anything_is_rendered(
    preview: PreviewProvider, tmp_path: Path
) -> None:
    gone = str(tmp_path / "gone.png")
    for named, message in (
        (gone, "gone.png is not there"),
        (str(tmp_path), "is no file"),
        ("", "It names no"),
    ):
        with pytest.raises(ProviderRefused, match=rf"preview\.mask: .*{message}"):
            await made(preview, preview={"mask": named})


async def test_a_mask_that_is_no_picture_is_a_refusal_in_plain_words(
    preview: PreviewProvider, tmp_path: Path
) -> None:
    (tmp_path / "mask.txt").write_text("no picture")
    report = await made(preview, preview={"mask": str(tmp_path / "mask.txt")})
    assert isinstance(report.error, ProviderRefused)
    assert report.error.field == "preview.mask"
    assert report.error.detail == "mask.txt is neither a picture nor an .onnx file."


async def test_sound_is_heard_when_it_was_asked_for(preview: PreviewProvider) -> None:
    report = await made(preview, preview={"sound": True})
    assert report.video_url is not None
    with av.open(report.video_url.removeprefix("file://")) as clip:
        samples = [frame.to_ndarray() for frame in clip.decode(audio=0)]
    assert np.abs(np.concatenate(samples, axis=1)).max() > 0.01


def test_words_that_are_not_acted_on_and_limits_are_told() -> None:
    body = body_of(order("file:///a.png", prompt="push in, she smiles"))
    told = told_of(body, ["The pan is shorter."])
    assert told[-1] == "The pan is shorter."
    assert "smiles" in told[0]
    assert told_of(body_of(order("file:///a.png", prompt="push in")), []) == ()


async def test_what_the_renderer_had_to_limit_is_in_the_report(
    preview: PreviewProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by whichever process looks: the words lie beside the clip."""
    report = await made(preview, prompt="pull back", motion_strength=1.0)
    assert report.video_url is not None
    notes = Path(report.video_url.removeprefix("file://")).with_suffix(".notes")
    assert notes.exists() == bool(report.warnings)
    assert list(report.warnings) == (json.loads(notes.read_bytes()) if notes.exists() else [])
