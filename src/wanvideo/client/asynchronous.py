"""The asynchronous client: everything the synchronous one does is done here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from decimal import Decimal
from typing import Any, Unpack

from wanvideo.app import App, open_app
from wanvideo.contract.fields import VideoFields, one_request
from wanvideo.contract.job import Job, JobId, State
from wanvideo.contract.request import VideoRequest
from wanvideo.contract.result import VideoResult
from wanvideo.contract.terms import Cache, read_terms
from wanvideo.jobs.intake import Asked
from wanvideo.jobs.service import Snapshot, still_waiting
from wanvideo.settings import Settings

OnProgress = Callable[[Snapshot], None]


class AsyncJob:
    """A job that this client drives. Its `id` is all another process needs to pick it up."""

    def __init__(self, client: AsyncClient, job_id: JobId, *, stored: Job | None = None) -> None:
        """`stored`: an earlier clip answers, and nothing is left to wait for."""
        self._client = client
        self.id = job_id
        self._stored = stored

    async def status(self) -> Snapshot:
        """Where it stands now: state, elapsed seconds, outlook."""
        app = self._client.app
        return await app.jobs.snapshot(await app.jobs.job(self.id))

    async def events(self) -> AsyncIterator[Snapshot]:
        """A snapshot at every change and about ten times a second, until the job is over."""
        async for snapshot in self._client.app.jobs.follow(self.id):
            yield snapshot
        self._client.let_go(self.id)

    async def wait(
        self, timeout_s: float | None = None, *, on_progress: OnProgress | None = None
    ) -> VideoResult:
        """The stored clip. Raises: the error that ended the job; WaitTimeout, and the job goes on."""
        app = self._client.app
        read_terms(timeout_s=timeout_s, on_progress=on_progress)
        if self._stored is not None:
            if on_progress is not None:
                on_progress(await app.jobs.snapshot(self._stored))
            return await app.jobs.result(self._stored, cached=True)
        snapshot: Snapshot | None = None
        try:
            async with asyncio.timeout(timeout_s):
                async for snapshot in self.events():
                    if on_progress is not None:
                        on_progress(snapshot)
        except TimeoutError:
            raise still_waiting(await app.jobs.job(self.id), timeout_s) from None
        assert snapshot is not None
        return await app.jobs.result(snapshot.job)

    async def cancel(self, *, abandon: bool = False) -> State:
        """Cancel what can be cancelled, and tell the state that came of it.

        A task that already runs cannot be stopped and will be billed: it is kept, or with `abandon` left
        at the provider with its cost recorded.
        """
        jobs = self._client.app.jobs
        await jobs.cancel(self.id, abandon=abandon)
        return (await jobs.answered(self.id)).state

    async def retry(self, *, as_it_is: bool = False, **changes: Unpack[VideoFields]) -> AsyncJob:
        """A new attempt under the same job; it may be billed like any clip.

        `changes` are fields of the request. One that the provider refused needs some, or `as_it_is=True`.
        """
        await self._client.app.jobs.retry(self.id, dict(changes), as_it_is=as_it_is)
        return self._client.drive(self)


class AsyncClient:
    """`async with AsyncClient() as client: clip = await client.generate(prompt=..., reference_image=...)`."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings
        self._driven: set[JobId] = set()
        self._app: App | None = None
        self._exit = contextlib.AsyncExitStack()

    @property
    def app(self) -> App:
        if self._app is None:
            raise RuntimeError("use the client inside `async with`")
        return self._app

    async def __aenter__(self) -> AsyncClient:
        settings = self._settings or Settings.read()
        self._app = await self._exit.enter_async_context(open_app(settings))
        await self._exit.enter_async_context(self._app.running(lambda: self._driven))
        return self

    async def __aexit__(self, *error: object) -> None:
        self._app = None
        await self._exit.aclose()

    async def submit(
        self,
        request: VideoRequest | Mapping[str, Any] | None = None,
        *,
        provider: str | None = None,
        cache: Cache = "use",
        max_cost: float | Decimal | None = None,
        **fields: Unpack[VideoFields],
    ) -> AsyncJob:
        """Accept a request and start on it. `max_cost` is in yuan.

        Raises: RequestInvalid, ImageInvalid, CostLimitExceeded, CredentialsMissing. Nothing was sent then.
        """
        terms = read_terms(provider=provider, cache=cache, max_cost=max_cost)
        checked = one_request(request, fields)
        name, _ = self.app.choose_provider(terms.provider)
        taken = await self.app.jobs.submit(checked, name, Asked(terms.cache, terms.max_cost_cny))
        if taken.cached:
            return AsyncJob(self, taken.job.id, stored=taken.job)
        return self.drive(AsyncJob(self, taken.job.id))

    async def generate(
        self,
        request: VideoRequest | Mapping[str, Any] | None = None,
        *,
        provider: str | None = None,
        cache: Cache = "use",
        max_cost: float | Decimal | None = None,
        on_progress: OnProgress | None = None,
        timeout_s: float | None = None,
        **fields: Unpack[VideoFields],
    ) -> VideoResult:
        """Make one clip and wait for it. May cost money; see `submit` and `AsyncJob.wait` for the errors."""
        read_terms(timeout_s=timeout_s, on_progress=on_progress)  # before anything is made or paid
        job = await self.submit(request, provider=provider, cache=cache, max_cost=max_cost, **fields)
        return await job.wait(timeout_s, on_progress=on_progress)

    async def job(self, job_id: str) -> AsyncJob:
        """Pick up a job of this ledger, wherever it was started.

        Raises: JobNotFound; JobConflict when it was sent to another endpoint than this client's.
        """
        found = await self.app.jobs.reachable(job_id)
        return self.drive(AsyncJob(self, found.id))

    def drive(self, job: AsyncJob) -> AsyncJob:
        """See to it that the job goes on, for as long as this client is open."""
        self._driven.add(job.id)
        self.app.runner.wake()
        return job

    def let_go(self, job_id: JobId) -> None:
        """The job is over: nothing is left to do for it, and the ledger is not asked any more."""
        self._driven.discard(job_id)
