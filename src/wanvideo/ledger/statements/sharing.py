"""What all processes of an account share: gates, posts, uploads, and what an endpoint refuses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Insert, Select, delete, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_or  # see statements.jobs
from sqlalchemy.sql import Delete

from wanvideo.ledger.schema import gates, posts, quirks, uploads


def gate(name: str) -> Select[Any]:
    return select(gates.c.next_at, gates.c.slowdown).where(gates.c.name == name)


def set_gate(name: str, next_at: datetime, slowdown: float) -> Insert:
    values = {"next_at": next_at, "slowdown": slowdown}
    return (
        insert_or(gates)
        .values(name=name, **values)
        .on_conflict_do_update(index_elements=["name"], set_=values)
    )


def hold_post(post: str, worker: str, now: datetime, until: datetime) -> Insert:
    """Returns nothing while somebody else has the post."""
    return (
        insert_or(posts)
        .values(name=post, owner=worker, until=until)
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"owner": worker, "until": until},
            where=or_(posts.c.owner == worker, posts.c.until <= now),
        )
        .returning(posts.c.name)
    )


def post(name: str) -> Select[Any]:
    return select(posts.c.owner).where(posts.c.name == name)


def leave_post(post: str, worker: str) -> Delete:
    return delete(posts).where(posts.c.name == post, posts.c.owner == worker)


def valid_upload(account: str, sha256: str, until: datetime) -> Select[Any]:
    return select(uploads.c.url).where(
        uploads.c.account == account, uploads.c.sha256 == sha256, uploads.c.expires_at >= until
    )


def set_upload(account: str, sha256: str, url: str, expires_at: datetime) -> Insert:
    values = {"url": url, "expires_at": expires_at}
    return (
        insert_or(uploads)
        .values(account=account, sha256=sha256, **values)
        .on_conflict_do_update(index_elements=["account", "sha256"], set_=values)
    )


def forget_upload(account: str, sha256: str) -> Delete:
    return delete(uploads).where(uploads.c.account == account, uploads.c.sha256 == sha256)


def forget_dead_uploads(now: datetime) -> Delete:
    return delete(uploads).where(uploads.c.expires_at < now)


def list_quirks(endpoint: str) -> Select[Any]:
    return select(quirks.c.parameter).where(quirks.c.endpoint == endpoint)


def add_quirk(endpoint: str, parameter: str, now: datetime) -> Insert:
    return (
        insert_or(quirks)
        .values(endpoint=endpoint, parameter=parameter, seen_at=now)
        .on_conflict_do_nothing(index_elements=["endpoint", "parameter"])
    )
