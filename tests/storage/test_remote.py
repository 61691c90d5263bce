"""A bucket behind a bad line: what is half sent is not there, what failed goes on, and no secret is told."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.fakes.buckets import KEY, Buckets, Moto, Nanio
from tests.fakes.proxy import Proxy, proxy_to
from tests.storage.test_keys import job

from wanvideo.errors import StorageFailed
from wanvideo.ports import Keep, VideoStore
from wanvideo.settings import AccessKey
from wanvideo.storage import remote
from wanvideo.storage.opening import open_store


@dataclass(frozen=True)
class Line:
    """A store whose requests pass a proxy."""

    buckets: Buckets
    bucket: str
    proxy: Proxy

    def store(self, **more: Any) -> VideoStore:
        url = f"s3://{self.bucket}/pre?endpoint={self.proxy.url}&region=us-east-1"
        patience: dict[str, Any] = {"connect_timeout_s": 1, "silence_s": 0.5, "access_key": lambda _: KEY}
        return open_store(url, Path(), **patience | more)


@pytest.fixture(params=["moto", "nanio"])
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    buckets: Buckets = request.getfixturevalue(request.param)
    async with proxy_to("127.0.0.1", buckets.port) as proxy:
        yield Line(buckets, buckets.create(), proxy)


async def test_a_put_that_is_cut_leaves_nothing_and_no_parts(line: Line, big_clip: Path) -> None:
    line.proxy.cut_sent_bytes = 2 << 20
    with pytest.raises(StorageFailed, match="the connection was cut") as cut:
        await line.store().put_clip(job(), big_clip, Keep.CLIP)
    assert cut.value.retryable
    assert line.proxy.sent_bytes > 2 << 20, "it was cut in the middle"
    assert line.buckets.files(line.bucket) == {}
    assert line.buckets.unfinished(line.bucket) == 0


async def test_a_put_that_is_cut_leaves_the_clip_that_was_there(line: Line, big_clip: Path) -> None:
    store = line.store()
    await store.put_clip(job(), big_clip, Keep.CLIP)
    before = line.buckets.files(line.bucket)
    big_clip.write_bytes(b"other" * (3 << 20))
    line.proxy.cut_sent_bytes = 2 << 20
    await line.proxy.down()  # what is open would be passed on uncounted
    await line.proxy.up()
    with pytest.raises(StorageFailed):
        await store.put_clip(job(), big_clip, Keep.CLIP)
    assert line.buckets.files(line.bucket) == before


async def test_a_small_put_that_is_cut_leaves_nothing(line: Line, clip: Path) -> None:
    line.proxy.cut_sent_bytes = 2000
    with pytest.raises(StorageFailed, match="the connection was cut"):
        await line.store().put_clip(job(), clip, Keep.CLIP)
    assert line.buckets.files(line.bucket) == {}


async def test_a_cancelled_put_leaves_nothing_and_no_parts(
    line: Line, big_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halfway, go_on = threading.Event(), threading.Event()
    pieces = remote._pieces

    def slowly(*arguments: Any) -> Iterator[bytes]:
        for piece in pieces(*arguments):
            yield piece
            if line.proxy.sent_bytes > 5 << 20:
                halfway.set()
                go_on.wait()

    monkeypatch.setattr(remote, "_pieces", slowly)
    put = asyncio.create_task(line.store().put_clip(job(), big_clip, Keep.CLIP))
    assert await asyncio.to_thread(halfway.wait, 10)
    assert line.buckets.unfinished(line.bucket) == 1
    put.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await put
    assert line.buckets.files(line.bucket) == {}
    assert line.buckets.unfinished(line.bucket) == 0


async def test_a_file_that_changes_while_it_is_stored_is_not_stored(
    line: Line, big_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = remote._pieces

    def shortened(*arguments: Any) -> Iterator[bytes]:
        for piece in pieces(*arguments):
            with big_clip.open("rb+") as file:
                file.truncate(9 << 20)
            yield piece

    monkeypatch.setattr(remote, "_pieces", shortened)
    with pytest.raises(StorageFailed, match=r"big\.mp4: it changed while it was stored"):
        await line.store().put_clip(job(), big_clip, Keep.CLIP)
    assert line.buckets.files(line.bucket) == {}
    assert line.buckets.unfinished(line.bucket) == 0


async def test_a_put_whose_answer_is_lost_is_told_as_failed_and_may_be_done_again(
    line: Line, clip: Path
) -> None:
    store = line.store()
    line.proxy.cut_answers = True
    with pytest.raises(StorageFailed):
        await store.put_clip(job(), clip, Keep.CLIP)
    line.proxy.cut_answers = False
    stored = await store.put_clip(job(), clip, Keep.CLIP)
    assert list(line.buckets.files(line.bucket).values()) == [clip.read_bytes()]
    assert await store.exists(stored.url)


async def test_a_service_that_is_down_is_told_and_works_again_when_it_is_back(line: Line, clip: Path) -> None:
    store = line.store()
    await store.put_picture(b"picture", sha256="abc", suffix=".png")
    await line.proxy.down()
    for ask in (
        store.put_clip(job(), clip, Keep.CLIP),
        store.put_picture(b"picture", sha256="abc", suffix=".png"),
        store.picture("pictures/abc.png"),
        store.exists(f"s3://{line.bucket}/pre/pictures/abc.png"),
        store.probe(),
    ):
        with pytest.raises(StorageFailed, match="the service cannot be reached") as down:
            await ask
        assert down.value.retryable
        assert "endpoint" in down.value.hint
    await line.proxy.up()
    assert await store.picture("pictures/abc.png") == b"picture"
    assert await store.exists((await store.put_clip(job(), clip, Keep.CLIP)).url)


async def test_a_silent_service_is_given_up(line: Line, clip: Path) -> None:
    line.proxy.silent = True
    store = line.store(silence_s=0.1)
    with pytest.raises(StorageFailed, match="did not answer in time"):
        await store.exists(f"s3://{line.bucket}/x.mp4")
    with pytest.raises(StorageFailed, match="did not answer in time"):
        await store.put_clip(job(), clip, Keep.CLIP)


async def test_a_bucket_that_is_missing_is_named(line: Line, clip: Path, big_clip: Path) -> None:
    store = open_store(
        f"s3://nowhere/pre?endpoint={line.proxy.url}", Path(), access_key=lambda _: KEY, silence_s=5
    )
    for ask in (
        store.put_clip(job(), clip, Keep.CLIP),
        store.put_clip(job(), big_clip, Keep.CLIP),
        store.exists("s3://nowhere/pre/videos/x.mp4"),  # not "no": the clip may be paid for
        store.picture("pictures/x.png"),
        store.probe(),
    ):
        with pytest.raises(StorageFailed, match=r"^s3://nowhere/pre.*: the bucket does not exist\.") as told:
            await ask
        assert "WANVIDEO_STORAGE_URL" in told.value.hint


async def test_a_wrong_key_is_told_with_a_hint_and_without_the_key(nanio: Nanio, clip: Path) -> None:
    wrong = AccessKey(KEY.id, SecretStr("wrong-word-wrong-word"))
    unknown = AccessKey(SecretStr("AKIANOBODYNOBODY0000"), KEY.secret)
    url = f"s3://{nanio.create()}/pre?endpoint=http://127.0.0.1:{nanio.port}"
    for key in (wrong, unknown):
        store = open_store(url, Path(), access_key={"s3": key}.get)
        for ask in (store.put_clip(job(), clip, Keep.CLIP), store.picture("pictures/x.png"), store.probe()):
            with pytest.raises(StorageFailed, match="the access key or its secret is wrong") as told:
                await ask
            assert "docs/storage.md" in told.value.hint
            seen = f"{told.value} {told.value!r} {told.value.__context__!r}"
            assert told.value.__cause__ is None
            assert told.value.__suppress_context__, "a traceback would print the service's own words"
            assert key.secret.get_secret_value() not in seen
        with pytest.raises(StorageFailed, match="access is denied"):  # a HEAD's refusal has no words
            await store.exists("s3://" + url.split("/")[2] + "/pre/x.mp4")


async def test_without_any_key_it_is_said_that_there_is_none(
    moto: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")  # where a cloud machine would ask
    store = open_store(f"s3://{moto.create()}?endpoint=http://127.0.0.1:{moto.port}", Path())
    with pytest.raises(StorageFailed, match="no key for it was found"):
        await store.probe()


async def test_a_public_address_stands_before_the_name_and_nothing_is_signed(line: Line, clip: Path) -> None:
    store = line.store(public_url="https://cdn.example.com/films")
    stored = await store.put_clip(job(request={"prompt": "雪 & 海"}), clip, Keep.CLIP)
    link = await store.link(stored.url)
    assert link.startswith("https://cdn.example.com/films/videos/")
    assert link.endswith("-%E9%9B%AA-%E6%B5%B7-k3f9qz.mp4")
    assert "X-Amz" in await store.link(f"s3://{line.bucket}/an-earlier-prefix/videos/x.mp4")


async def test_a_link_lives_as_long_as_was_set(line: Line) -> None:
    link = await line.store(link_ttl_s=90).link(f"s3://{line.bucket}/pre/videos/x.mp4")
    assert "X-Amz-Expires=90&" in link


async def test_a_clip_of_an_earlier_prefix_is_still_found(line: Line, clip: Path) -> None:
    stored = await line.store().put_clip(job(), clip, Keep.CLIP)
    later = open_store(
        f"s3://{line.bucket}/new/place?endpoint={line.proxy.url}", Path(), access_key=lambda _: KEY
    )
    assert await later.exists(stored.url)


STREAM = """
import asyncio, json, resource, sys
from pathlib import Path
import obstore
from pydantic import SecretStr
from tests.fakes.buckets import KEY
from tests.storage.test_keys import job
from wanvideo.ports import Keep
from wanvideo.storage.opening import open_store

def peak_kib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

async def main():
    store = open_store(sys.argv[1], Path(), access_key=lambda _: KEY)
    small, big = Path(sys.argv[2]), Path(sys.argv[3])
    await store.put_clip(job(), small, Keep.CLIP)
    before = peak_kib()
    stored = await store.put_clip(job(), big, Keep.SOURCE)
    grown = peak_kib() - before
    key = stored.url.split("/", 3)[3]
    etag = obstore.head(store._quick, key)["e_tag"]
    print(json.dumps({"grown_kib": grown, "parts": int(etag.strip('"').split("-")[1])}))

asyncio.run(main())
"""


def test_a_clip_of_64_mb_is_streamed_in_parts(moto: Moto, big_clip: Path, tmp_path: Path) -> None:
    huge = tmp_path / "huge.mp4"
    with huge.open("wb") as file:
        file.truncate(64 << 20)
    url = f"s3://{moto.create()}?endpoint=http://127.0.0.1:{moto.port}"
    run = subprocess.run(
        [sys.executable, "-c", STREAM, url, str(big_clip), str(huge)],
        capture_output=True, text=True, check=False, timeout=100, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    measured = json.loads(run.stdout)
    assert measured["parts"] == 13
    assert measured["grown_kib"] < 16 << 10, "more than a few parts were held in memory"


async def test_a_call_that_hangs_holds_up_neither_the_caller_nor_the_end_of_the_process(moto: Moto) -> None:
    """A cancelled request runs on in a thread that nobody waits for."""
    program = """
import asyncio, sys
from pathlib import Path
from tests.fakes.buckets import KEY
from wanvideo.storage.opening import open_store

async def main():
    store = open_store(sys.argv[1], Path(), access_key=lambda _: KEY, silence_s=60)
    await asyncio.wait_for(store.exists(sys.argv[2]), 0.5)

asyncio.run(main())
"""
    async with proxy_to("127.0.0.1", moto.port) as proxy:
        proxy.silent = True
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, f"s3://clips?endpoint={proxy.url}", "s3://clips/x.mp4",
            stderr=subprocess.PIPE, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        _, told = await asyncio.wait_for(started.communicate(), 20)
    assert started.returncode == 1
    assert told.decode().strip().endswith("TimeoutError")


def test_the_coroutines_of_obstore_are_left_alone() -> None:
    """They abort some processes at their end; storage/threads.py tells why."""
    for module in Path(remote.__file__).parent.glob("*.py"):
        assert "_async(" not in module.read_text(), module


async def test_a_picture_that_is_there_is_not_sent_again(line: Line) -> None:
    store = line.store()
    picture = b"picture" * 10_000
    await store.put_picture(picture, sha256="abc", suffix=".png")
    sent_bytes = line.proxy.sent_bytes
    await store.put_picture(picture, sha256="abc", suffix=".png")
    assert line.proxy.sent_bytes - sent_bytes < len(picture)
