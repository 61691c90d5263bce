"""What `wanvideo doctor` looks at: each finding says what is so and what to do. Costs nothing."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from wanvideo.app import App, open_app
from wanvideo.contract.model_card import MODEL, REGIONS
from wanvideo.contract.price import cost_of, region_of
from wanvideo.errors import WanvideoError
from wanvideo.providers.dashscope.adapter import DashScopeProvider
from wanvideo.settings import Settings

_LOW_DISK_BYTES = 1_000_000_000
_SKEW_S = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: good, note (worth knowing) or bad (will not work)."""

    name: str
    state: Literal["good", "note", "bad"]
    text: str
    todo: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


async def examine(settings: Settings) -> list[Finding]:
    """Every check in the order a person would make them. None of them raises."""
    try:
        async with open_app(settings) as app:
            findings = [_key(app), _region(settings)]
            findings += await _endpoint(app)
            findings.append(await _guarded("ledger", lambda: _tried("ledger", app.shop.ledger.probe)))
            findings.append(await _guarded("store", lambda: _tried("store", app.shop.store.probe)))
    except WanvideoError as error:
        findings = [Finding("set-up", "bad", f"{error.field or error.code}: {error.detail}", error.hint)]
    findings.append(await _guarded("disk", lambda: asyncio.to_thread(_disk, settings.app_dir)))
    findings.append(await _guarded("encoder", lambda: asyncio.to_thread(_encoder)))
    return findings


async def _guarded(name: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await look()
    except WanvideoError as error:
        return Finding(name, "bad", error.detail, error.hint)
    except (OSError, ImportError, RuntimeError) as error:
        return Finding(name, "bad", f"{type(error).__name__}: {error}")


def _key(app: App) -> Finding:
    if app.credentials is None:
        return Finding(
            "key", "note", "none found; clips are local previews",
            "For Wan clips set DASHSCOPE_API_KEY, or dashscope_api_key in ~/.alibabacloud/credentials.",
        )  # fmt: skip
    return Finding("key", "good", f"from {app.credentials.source}, fingerprint {app.credentials.fingerprint}")


def _region(settings: Settings) -> Finding:
    endpoint = settings.base_url or REGIONS[settings.region]
    region = region_of(endpoint, settings.region)
    price = cost_of(region, "720P", True, 1)
    text = f"{region}, {endpoint}; {MODEL} from ¥{price.cny} a second (720P, sound)"
    return Finding("region", "good", text)


async def _endpoint(app: App) -> list[Finding]:
    provider = app.shop.providers.get("dashscope")
    if not isinstance(provider, DashScopeProvider):
        return [Finding("endpoint", "note", "not asked: there is no key to ask with")]
    try:
        server_at = await provider.ping()
    except WanvideoError as error:
        return [Finding("endpoint", "bad", error.detail, error.hint)]
    return [Finding("endpoint", "good", "answers, and takes the key"), _clock(app, server_at)]


def _clock(app: App, server_at: datetime | None) -> Finding:
    if server_at is None:
        return Finding("clock", "note", "the endpoint did not tell its time")
    skew_s = (app.clock.now() - server_at).total_seconds()
    if abs(skew_s) > _SKEW_S:
        return Finding(
            "clock", "bad", f"this machine is {skew_s:+.0f} s off the provider's clock",
            "Set the clock (NTP): lost submits are found by their time.",
        )  # fmt: skip
    return Finding("clock", "good", f"{skew_s:+.0f} s off the provider's")


async def _tried(name: str, probe: Callable[[], Awaitable[str]]) -> Finding:
    """Really writes and reads a few bytes."""
    return Finding(name, "good", await probe())


def _disk(folder: Path) -> Finding:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(b"wanvideo")
    free_bytes = shutil.disk_usage(folder).free
    text = f"{folder}: {free_bytes / 1e9:.1f} GB free"
    if free_bytes < _LOW_DISK_BYTES:
        return Finding("disk", "bad", text, "Free some space, or set OUTPUT_DIR to another disk.")
    return Finding("disk", "good", text)


def _encoder() -> Finding:
    """Really encodes: a tenth of a second of grey, read back."""
    import io

    import av
    import numpy as np

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return Finding("encoder", "good", f"H.264 by PyAV {av.__version__}; {buffer.tell()} bytes written")
