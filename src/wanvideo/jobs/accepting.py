"""Reading the reference picture of a request, from wherever it is, and accepting it for the asked size."""

from __future__ import annotations

import asyncio
import contextlib
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
class Given:
    """The picture as the caller gave it; `data` is empty for an oss:// picture, which we never see.

    `maps_sha256` are of the preview's mask and depth, as far as they can be read.
    """

    data: bytes
    source_sha256: str
    url: str = ""
    maps_sha256: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """A picture that was accepted; `data` is what is sent."""

    picture: Picture
    data: bytes
    suffix: str
    warnings: tuple[str, ...]


class Pictures:
    """Reads the picture of a request, and makes it fit. Two steps: a clip that is there already needs one."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def read(self, request: VideoRequest) -> Given:
        """Its bytes, from wherever they are. Raises: ImageInvalid."""
        own = request.preview
        maps = await asyncio.to_thread(digests_of_maps, request) if own.mask or own.depth else ()
        given = request.reference_image
        if isinstance(given, str) and given.startswith("oss://"):
            return Given(b"", hashlib.sha256(given.encode()).hexdigest(), given, maps)
        if isinstance(given, bytes):
            data = given
        elif given.startswith(("http://", "https://", "data:")):
            data = await self._fetch(given)
        else:
            data = await asyncio.to_thread(_read_file, given)
        return Given(data, hashlib.sha256(data).hexdigest(), maps_sha256=maps)

    async def accept(self, given: Given, request: VideoRequest, provider: str) -> Accepted:
        """The picture for the asked size, its adjustments told in `warnings`. Raises: ImageInvalid.

        A preview is given all of the picture: its camera has room in what the crop leaves over.
        """
        from wanvideo.media.image import accept  # heavy: only a request that is really made needs it

        if given.url:
            return _unseen(given, request)
        size = request.frame_size
        picture = await asyncio.to_thread(
            accept,
            given.data,
            width_px=size.width_px,
            height_px=size.height_px,
            fit=request.fit,
            keep_whole=provider == "preview",
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


def digests_of_maps(request: VideoRequest) -> tuple[str, ...]:
    """What is in the preview's own files now: the same path may hold another mask tomorrow."""
    digests = []
    for path in filter(None, (request.preview.mask, request.preview.depth)):
        with contextlib.suppress(OSError):
            if Path(path).is_file():
                with Path(path).open("rb") as file:
                    digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return tuple(digests)


def _unseen(given: Given, request: VideoRequest) -> Accepted:
    """An oss:// picture lies with the provider and cannot be read from here."""
    digest, size = given.source_sha256, request.frame_size
    picture = Picture("", digest, digest, "", size.width_px, size.height_px, given.url)
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
