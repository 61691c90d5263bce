"""What every face calls: submit, look, wait, cancel, retry, resolve. The faces have no logic of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from wanvideo.contract.job import Attempt, Event, Job, JobEvent, JobId, State, TaskId
from wanvideo.contract.problem import from_problem
from wanvideo.contract.request import VideoRequest
from wanvideo.contract.result import VideoResult
from wanvideo.errors import (
    JobCancelled,
    JobConflict,
    JobNotFound,
    SubmitUncertain,
    WaitTimeout,
)
from wanvideo.jobs import retrying
from wanvideo.jobs.intake import Asked, Offer, PictureReader, Taken, offer, take_in
from wanvideo.jobs.machine import FINAL
from wanvideo.jobs.policy import outlook
from wanvideo.jobs.reconcile import found
from wanvideo.jobs.storing import at_risk
from wanvideo.jobs.workshop import Workshop, failure, moved
from wanvideo.ports import Ending, Lease, TaskStatus

_LOOK_S = 0.1
_ANSWER_S = 30.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A job at one moment, with what a person who waits wants to know."""

    job: Job
    elapsed_s: float
    outlook: str
    at_risk: bool


def still_waiting(job: Job, timeout_s: float | None) -> WaitTimeout:
    """The error for somebody who stops waiting: what goes on without them, and how to pick it up again."""
    if job.attempt == 0:
        left = "Nothing was sent yet, and the job waits"
    elif job.provider == "preview":
        left = "The job waits in the ledger"
    else:
        left = "The provider goes on with it, and keeps the clip for 24 hours"
    return WaitTimeout(
        f"The clip is not there after {timeout_s:g} s.",
        job_id=job.id,
        task_id=job.task_id,
        hint=f"{left}; pick it up with `wanvideo jobs watch {job.id}`.",
    )


class Jobs:
    """The service of one process. Drives nothing by itself: a Runner does."""

    def __init__(
        self, shop: Workshop, pictures: PictureReader, worker: str, wake: Callable[[], None]
    ) -> None:
        self._shop = shop
        self._pictures = pictures
        self._worker = worker
        self._wake = wake

    # --- asking for a clip ---

    async def offer(self, request: VideoRequest, provider_name: str) -> Offer:
        """The exact body and its cost. Reads the picture; sends and stores nothing."""
        return await offer(self._shop, self._pictures, request, provider_name)

    async def submit(self, request: VideoRequest, provider_name: str, asked: Asked | None = None) -> Taken:
        """Accept a request: the job that answers it, and whether an earlier clip already does.

        Raises: RequestInvalid, ImageInvalid, CostLimitExceeded, IdempotencyConflict, StorageFailed. Nothing
        is sent here.
        """
        taken = await take_in(self._shop, self._pictures, request, provider_name, asked or Asked())
        if not taken.cached:  # else there is nothing to do
            self._wake()
        return taken

    # --- looking ---

    async def job(self, job_id: str) -> Job:
        """One job by its id, or by a part of it that is unique (the end of a file's name).

        Raises: JobNotFound.
        """
        exact = await self._shop.ledger.job(JobId(job_id))
        if exact is not None:
            return exact
        matches = await self._shop.ledger.find_jobs(job_id) if len(job_id) >= 4 else []
        if len(matches) == 1 and (only := await self._shop.ledger.job(matches[0])) is not None:
            return only
        if matches:
            raise JobNotFound(f"{job_id} fits several jobs.", hint=f"Which one: {', '.join(matches)}?")
        raise JobNotFound(f"There is no job {job_id}.")

    async def jobs(self, *, limit: int, states: tuple[State, ...] = ()) -> list[Job]:
        return await self._shop.ledger.jobs(limit=limit, states=states)

    async def reachable(self, job_id: str) -> Job:
        """A job that this process can drive: its provider is set up, at the endpoint that has its task.

        Raises: JobNotFound, SettingsInvalid, JobConflict.
        """
        job = await self.job(job_id)
        here = self._shop.provider(job.provider).account.endpoint
        _, there, _ = job.account.split("|")
        if job.state not in (*FINAL, State.QUEUED) and there != here:
            raise JobConflict(
                f"The job was sent to {there}; this process talks to {here}.",
                job_id=job.id,
                hint="Set DASHSCOPE_HTTP_BASE_URL to the former, and run this again.",
            )
        return job

    async def attempts(self, job_id: JobId) -> list[Attempt]:
        """Every create that was approved for a job, with what was sent and how it ended."""
        return await self._shop.ledger.attempts(job_id)

    async def events(self, job_id: JobId) -> list[JobEvent]:
        return await self._shop.ledger.events(job_id)

    async def snapshot(self, job: Job) -> Snapshot:
        """The job with its outlook. Time in the queue is not counted as time of the clip."""
        since = job.submitted_at if job.state is State.RUNNING else None
        text = ""
        if job.state is State.RUNNING and job.provider in self._shop.providers:
            text = outlook(self._shop.elapsed_s(since), await self._shop.expected(job))
        over = job.state in FINAL
        elapsed_s = (
            (job.updated_at - job.created_at).total_seconds()
            if over
            else self._shop.elapsed_s(job.created_at)
        )
        return Snapshot(job, elapsed_s, text, job.state is State.STORING and at_risk(self._shop, job))

    async def follow(self, job_id: JobId) -> AsyncIterator[Snapshot]:
        """The job whenever something changed, and about ten times a second besides, until it is over."""
        while True:
            job = await self._shop.ledger.job(job_id)
            if job is None:
                raise JobNotFound(f"There is no job {job_id}.")
            yield await self.snapshot(job)
            if job.state in FINAL:
                return
            await self._shop.clock.sleep(_LOOK_S)

    async def result(self, job: Job, *, cached: bool = False) -> VideoResult:
        """The result of a job that is over, with links that work now where the clip lies in an object store.

        Raises: the error that ended it; JobConflict while it runs.
        """
        if job.state is State.SUCCEEDED and job.result is not None:
            link, source = self._shop.store.link, job.result.get("source_url")
            links = {
                "video_url": await link(job.result["video_url"]),
                "source_url": await link(source) if source else None,
            }
            return VideoResult.model_validate({**job.result, **links, "cached": cached})
        if job.state is State.CANCELLED:
            raise JobCancelled("The job was cancelled.", job_id=job.id, task_id=job.task_id)
        if job.error is not None and job.state is State.FAILED:
            raise from_problem(job.error)
        raise JobConflict(f"The job is still {job.state}.", job_id=job.id)

    # --- changing ---

    async def cancel(self, job_id: JobId, *, abandon: bool = False) -> Job:
        """End a queued job at once; for any other, leave the wish for the worker that has it.

        Raises: JobConflict when there is nothing left to cancel.
        """
        job = await self.job(job_id)
        if job.state is State.UNCERTAIN:
            raise JobConflict(
                "Its submit was never answered: it may be billed, and nobody knows the task to cancel.",
                job_id=job.id,
                hint=f"Give it up with `wanvideo jobs resolve {job.id} --give-up`.",
            )
        asked = await self._shop.ledger.ask_cancel(job.id, "abandon" if abandon else "keep")
        if asked is None:
            raise JobConflict(f"The job is already {job.state}.", job_id=job.id)
        # A job that waits in the queue needs no worker to end; one that is in hand is left to its worker.
        for lease in await self._shop.ledger.claim(
            self._worker, states=(State.QUEUED,), only=[job.id], limit=1, lease_s=10, due=False
        ):
            changes = moved(lease.job, Event.CANCEL, cancel=None)
            done = await self._shop.ledger.write(lease, changes, event=Event.CANCEL, release_in_s=0)
            asked = done.job if done else asked
        self._wake()
        return asked

    async def answered(self, job_id: JobId) -> Job:
        """The job once its wish to be cancelled was honoured or refused by whoever drives it."""
        until_s = self._shop.clock.steady_s() + _ANSWER_S
        async for snapshot in self.follow(job_id):
            job = snapshot.job
            if job.cancel is None:
                break
            if self._shop.clock.steady_s() > until_s:
                raise JobConflict(
                    f"The wish to cancel is written down, but not honoured yet: {job.note or job.state}.",
                    job_id=job.id,
                    hint=f"Whoever drives the job honours it next, `wanvideo jobs watch {job.id}` for one.",
                )
        return job

    async def retry(
        self, job_id: JobId, changes: Mapping[str, Any] | None = None, *, as_it_is: bool = False
    ) -> Job:
        """A new attempt under the same job, its history kept. It may be billed like any clip.

        `changes` are fields of the request that become others. A request that the provider refused needs
        some, or the word that it is to be sent `as_it_is`.
        Raises: JobConflict unless the job failed or was cancelled; RequestInvalid, ImageInvalid,
        CostLimitExceeded.
        """
        job = await self.job(job_id)
        retrying.check(job, changes, as_it_is=as_it_is)
        new = await retrying.changed(self._shop, self._pictures, job, changes) if changes else None
        lease = await self._lease(job, retrying.RETRIED)
        fresh = retrying.fresh(lease.job)
        if new is None:
            written = await self._shop.ledger.write(lease, fresh, event=Event.RETRY, release_in_s=0)
        else:
            written = await self._shop.ledger.reask(lease, new, fresh)
        if written is None:
            raise JobConflict("Somebody else changed the job meanwhile.", job_id=job.id)
        self._wake()
        return written.job

    async def resolve(self, job_id: JobId, how: str, task_id: str | None = None) -> Job:
        """A person's word on an uncertain submit: `adopt` a task, `resubmit`, or `give_up`.

        `resubmit` may pay a second time; the caller has asked for exactly that.
        Raises: JobConflict unless the job is uncertain.
        """
        job = await self.job(job_id)
        if job.state is not State.UNCERTAIN:
            raise JobConflict(f"Only an uncertain job is resolved; this one is {job.state}.", job_id=job.id)
        if how == "adopt":
            assert task_id is not None
            await self._adoptable(job, TaskId(task_id))
        lease = await self._lease(job, (State.UNCERTAIN,))
        if how == "adopt":
            await found(self._shop, lease, TaskId(str(task_id)), adopted=True, by_person=True)
        elif how == "resubmit":
            changes = moved(job, Event.PROVED_ABSENT, evidence={})
            # nobody has proved anything: what the first submit may cost goes on counting as spent
            ending = Ending(Event.PROVED_ABSENT, settled_cny=Decimal(job.estimate_cny))
            await self._shop.ledger.close_attempt(
                lease, ending, changes, data={"by": "a person"}, release_in_s=0
            )
        else:
            error = failure(job, SubmitUncertain("It was given up without knowing whether it was billed."))
            changes = moved(job, Event.GIVEN_UP, error=error, cost_cny=job.estimate_cny)
            ending = Ending(Event.GIVEN_UP, error=error, settled_cny=Decimal(job.estimate_cny))
            await self._shop.ledger.close_attempt(lease, ending, changes, release_in_s=0)
        self._wake()
        return await self.job(job.id)

    async def _adoptable(self, job: Job, task_id: TaskId) -> None:
        """Ask before a job is tied to a task. Raises: JobConflict, or what the provider answered."""
        if await self._shop.ledger.known_tasks([task_id]):
            raise JobConflict(f"The task {task_id} belongs to a job already.", job_id=job.id)
        report = await self._shop.provider(job.provider).fetch(task_id)
        if report.status is TaskStatus.UNKNOWN:
            raise JobConflict(
                f"The provider knows no task {task_id}.",
                job_id=job.id,
                hint="Look its id up in the Model Studio console; nothing was changed.",
            )

    async def _lease(self, job: Job, states: tuple[State, ...]) -> Lease:
        """Hold a job for one change; waits a moment for a worker that is just looking at it."""
        for _ in range(50):
            taken = await self._shop.ledger.claim(
                self._worker, states=states, only=[job.id], limit=1, lease_s=10, due=False
            )
            if taken:
                return taken[0]
            await self._shop.clock.sleep(_LOOK_S)
        raise JobConflict(
            "Another process is busy with the job.", job_id=job.id, hint="Try again in a moment."
        )
