"""The door of the API: authenticates every request, lets it meet its fault, answers in the vendor's way."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from wanvideo_emulator import replies, wire
from wanvideo_emulator.accounts import Accounts, Caller
from wanvideo_emulator.codes import Refused
from wanvideo_emulator.faults import BEFORE, Fault, FaultPlan

Work = Callable[[Caller, str], Awaitable[dict[str, Any]]]
"""Does what was asked, given the caller and the request id; returns the body of a 200, or raises Refused."""


@dataclass(frozen=True)
class Answer:
    """A response and a few words on it for the record."""

    response: web.StreamResponse
    told: str


class Gateway:
    def __init__(self, accounts: Accounts, faults: FaultPlan) -> None:
        self._accounts = accounts
        self._faults = faults

    async def answer(self, request: web.Request, where: str, work: Work) -> Answer:
        """Authenticate, do the work unless a fault forbids it, and answer. The body of `request` was read."""
        answer = await self._answer(request, where, work)
        takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
        if takes_gzip and answer.response.content_type == "application/json":
            answer.response.enable_compression(web.ContentCoding.gzip)
        return answer

    async def _answer(self, request: web.Request, where: str, work: Work) -> Answer:
        arrived_at = time.time()
        request_id = str(uuid.uuid4())
        try:
            caller = self._accounts.caller(request.headers.get("Authorization"))
            fault = self._faults.take(where)
            if fault is not None and fault.action in BEFORE:
                return self._instead(request, fault, request_id, arrived_at)
            body = await work(caller, request_id)
        except Refused as refusal:
            reply = replies.refused(refusal, request_id)
            return Answer(wire.answer(reply, arrived_at, refusal.status), f"{refusal.status} {refusal.code}")
        if fault is not None:
            return await self._spoiled(request, fault, body, request_id, arrived_at)
        return Answer(wire.answer(body, arrived_at), "200")

    def _instead(self, request: web.Request, fault: Fault, request_id: str, arrived_at: float) -> Answer:
        """The answer of a fault that keeps the work from being done."""
        match fault.action:
            case "drop-before":
                wire.hang_up(request)
                return Answer(wire.hung_up(), "dropped, nothing done")
            case "code":
                raise Refused(fault.value)
            case "code200":
                refusal = Refused(fault.value or "InternalError")
                return Answer(
                    wire.answer(replies.refused(refusal, request_id), arrived_at), "200 with a code"
                )
            case _:
                return Answer(wire.trouble(fault.action, request_id, arrived_at), fault.action)

    async def _spoiled(
        self, request: web.Request, fault: Fault, body: dict[str, Any], request_id: str, arrived_at: float
    ) -> Answer:
        """The answer of a fault that strikes once the work is done."""
        match fault.action:
            case "drop" | "reset":
                wire.hang_up(request, reset=fault.action == "reset")
                return Answer(wire.hung_up(), "dropped")
            case "badjson":
                return Answer(wire.half_answer(body, arrived_at), "200 half")
            case "empty":
                return Answer(
                    wire.answer({"request_id": request_id, "output": None}, arrived_at), "200 empty"
                )
            case "unknown":
                task_id = str(request.match_info.get("task_id", ""))
                return Answer(wire.answer(replies.unknown(task_id, request_id), arrived_at), "200 UNKNOWN")
            case "slow":
                await asyncio.sleep(fault.seconds)
                return Answer(wire.answer(body, arrived_at), f"200 after {fault.value} s")
            case _:
                status = fault.action.removesuffix("-created")
                return Answer(wire.trouble(status, request_id, arrived_at), f"{status}, task made")
