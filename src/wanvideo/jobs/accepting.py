"""Reading the reference picture of a request, from wherever it is, and accepting it for the asked size."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from wanvideo.contract.job import Picture
from wanvideo.contract.model_card import limit
from wanvideo.contract.request import VideoRequest
from wanvideo.errors import ImageInvalid

FIELD = "reference_image"

Fetch = Callable[[str], Awaitable[bytes]]
"""Reads an http(s) URL or a data URI. Raises: ImageInvalid."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A picture that was read and accepted; `data` is empty for an oss:// picture, which we never see."""

    picture: Picture
    data: bytes
    suffix: str
    warnings: tuple[str, ...]


async def read_picture(request: VideoRequest, fetch: Fetch) -> Accepted:
    """The accepted picture of a request, its adjustments told in `warnings`. Raises: ImageInvalid."""
    from wanvideo.media.image import accept  # heavy: only a request that is really made needs it

    given = request.reference_image
    if isinstance(given, str) and given.startswith("oss://"):
        return _unseen(given, request)
    if isinstance(given, bytes):
        data = given
    elif given.startswith(("http://", "https://", "data:")):
        data = await fetch(given)
    else:
        data = await asyncio.to_thread(_read_file, given)
    size = request.frame_size
    picture = await asyncio.to_thread(
        accept, data, width_px=size.width_px, height_px=size.height_px, fit=request.fit
    )
    return Accepted(
        Picture(
            key="",
            sha256=picture.sha256,
            source_sha256=picture.source_sha256,
            media_type=picture.media_type,
            width_px=picture.width_px,
            height_px=picture.height_px,
        ),
        picture.data,
        picture.suffix,
        picture.warnings,
    )


def _unseen(url: str, request: VideoRequest) -> Accepted:
    """An oss:// picture lies with the provider and cannot be read from here."""
    digest = hashlib.sha256(url.encode()).hexdigest()
    size = request.frame_size
    picture = Picture("", digest, digest, "", size.width_px, size.height_px, url)
    warning = "An oss:// picture cannot be read here: it was neither checked nor cropped to the size."
    return Accepted(picture, b"", "", (warning,))


def _read_file(given: str) -> bytes:
    scheme = urlsplit(given).scheme if "://" in given else ""
    if scheme not in ("", "file"):
        raise ImageInvalid(
            f"{scheme}:// is not read.", field=FIELD, hint="Give a file, or an http(s):// or oss:// URL."
        )
    path = Path(unquote(urlsplit(given).path) if given.startswith("file://") else given).expanduser()
    try:
        size_bytes = path.stat().st_size
        if path.is_dir():
            raise ImageInvalid(f"{given} is a folder.", field=FIELD, hint="Name a picture file in it.")
        if not path.is_file():
            raise ImageInvalid(f"{given} is not a regular file.", field=FIELD, hint="Save the picture first.")
        most_bytes = limit("image_max_bytes")
        if size_bytes > most_bytes:
            raise ImageInvalid(
                f"{given} has {size_bytes / 1e6:.1f} MB; at most {most_bytes // 10**6} MB are taken.",
                field=FIELD,
                hint="Save it smaller, for example as JPEG.",
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageInvalid(
            f"There is no file {given}.", field=FIELD, hint=f"Looked in {path.parent.absolute()}."
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise ImageInvalid(
            f"{given[:200]!r} cannot be read: {reason}.", field=FIELD, hint="Check the path and its rights."
        ) from None
