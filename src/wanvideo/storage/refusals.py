"""What an object store's refusal means, in our words. Its own text is never shown: it may hold keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from wanvideo.errors import StorageFailed


@dataclass(frozen=True, slots=True)
class _Meaning:
    """Why, and what to do; and the signs of it: the service's codes, HTTP statuses, words of obstore."""

    why: str
    hint: str
    codes: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()
    words: tuple[str, ...] = ()


_AGAIN = "wanvideo tries again by itself."

_NO_KEY: Final = _Meaning(
    "no key for it was found",
    "Set the storage's access key; docs/storage.md names the variables.",
    # where a key is looked for last: what the cloud would tell a machine of its own
    words=("169.254.169.254", "/latest/api/token", "metadata.google.internal", "token request"),
)
_NO_BUCKET: Final = _Meaning(
    "the bucket does not exist",
    "Create it, or correct WANVIDEO_STORAGE_URL.",
    codes=("NoSuchBucket", "ContainerNotFound", "NoSuchContainer", "InvalidBucketName"),
)
_MEANINGS: Final = (
    _NO_BUCKET,
    _Meaning(
        "the access key or its secret is wrong",
        "Check both; docs/storage.md names the variables.",
        codes=("InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthenticationFailed"),
        statuses=(401,),
    ),
    _Meaning(
        "the session token has expired or is wrong",
        "Get a new temporary key with its token.",
        codes=("ExpiredToken", "InvalidToken", "InvalidSecurityToken", "SecurityTokenExpired"),
    ),
    _Meaning(
        "this machine's clock is wrong",
        "Set the clock (NTP): requests are signed with the time.",
        codes=("RequestTimeTooSkewed",),
    ),
    _Meaning(
        "the bucket is in another region",
        "Correct region= in WANVIDEO_STORAGE_URL.",
        codes=("PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IncorrectEndpoint"),
        statuses=(301, 307),
        words=("BareRedirect",),
    ),
    _Meaning(
        "the service wants the bucket in the host's name",
        "Take style=path out of WANVIDEO_STORAGE_URL.",
        codes=("SecondLevelDomainForbidden",),
    ),
    _Meaning(
        "the account may not use the public endpoint",
        "Give the bucket's own domain in WANVIDEO_STORAGE_URL: endpoint=https://DOMAIN&style=domain.",
        codes=("PublicEndpointForbidden",),
    ),
    _Meaning(
        "the account is blocked",
        "Settle the account at the storage service.",
        codes=("UserDisable", "AccountProblem"),
    ),
    _Meaning(
        "there is no more room",
        "Free some space, or raise the bucket's quota.",
        codes=("QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"),
        statuses=(507,),
    ),
    _Meaning(
        "access is denied",
        "Let the key read and write there, and list the bucket (else what is absent looks forbidden).",
        codes=("AccessDenied", "AuthorizationFailure", "AuthorizationPermissionMismatch"),
        statuses=(403,),
    ),
    _Meaning("the service asks for a slower pace", _AGAIN, codes=("SlowDown", "ServerBusy"), statuses=(429,)),
    _Meaning(
        "the service did not answer in time",
        f"Check the network; on a slow line raise WANVIDEO_TRANSFER_TIMEOUT. {_AGAIN}",
        codes=("RequestTimeout",),
        statuses=(408,),
        words=("kind: Timeout", "source: TimedOut"),
    ),
    _Meaning("the service is in trouble", _AGAIN, statuses=(500, 502, 503, 504)),
    _Meaning(
        "there is nothing at this address",
        "It may have been removed; else check the bucket and the endpoint in WANVIDEO_STORAGE_URL.",
        statuses=(404,),
    ),
    _Meaning(
        "the endpoint is plain http",
        "Say so in WANVIDEO_STORAGE_URL: ?endpoint=http://HOST.",
        words=("source: BadScheme",),
    ),
    _Meaning(
        "the service's certificate is not trusted",
        "Trust it on this machine, or correct the endpoint.",
        words=("InvalidCertificate(",),
    ),
    _Meaning(
        "the service cannot be reached",
        f"Check the network and the endpoint in WANVIDEO_STORAGE_URL. {_AGAIN}",
        words=("kind: Connect,",),
    ),
    _Meaning("the connection was cut", f"Check the network. {_AGAIN}", words=("kind: Interrupted,",)),
)


def refusal(where: str, error: Exception) -> StorageFailed:
    """An error of obstore as ours. `where` is the durable URL it is about."""
    text = str(error)
    meaning = _meaning(text)
    if meaning is not None:
        return StorageFailed(f"{where}: {meaning.why}.", hint=meaning.hint)
    told = " ".join(filter(None, (str(_status(text) or ""), _code(text))))
    why = f"the service answered {told}" if told else "the service gave no usable answer"
    return StorageFailed(f"{where}: {why}.", hint=f"Check WANVIDEO_STORAGE_URL. {_AGAIN}")


def says_no_bucket(error: Exception) -> bool:
    """Whether it is not the file that is absent, but the whole bucket."""
    return _meaning(str(error)) is _NO_BUCKET


def _meaning(text: str) -> _Meaning | None:
    if any(word in text for word in _NO_KEY.words):
        return _NO_KEY
    code, status = _code(text), _status(text)
    by_code = (one for one in _MEANINGS if code in one.codes)
    by_status = (one for one in _MEANINGS if status in one.statuses)
    by_words = (one for one in _MEANINGS if status is None and any(word in text for word in one.words))
    return next((one for found in (by_code, by_status, by_words) for one in found), None)


def _code(text: str) -> str | None:
    """The service's own word for what is wrong, when it is a word."""
    found = re.search(r"<Code>\s*([A-Za-z]{1,60})\s*</Code>", text)
    return found[1] if found else None


def _status(text: str) -> int | None:
    found = re.search(r"status code: ([1-5]\d\d)\b", text)
    return int(found[1]) if found else None
