"""What goes over the wire to Alibaba OSS. Its S3 interface wants the bucket in the host, a signature of
version 4 over the true hash of the body, and refuses chunked encodings (docs/storage.md has the sources).
No real OSS answers here: a server writes the requests down, asked as a proxy so that the host stays true.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from tests.fakes.buckets import KEY
from tests.fakes.wire import Answer, Asked, Wire, recording
from tests.storage.test_keys import job

from wanvideo.errors import StorageFailed
from wanvideo.ports import Keep, VideoStore
from wanvideo.storage.opening import open_store

HOST = "clips.oss-cn-beijing.aliyuncs.com"
STARTED = b"<InitiateMultipartUploadResult><UploadId>U1</UploadId></InitiateMultipartUploadResult>"
COMPLETED = b"<CompleteMultipartUploadResult><ETag>&quot;e&quot;</ETag></CompleteMultipartUploadResult>"


WHEN = {"Last-Modified": "Mon, 23 Nov 2026 12:00:00 GMT", "ETag": '"e"'}


class Oss:
    """As much of OSS as a put, a look and a removal need."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def __call__(self, asked: Asked) -> Answer:
        at = urlsplit(asked.target)
        if asked.method == "POST":
            return Answer(body=STARTED if "uploads" in at.query else COMPLETED)
        if asked.method == "PUT":
            self.kept[at.path] = self.kept.get(at.path, b"") + asked.body
            return Answer(headers={"ETag": '"e"'})
        if asked.method == "DELETE":
            return Answer(204)
        kept = self.kept[at.path]
        return Answer(200, kept, WHEN | {"Content-Length": str(len(kept))})


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    with recording(Oss()) as wire:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, wire.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield wire


@pytest.fixture
def store(wire: Wire) -> VideoStore:
    url = (
        "oss://clips/films?region=cn-beijing&endpoint=http://oss-cn-beijing.aliyuncs.com"  # no TLS to record
    )
    return open_store(url, Path(), access_key=lambda _: KEY)


def judge(asked: Asked) -> None:
    """What OSS would refuse."""
    at = urlsplit(asked.target)
    assert at.netloc == asked.headers["host"] == HOST
    assert at.path.startswith("/films/"), "the bucket is not in the path a second time"
    assert asked.headers["x-amz-content-sha256"] == hashlib.sha256(asked.body).hexdigest()
    signed = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE0EXAMPLE0/\d{8}/cn-beijing/s3/aws4_request, "
        r"SignedHeaders=[a-z0-9;-]+, Signature=[0-9a-f]{64}",
        asked.headers["authorization"],
    )
    assert signed
    assert "transfer-encoding" not in asked.headers
    assert "aws-chunked" not in asked.headers.get("content-encoding", "")
    strange = {"if-none-match", "x-amz-trailer", "x-amz-sdk-checksum-algorithm", "x-amz-security-token"}
    assert not strange & set(asked.headers)


async def test_a_small_clip_is_one_put_that_oss_takes(store: VideoStore, wire: Wire, clip: Path) -> None:
    stored = await store.put_clip(job(request={"prompt": "海港的雪"}), clip, Keep.CLIP)
    assert [asked.method for asked in wire.asked] == ["PUT", "HEAD"]
    for asked in wire.asked:
        judge(asked)
    put = wire.asked[0]
    assert put.body == clip.read_bytes()
    assert stored.url == "oss://clips" + unquote(urlsplit(put.target).path)
    assert put.headers["content-type"] == "video/mp4"
    disposition = put.headers["content-disposition"]
    assert disposition.startswith('inline; filename="2026-11-')
    assert "filename*=UTF-8''2026-11-" in disposition
    assert disposition.endswith("-%E6%B5%B7%E6%B8%AF%E7%9A%84%E9%9B%AA-k3f9qz.mp4")


async def test_a_big_clip_goes_in_parts_that_oss_takes(store: VideoStore, wire: Wire, big_clip: Path) -> None:
    await store.put_clip(job(), big_clip, Keep.CLIP)
    for asked in wire.asked:
        judge(asked)
    parts = sorted(
        ((urlsplit(asked.target).query, asked.body) for asked in wire.asked if asked.method == "PUT"),
    )
    assert [query for query, _ in parts] == [f"partNumber={n}&uploadId=U1" for n in (1, 2, 3)]
    assert b"".join(body for _, body in parts) == big_clip.read_bytes()


async def test_a_probe_removes_with_the_call_that_oss_has(store: VideoStore, wire: Wire) -> None:
    assert await store.probe() == f"oss://clips/films at http://{HOST}: written, read and removed"
    assert [asked.method for asked in wire.asked] == ["PUT", "GET", "DELETE"]
    for asked in wire.asked:
        judge(asked)


async def test_a_probe_that_reads_something_else_is_bad(store: VideoStore, wire: Wire) -> None:
    wire.answer = lambda _: Answer(200, b"something", WHEN)
    with pytest.raises(StorageFailed, match="something else was read than was written"):
        await store.probe()


async def test_a_link_is_signed_for_the_buckets_own_host(store: VideoStore) -> None:
    link = await store.link("oss://clips/films/videos/x.mp4")
    assert link.startswith(f"http://{HOST}/films/videos/x.mp4?X-Amz-Algorithm=AWS4-HMAC-SHA256&")
    assert "cn-beijing%2Fs3%2Faws4_request" in link


async def test_a_store_that_says_yes_and_keeps_less_is_found_out(
    store: VideoStore, wire: Wire, clip: Path
) -> None:
    wire.answer = lambda asked: Answer(headers=WHEN)
    with pytest.raises(StorageFailed, match="0 bytes were stored instead of 4000"):
        await store.put_clip(job(), clip, Keep.CLIP)
