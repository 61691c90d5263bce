"""Reading the reference picture from wherever it is, and saying what is wrong with it."""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image

from wanvideo.contract.model_card import limit
from wanvideo.contract.request import VideoRequest, parse_request
from wanvideo.errors import ImageInvalid
from wanvideo.jobs.accepting import Accepted, Fetch, Given, Pictures


def png(width: int = 320, height: int = 240) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (20, 90, 160)).save(out, "PNG")
    return out.getvalue()


def asking(picture: object) -> VideoRequest:
    return parse_request({"prompt": "x", "reference_image": picture, "size": "320*240"})


async def nothing(url: str) -> bytes:
    raise AssertionError(f"fetched {url}")


async def read(picture: object, fetch: Fetch = nothing, provider: str = "dashscope") -> Accepted:
    pictures = Pictures(fetch)
    given = await pictures.read(asking(picture))
    return await pictures.accept(given, asking(picture), provider)


async def test_a_file_is_read_by_path_or_file_url(tmp_path: Path) -> None:
    (tmp_path / "my picture.png").write_bytes(png())
    by_path = await read(tmp_path / "my picture.png")
    by_url = await read(f"file://{tmp_path}/my%20picture.png")
    assert by_path.data == by_url.data == png()
    assert (by_path.picture.media_type, by_path.suffix) == ("image/png", ".png")
    assert (by_path.picture.width_px, by_path.picture.height_px) == (320, 240)


async def test_only_a_preview_is_given_what_the_crop_leaves_over(tmp_path: Path) -> None:
    (tmp_path / "wide.png").write_bytes(png(1200, 240))
    for provider, width_px in (("dashscope", 320), ("preview", 1200)):
        taken = await read(tmp_path / "wide.png", provider=provider)
        assert taken.picture.width_px == width_px
        assert taken.warnings == ("cropped from 1200x240 to 320x240 for size 320*240",)


async def test_the_home_folder_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.png").write_bytes(png())
    assert (await read("~/a.png")).data == png()


async def test_links_and_data_uris_are_fetched() -> None:
    asked = []

    async def fetch(url: str) -> bytes:
        asked.append(url)
        return png()

    uri = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    for url in ("https://x.test/a.png", "http://x.test/a.png", uri):
        assert (await read(url, fetch)).data == png()
    assert asked == ["https://x.test/a.png", "http://x.test/a.png", uri]


async def test_bytes_are_taken_as_they_are() -> None:
    assert (await read(png())).data == png()


async def test_a_picture_of_another_shape_is_cropped_and_that_is_said() -> None:
    accepted = await read(png(600, 300))
    assert (accepted.picture.width_px * 240, accepted.warnings != ()) == (
        accepted.picture.height_px * 320,
        True,
    )
    assert accepted.picture.source_sha256 != accepted.picture.sha256


async def test_a_picture_that_lies_with_the_provider_is_passed_on_unseen() -> None:
    accepted = await read("oss://bucket/a.png")
    assert (accepted.data, accepted.picture.url) == (b"", "oss://bucket/a.png")
    assert "neither checked nor cropped" in accepted.warnings[0]
    assert accepted.picture.sha256 != (await read("oss://bucket/b.png")).picture.sha256


async def test_the_hash_by_which_a_clip_is_found_again_needs_no_decoding() -> None:
    """An identical request is answered from the cache: its picture is read, and not made to fit."""
    data = b"not even a picture"
    given = await Pictures(nothing).read(asking(data))
    assert given == Given(data, hashlib.sha256(data).hexdigest())
    accepted = await read(png(600, 300))
    assert accepted.picture.source_sha256 == hashlib.sha256(png(600, 300)).hexdigest()


async def test_a_missing_file_says_where_was_looked(tmp_path: Path) -> None:
    with pytest.raises(ImageInvalid, match=r"no file .*gone\.png") as refusal:
        await read(tmp_path / "gone.png")
    assert (refusal.value.field, str(tmp_path) in refusal.value.hint) == ("reference_image", True)


async def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ImageInvalid, match="is a folder"):
        await read(tmp_path)


@pytest.mark.parametrize("name", ["a\x00b.png", "x" * 5000])
async def test_what_cannot_be_a_file_name_is_refused_and_not_repeated_at_length(name: str) -> None:
    with pytest.raises(ImageInvalid, match="cannot be read") as refusal:
        await read(name)
    assert len(refusal.value.detail) < 400


async def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(limit("image_max_bytes") + 1)
    with pytest.raises(ImageInvalid, match=r"20\.0 MB; at most 20 MB"):
        await read(path)


async def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("hello")
    with pytest.raises(ImageInvalid):
        await read(tmp_path / "a.png")


async def test_the_files_of_a_preview_are_known_by_their_bytes(tmp_path: Path) -> None:
    async def digests(**options: str) -> tuple[str, ...]:
        request = parse_request({"prompt": "x", "reference_image": png(), "preview": options})
        return (await Pictures(nothing).read(request)).maps_sha256

    (tmp_path / "mask.png").write_bytes(b"a mask")
    (before,) = await digests(mask=str(tmp_path / "mask.png"))
    (tmp_path / "mask.png").write_bytes(b"another")
    assert await digests(mask=str(tmp_path / "mask.png")) != (before,)
    assert await digests(mask=str(tmp_path), depth="/dev/zero") == ()  # refused by the preview itself
