"""A ledger with a past, for benches: rows as the engine leaves them, written straight into the tables."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Table, insert, text

from wanvideo.contract.fingerprint import cache_key
from wanvideo.contract.job import Event, JobId, Picture, State
from wanvideo.contract.price import cost_of
from wanvideo.contract.request import VideoRequest
from wanvideo.jobs.ids import new_id
from wanvideo.jobs.intake import as_json
from wanvideo.ledger import rows, schema
from wanvideo.ledger.sql import SqlLedger
from wanvideo.ports import Account, NewJob

_CHUNK_ROWS: Final = 5000
_LIFE: Final = (
    ("created", State.QUEUED),
    (Event.CLAIM, State.SUBMITTING),
    (Event.ACCEPTED, State.RUNNING),
    (Event.PROVIDER_SUCCEEDED, State.STORING),
    (Event.STORED, State.SUCCEEDED),
)
Row = dict[str, Any]


def finished(
    request: VideoRequest, picture: Picture, account: Account, at: datetime, *, url: str, latency_s: float
) -> Row:
    """A job that was submitted `at` and whose clip lies at `url`."""
    row = running(request, picture, account, at, task_id="")
    task_id, cost = f"task-of-{row['id']}", cost_of("beijing", request.resolution, True, request.billed_s)
    result = {
        "video_url": url, "duration": request.duration, "fps": request.fps, "seed": row["seed"],
        "job_id": row["id"], "task_id": task_id, "provider": account.provider, "model": request.model,
        "size": request.size, "cost": cost.as_json(), "cached": False, "warnings": [],
        "sha256": hashlib.sha256(url.encode()).hexdigest(), "created_at": at.isoformat(), "source_url": None,
    }  # fmt: skip
    ended_at = at + timedelta(seconds=latency_s)
    return row | {
        "state": State.SUCCEEDED,
        "task_id": task_id,
        "seen_status": "succeeded",
        "latency_s": latency_s,
        "expires_at": ended_at + timedelta(days=1),
        "updated_at": ended_at,
        "due_at": ended_at,
        "result": result,
        "cost_cny": str(cost.cny),
        "fence": 3,
    }


def running(request: VideoRequest, picture: Picture, account: Account, at: datetime, *, task_id: str) -> Row:
    """A job whose task was submitted `at` and runs."""
    new = NewJob(
        id=_id(at),
        provider=account.provider,
        request=as_json(request),
        picture=picture,
        cache_key=cache_key(request, picture_sha256=picture.source_sha256, provider=account.provider),
        seed=7 if request.seed is None else request.seed,
        estimate_cny=str(cost_of("beijing", request.resolution, True, request.billed_s).cny),
        account=account.name,
        resolution=request.resolution,
        billed_s=request.billed_s,
    )
    return rows.row_of(new, at) | {
        "state": State.RUNNING,
        "task_id": task_id,
        "seen_status": "running",
        "attempt": 1,
        "fence": 1,
        "submitted_at": at,
        "due_at": at + timedelta(hours=26),
    }


_ids: set[JobId] = set()


def _id(at: datetime) -> JobId:
    while (made := new_id(at)) in _ids:
        pass
    _ids.add(made)
    return made


def pictures(count: int) -> list[Picture]:
    hashes = (hashlib.sha256(str(number).encode()).hexdigest() for number in itertools.count())
    blank = Picture("", "", "", "image/png", 1280, 720)
    return [
        replace(blank, key=f"pictures/{sha256}.png", sha256=sha256, source_sha256=next(hashes))
        for sha256 in itertools.islice(hashes, count)
    ]


async def write(ledger: SqlLedger, jobs: Iterable[Row]) -> None:
    """The jobs with their attempts and events; then the statistics that a long-lived ledger would have."""
    for chunk in _chunks(jobs):
        await _add(ledger, schema.jobs, chunk)
        await _add(ledger, schema.attempts, map(_attempt, chunk))
        await _add(ledger, schema.events, itertools.chain.from_iterable(map(_events, chunk)))
    async with ledger._database.writing() as turn:
        await turn.run(text("ANALYZE"))


async def _add(ledger: SqlLedger, table: Table, made: Iterable[Row]) -> None:
    names = [column.name for column in table.columns if not column.autoincrement or column.name != "seq"]
    blank = {"troubles": 0, "store_tries": 0}
    async with ledger._database.writing() as turn:
        await turn.run(
            insert(table), [{name: row.get(name, blank.get(name)) for name in names} for row in made]
        )


def _attempt(job: Mapping[str, Any]) -> Row:
    asked = job["request"]
    body = {
        "model": asked["model"],
        "input": {"prompt": asked["prompt"], "img_url": f"oss://dashscope-instant/{job['picture']['key']}"},
        "parameters": {"resolution": job["resolution"], "duration": job["billed_s"], "seed": job["seed"]},
    }
    _, endpoint, key = job["account"].split("|")
    over = job["state"] is State.SUCCEEDED
    return {
        "job_id": job["id"], "number": 1, "fence": 1, "endpoint": endpoint, "key_fingerprint": key,
        "body_sha256": hashlib.sha256(job["id"].encode()).hexdigest(), "body": body,
        "started_at": job["submitted_at"], "ended_at": job["submitted_at"], "outcome": Event.ACCEPTED,
        "task_id": job["task_id"], "account": job["account"], "reserved_cny": Decimal(job["estimate_cny"]),
        "settled_cny": Decimal(job["cost_cny"]) if over else None,
    }  # fmt: skip


def _events(job: Mapping[str, Any]) -> Iterator[Row]:
    for event, state in _LIFE if job["state"] is State.SUCCEEDED else _LIFE[:3]:
        data = {"task_id": job["task_id"]} if event is Event.ACCEPTED else {}
        yield {"job_id": job["id"], "at": job["submitted_at"], "event": event, "state": state, "data": data}


def _chunks(jobs: Iterable[Row]) -> Iterator[list[Row]]:
    each = iter(jobs)
    while chunk := list(itertools.islice(each, _CHUNK_ROWS)):
        yield chunk
