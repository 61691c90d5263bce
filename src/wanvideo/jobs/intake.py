"""Taking a request in: read its picture, look for an earlier clip, check its cost, write the job down."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from wanvideo.contract.fingerprint import cache_key
from wanvideo.contract.job import Job, JobId
from wanvideo.contract.price import Cost
from wanvideo.contract.request import VideoRequest
from wanvideo.errors import CostLimitExceeded
from wanvideo.jobs.accepting import Accepted
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import NewJob, Order
from wanvideo.redact import redact

ReadPicture = Callable[[VideoRequest], Awaitable[Accepted]]

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a request would send and cost: the answer of `--dry-run` and `estimate`."""

    provider: str
    cost: Cost
    body: dict[str, Any]
    warnings: tuple[str, ...]
    cached: bool


async def offer(
    shop: Workshop, read_picture: ReadPicture, request: VideoRequest, provider_name: str
) -> Offer:
    """The exact body and its cost. Reads the picture; sends and stores nothing."""
    provider = shop.provider(provider_name)
    accepted = await read_picture(request)
    omit = await shop.ledger.quirks(provider.account.endpoint)
    seed = request.seed if request.seed is not None else 0
    url = accepted.picture.url or f"(uploaded when sent: {accepted.picture.sha256[:16]})"
    body = provider.body(Order(request, seed, url, omit))
    if request.seed is None:
        fields = body if "seed" in body else body["parameters"]
        fields["seed"] = "(drawn when sent)"
    key = _key(request, accepted, provider_name)
    hit = await _hit(shop, key)
    return Offer(provider_name, provider.estimate(request), body, accepted.warnings, hit is not None)


async def take_in(
    shop: Workshop,
    read_picture: ReadPicture,
    request: VideoRequest,
    provider_name: str,
    *,
    cache: str,
    max_cost_cny: Decimal | None,
    owner: str | None,
) -> tuple[Job, bool]:
    """Accept a request. Returns the job, and whether an earlier clip already answers it.

    Raises: RequestInvalid, ImageInvalid, CostLimitExceeded, StorageFailed. Nothing is sent here.
    """
    provider = shop.provider(provider_name)
    accepted = await read_picture(request)
    key = _key(request, accepted, provider_name)
    if cache == "use" and (hit := await _hit(shop, key)) is not None:
        return hit, True
    cost = provider.estimate(request)
    if max_cost_cny is not None and cost.cny > max_cost_cny:
        raise CostLimitExceeded(f"The clip costs about ¥{cost.cny:.2f}; the limit is ¥{max_cost_cny:.2f}.")
    picture = accepted.picture
    if accepted.data:
        stored = await shop.store.put_picture(accepted.data, sha256=picture.sha256, suffix=accepted.suffix)
        picture = replace(picture, key=stored)
    seed = request.seed if request.seed is not None else secrets.randbelow(2**31)
    job = await shop.ledger.add_job(
        NewJob(
            id=_new_id(shop.clock.now()),
            provider=provider_name,
            request=_as_json(request),
            picture=picture,
            cache_key=key,
            seed=seed,
            estimate_cny=str(cost.cny),
            account=provider.account.name,
            resolution=request.resolution,
            billed_s=request.billed_s,
            warnings=accepted.warnings,
            owner=owner,
        )
    )
    return job, False


def _key(request: VideoRequest, accepted: Accepted, provider_name: str) -> str:
    return cache_key(request, picture_sha256=accepted.picture.source_sha256, provider=provider_name)


async def _hit(shop: Workshop, key: str) -> Job | None:
    """An earlier clip of the same key, if its file is still there."""
    job = await shop.ledger.clip_for(key)
    if job is None or job.result is None or not await shop.store.exists(job.result["video_url"]):
        return None
    return job


def _new_id(now: datetime) -> JobId:
    """`j_` and 12 characters: seven of time (sortable), five of chance."""
    ticks = int((now - datetime(2020, 1, 1, tzinfo=UTC)).total_seconds() * 4)
    time_part = ""
    for _ in range(7):
        ticks, digit = divmod(ticks, 32)
        time_part = _ALPHABET[digit] + time_part
    return JobId(f"j_{time_part}{''.join(secrets.choice(_ALPHABET) for _ in range(5))}")


def _as_json(request: VideoRequest) -> dict[str, Any]:
    """The request for the ledger: bytes are told by their length, never kept in a row."""
    fields = request.model_dump(mode="json", exclude={"reference_image"})
    given = request.reference_image
    if isinstance(given, bytes):
        fields["reference_image"] = f"({len(given)} bytes)"
    elif given.startswith("data:"):
        fields["reference_image"] = f"(data URI, {len(given)} characters)"
    else:
        fields["reference_image"] = redact(given.partition("?")[0]) if "://" in given else given
    return fields
