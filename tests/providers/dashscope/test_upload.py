"""A picture on its way into the vendor's storage."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import BodyPartReader, web
from tests.providers.studio import CREDENTIALS, QUICK, answering

from wanvideo.errors import MediaRejected, NotDelivered, ProviderError, ProviderRefused, ProviderUnavailable
from wanvideo.providers.dashscope.line import Line, Reply
from wanvideo.providers.dashscope.upload import Policy, object_name, refusal, store

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def policy(host: str) -> dict[str, Any]:
    return {
        "request_id": "r",
        "data": {
            "policy": "eyJl",
            "signature": "g5K",
            "upload_dir": "dashscope-instant/x/2026-11-23/y/",
            "upload_host": host,
            "expire_in_seconds": 300,
            "oss_access_key_id": "LTAIabc",
            "x_oss_object_acl": "private",
            "x_oss_forbid_overwrite": "true",
        },
    }


async def test_the_form_has_the_vendors_fields_in_the_vendors_order() -> None:
    forms: list[list[tuple[str | None, bytes]]] = []

    async def answer(asked: web.Request) -> web.Response:
        reader = await asked.multipart()
        form = []
        async for part in reader:
            assert isinstance(part, BodyPartReader)
            form.append((part.name, bytes(await part.read())))
        forms.append(form)
        return web.Response()

    async with answering(answer) as host:
        line = Line(CREDENTIALS, host, QUICK)
        upload = await store(line, Policy.read(policy(host)), b"\x89PNG", "harbour 1.png", now_at=NOW)
        await line.close()
    key = "dashscope-instant/x/2026-11-23/y/" + object_name(b"\x89PNG", "a.png")
    assert upload.url == f"oss://{key}"
    assert forms == [
        [
            ("OSSAccessKeyId", b"LTAIabc"),
            ("Signature", b"g5K"),
            ("policy", b"eyJl"),
            ("key", key.encode()),
            ("x-oss-object-acl", b"private"),
            ("x-oss-forbid-overwrite", b"true"),
            ("success_action_status", b"200"),
            ("x-oss-content-type", b"image/png"),
            ("file", b"\x89PNG"),
        ]
    ]


async def test_a_storage_host_that_is_not_there_may_be_tried_again(unused_url: str) -> None:
    line = Line(CREDENTIALS, unused_url, QUICK)
    with pytest.raises(NotDelivered):
        await store(line, Policy.read(policy(unused_url)), b"x", "a.png", now_at=NOW)
    await line.close()


@pytest.mark.parametrize("payload", [None, [], {}, {"data": None}, {"data": {"policy": "x"}}])
def test_an_answer_that_is_no_policy_may_be_asked_for_again(payload: Any) -> None:
    with pytest.raises(ProviderUnavailable):
        Policy.read(payload)


def test_a_policy_does_not_show_its_signature() -> None:
    assert "g5K" not in repr(Policy.read(policy("https://h")))


def xml(code: str, message: str) -> str:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (403, xml("AccessDenied", "Invalid according to Policy: Policy expired."), ProviderUnavailable),
        (409, xml("FileAlreadyExists", "The object you specified already exists."), ProviderUnavailable),
        (400, xml("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size."), MediaRejected),
        (403, xml("SignatureDoesNotMatch", "no"), ProviderRefused),
        (403, "<html>hotel</html>", ProviderUnavailable),
        (302, "", ProviderUnavailable),
        (503, xml("ServiceUnavailable", "Please try again later."), ProviderUnavailable),
    ],
)
def test_the_storage_hosts_answers_have_their_errors(
    status: int, text: str, error: type[ProviderError]
) -> None:
    told = refusal(Reply(status, None, text, "r-1"))
    assert type(told) is error
    assert told.request_id == "r-1"
    assert str(status) in told.detail


def test_object_names_are_safe_and_tell_pictures_apart() -> None:
    names = [
        object_name(data, name) for data, name in ((b"a", "x.PNG"), (b"b", "x.PNG"), (b"a", "../ä?.x y"))
    ]
    assert len(set(names)) == 3
    assert names[0].endswith(".png")
    assert all(name.isascii() and name.replace(".", "").isalnum() for name in names)
