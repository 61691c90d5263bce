"""The client for scripts: thin shells around the asynchronous one, which runs on a thread of its own."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures.thread  # noqa: F401  its hook at the interpreter's exit must stand before ours
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar, Unpack

from wanvideo.client.asynchronous import AsyncClient, AsyncJob, OnProgress
from wanvideo.contract.fields import VideoFields
from wanvideo.contract.job import State
from wanvideo.contract.request import VideoRequest
from wanvideo.contract.result import VideoResult
from wanvideo.contract.terms import Cache
from wanvideo.jobs.service import Snapshot
from wanvideo.settings import Settings

T = TypeVar("T")


class ClipJob:
    """A job, for scripts: every method of AsyncJob, without `await`."""

    def __init__(self, client: Client, job: AsyncJob) -> None:
        self._client = client
        self._job = job

    @property
    def id(self) -> str:
        return self._job.id

    def status(self) -> Snapshot:
        """Where it stands now."""
        return self._client.call(self._job.status())

    def events(self) -> Iterator[Snapshot]:
        """A snapshot at every change and about ten times a second, until the job is over."""
        stream = self._job.events()
        while (snapshot := self._client.call(_next(stream))) is not None:
            yield snapshot

    def wait(self, timeout_s: float | None = None, *, on_progress: OnProgress | None = None) -> VideoResult:
        """The stored clip. Raises: the error that ended the job; WaitTimeout, and the job goes on."""
        return self._client.call(self._job.wait(timeout_s, on_progress=on_progress))

    def cancel(self, *, abandon: bool = False) -> State:
        """Cancel what can be cancelled, and tell the state that came of it."""
        return self._client.call(self._job.cancel(abandon=abandon))

    def retry(self, *, as_it_is: bool = False, **changes: Unpack[VideoFields]) -> ClipJob:
        """A new attempt under the same job; see AsyncJob.retry."""
        self._client.call(self._job.retry(as_it_is=as_it_is, **changes))
        return self


async def _next(stream: AsyncIterator[Snapshot]) -> Snapshot | None:
    return await anext(stream, None)


class Client:
    """The same for scripts. Its jobs are driven by one background thread; `close()` or `with` ends it."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: AsyncClient | None = None
        self._thread: threading.Thread | None = None

    def submit(
        self,
        request: VideoRequest | Mapping[str, Any] | None = None,
        *,
        provider: str | None = None,
        cache: Cache = "use",
        max_cost: float | Decimal | None = None,
        **fields: Unpack[VideoFields],
    ) -> ClipJob:
        """Accept a request and start on it; see AsyncClient.submit."""
        client = self._opened()
        job = self.call(client.submit(request, provider=provider, cache=cache, max_cost=max_cost, **fields))
        return ClipJob(self, job)

    def generate(
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
        """Make one clip and wait for it; see AsyncClient.generate. May cost money."""
        making = self._opened().generate(
            request,
            provider=provider,
            cache=cache,
            max_cost=max_cost,
            on_progress=on_progress,
            timeout_s=timeout_s,
            **fields,
        )
        return self.call(making)

    def job(self, job_id: str) -> ClipJob:
        """Pick up a job of this ledger, wherever it was started. Raises: JobNotFound."""
        return ClipJob(self, self.call(self._opened().job(job_id)))

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the client's own thread and wait for it."""
        self._opened()
        assert self._loop is not None
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def close(self) -> None:
        """Put down what is in hand; the jobs stay in the ledger. Safe to call twice."""
        with self._lock:
            loop, thread, self._loop, self._client = self._loop, self._thread, None, None
            _open_clients.discard(self)
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _opened(self) -> AsyncClient:
        with self._lock:
            if self._client is None:
                client, loop, ready = AsyncClient(self._settings), asyncio.new_event_loop(), threading.Event()
                failure: list[BaseException] = []
                self._thread = threading.Thread(
                    target=_serve, args=(loop, client, ready, failure), name="wanvideo", daemon=True
                )
                self._thread.start()
                ready.wait()
                if failure:
                    raise failure[0]
                self._client, self._loop = client, loop
                _open_clients.add(self)
            return self._client


def _serve(
    loop: asyncio.AbstractEventLoop, client: AsyncClient, ready: threading.Event, failure: list[BaseException]
) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(client.__aenter__())
    except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
        failure.append(error)
        ready.set()
        loop.close()
        return
    ready.set()
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(client.__aexit__())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


_open_clients: set[Client] = set()


def _close_all() -> None:
    for client in list(_open_clients):
        client.close()


# `atexit` itself runs after the pools of concurrent.futures have been shut, and an orderly end needs them.
# They end themselves through this hook; the last to register is called first, hence the import above.
getattr(threading, "_register_atexit", atexit.register)(_close_all)

video = Client()
"""The client most scripts need: settings from the environment, opened on first use."""
