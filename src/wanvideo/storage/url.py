"""What WANVIDEO_STORAGE_URL names: a folder, or a place in a bucket of an object store."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from wanvideo.errors import SettingsInvalid

FIELD: Final = "WANVIDEO_STORAGE_URL"
_OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "s3": ("endpoint", "region", "style"),
    "oss": ("region", "endpoint", "style"),
    "gs": (),
    "az": ("account",),
}
_STYLES = ("path", "virtual", "domain")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,221}")
_PREFIX = re.compile(r"[\w.@=+-]+(?:/[\w.@=+-]+)*")
_WORD = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in a bucket.

    The style says how the service is addressed: path puts the bucket after the endpoint
    (http://host/bucket/key), virtual before it (https://bucket.host/key), and with domain the endpoint is
    the bucket's own domain. `endpoint` holds the bucket already where the style wants it there.
    """

    scheme: str
    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    style: str = "path"
    account: str | None = None

    @property
    def root(self) -> str:
        """The durable URL of the whole bucket."""
        return f"{self.scheme}://{self.bucket}"

    @property
    def folder(self) -> str:
        """The durable URL that everything stored here starts with."""
        return f"{self.root}/{self.prefix}" if self.prefix else self.root


def place_of(storage_url: str) -> Place | Path:
    """Read a storage URL. Raises: SettingsInvalid naming what is wrong; the value is never printed."""
    url = storage_url.strip()
    if "://" not in url:
        return Path(url).expanduser()
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _wrong("is not a URL") from None
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path.strip("/"):
            raise _wrong("must name a folder in full, like file:///srv/clips")
        return Path(unquote(parts.path))
    if parts.scheme not in _OPTIONS:
        raise _wrong("must be a folder, or start with s3://, oss://, gs:// or az://")
    return _addressed(_in_bucket(parts))


def _in_bucket(parts: SplitResult) -> Place:
    """The parts of the URL, each looked at by itself."""
    if "@" in parts.netloc:
        raise _wrong("must not hold a key", "The key has variables of its own; docs/storage.md names them.")
    if not _BUCKET.fullmatch(parts.netloc):
        raise _wrong(f"must name a bucket, like {parts.scheme}://my-bucket/clips")
    prefix = parts.path.strip("/")
    if prefix and (not _PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/"))):
        raise _wrong("may hold only letters, digits and . _ - + = @ / after the bucket")
    if parts.fragment:
        raise _wrong("must not hold a `#`")
    given = _options(parts)
    return Place(
        parts.scheme,
        parts.netloc,
        prefix,
        _endpoint(given.get("endpoint")),
        _word("region", given),
        given.get("style", "virtual" if parts.scheme == "oss" else "path"),
        _word("account", given),
    )


def _addressed(place: Place) -> Place:
    """The place with the address its requests go to. OSS answers only when the bucket is in the host."""
    if place.style not in _STYLES:
        raise _wrong(f"has an unknown style; there are {', '.join(_STYLES)}")
    if place.style == "domain" and place.endpoint is None:
        raise _wrong("has style=domain, which needs the bucket's own domain as endpoint=")
    if place.scheme == "oss":
        region = (place.region or "").removeprefix("oss-")
        if not region:
            raise _wrong("must name a region, like oss://my-bucket/clips?region=cn-beijing")
        endpoint = place.endpoint or f"https://oss-{region}.aliyuncs.com"
        place = replace(place, region=region, endpoint=endpoint)
    if place.style == "virtual" and place.endpoint is not None:
        scheme, _, host = place.endpoint.partition("://")
        if not host.startswith(f"{place.bucket}."):
            return replace(place, endpoint=f"{scheme}://{place.bucket}.{host}")
    return place


def _options(parts: SplitResult) -> dict[str, str]:
    known = _OPTIONS[parts.scheme]
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    given = dict(pairs)
    if set(given) - set(known) or len(given) != len(pairs):
        told = f"; {parts.scheme}:// knows {', '.join(known)}" if known else ""
        raise _wrong(
            f"has an unknown or repeated option after the `?`{told}",
            "Keys and links have variables of their own; docs/storage.md names them.",
        )
    return given


def _word(name: str, given: dict[str, str]) -> str | None:
    value = given.get(name)
    if value is not None and not _WORD.fullmatch(value):
        raise _wrong(f"has no proper value for {name}=")
    return value


def _endpoint(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises when it is none
    except ValueError:
        raise _wrong("has an endpoint that is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _wrong("has an endpoint that does not start with http:// or https:// and name a host")
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise _wrong("has an endpoint with more than a host and a port")
    return f"{parts.scheme}://{parts.netloc}"


def _wrong(what: str, hint: str = "docs/storage.md shows every kind of storage URL.") -> SettingsInvalid:
    return SettingsInvalid(f"It {what}.", field=FIELD, hint=hint)
