"""The durable record of jobs, attempts, money and turns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from wanvideo.contract.job import Attempt, Event, Job, JobEvent, JobId, State, TaskId
from wanvideo.ports.provider import Upload
from wanvideo.ports.records import (
    Budget,
    Ending,
    Lease,
    NewJob,
    NoSlot,
    Once,
    OverBudget,
    RunningTask,
    Sighting,
    Spending,
)


class Ledger(Protocol):
    """The durable record. Every write is one transaction; a write with a stale fence changes nothing.

    Delays are relative (`_s`): the ledger adds them to its own clock, the database's where it has one.
    Methods that take a lease answer None when the lease was lost; the caller then drops what it has.
    """

    @property
    def look_every_s(self) -> float:
        """How often to look for changes by other processes, beside what `listening` tells."""

    def listening(self, wake: Callable[[], None]) -> AbstractAsyncContextManager[None]:
        """Call `wake` whenever another process may have made a job due, where the database can tell."""

    async def probe(self) -> str:
        """Write and read; say in words which database it is. Raises: StorageFailed."""

    # jobs
    async def add_job(self, new: NewJob, once: Once | None = None) -> Job:
        """Write a job down, unless an identical one is in flight or `once` was used: then that one."""

    async def add_rescued(self, new: NewJob, attempt: Attempt, changes: Mapping[str, Any]) -> Job:
        """Write down a job, in state running, for a task that nobody owns.

        Raises: JobConflict when somebody owns it after all.
        """

    async def used_once(self, owner: str, key: str) -> tuple[Once, JobId] | None: ...
    async def job(self, job_id: JobId) -> Job | None: ...
    async def jobs(self, *, limit: int, states: Sequence[State] = ()) -> list[Job]: ...
    async def find_jobs(self, part: str) -> list[JobId]: ...
    async def clip_for(self, cache_key: str) -> Job | None: ...
    async def alike(self, provider: str, source_sha256: str, *, limit: int) -> list[Job]:
        """Earlier jobs of a picture, and the newest of the provider besides, newest first."""

    async def ask_cancel(self, job_id: JobId, how: str) -> Job | None: ...
    async def reask(self, lease: Lease, new: NewJob, changes: Mapping[str, Any]) -> Lease | None:
        """Retry under another request: `new` replaces what the job was born with, its history stays.

        Raises: JobConflict when an identical job is in flight.
        """

    # leases
    async def claim(
        self,
        worker: str,
        *,
        states: Sequence[State],
        only: Sequence[JobId] | None,
        limit: int,
        lease_s: float,
        due: bool = True,
    ) -> list[Lease]: ...
    async def claim_queued(
        self,
        worker: str,
        *,
        provider: str,
        account: str,
        slots: int,
        only: Sequence[JobId] | None,
        limit: int,
        lease_s: float,
    ) -> list[Lease]:
        """Due queued jobs, at most as many as there are free places: the highest priority first, then
        fairly among owners (who has the fewest tasks running), then the oldest.
        """

    async def note_waiting(self, provider: str, note: str, *, only: Sequence[JobId] | None) -> None:
        """Tell due queued jobs of a provider, which nobody has in hand, why they wait; once each."""

    async def release(self, leases: Sequence[Lease], *, in_s: float) -> int:
        """Put many jobs down in one transaction, due again in `in_s`; how many were still held."""

    async def lease_owners(self) -> set[str]: ...
    async def expire_leases(self, owners: Collection[str]) -> None: ...
    async def next_due_s(self, *, states: Sequence[State], only: Sequence[JobId] | None) -> float | None: ...
    async def renew(self, lease: Lease, *, lease_s: float) -> bool: ...
    async def write(
        self,
        lease: Lease,
        changes: Mapping[str, Any],
        *,
        event: Event | None = None,
        data: Mapping[str, Any] | None = None,
        release_in_s: float | None = None,
        settled_cny: Decimal | None = None,
    ) -> Lease | None:
        """`settled_cny` settles the job's latest attempt in the same transaction."""

    # attempts: the money
    async def open_attempt(
        self,
        lease: Lease,
        attempt: Attempt,
        changes: Mapping[str, Any],
        *,
        slots: int,
        budget: Budget | None = None,
    ) -> Lease | NoSlot | OverBudget | None: ...
    async def close_attempt(
        self,
        lease: Lease,
        ending: Ending,
        changes: Mapping[str, Any],
        *,
        data: Mapping[str, Any] | None = None,
        release_in_s: float | None = None,
    ) -> Lease | None: ...
    async def record_task(self, job_id: JobId, number: int, task_id: TaskId) -> None: ...
    async def attempts(self, job_id: JobId) -> list[Attempt]: ...
    async def attempts_since(self, since_at: datetime) -> list[Attempt]: ...
    async def spent_cny(self, since_at: datetime) -> Decimal: ...
    async def spending(self, since_at: datetime) -> list[Spending]: ...
    async def note_hit(self, job_id: JobId, owner: str | None, saved_cny: Decimal) -> None: ...

    # tasks at the provider
    async def running(self, account: str, *, only: Sequence[JobId] | None) -> list[RunningTask]: ...
    async def sight(self, seen: Sequence[Sighting]) -> None:
        """Write down what a look told. Needs no lease: it is a fact about a task, not a step of the job."""

    async def events(self, job_id: JobId, *, after_seq: int = 0) -> list[JobEvent]: ...
    async def known_tasks(self, task_ids: Sequence[TaskId]) -> set[TaskId]: ...
    async def latencies_s(
        self, provider: str, resolution: str, seconds: int, *, limit: int
    ) -> list[float]: ...

    # what all processes of an account share
    async def take_turn(self, gate: str, *, per_s: float) -> float:
        """Reserve the next turn at a gate; the seconds until it comes. Turns are 1/per_s apart."""

    async def shut_gate(self, gate: str) -> float:
        """The provider asked for a slower pace: no turn for a while (told, in seconds), then gently more."""

    async def hold_post(self, post: str, worker: str, *, for_s: float) -> bool:
        """Take or keep a post that only one process may have; False while another has it."""

    async def leave_post(self, post: str, worker: str) -> None: ...
    async def upload(self, account: str, sha256: str, *, at_least_s: float) -> str | None: ...
    async def remember_upload(self, account: str, sha256: str, upload: Upload) -> None: ...
    async def forget_upload(self, account: str, sha256: str) -> None: ...
    async def quirks(self, endpoint: str) -> frozenset[str]: ...
    async def remember_quirk(self, endpoint: str, parameter: str) -> None: ...
    async def close(self) -> None: ...
