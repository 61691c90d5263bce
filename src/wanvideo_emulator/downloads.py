"""The GET of a finished clip from the object storage, with its ranges and its accidents."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from email.utils import formatdate

from aiohttp import web

from wanvideo_emulator import wire
from wanvideo_emulator.clock import WallClock
from wanvideo_emulator.faults import FaultPlan
from wanvideo_emulator.links import Links, Result
from wanvideo_emulator.truth import Truth
from wanvideo_emulator.uploads import OssRefused

CHUNK_BYTES = 1 << 16
SLOW_STEPS = 20
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def byte_range(header: str | None, size_bytes: int, *, standard: bool) -> tuple[int, int] | None:
    """First and last byte that a Range header asks for; None: send the whole.

    The storage answers a range that does not lie inside the object with the whole object and 200, unless the
    request says `x-oss-range-behavior: standard`; then such a range is cut, or refused with 416 (OssRefused).
    """
    match = _RANGE.fullmatch(header or "")
    if match is None or match.groups() == ("", ""):
        return None
    first_text, last_text = match.groups()
    if first_text:
        first, last = int(first_text), int(last_text) if last_text else max(size_bytes - 1, int(first_text))
    else:
        first, last = max(0, size_bytes - int(last_text)), size_bytes - 1
    if first <= last < size_bytes:
        return first, last
    if not standard or first > last:
        return None
    if first >= size_bytes:
        raise OssRefused(416, "InvalidRange", "The requested range cannot be satisfied.")
    return first, size_bytes - 1


@dataclass
class Downloads:
    clock: WallClock
    faults: FaultPlan
    links: Links
    truth: Truth

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Send a clip to whoever holds its link; the link is the only authorisation."""
        fault = self.faults.take("download")
        action = fault.action if fault is not None else ""
        record = self.truth.download_received(request, action)
        try:
            if action in {"403", "404", "500", "503"}:
                raise wire.storage_trouble(action)
            result = self.links.open(
                request.method,
                request.path,
                request.query,
                request.headers.get("Authorization"),
                self.clock.now(),
            )
            data = await asyncio.to_thread(result.file.read_bytes)
            span = byte_range(
                None if action == "norange" else request.headers.get("Range"),
                len(data),
                standard=request.headers.get("x-oss-range-behavior") == "standard",
            )
        except OssRefused as refusal:
            record["status"] = refusal.status
            return wire.oss_refused(refusal, request.host)
        record["status"] = 206 if span else 200
        first, last = span or (0, len(data) - 1)
        response = web.StreamResponse(status=record["status"], headers=_headers(result, data))
        if span is not None:
            response.headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        piece = (_corrupted(data) if action == "corrupt" else data)[first : last + 1]
        promised_bytes = len(piece) // 2 if action == "short" else len(piece)
        response.content_length = promised_bytes
        breaks = action in {"truncate", "reset"}
        await response.prepare(request)
        try:
            for chunk in _chunks(
                piece[: len(piece) // 2 if breaks else promised_bytes], steps=action == "slow"
            ):
                if action == "slow":
                    assert fault is not None
                    await asyncio.sleep(fault.seconds / SLOW_STEPS)
                await response.write(chunk)
                record["sent_bytes"] += len(chunk)
            if breaks:
                wire.hang_up(request, reset=action == "reset")
            else:
                await response.write_eof()
        except ConnectionError:
            # The client left in the middle; the record shows how far it came.
            return response
        return response


def _chunks(piece: bytes, *, steps: bool) -> list[bytes]:
    size = max(1, -(-len(piece) // SLOW_STEPS)) if steps else CHUNK_BYTES
    return [piece[at : at + size] for at in range(0, len(piece), size)]


def _headers(result: Result, data: bytes) -> dict[str, str]:
    etag = hashlib.md5(data, usedforsecurity=False).hexdigest().upper()
    return wire.oss_headers() | {
        "Content-Type": "video/mp4",
        "Accept-Ranges": "bytes",
        "ETag": f'"{etag}"',
        "Last-Modified": formatdate(result.stored_at, usegmt=True),
        "x-oss-object-type": "Normal",
        "x-oss-storage-class": "Standard",
    }


def _corrupted(data: bytes) -> bytes:
    """The same length with a stretch of the middle inverted."""
    middle, width = len(data) // 2, max(16, len(data) // 50)
    stretch = bytes(byte ^ 0xFF for byte in data[middle : middle + width])
    return data[:middle] + stretch + data[middle + len(stretch) :]
