"""What all processes share: the pace of an account, posts, what lies with the provider and what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from wanvideo.contract.job import ENDED_AT_PROVIDER, JobId
from wanvideo.ledger import rows
from wanvideo.ledger.pace import Gate
from wanvideo.ledger.statements import sharing, tasks
from wanvideo.ledger.writing import Writing
from wanvideo.ports import RunningTask, Sighting, Upload


class Sharing(Writing):
    """The part of ports.Ledger that is about an account and not about one job."""

    async def running(self, account: str, *, only: Sequence[JobId] | None) -> list[RunningTask]:
        found = await self._all(tasks.running(account))
        if only is not None:
            chosen = set(only)
            found = [row for row in found if row.id in chosen]
        return [rows.task_of(row) for row in found]

    async def sight(self, seen: Sequence[Sighting]) -> None:
        if not seen:
            return
        # in one order everywhere, so that two batches cannot wait for each other
        ordered = sorted(seen, key=lambda sighting: sighting.job_id)
        async with self._database.writing() as turn:
            now = await turn.now()
            await turn.run(tasks.sight(), [rows.sighting_row(sighting, now) for sighting in ordered])
            for sighting in ordered:
                if sighting.ended or sighting.status in ENDED_AT_PROVIDER:  # work to do, or a place to fill
                    await turn.tell(sighting.job_id)

    async def take_turn(self, gate: str, *, per_s: float) -> float:
        async with self._database.writing() as turn:
            await turn.lock(f"gate {gate}")
            now = await turn.now()
            row = await turn.first(sharing.gate(gate))
            before = Gate(now) if row is None else Gate(row.next_at, row.slowdown)
            after, wait_s = before.turn(now, per_s)
            await turn.run(sharing.set_gate(gate, after.next_at, after.slowdown))
            return wait_s

    async def shut_gate(self, gate: str) -> float:
        async with self._database.writing() as turn:
            await turn.lock(f"gate {gate}")
            now = await turn.now()
            row = await turn.first(sharing.gate(gate))
            before = Gate(now) if row is None else Gate(row.next_at, row.slowdown)
            after, pause_s = before.shut(now)
            await turn.run(sharing.set_gate(gate, after.next_at, after.slowdown))
            return pause_s

    async def hold_post(self, post: str, worker: str, *, for_s: float) -> bool:
        async with self._database.writing() as turn:
            now = await turn.now()
            until = now + timedelta(seconds=for_s)
            return await turn.first(sharing.hold_post(post, worker, now, until)) is not None

    async def leave_post(self, post: str, worker: str) -> None:
        async with self._database.writing() as turn:
            await turn.run(sharing.leave_post(post, worker))

    async def upload(self, account: str, sha256: str, *, at_least_s: float) -> str | None:
        async with self._database.reading() as turn:
            until = await turn.now() + timedelta(seconds=at_least_s)
            row = await turn.first(sharing.valid_upload(account, sha256, until))
        return None if row is None else str(row.url)

    async def remember_upload(self, account: str, sha256: str, upload: Upload) -> None:
        async with self._database.writing() as turn:
            await turn.run(sharing.forget_dead_uploads(await turn.now()))
            await turn.run(sharing.set_upload(account, sha256, upload.url, upload.expires_at))

    async def forget_upload(self, account: str, sha256: str) -> None:
        async with self._database.writing() as turn:
            await turn.run(sharing.forget_upload(account, sha256))

    async def quirks(self, endpoint: str) -> frozenset[str]:
        return frozenset(row.parameter for row in await self._all(sharing.list_quirks(endpoint)))

    async def remember_quirk(self, endpoint: str, parameter: str) -> None:
        async with self._database.writing() as turn:
            await turn.run(sharing.add_quirk(endpoint, parameter, await turn.now()))
