"""Taking a request in: look for an earlier clip, check its picture and its cost, write the job down."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol

from wanvideo.contract.fingerprint import cache_key, digest
from wanvideo.contract.job import Job, JobId, State
from wanvideo.contract.price import Cost
from wanvideo.contract.request import VideoRequest
from wanvideo.errors import IdempotencyConflict
from wanvideo.jobs import cache, limits
from wanvideo.jobs.accepting import Accepted, Given
from wanvideo.jobs.ids import new_id
from wanvideo.jobs.workshop import Workshop
from wanvideo.ports import NewJob, Once, Order
from wanvideo.redact import redact


class PictureReader(Protocol):
    """accepting.Pictures, or a test's own."""

    async def read(self, request: VideoRequest) -> Given: ...
    async def accept(self, given: Given, request: VideoRequest, provider: str) -> Accepted: ...


@dataclass(frozen=True, slots=True)
class Offer:
    """What a request would send and cost: the answer of `--dry-run` and `estimate`."""

    provider: str
    cost: Cost
    body: dict[str, Any]
    warnings: tuple[str, ...]
    cached: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """How a request came. `cache`: use, refresh (a new clip, which answers from then on) or off (alone).

    `idempotency_key` belongs to `owner`: the same key and body mean the same job, whenever it is sent again.
    """

    cache: str = "use"
    max_cost_cny: Decimal | None = None
    owner: str | None = None
    priority: int = 0
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """The job that answers a request. `cached`: an earlier clip does, and nothing is billed. `note`: why not,
    or whose job was joined, in words.
    """

    job: Job
    cached: bool = False
    note: str = ""


async def offer(shop: Workshop, pictures: PictureReader, request: VideoRequest, provider_name: str) -> Offer:
    """The exact body and its cost. Reads the picture; sends and stores nothing."""
    provider = shop.provider(provider_name)
    given = await pictures.read(request)
    accepted = await pictures.accept(given, request, provider_name)
    omit = await shop.ledger.quirks(provider.account.endpoint)
    seed = request.seed if request.seed is not None else 0
    url = accepted.picture.url or f"(uploaded when sent: {accepted.picture.sha256[:16]})"
    body = provider.body(Order(request, seed, url, omit))
    if request.seed is None:
        fields = body if "seed" in body else body["parameters"]
        fields["seed"] = "(drawn when sent)"
    found = await cache.hit(shop, _key(request, given, provider_name))
    return Offer(provider_name, provider.estimate(request), body, accepted.warnings, found is not None)


async def take_in(
    shop: Workshop, pictures: PictureReader, request: VideoRequest, provider_name: str, asked: Asked
) -> Taken:
    """Accept a request: the job that answers it, new or not. Nothing is sent here.

    Raises: RequestInvalid, ImageInvalid, CostLimitExceeded, IdempotencyConflict, StorageFailed.
    """
    given = await pictures.read(request)
    key = _key(request, given, provider_name)
    once = _once(asked, key)
    if once is not None and (before := await _used(shop, once)) is not None:
        return before
    if asked.cache == "use" and (found := await cache.hit(shop, key)) is not None:
        await shop.ledger.note_hit(found.id, asked.owner, cache.saved_cny(found))
        return Taken(found, cached=True)
    note = ""
    if asked.cache == "use":
        note = await cache.miss(shop, request, given.source_sha256, provider_name, key)
    new = await new_job(shop, pictures, request, provider_name, given, asked)
    job = await shop.ledger.add_job(replace(new, miss=note), once)
    if once is not None and job.id != new.id and (before := await _used(shop, once)) is not None:
        return before
    if job.id != new.id:
        return Taken(job, note=f"joined {job.id}, which is making the same clip")
    return Taken(job, note=f"not in the cache: {note}" if note else "")


async def new_job(
    shop: Workshop,
    pictures: PictureReader,
    request: VideoRequest,
    provider_name: str,
    given: Given,
    asked: Asked,
) -> NewJob:
    """What a job is born with, its picture accepted and stored and its cost within the limits."""
    provider = shop.provider(provider_name)
    accepted = await pictures.accept(given, request, provider_name)
    cost = provider.estimate(request)
    limits.check_clip(shop, cost.cny, asked.max_cost_cny)
    await limits.check_day(shop, cost.cny)
    picture = accepted.picture
    if accepted.data:
        stored = await shop.store.put_picture(accepted.data, sha256=picture.sha256, suffix=accepted.suffix)
        picture = replace(picture, key=stored)
    return NewJob(
        id=new_id(shop.clock.now()),
        provider=provider_name,
        request=as_json(request),
        picture=picture,
        cache_key=_key(request, given, provider_name),
        seed=request.seed if request.seed is not None else secrets.randbelow(2**31),
        estimate_cny=str(cost.cny),
        account=provider.account.name,
        resolution=request.resolution,
        billed_s=request.billed_s,
        warnings=accepted.warnings,
        owner=asked.owner,
        priority=asked.priority,
        max_cost_cny=None if asked.max_cost_cny is None else str(asked.max_cost_cny),
        shared=asked.cache != "off",
    )


def as_json(request: VideoRequest) -> dict[str, Any]:
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


def _key(request: VideoRequest, given: Given, provider_name: str) -> str:
    key = cache_key(request, picture_sha256=given.source_sha256, provider=provider_name)
    return digest([key, *given.maps_sha256]) if given.maps_sha256 and provider_name == "preview" else key


def _once(asked: Asked, key: str) -> Once | None:
    if asked.idempotency_key is None:
        return None
    body = {
        "clip": key,
        "cache": asked.cache,
        "priority": asked.priority,
        "max_cost": None if asked.max_cost_cny is None else str(asked.max_cost_cny),
    }
    return Once(asked.owner or "", asked.idempotency_key, digest(body))


async def _used(shop: Workshop, once: Once) -> Taken | None:
    """The job that this key made before. Raises: IdempotencyConflict when it came with another body."""
    used = await shop.ledger.used_once(once.owner, once.key)
    if used is None:
        return None
    before, job_id = used
    if before.body_sha256 != once.body_sha256:
        raise IdempotencyConflict(f"The key {once.key!r} came with another request before.", job_id=job_id)
    job = await shop.ledger.job(JobId(job_id))
    assert job is not None, "a key is written down with its job"
    return Taken(job, cached=job.state is State.SUCCEEDED, note=f"the same as before: {job.id}")
