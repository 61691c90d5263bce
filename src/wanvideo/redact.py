"""Text made safe for logs, errors and the ledger: no keys, no signed links, no pictures as text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

MASK = "***"

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # A data URI is a whole picture; its media type is all a reader needs.
    (re.compile(r"\b(data:[\w.+/-]*(?:;[\w=.-]+)*,)[A-Za-z0-9+/=_%-]{16,}"), rf"\1{MASK}"),
    # What signs a link stands in its query; a user name and password may stand before the host.
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@?#\"'<>]+@", re.IGNORECASE), rf"\1{MASK}@"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s?#\"'<>]+)[?#][^\s\"'<>)\]}]+", re.IGNORECASE), rf"\1?{MASK}"),
    # The same parts without their link, as in a form or a relative path.
    (
        re.compile(
            r"\b((?:x-oss-)?(?:Signature|OSSAccessKeyId|security-token|credential|policy))=[^\s&\"']+",
            re.IGNORECASE,
        ),
        rf"\1={MASK}",
    ),
    (re.compile(r"\b(Bearer|Authorization: *Basic)\s+[^\s\"',;]{8,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_.-]{6,}"), f"sk-{MASK}"),
    (re.compile(r"\bLTAI[A-Za-z0-9]{8,}"), f"LTAI{MASK}"),
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` with keys, signatures, passwords in links and data URIs replaced by `***`.

    `secrets` are further words to mask: the key in use, which need not look like one.
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


def redacted(value: Any) -> Any:
    """A JSON value with every text in it redacted; what is sent stays as it was."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: redacted(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [redacted(inner) for inner in value]
    return value
