"""The temporary storage: policies, the form POST, and what an `oss://` file is good for."""

from __future__ import annotations

import io
from typing import Any

import aiohttp
import pytest

from wanvideo_emulator import Emulator, Options

from .bare import MODEL, Raw, encoded, painted

POLICY = f"/uploads?action=getPolicy&model={MODEL}"
RESOLVE = {"X-DashScope-OssResourceResolve": "enable"}


async def policy(raw: Raw, emulator: Emulator, **more: Any) -> dict[str, Any]:
    reply = await raw.send(emulator, "GET", POLICY, **more)
    assert reply.status == 200
    return dict(reply.body["data"])


def fields(given: dict[str, Any], name: str = "a b.png") -> dict[str, str]:
    return {
        "OSSAccessKeyId": given["oss_access_key_id"],
        "Signature": given["signature"],
        "policy": given["policy"],
        "key": f"{given['upload_dir']}/{name}",
        "x-oss-object-acl": given["x_oss_object_acl"],
        "x-oss-forbid-overwrite": given["x_oss_forbid_overwrite"],
        "success_action_status": "200",
        "x-oss-content-type": "image/png",
    }


async def post(raw: Raw, host: str, form: dict[str, str], data: bytes | None) -> tuple[int, str]:
    body = aiohttp.FormData(form, default_to_multipart=True)
    if data is not None:
        body.add_field("file", io.BytesIO(data), filename="a b.png")
    async with raw.session.post(host, data=body) as response:
        return response.status, await response.text()


async def test_a_file_goes_up_and_is_used_by_its_oss_url(
    raw: Raw, body: dict[str, Any], picture: bytes
) -> None:
    async with Emulator(Options(faults=("task:stuck",))) as emulator:
        given = await policy(raw, emulator)
        assert given["expire_in_seconds"] == 300
        form = fields(given)
        assert await post(raw, given["upload_host"], form, picture) == (200, "")
        url = f"oss://{form['key']}"
        order = body | {"input": {"prompt": "p", "img_url": url}}
        refused = await raw.create(emulator, order)
        assert refused.refusal[:2] == (400, "InvalidParameter.DataInspection")
        assert (await raw.create(emulator, order, headers=RESOLVE)).status == 200
        assert [one["url"] for one in emulator.truth()["uploads"]] == [url]
        status, text = await post(raw, given["upload_host"], form, picture)
        assert (status, "FileAlreadyExists" in text) == (409, True)


async def test_a_file_dies_after_two_days(raw: Raw, body: dict[str, Any], picture: bytes) -> None:
    async with Emulator(Options(faults=("task:stuck",))) as emulator:
        given = await policy(raw, emulator)
        await post(raw, given["upload_host"], fields(given), picture)
        order = body | {"input": {"img_url": f"oss://{given['upload_dir']}/a b.png"}}
        emulator.advance(47 * 3600)
        assert (await raw.create(emulator, order, headers=RESOLVE)).status == 200
        emulator.advance(2 * 3600)
        reply = await raw.create(emulator, order, headers=RESOLVE)
        assert "Failed to find" in reply.body["message"]


async def test_a_file_belongs_to_its_account(raw: Raw, body: dict[str, Any], picture: bytes) -> None:
    async with Emulator(Options(api_keys=("sk-a=one", "sk-b=two"), faults=("task:stuck",))) as emulator:
        given = await policy(raw, emulator, key="sk-a")
        await post(raw, given["upload_host"], fields(given), picture)
        order = body | {"input": {"img_url": f"oss://{given['upload_dir']}/a b.png"}}
        reply = await raw.create(emulator, order, headers=RESOLVE, key="sk-b")
        assert "Don't have authorization" in reply.body["message"]
        assert (await raw.create(emulator, order, headers=RESOLVE, key="sk-a")).status == 200


async def test_the_form_is_checked_field_by_field(raw: Raw, picture: bytes) -> None:
    async with Emulator() as emulator:
        given = await policy(raw, emulator)
        good = fields(given)
        wrong = {
            "Signature": ({"Signature": "AAAA"}, 403, "SignatureDoesNotMatch"),
            "key id": ({"OSSAccessKeyId": "LTAIother"}, 403, "InvalidAccessKeyId"),
            "elsewhere": ({"key": "another/dir/x.png"}, 403, "AccessDenied"),
            "public": ({"x-oss-object-acl": "public-read"}, 403, "AccessDenied"),
            "overwrite": ({"x-oss-forbid-overwrite": "false"}, 403, "AccessDenied"),
            "no policy": ({"policy": ""}, 400, "InvalidArgument"),
        }
        for change, status, code in wrong.values():
            got, text = await post(raw, given["upload_host"], good | change, picture)
            assert got == status
            assert f"<Code>{code}</Code>" in text
        got, text = await post(raw, given["upload_host"], good, None)
        assert (got, "exactly one file" in text) == (400, True)


async def test_a_policy_is_good_for_five_minutes(raw: Raw, picture: bytes) -> None:
    async with Emulator() as emulator:
        given = await policy(raw, emulator)
        emulator.advance(301)
        status, text = await post(raw, given["upload_host"], fields(given), picture)
        assert status == 403
        assert "Invalid according to Policy: Policy expired." in text


async def test_heavy_files_go_up_and_are_judged_at_the_create(raw: Raw, body: dict[str, Any]) -> None:
    heavy = encoded(painted()) + bytes(21 << 20)
    async with Emulator() as emulator:
        given = await policy(raw, emulator)
        assert (await post(raw, given["upload_host"], fields(given), heavy))[0] == 200
        order = body | {"input": {"img_url": f"oss://{given['upload_dir']}/a b.png"}}
        assert (await raw.create(emulator, order, headers=RESOLVE)).refusal[1] == "InvalidImage.ImageSize"


async def test_uploads_fail_on_order_and_leave_what_they_left(raw: Raw, picture: bytes) -> None:
    async with Emulator() as emulator:
        for status in (403, 429, 500, 502, 503, 504):
            given = await policy(raw, emulator)
            emulator.add_fault(f"upload:{status}*1")
            got, text = await post(raw, given["upload_host"], fields(given), picture)
            assert got == status
            assert text.startswith("<?xml")
        assert emulator.truth()["uploads"] == []
        for fault, stored in (("drop-before", 0), ("drop", 1), ("reset", 2)):
            given = await policy(raw, emulator)
            emulator.add_fault(f"upload:{fault}*1")
            with pytest.raises(aiohttp.ClientError):
                await post(raw, given["upload_host"], fields(given), picture)
            assert len(emulator.truth()["uploads"]) == stored
        given = await policy(raw, emulator)
        emulator.add_fault("upload:slow=0.1*1")
        assert (await post(raw, given["upload_host"], fields(given), picture))[0] == 200


async def test_a_policy_needs_a_key_and_a_known_model(raw: Raw) -> None:
    async with Emulator() as emulator:
        assert (await raw.send(emulator, "GET", POLICY, key=None)).status == 401
        assert (await raw.send(emulator, "GET", "/uploads?action=getPolicy&model=x")).status == 404
        assert (await raw.send(emulator, "GET", f"/uploads?model={MODEL}")).status == 400
