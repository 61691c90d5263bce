"""A folder: a file is there complete, or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.storage.test_keys import job

from wanvideo.errors import StorageFailed
from wanvideo.ports import Keep
from wanvideo.storage.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "out")


async def test_a_clip_is_put_in_place_and_found_again(store: LocalStore, clip: Path, tmp_path: Path) -> None:
    stored = await store.put_clip(job(), clip, Keep.CLIP)
    assert Path(stored.url).read_bytes() == clip.read_bytes()
    assert Path(stored.url).parent == tmp_path / "out" / "videos"
    assert stored.size_bytes == 4000
    assert await store.exists(stored.url)
    assert not await store.exists(stored.url + "x")
    assert not await store.exists(str(tmp_path / "out"))
    assert [path.name for path in (tmp_path / "out" / "videos").iterdir()] == [Path(stored.url).name]


async def test_putting_a_clip_again_replaces_it(store: LocalStore, clip: Path) -> None:
    first = await store.put_clip(job(), clip, Keep.CLIP)
    clip.write_bytes(b"better")
    again = await store.put_clip(job(), clip, Keep.CLIP)
    assert again.url == first.url
    assert Path(again.url).read_bytes() == b"better"


async def test_a_picture_is_kept_once(store: LocalStore, tmp_path: Path) -> None:
    key = await store.put_picture(b"picture", sha256="abc", suffix=".png")
    kept = tmp_path / "out" / key
    before = kept.stat()
    assert await store.put_picture(b"picture", sha256="abc", suffix=".png") == key
    assert kept.stat().st_ino == before.st_ino
    assert await store.picture(key) == b"picture"


async def test_a_picture_that_is_gone_is_told(store: LocalStore) -> None:
    with pytest.raises(StorageFailed, match=r"pictures/x\.png: No such file"):
        await store.picture("pictures/x.png")


async def test_a_failed_write_leaves_the_former_file_and_no_rest(
    store: LocalStore, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await store.put_clip(job(), clip, Keep.CLIP)
    clip.write_bytes(b"x" * 10)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFailed, match="No space left on device"):
        await store.put_clip(job(), clip, Keep.CLIP)
    assert Path(stored.url).read_bytes() == b"clip" * 1000
    assert len(list((tmp_path / "out" / "videos").iterdir())) == 1


async def test_the_bytes_are_on_disk_before_the_name_and_the_name_before_the_answer(
    store: LocalStore, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def watched_fsync(descriptor: int) -> None:
        happened.append("folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "file")
        fsync(descriptor)

    def watched_replace(self: Path, target: Any) -> Path:
        happened.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    await store.put_clip(job(), clip, Keep.CLIP)
    assert happened == ["file", "rename", "folder"]


async def test_a_folder_that_cannot_be_made_is_named(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="file/videos"):
        await LocalStore(tmp_path / "file").put_clip(job(), clip, Keep.CLIP)


async def test_a_source_that_is_gone_is_a_storage_error_too(store: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(StorageFailed):
        await store.put_clip(job(), tmp_path / "gone.mp4", Keep.CLIP)
    assert list((tmp_path / "out" / "videos").iterdir()) == []


async def test_a_link_is_the_path_or_stands_under_the_public_address(clip: Path, tmp_path: Path) -> None:
    stored = await LocalStore(tmp_path / "out").put_clip(job(request={"prompt": "雪"}), clip, Keep.CLIP)
    assert await LocalStore(tmp_path / "out").link(stored.url) == stored.url
    public = LocalStore(tmp_path / "out", "https://films.example.com/wan")
    link = await public.link(stored.url)
    assert link.startswith("https://films.example.com/wan/videos/2026-11-2")
    assert link.endswith("-%E9%9B%AA-k3f9qz.mp4")
    assert await public.link(str(tmp_path / "elsewhere.mp4")) == str(tmp_path / "elsewhere.mp4")


async def test_a_probe_of_a_place_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="file"):
        await LocalStore(tmp_path / "file").probe()


async def test_a_name_the_disk_cannot_hold_does_not_count_as_a_clip_that_is_gone(store: LocalStore) -> None:
    """To say "gone" would mean to pay for it again."""
    with pytest.raises(StorageFailed, match="File name too long"):
        await store.exists("/" + "x" * 300)


async def test_a_url_of_a_bucket_is_never_taken_for_a_path(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:" / "clips").mkdir(parents=True)
    (tmp_path / "s3:" / "clips" / "x.mp4").write_bytes(b"clip")
    assert not await store.exists("s3://clips/x.mp4")
