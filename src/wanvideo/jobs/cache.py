"""Clips that are there already: the exact one, or else how a request differs from the nearest earlier job."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from wanvideo.contract.fingerprint import key_fields
from wanvideo.contract.job import Job, State
from wanvideo.contract.request import VideoRequest
from wanvideo.jobs.workshop import Workshop, request_of

_LOOK_AT: Final = 20
_NAME_MOST: Final = 3
_SHOW_CHARS: Final = 40


async def hit(shop: Workshop, key: str) -> Job | None:
    """An earlier clip of the same key, once the store has confirmed that it is there.

    Raises: StorageFailed when the store cannot say: "not there" would mean paying again.
    """
    job = await shop.ledger.clip_for(key)
    if job is None or job.result is None or not await shop.store.exists(job.result["video_url"]):
        return None
    return job


def saved_cny(job: Job) -> Decimal:
    """What a hit did not cost."""
    return Decimal(job.cost_cny or 0)


async def miss(shop: Workshop, request: VideoRequest, source_sha256: str, provider: str, key: str) -> str:
    """Which fields differ from the nearest earlier job, in words; empty when there is none to speak of."""
    asked = _flat(key_fields(request, picture_sha256=source_sha256, provider=provider))
    nearest: tuple[int, Job, dict[str, tuple[Any, Any]]] | None = None
    for job in await shop.ledger.alike(provider, source_sha256, limit=_LOOK_AT):
        there = _flat(
            key_fields(request_of(job), picture_sha256=job.picture.source_sha256, provider=job.provider)
        )
        differing = {name: (asked[name], there.get(name)) for name in asked if asked[name] != there.get(name)}
        if nearest is None or len(differing) < nearest[0]:
            nearest = (len(differing), job, differing)
    if nearest is None:
        return ""
    count, job, differing = nearest
    if count == 0 and job.cache_key != key:
        return f"like {job.id}, but for what is in the file of the mask or depth"
    if count == 0:
        gone = "its clip is no longer at its place" if job.state is State.SUCCEEDED else f"it is {job.state}"
        return f"the same as {job.id}, but {gone}"
    told = [f"{name} ({_short(now)}, there {_short(then)})" for name, (now, then) in differing.items()]
    if count > _NAME_MOST:
        told = [*told[:_NAME_MOST], f"{count - _NAME_MOST} more"]
    return f"like {job.id}, but for {', '.join(told)}"


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of the key by the names that users know."""
    flat = {"reference_image": fields["picture_sha256"][:12]}
    for name, value in fields.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{option}": inner for option, inner in value.items()}
        elif name != "picture_sha256":
            flat[name] = value
    return flat


def _short(value: Any) -> str:
    text = "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _SHOW_CHARS else f"{text[: _SHOW_CHARS - 1]}…"
