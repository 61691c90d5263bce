"""The temporary storage: upload policies, the form POST that fills it, and the `oss://` objects in it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wanvideo_emulator.accounts import Caller
from wanvideo_emulator.clock import WallClock
from wanvideo_emulator.codes import INSPECTION_DENIED, INSPECTION_NOT_FOUND, Refused
from wanvideo_emulator.times import BEIJING

BUCKET = "dashscope-file-emulated"
ACCESS_KEY_ID = "LTAIemulatedupload"
POLICY_TTL_S = 300
OBJECT_TTL_S = 48 * 3600
FILE_MB_MAX = 100
FILE_BYTES_MAX = FILE_MB_MAX * 1024 * 1024


class OssRefused(Exception):
    """An answer of the object storage, which speaks XML: `status`, `code`, `message`."""

    def __init__(self, status: int, code: str, message: str, extra: dict[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.extra = extra or {}


@dataclass(frozen=True)
class StoredObject:
    """One uploaded file. Only its own account may use it, and only for the model it was uploaded for."""

    key: str
    account: str
    model: str
    path: Path
    size_bytes: int
    sha256: str
    stored_at: float


@dataclass(frozen=True)
class Grant:
    """What a policy allows: files below `directory`, for one account and model."""

    directory: str
    account: str
    model: str


class Uploads:
    """Policies handed out and objects stored, in files below `folder`."""

    def __init__(self, clock: WallClock, folder: Path) -> None:
        self._clock = clock
        self._folder = folder
        self._secret = uuid.uuid4().bytes
        self._grants: dict[str, Grant] = {}
        self._objects: dict[str, StoredObject] = {}
        self.policy_count = 0

    def policy(self, caller: Caller, model: str, upload_host: str) -> dict[str, Any]:
        """The `data` of getPolicy. Valid for 300 s."""
        self.policy_count += 1
        now = self._clock.now()
        day = datetime.fromtimestamp(now, BEIJING).strftime("%Y-%m-%d")
        owner = hashlib.sha256(caller.account.encode()).hexdigest()[:32]
        directory = f"dashscope-instant/{owner}/{day}/{uuid.uuid4()}"
        expiration = datetime.fromtimestamp(now + POLICY_TTL_S, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        conditions = [
            ["content-length-range", 0, FILE_BYTES_MAX],
            ["starts-with", "$key", directory],
            {"bucket": BUCKET},
            {"x-oss-object-acl": "private"},
            {"x-oss-forbid-overwrite": "true"},
        ]
        text = json.dumps({"expiration": expiration, "conditions": conditions}).encode()
        policy = base64.b64encode(text).decode()
        self._grants[policy] = Grant(directory, caller.account, model)
        return {
            "policy": policy,
            "signature": self._signature(policy),
            "upload_dir": directory,
            "upload_host": upload_host,
            "expire_in_seconds": POLICY_TTL_S,
            "max_file_size_mb": FILE_MB_MAX,
            "capacity_limit_mb": 999_999_999,
            "oss_access_key_id": ACCESS_KEY_ID,
            "x_oss_object_acl": "private",
            "x_oss_forbid_overwrite": "true",
        }

    def _signature(self, policy: str) -> str:
        return base64.b64encode(hmac.new(self._secret, policy.encode(), hashlib.sha1).digest()).decode()

    def check_form(self, fields: dict[str, str]) -> Grant:
        """Judge the form fields that came before the file. Raises OssRefused."""
        for name in ("OSSAccessKeyId", "policy", "Signature", "key"):
            if not fields.get(name):
                raise OssRefused(400, "InvalidArgument", f"Bucket POST must contain the field name '{name}'.")
        if fields["OSSAccessKeyId"] != ACCESS_KEY_ID:
            raise OssRefused(
                403, "InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records."
            )
        policy = fields["policy"]
        if not hmac.compare_digest(fields["Signature"].encode(), self._signature(policy).encode()):
            raise OssRefused(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method.",
            )
        grant = self._grants[policy]
        if self._clock.now() > self._expiry(policy):
            raise OssRefused(403, "AccessDenied", "Invalid according to Policy: Policy expired.")
        denied = "Invalid according to Policy: Policy Condition failed: "
        if not fields["key"].startswith(grant.directory):
            raise OssRefused(403, "AccessDenied", f'{denied}["starts-with", "$key", "{grant.directory}"]')
        for name, wanted in (("x-oss-object-acl", "private"), ("x-oss-forbid-overwrite", "true")):
            if fields.get(name) != wanted:
                raise OssRefused(403, "AccessDenied", f'{denied}["eq", "${name}", "{wanted}"]')
        if fields["key"] in self._objects:
            raise OssRefused(
                409,
                "FileAlreadyExists",
                "The object you specified already exists and can not be overwritten.",
            )
        return grant

    @staticmethod
    def _expiry(policy: str) -> float:
        try:
            expiration: str = json.loads(base64.b64decode(policy))["expiration"]
        except (binascii.Error, ValueError, KeyError) as trouble:
            raise OssRefused(400, "InvalidPolicyDocument", "Invalid Policy: Invalid JSON.") from trouble
        return datetime.fromisoformat(expiration).timestamp()

    async def store(self, key: str, grant: Grant, data: bytes) -> StoredObject:
        """Keep one file. Raises OssRefused when it is too large."""
        if len(data) > FILE_BYTES_MAX:
            raise OssRefused(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        path = self._folder / uuid.uuid4().hex
        await asyncio.to_thread(path.write_bytes, data)
        stored = StoredObject(
            key=key,
            account=grant.account,
            model=grant.model,
            path=path,
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            stored_at=self._clock.now(),
        )
        self._objects[key] = stored
        return stored

    async def read(self, url: str, account: str, model: str) -> bytes:
        """The bytes behind an `oss://` URL. Raises Refused (400) as the inspection would."""
        stored = self._objects.get(url.removeprefix("oss://"))
        if stored is None or self._clock.now() > stored.stored_at + OBJECT_TTL_S:
            raise Refused("InvalidParameter.DataInspection", INSPECTION_NOT_FOUND)
        if stored.account != account or stored.model != model:
            raise Refused("InvalidParameter.DataInspection", INSPECTION_DENIED)
        return await asyncio.to_thread(stored.path.read_bytes)

    def report(self) -> list[dict[str, Any]]:
        return [
            {
                "url": f"oss://{stored.key}",
                "account": stored.account,
                "model": stored.model,
                "size_bytes": stored.size_bytes,
                "sha256": stored.sha256,
                "stored_at": stored.stored_at,
            }
            for stored in self._objects.values()
        ]
