"""Each refusal of a service becomes one clear line with a way out, and quotes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.buckets import KEY
from tests.fakes.wire import Answer, Asked, recording
from tests.storage.test_keys import job

from wanvideo.errors import StorageFailed
from wanvideo.ports import Keep
from wanvideo.storage.opening import open_store

SECRETS = "AKIAEXAMPLE0EXAMPLE0 sEcrEt/of+the+Key X-Amz-Signature=00112233"


@pytest.mark.parametrize(
    ("status", "code", "why", "hint"),
    [
        (404, "NoSuchBucket", "the bucket does not exist", "Create it"),
        (404, "ContainerNotFound", "the bucket does not exist", "Create it"),
        (403, "InvalidAccessKeyId", "the access key or its secret is wrong", "docs/storage.md"),
        (403, "SignatureDoesNotMatch", "the access key or its secret is wrong", "docs/storage.md"),
        (401, None, "the access key or its secret is wrong", "docs/storage.md"),
        (400, "ExpiredToken", "the session token has expired or is wrong", "temporary key"),
        (403, "RequestTimeTooSkewed", "this machine's clock is wrong", "NTP"),
        (301, "PermanentRedirect", "the bucket is in another region", "region="),
        (400, "AuthorizationHeaderMalformed", "the bucket is in another region", "region="),
        (403, "SecondLevelDomainForbidden", "wants the bucket in the host's name", "style=path"),
        (400, "PublicEndpointForbidden", "may not use the public endpoint", "style=domain"),
        (403, "UserDisable", "the account is blocked", "Settle"),
        (403, "QuotaExceeded", "there is no more room", "quota"),
        (507, None, "there is no more room", "Free some space"),
        (403, "AccessDenied", "access is denied", "read and write"),
        (403, None, "access is denied", "read and write"),
        (404, None, "there is nothing at this address", "endpoint"),
        (429, None, "asks for a slower pace", "by itself"),
        (503, "SlowDown", "asks for a slower pace", "by itself"),
        (503, None, "the service is in trouble", "by itself"),
        (400, "RequestTimeout", "did not answer in time", "WANVIDEO_TRANSFER_TIMEOUT"),
        (418, "Teapot", "the service answered 418 Teapot", "WANVIDEO_STORAGE_URL"),
        (400, "not a word, sEcrEt", "the service answered 400", "WANVIDEO_STORAGE_URL"),
    ],
)
async def test_a_refusal_is_told_in_our_words(
    status: int, code: str | None, why: str, hint: str, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wanvideo.storage.services._RETRY", {"max_retries": 0})
    body = f"<Error><Code>{code}</Code><Message>{SECRETS}</Message></Error>" if code else SECRETS
    with recording(lambda _: Answer(status, body.encode())) as wire:
        store = open_store(f"s3://clips/pre?endpoint={wire.url}", Path(), access_key=lambda _: KEY)
        with pytest.raises(StorageFailed) as told:
            await store.put_clip(job(), clip, Keep.CLIP)
    assert told.value.detail.startswith("s3://clips/pre/videos/2026-11-")
    assert why in told.value.detail
    assert hint in told.value.hint
    assert told.value.retryable
    assert told.value.__cause__ is None
    for secret in SECRETS.split():
        assert secret not in str(told.value)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("s3://clips?endpoint=http://nowhere.invalid", "the service cannot be reached"),
        ("s3://clips?endpoint=http://127.0.0.1:9", "the service cannot be reached"),
        ("s3://clips", "the endpoint is plain http"),
    ],
)
async def test_a_service_that_is_not_there_is_told(
    url: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wanvideo.storage.services._RETRY", {"max_retries": 0})
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StorageFailed) as told:
        await open_store(url, Path(), access_key=lambda _: KEY).probe()
    assert why in told.value.detail


async def test_an_answer_that_is_no_answer_is_told() -> None:
    with recording(lambda _: Answer(200, b"<html>Log in to the hotel's network</html>")) as wire:
        store = open_store(f"s3://clips?endpoint={wire.url}", Path(), access_key=lambda _: KEY)
        with pytest.raises(StorageFailed, match="gave no usable answer"):
            await store.probe()


async def test_a_picture_goes_where_the_key_may_write_but_not_list() -> None:
    def only_writing(asked: Asked) -> Answer:
        return Answer(headers={"ETag": '"e"'}) if asked.method == "PUT" else Answer(403)

    with recording(only_writing) as wire:
        store = open_store(f"s3://clips?endpoint={wire.url}", Path(), access_key=lambda _: KEY)
        assert await store.put_picture(b"picture", sha256="abc", suffix=".png") == "pictures/abc.png"
    assert wire.asked[-1].headers["content-type"] == "image/png"


async def test_a_probe_tells_of_a_key_that_may_not_remove() -> None:
    kept: list[bytes] = []

    def kept_for_ever(asked: Asked) -> Answer:
        if asked.method == "PUT":
            kept.append(asked.body)
        if asked.method == "DELETE":
            return Answer(403)
        return Answer(body=kept[0], headers={"ETag": '"e"', "Last-Modified": "Mon, 23 Nov 2026 12:00:00 GMT"})

    with recording(kept_for_ever) as wire:
        told = await open_store(
            f"s3://clips/pre?endpoint={wire.url}", Path(), access_key=lambda _: KEY
        ).probe()
    assert "written and read; the key may not remove pre/.wanvideo-probe-" in told
