"""The links of finished clips: signed for 24 hours in the way of Alibaba's object storage."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from wanvideo_emulator.times import BEIJING
from wanvideo_emulator.uploads import OssRefused

BUCKET = "dashscope-result-emulated"
ACCESS_KEY_ID = "LTAIemulatedresult"
RESULTS = "/1d"
"""All results live below this path, as on the real buckets: /1d/<2 hex>/<yyyymmdd>/<8 hex>/<task id>.mp4"""


@dataclass(frozen=True)
class Result:
    """One finished clip behind its path."""

    path: str
    file: Path
    stored_at: float


class Links:
    """Signs links and judges those that come back."""

    def __init__(self) -> None:
        self._secret = uuid.uuid4().bytes
        self._results: dict[str, Result] = {}

    def publish(self, task_id: str, file: Path, at: float, expires_at: float) -> tuple[str, str]:
        """Path and query of the link to `file`; valid for GET only."""
        day = datetime.fromtimestamp(at, BEIJING).strftime("%Y%m%d")
        path = f"{RESULTS}/{uuid.uuid4().hex[:2]}/{day}/{uuid.uuid4().hex[:8]}/{task_id}.mp4"
        self._results[path] = Result(path, file, at)
        expires = str(int(expires_at))
        signature = quote(self._signature("GET", expires, path), safe="")
        return path, f"Expires={expires}&OSSAccessKeyId={ACCESS_KEY_ID}&Signature={signature}"

    def _signature(self, method: str, expires: str, path: str) -> str:
        text = f"{method}\n\n\n{expires}\n/{BUCKET}{path}"
        return base64.b64encode(hmac.new(self._secret, text.encode(), hashlib.sha1).digest()).decode()

    def open(
        self, method: str, path: str, query: Mapping[str, str], authorization: str | None, now: float
    ) -> Result:
        """The result behind a link. Raises OssRefused with the storage's own code."""
        expires, signature = query.get("Expires", ""), query.get("Signature", "")
        if signature and authorization:
            raise OssRefused(400, "InvalidArgument", "Only one auth mechanism is allowed: header or query.")
        if not signature or not expires or not query.get("OSSAccessKeyId"):
            raise OssRefused(
                403, "AccessDenied", "You have no right to access this object because of bucket acl."
            )
        if query["OSSAccessKeyId"] != ACCESS_KEY_ID:
            raise OssRefused(
                403, "InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records."
            )
        if expires.isdigit() and now > int(expires):
            raise OssRefused(
                403,
                "AccessDenied",
                "Request has expired.",
                {"Expires": _iso(int(expires)), "ServerTime": _iso(now)},
            )
        if not hmac.compare_digest(signature.encode(), self._signature(method, expires, path).encode()):
            raise OssRefused(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method.",
            )
        result = self._results.get(path)
        if result is None:
            raise OssRefused(404, "NoSuchKey", "The specified key does not exist.", {"Key": path.lstrip("/")})
        return result


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
