"""Taking jobs up and putting them down: a lease, and a fence that stops whoever lost it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    Update,
    and_,
    cast,
    delete,
    func,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.sql import Delete

from wanvideo.contract.job import ENDED_AT_PROVIDER, JobId, State
from wanvideo.ledger.schema import OPEN, jobs, posts
from wanvideo.ledger.statements.membership import among, rows_of

_ALL = 2**31 - 1


def holds_a_place() -> ColumnElement[bool]:
    """A task may be running at the provider. One that ended but is not stored yet holds no place."""
    return and_(
        jobs.c.state.in_((State.SUBMITTING, State.UNCERTAIN, State.RUNNING)),
        or_(
            jobs.c.state != State.RUNNING,
            jobs.c.seen_status.is_(None),
            jobs.c.seen_status.not_in(ENDED_AT_PROVIDER),
        ),
    )


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(jobs.c.lease_until.is_(None), jobs.c.lease_until <= now)


def claim(
    *,
    worker: str,
    now: datetime,
    until: datetime,
    states: Sequence[State],
    only: Sequence[JobId] | None,
    limit: int,
    due: bool = True,
) -> Update:
    """Lease due jobs to one worker; the fence grows, so an earlier holder can write no more."""
    wanted = [_free(now)]
    if due:
        wanted.append(jobs.c.due_at <= now)
    if only is not None:
        wanted.append(among(jobs.c.id, only))
    return _lease(_locked(states, wanted, limit), worker, until)


def _locked(states: Sequence[State], wanted: Sequence[ColumnElement[bool]], limit: int) -> Select[Any]:
    """Ids of the jobs that are due longest, locked; those that somebody else has locked are left out.

    Each state is asked for its first ones by itself: an index on (state, due_at) gives them in order, so
    that a long queue costs nothing. The CTEs run once each; a subquery might run again for each row of
    an UPDATE, and lock more than its limit.
    """
    firsts = [
        select(jobs.c.id, jobs.c.due_at)
        .where(jobs.c.state == state, *wanted)
        .order_by(jobs.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte(f"first_{state}")
        for state in states
    ]
    first = union_all(*(select(each.c.id, each.c.due_at) for each in firsts)).subquery("first")
    return select(first.c.id).order_by(first.c.due_at).limit(limit)


def claim_these(ids: Sequence[JobId], worker: str, now: datetime, until: datetime) -> Update:
    """Lease these queued jobs, as far as nobody took them meanwhile."""
    found = select(jobs.c.id).where(among(jobs.c.id, ids), jobs.c.state == State.QUEUED, _free(now))
    locked = found.with_for_update(skip_locked=True).cte("locked")
    return _lease(select(locked.c.id), worker, until)


def _lease(ids: Select[Any], worker: str, until: datetime) -> Update:
    return (
        update(jobs)
        .where(jobs.c.id.in_(ids))
        .values(lease_owner=worker, lease_until=until, fence=jobs.c.fence + 1)
        .returning(*jobs.c)
    )


def places_taken(account: str, but: JobId | None = None) -> Select[Any]:
    """How many of the account's places are or may be taken, by others than job `but`."""
    found = select(func.count()).select_from(jobs).where(jobs.c.account == account, holds_a_place())
    return found if but is None else found.where(jobs.c.id != but)


def places_by_owner(account: str) -> Select[Any]:
    """How many of the account's places each owner takes."""
    return (
        select(jobs.c.owner, func.count().label("places"))
        .where(jobs.c.account == account, holds_a_place())
        .group_by(jobs.c.owner)
    )


def about_to_submit(provider: str, now: datetime) -> Select[Any]:
    """How many queued jobs each owner has in somebody's hands: each may open an attempt soon."""
    return (
        select(jobs.c.owner, func.count().label("places"))
        .where(
            jobs.c.state == State.QUEUED,
            jobs.c.due_at <= now,
            jobs.c.provider == provider,
            jobs.c.lease_until > now,
        )
        .group_by(jobs.c.owner)
    )


def heads_of_queue(provider: str, now: datetime, only: Sequence[JobId] | None, limit: int) -> Select[Any]:
    """The first `limit` queued jobs of each owner, with their `turn` among that owner's."""
    turn = func.row_number().over(
        partition_by=jobs.c.owner, order_by=(jobs.c.priority.desc(), jobs.c.created_at, jobs.c.id)
    )
    waiting = select(jobs.c.id, jobs.c.priority, jobs.c.created_at, jobs.c.owner, turn.label("turn")).where(
        jobs.c.state == State.QUEUED, jobs.c.due_at <= now, jobs.c.provider == provider, _free(now)
    )
    if only is not None:
        waiting = waiting.where(among(jobs.c.id, only))
    queue = waiting.subquery("queue")
    return select(queue).where(queue.c.turn <= limit)


def silent(provider: str, now: datetime, only: Sequence[JobId] | None) -> Select[Any]:
    """Due queued jobs in nobody's hands that do not say why they wait."""
    waiting = select(jobs.c.id).where(
        jobs.c.state == State.QUEUED,
        jobs.c.due_at <= now,
        jobs.c.provider == provider,
        jobs.c.note.is_(None),
        _free(now),
    )
    return waiting if only is None else waiting.where(among(jobs.c.id, only))


def note_waiting(provider: str, note: str, now: datetime, only: Sequence[JobId] | None) -> Update:
    """Those that somebody has locked are about to go: they are left out."""
    locked = silent(provider, now, only).with_for_update(skip_locked=True).cte("locked")
    return update(jobs).where(jobs.c.id.in_(select(locked.c.id))).values(note=note, updated_at=now)


def release(held: Mapping[JobId, int], worker: str, due_at: datetime, now: datetime) -> Update:
    """Put jobs down, each only under its own fence: one statement for any number of them."""
    leases = rows_of(held)
    fence = cast(cast(leases.c.value, Text), BigInteger)
    return (
        update(jobs)
        .where(jobs.c.id == leases.c.key, jobs.c.fence == fence, jobs.c.lease_owner == worker)
        .values(lease_owner=None, lease_until=None, due_at=due_at, updated_at=now)
        .returning(jobs.c.id)
    )


def fenced(job_id: JobId, worker: str, fence: int, changes: Mapping[str, Any]) -> Update:
    """Write to one job, only while this worker's lease holds: a late writer changes no row."""
    return (
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.fence == fence, jobs.c.lease_owner == worker)
        .values(**changes)
        .returning(*jobs.c)
    )


def first_due(states: Sequence[State], only: Sequence[JobId] | None, now: datetime) -> Select[Any]:
    """When the first job that nobody holds is due; in the past for one that waits already.

    Each state is asked by itself: an index on (state, due_at) knows its first rows. A job that is held
    and due later counts from when it is due.
    """
    return _first(jobs.c.due_at, or_(_free(now), jobs.c.due_at > now), states, only)


def first_freed(states: Sequence[State], only: Sequence[JobId] | None, now: datetime) -> Select[Any]:
    """When the first lease of a due job ends. Quick where no due job is free: then few are due."""
    return _first(jobs.c.lease_until, and_(jobs.c.due_at <= now, jobs.c.lease_until > now), states, only)


def _first(
    at: ColumnElement[Any],
    wanted: ColumnElement[bool],
    states: Sequence[State],
    only: Sequence[JobId] | None,
) -> Select[Any]:
    firsts = []
    for state in states:
        first = select(func.min(at).label("at")).where(jobs.c.state == state, wanted)
        firsts.append(first if only is None else first.where(among(jobs.c.id, only)))
    return select(func.min(union_all(*firsts).subquery("firsts").c.at))


def lease_owners(now: datetime) -> Select[Any]:
    """Who holds a job that is not over, or a post."""
    held = [
        select(jobs.c.lease_owner.label("owner")).where(jobs.c.state == state, jobs.c.lease_until > now)
        for state in OPEN
    ]
    at_post = select(posts.c.owner).where(posts.c.until > now)
    return select(union_all(*held, at_post).subquery("held").c.owner).distinct()


def expire_leases(owners: Collection[str], now: datetime) -> Update:
    """End the leases of workers that are known to be dead.

    A row that somebody is writing this moment is left to the next time: nobody waits for anybody here.
    """
    of_dead = (jobs.c.lease_until > now, jobs.c.lease_owner.in_(owners))
    return (
        update(jobs)
        .where(jobs.c.id.in_(_locked(OPEN, of_dead, _ALL)))
        .values(lease_until=now, due_at=now)
        .returning(jobs.c.id)
    )


def free_posts(owners: Collection[str]) -> Delete:
    return delete(posts).where(posts.c.owner.in_(owners))
