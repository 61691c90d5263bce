"""A picture into the vendor's temporary storage: a policy, then one form. Free of charge.

Source: help.aliyun.com/zh/model-studio/get-temporary-file-url, read 2026-11-23. Objects live 48 hours and
are bound to the account and the model.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from wanvideo.contract.model_card import limit
from wanvideo.errors import MediaRejected, NotDelivered, ProviderError, ProviderRefused, ProviderUnavailable
from wanvideo.ports import Upload
from wanvideo.providers.dashscope.line import Line, NoReply, Reply
from wanvideo.redact import redact

MARGIN_S: Final = 3600
"""An upload is given up this long before it dies: a queued job must still be able to use it."""

_XML = re.compile(r"<(Code|Message)>([^<]*)</\1>")


@dataclass(frozen=True, slots=True)
class Policy:
    """Leave to put one object into the vendor's storage; valid for about five minutes."""

    host: str
    folder: str
    fields: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, payload: Any) -> Policy:
        """Raises: ProviderUnavailable when the answer is no policy."""
        try:
            data = payload["data"]
            return cls(
                str(data["upload_host"]),
                str(data["upload_dir"]).rstrip("/"),
                {
                    "OSSAccessKeyId": str(data["oss_access_key_id"]),
                    "Signature": str(data["signature"]),
                    "policy": str(data["policy"]),
                    "x-oss-object-acl": str(data["x_oss_object_acl"]),
                    "x-oss-forbid-overwrite": str(data["x_oss_forbid_overwrite"]),
                },
            )
        except (KeyError, TypeError):
            raise ProviderUnavailable("The answer to the request for an upload cannot be read.") from None


def object_name(data: bytes, name: str) -> str:
    """A name that is safe in a URL and that no other picture has: part of its sha256, and its ending."""
    ending = re.search(r"\.[A-Za-z0-9]{1,5}$", name)
    return hashlib.sha256(data).hexdigest()[:24] + (ending[0].lower() if ending else "")


async def store(line: Line, policy: Policy, data: bytes, name: str, *, now_at: datetime) -> Upload:
    """Put the picture there.

    Raises: NotDelivered and ProviderUnavailable (try again: nothing is billed), MediaRejected,
    ProviderRefused.
    """
    key = f"{policy.folder}/{object_name(data, name)}"
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    fields = {
        "OSSAccessKeyId": policy.fields["OSSAccessKeyId"],
        "Signature": policy.fields["Signature"],
        "policy": policy.fields["policy"],
        "key": key,
        "x-oss-object-acl": policy.fields["x-oss-object-acl"],
        "x-oss-forbid-overwrite": policy.fields["x-oss-forbid-overwrite"],
        "success_action_status": "200",
        "x-oss-content-type": media_type,
    }
    try:
        reply = await line.post_form(policy.host, fields, data, media_type)
    except NoReply as silence:
        failure = NotDelivered if silence.never_left else ProviderUnavailable
        raise failure(f"The picture could not be uploaded ({silence.reason}).") from None
    if not reply.ok:
        raise refusal(reply)
    return Upload(f"oss://{key}", now_at + timedelta(seconds=limit("upload_ttl_s") - MARGIN_S))


def refusal(reply: Reply) -> ProviderError:
    """Our error for the storage host's answer, which is XML."""
    told = dict(_XML.findall(reply.text))
    code, message = told.get("Code"), redact(told.get("Message", ""))
    reason = f" ({code}: {message})" if code else ""
    text = f"The upload of the picture was answered with HTTP {reply.status}{reason}."
    known = {"request_id": reply.request_id, "provider_code": code}
    if code == "FileAlreadyExists" or not 400 <= reply.status < 500 or code is None or "xpired" in message:
        return ProviderUnavailable(text, **known)  # a new policy brings a new folder and a new signature
    if code in ("EntityTooLarge", "InvalidArgument", "MalformedPOSTRequest"):
        return MediaRejected(text, field="reference_image", **known)
    return ProviderRefused(text, **known)
