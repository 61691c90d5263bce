"""A new attempt of a job that failed or was cancelled: as it was, or with what a refusal named changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from wanvideo.contract.job import Event, Job, State
from wanvideo.contract.request import VideoRequest, parse_request
from wanvideo.errors import ContentRejected, ImageInvalid, JobConflict, ProviderRefused, RequestInvalid
from wanvideo.jobs.accepting import Accepted, Given, digests_of_maps
from wanvideo.jobs.intake import Asked, PictureReader, new_job
from wanvideo.jobs.workshop import Workshop, moved
from wanvideo.ports import NewJob

RETRIED: Final = (State.FAILED, State.CANCELLED)
_REFUSALS: Final = (ProviderRefused.code, ContentRejected.code, ImageInvalid.code)
"""Errors that come back when the very same request is sent again."""
_OF_AN_ATTEMPT: Final = (
    "task_id", "submitted_at", "latency_s", "expires_at", "seen_status", "error", "cost_cny", "cancel",
)  # fmt: skip
_OF_THE_PICTURE: Final = ("size", "fit")


def check(job: Job, changes: Mapping[str, Any] | None, *, as_it_is: bool) -> None:
    """Raises: JobConflict when there is nothing to retry; RequestInvalid when a refusal was not answered."""
    if job.state not in RETRIED:
        raise JobConflict(f"A job that is {job.state} cannot be retried.", job_id=job.id)
    if job.evidence.get("rescued"):
        raise JobConflict("A rescued clip cannot be made again: its picture is not known.", job_id=job.id)
    refused = job.error is not None and job.error.get("code") in _REFUSALS
    if refused and job.error is not None and not changes and not as_it_is:
        named = job.error.get("field") or "prompt"
        raise RequestInvalid(
            f"The provider refused it: {job.error['detail']} The same request would be refused again.",
            field=named,
            hint=(
                f"Change it: `wanvideo jobs retry {job.id} --set {named}=...`, or send it once more with "
                "--as-it-is. Nothing was sent."
            ),
            job_id=job.id,
        )


def fresh(job: Job) -> dict[str, Any]:
    """The changes with which a job begins anew."""
    blank: dict[str, Any] = dict.fromkeys(_OF_AN_ATTEMPT)
    return moved(job, Event.RETRY, **blank, troubles=0, store_tries=0, evidence={})


async def changed(shop: Workshop, pictures: PictureReader, job: Job, changes: Mapping[str, Any]) -> NewJob:
    """What the job becomes. Its picture is kept unless another is given.

    Raises: RequestInvalid, ImageInvalid, CostLimitExceeded.
    """
    cut = [name for name in _OF_THE_PICTURE if name in changes and changes[name] != job.request[name]]
    if cut and "reference_image" not in changes:
        raise RequestInvalid(
            "The picture was cropped for the former value and has to be given again.",
            field=cut[0],
            hint="Give it with `--set reference_image=FILE`. Nothing was sent.",
        )
    before = {name: value for name, value in job.request.items() if name != "model"}
    options = {group: {**before.pop(group, {}), **changes.get(group, {})} for group in ("wan", "preview")}
    request = parse_request({**before, **changes, **options})
    asked = Asked(
        max_cost_cny=Decimal(job.max_cost_cny) if job.max_cost_cny else None,
        owner=job.owner,
        priority=job.priority,
    )
    reader = pictures if "reference_image" in changes else _Kept(job)
    given = await reader.read(request)
    return await new_job(shop, reader, request, job.provider, given, asked)


class _Kept:
    """The picture that the job has already: nothing is read again."""

    def __init__(self, job: Job) -> None:
        self._job = job

    async def read(self, request: VideoRequest) -> Given:
        maps = await asyncio.to_thread(digests_of_maps, request)
        return Given(b"", self._job.picture.source_sha256, self._job.picture.url, maps)

    async def accept(self, given: Given, request: VideoRequest, provider: str) -> Accepted:
        del given, request, provider
        return Accepted(self._job.picture, b"", "", self._job.warnings)
