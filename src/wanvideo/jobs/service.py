"""What every face calls: submit, look, wait, cancel, retry, resolve. The faces have no logic of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
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
from wanvideo.jobs.intake import Offer, ReadPicture, offer, take_in
from wanvideo.jobs.machine import FINAL
from wanvideo.jobs.policy import outlook
from wanvideo.jobs.reconcile import found
from wanvideo.jobs.storing import at_risk
from wanvideo.jobs.workshop import Workshop, failure, moved
from wanvideo.ports import Ending, Lease, TaskStatus

_LOOK_S = 0.1
_ANSWER_S = 30.0
# what a new attempt begins without
_OF_AN_ATTEMPT = ("task_id", "submitted_at", "latency_s", "expires_at", "seen_status", "error", "cost_cny")


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
        self, shop: Workshop, read_picture: ReadPicture, worker: str, wake: Callable[[], None]
    ) -> None:
        self._shop = shop
        self._read_picture = read_picture
        self._worker = worker
        self._wake = wake

    # --- asking for a clip ---

    async def offer(self, request: VideoRequest, provider_name: str) -> Offer:
        """The exact body and its cost. Reads the picture; sends and stores nothing."""
        return await offer(self._shop, self._read_picture, request, provider_name)

    async def submit(
        self,
        request: VideoRequest,
        provider_name: str,
        *,
        cache: str = "use",
        max_cost_cny: Decimal | None = None,
        owner: str | None = None,
    ) -> tuple[Job, bool]:
        """Accept a request. Returns the job, and whether an earlier clip already answers it.

        Raises: RequestInvalid, ImageInvalid, CostLimitExceeded, StorageFailed. Nothing is sent here.
        """
        job, cached = await take_in(
            self._shop,
            self._read_picture,
            request,
            provider_name,
            cache=cache,
            max_cost_cny=max_cost_cny,
            owner=owner,
        )
        self._wake()
        return job, cached

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

    def result(self, job: Job, *, cached: bool = False) -> VideoResult:
        """The result of a job that is over. Raises: the error that ended it; JobConflict while it runs."""
        if job.state is State.SUCCEEDED and job.result is not None:
            return VideoResult.model_validate({**job.result, "cached": cached})
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

    async def retry(self, job_id: JobId) -> Job:
        """A new attempt under the same job, its history kept. It may be billed like any clip.

        Raises: JobConflict unless the job failed or was cancelled.
        """
        job = await self.job(job_id)
        if job.state not in (State.FAILED, State.CANCELLED):
            raise JobConflict(f"A job that is {job.state} cannot be retried.", job_id=job.id)
        lease = await self._lease(job, (State.FAILED, State.CANCELLED))
        fresh: dict[str, Any] = dict.fromkeys((*_OF_AN_ATTEMPT, "cancel"))
        changes = moved(job, Event.RETRY, **fresh, troubles=0, store_tries=0, evidence={})
        written = await self._shop.ledger.write(lease, changes, event=Event.RETRY, release_in_s=0)
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
            await found(self._shop, lease, TaskId(str(task_id)), adopted=True)
        elif how == "resubmit":
            changes = moved(job, Event.PROVED_ABSENT, evidence={})
            data = {"by": "a person"}
            await self._shop.ledger.close_attempt(
                lease, Ending(Event.PROVED_ABSENT), changes, data=data, release_in_s=0
            )
        else:
            error = failure(job, SubmitUncertain("It was given up without knowing whether it was billed."))
            changes = moved(job, Event.GIVEN_UP, error=error, cost_cny=job.estimate_cny)
            await self._shop.ledger.close_attempt(
                lease, Ending(Event.GIVEN_UP, error=error), changes, release_in_s=0
            )
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
