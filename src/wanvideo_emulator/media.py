"""The inspection of pictures and sounds that the service does while the create waits."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import io
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
import av
from PIL import Image, ImageOps, UnidentifiedImageError

from wanvideo_emulator.accounts import Caller
from wanvideo_emulator.codes import (
    BAD_IMAGE_URL,
    INSPECTION_DENIED,
    INSPECTION_NOT_FOUND,
    INSPECTION_UNREACHABLE,
    Refused,
)
from wanvideo_emulator.uploads import Uploads

FETCHER = "DashScopeUserBot"
IMAGE_BYTES_MAX = 20 * 1024 * 1024
AUDIO_BYTES_MAX = 15 * 1024 * 1024
DATA_URI_BYTES_MAX = 10_485_760
SIDE_PX = (240, 8000)
AUDIO_S = (3.0, 30.0)
FORMATS = {"JPEG", "MPO", "PNG", "BMP", "WEBP"}
_DATA_URI = re.compile(r"data:image/(?:png|jpe?g|bmp|webp);base64,(?P<payload>.*)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Picture:
    """An accepted first frame. Width and height are as shown, after the EXIF orientation."""

    data: bytes
    width_px: int
    height_px: int
    sha256: str


def _inspection(message: str) -> Refused:
    return Refused("InvalidParameter.DataInspection", message)


def inspect_image(data: bytes) -> Picture:
    """Check format, sides and weight as documented. Decodes the whole file. Raises Refused (400)."""
    if len(data) > IMAGE_BYTES_MAX:
        raise Refused("InvalidImage.ImageSize")
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format not in FORMATS:
                raise Refused("InvalidImageFormat")
            if not all(SIDE_PX[0] <= side <= SIDE_PX[1] for side in image.size):
                raise Refused("InvalidImageResolution")
            if image.format == "PNG" and image.has_transparency_data:
                raise Refused("InvalidImageFormat")
            image.load()
            width_px, height_px = ImageOps.exif_transpose(image).size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as trouble:
        raise Refused("InvalidImage.FileFormat") from trouble
    return Picture(data, width_px, height_px, hashlib.sha256(data).hexdigest())


def inspect_audio(data: bytes) -> None:
    """Check a sound of `audio_url`: wav or mp3, 3 to 30 s, 15 MB. Raises Refused (400)."""
    if len(data) > AUDIO_BYTES_MAX:
        raise Refused("InvalidURL", "File size is larger than 15MB.")
    try:
        with av.open(io.BytesIO(data), mode="r") as container:
            names = set(container.format.name.split(","))
            length_s = (container.duration or 0) / av.time_base
            has_sound = bool(container.streams.audio)
    except av.FFmpegError as trouble:
        raise Refused("InvalidURL", "File type is not supported. Allowed types are: .wav, .mp3.") from trouble
    if not names & {"wav", "mp3"} or not has_sound:
        raise Refused("InvalidURL", "File type is not supported. Allowed types are: .wav, .mp3.")
    if length_s > AUDIO_S[1]:
        raise Refused("InvalidURL", "The input audio is longer than 30s.")
    if length_s < AUDIO_S[0]:
        raise Refused("InvalidURL", "The input audio is shorter than 3s.")


class Inspector:
    """Fetches what a create points at and looks at it."""

    def __init__(self, uploads: Uploads, fetch_timeout_s: float) -> None:
        self._uploads = uploads
        self._session: aiohttp.ClientSession | None = None
        self._fetch_timeout_s = fetch_timeout_s

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def image(self, url: object, caller: Caller, model: str, *, resolve_oss: bool) -> Picture | None:
        """The picture behind `img_url`; None when there is none to look at. Raises Refused (400)."""
        if not isinstance(url, str) or not url:
            return None
        data = await self._bytes(url, caller, model, resolve_oss, IMAGE_BYTES_MAX)
        return await asyncio.to_thread(inspect_image, data)

    async def audio(self, url: object, caller: Caller, model: str, *, resolve_oss: bool) -> None:
        """Look at the sound behind `audio_url`, if there is one. Raises Refused (400)."""
        if not isinstance(url, str) or not url:
            return
        data = await self._bytes(url, caller, model, resolve_oss, AUDIO_BYTES_MAX)
        await asyncio.to_thread(inspect_audio, data)

    async def _bytes(
        self, url: str, caller: Caller, model: str, resolve_oss: bool, limit_bytes: int
    ) -> bytes:
        scheme = url.partition(":")[0].lower()
        if scheme == "data":
            return self._decoded(url)
        if scheme == "oss":
            if not resolve_oss:
                raise _inspection(INSPECTION_UNREACHABLE)
            return await self._uploads.read(url, caller.account, model)
        if scheme in {"http", "https"} and urlsplit(url).hostname:
            return await self._fetched(url, limit_bytes)
        raise Refused("InvalidURL", BAD_IMAGE_URL)

    @staticmethod
    def _decoded(url: str) -> bytes:
        match = _DATA_URI.fullmatch(url)
        if match is None:
            raise Refused("InvalidURL", BAD_IMAGE_URL)
        if len(match["payload"]) > DATA_URI_BYTES_MAX:
            raise Refused(
                "InvalidParameter", f"Exceeded limit on max bytes per data-uri item : {DATA_URI_BYTES_MAX}"
            )
        try:
            return base64.b64decode(match["payload"], validate=True)
        except binascii.Error as trouble:
            raise Refused("InvalidURL", BAD_IMAGE_URL) from trouble

    async def _fetched(self, url: str, limit_bytes: int) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={"User-Agent": FETCHER},
                timeout=aiohttp.ClientTimeout(total=self._fetch_timeout_s),
            )
        try:
            async with self._session.get(url) as response:
                if response.status in {401, 403}:
                    raise _inspection(INSPECTION_DENIED)
                if response.status in {404, 410}:
                    raise _inspection(INSPECTION_NOT_FOUND)
                if response.status != 200:
                    raise _inspection(INSPECTION_UNREACHABLE)
                data = bytearray()
                async for chunk in response.content.iter_chunked(1 << 16):
                    data += chunk
                    if len(data) > limit_bytes:
                        break
                return bytes(data)
        except (aiohttp.ClientError, TimeoutError, OSError) as trouble:
            raise _inspection(INSPECTION_UNREACHABLE) from trouble
