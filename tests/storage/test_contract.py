"""One suite for every store: what the jobs rely on, whatever is behind the port."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import obstore
import pytest
from obstore.store import MemoryStore
from tests.fakes.buckets import KEY, Buckets
from tests.fakes.store import FakeStore
from tests.storage.test_keys import job

from wanvideo.errors import StorageFailed
from wanvideo.ports import Keep, VideoStore
from wanvideo.storage.local import LocalStore
from wanvideo.storage.opening import open_store
from wanvideo.storage.remote import RemoteStore
from wanvideo.storage.services import Service
from wanvideo.storage.url import Place

CHINESE = {"prompt": "海港的雪，镜头缓慢推进"}
KINDS = ("local", "memory", "moto", "nanio", "fake")


@dataclass(frozen=True)
class Shelf:
    """A store, and a look behind its back at what is there under final names."""

    kind: str
    store: VideoStore
    files: Callable[[], dict[str, bytes]]


@pytest.fixture(params=KINDS)
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    kind: str = request.param
    if kind == "local":
        root = tmp_path / "out"
        return Shelf(kind, LocalStore(root), lambda: _files_under(root))
    if kind == "fake":
        fake = FakeStore()
        return Shelf(kind, fake, lambda: dict(fake.files))
    if kind == "memory":
        memory = MemoryStore()
        client = cast(Any, memory)  # a stand-in for the clients that our own code makes
        remote = RemoteStore(Place("mem", "clips", "pre"), Service(client, client))
        return Shelf(kind, remote, lambda: _files_in(memory))
    buckets: Buckets = request.getfixturevalue(kind)
    bucket = buckets.create()
    url = f"s3://{bucket}/pre/fix?endpoint=http://127.0.0.1:{buckets.port}&region=us-east-1"
    store = open_store(url, tmp_path, access_key=lambda _: KEY)
    return Shelf(kind, store, lambda: buckets.files(bucket))


def _files_under(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def _files_in(memory: MemoryStore) -> dict[str, bytes]:
    listed = [entry["path"] for page in obstore.list(memory) for entry in page]
    return {path: bytes(obstore.get(memory, path).bytes()) for path in listed}


async def test_a_clip_is_there_byte_for_byte_once_it_was_put(shelf: Shelf, clip: Path) -> None:
    stored = await shelf.store.put_clip(job(), clip, Keep.CLIP)
    assert stored.size_bytes == 4000
    assert await shelf.store.exists(stored.url)
    assert list(shelf.files().values()) == [clip.read_bytes()]


async def test_a_clip_that_needs_many_parts_is_the_same_clip(shelf: Shelf, big_clip: Path) -> None:
    stored = await shelf.store.put_clip(job(), big_clip, Keep.CLIP)
    assert stored.size_bytes == 12 << 20
    assert list(shelf.files().values()) == [big_clip.read_bytes()]


async def test_putting_the_same_clip_again_is_harmless(shelf: Shelf, clip: Path) -> None:
    first = await shelf.store.put_clip(job(), clip, Keep.CLIP)
    assert await shelf.store.put_clip(job(), clip, Keep.CLIP) == first
    assert list(shelf.files().values()) == [clip.read_bytes()]


async def test_a_name_may_be_chinese(shelf: Shelf, clip: Path) -> None:
    stored = await shelf.store.put_clip(job(request=CHINESE), clip, Keep.CLIP)
    assert await shelf.store.exists(stored.url)
    if shelf.kind != "fake":
        assert "海港的雪-镜头缓慢推进" in stored.url
        assert stored.url.endswith(next(iter(shelf.files())))


async def test_the_clip_and_its_source_are_two_files(shelf: Shelf, clip: Path, big_clip: Path) -> None:
    made = await shelf.store.put_clip(job(), clip, Keep.CLIP)
    source = await shelf.store.put_clip(job(), big_clip, Keep.SOURCE)
    assert made.url != source.url
    assert sorted(map(len, shelf.files().values())) == [4000, 12 << 20]


async def test_what_was_never_put_does_not_exist(shelf: Shelf, clip: Path) -> None:
    stored = await shelf.store.put_clip(job(), clip, Keep.CLIP)
    assert not await shelf.store.exists(stored.url + "x")
    assert not await shelf.store.exists(stored.url.replace("videos", "pictures"))


async def test_what_another_store_has_does_not_exist_here(shelf: Shelf, tmp_path: Path) -> None:
    for url in ("s3://other/videos/x.mp4", "oss://clips/x.mp4", str(tmp_path / "x.mp4"), "https://a/x.mp4"):
        assert not await shelf.store.exists(url)


async def test_a_picture_put_twice_is_kept_once(shelf: Shelf) -> None:
    keys = [await shelf.store.put_picture(b"picture", sha256="abc", suffix=".png") for _ in range(2)]
    assert keys == ["pictures/abc.png"] * 2
    assert await shelf.store.picture(keys[0]) == b"picture"
    assert list(shelf.files().values()) == [b"picture"]


async def test_a_picture_that_is_gone_is_told(shelf: Shelf) -> None:
    with pytest.raises(StorageFailed, match=r"pictures/gone\.png"):
        await shelf.store.picture("pictures/gone.png")


async def test_a_source_that_is_gone_is_told_and_leaves_nothing(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(StorageFailed):
        await shelf.store.put_clip(job(), tmp_path / "gone.mp4", Keep.CLIP)
    assert shelf.files() == {}


async def test_a_link_opens_the_clip_and_the_durable_url_is_not_signed(shelf: Shelf, clip: Path) -> None:
    stored = await shelf.store.put_clip(job(request=CHINESE), clip, Keep.CLIP)
    assert "?" not in stored.url
    if shelf.kind == "memory":
        pytest.skip("memory cannot be opened from outside")
    link = await shelf.store.link(stored.url)
    if shelf.kind == "local":
        assert Path(link).read_bytes() == clip.read_bytes()
    elif shelf.kind != "fake":
        data, headers = await asyncio.to_thread(_opened, link)
        assert data == clip.read_bytes()
        assert headers["Content-Type"] == "video/mp4"


def _opened(link: str) -> tuple[bytes, Any]:
    with urllib.request.urlopen(link, timeout=10) as answer:
        return answer.read(), answer.headers


async def test_the_link_of_another_place_is_that_place(shelf: Shelf, tmp_path: Path) -> None:
    for url in (str(tmp_path / "clips" / "x.mp4"), "gs://elsewhere/x.mp4", "https://example.com/x.mp4"):
        assert await shelf.store.link(url) == url


async def test_a_probe_says_where_and_leaves_nothing(shelf: Shelf) -> None:
    told = await shelf.store.probe()
    assert "written" in told
    assert shelf.files() == {}


async def test_a_closed_store_needs_no_more(shelf: Shelf) -> None:
    await shelf.store.close()
