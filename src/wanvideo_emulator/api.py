"""The five verbs of the task API: create, query, list, cancel, and the upload policy."""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from wanvideo_emulator import order, replies
from wanvideo_emulator.accounts import Caller, Rates
from wanvideo_emulator.clock import WallClock
from wanvideo_emulator.codes import ASYNC_REFUSED, SYNC_REFUSED, Refused
from wanvideo_emulator.faults import FaultPlan
from wanvideo_emulator.gateway import Gateway
from wanvideo_emulator.listing import read_filter
from wanvideo_emulator.media import Inspector, Picture
from wanvideo_emulator.options import Options
from wanvideo_emulator.tasks import VALIDATION_S, Board, Task
from wanvideo_emulator.truth import Truth
from wanvideo_emulator.uploads import Uploads

BODY_BYTES_MAX = 16 * 1024 * 1024
UPLOAD_PATH = "/oss/upload"


def _enabled(request: web.Request, header: str) -> bool:
    return request.headers.get(header, "").lower() == "enable"


@dataclass
class TaskApi:
    options: Options
    clock: WallClock
    draws: random.Random
    gateway: Gateway
    rates: Rates
    faults: FaultPlan
    inspector: Inspector
    board: Board
    uploads: Uploads
    truth: Truth

    async def create(self, request: web.Request) -> web.StreamResponse:
        sent = await request.read()
        record = self.truth.create_received(request, sent)

        async def work(caller: Caller, request_id: str) -> dict[str, Any]:
            record["request_id"] = request_id
            task = await self._create(request, sent, caller, request_id)
            record["task_id"] = task.task_id
            return replies.created(task)

        answer = await self.gateway.answer(request, "submit", work)
        record["answered"] = answer.told
        return answer.response

    async def _create(self, request: web.Request, sent: bytes, caller: Caller, request_id: str) -> Task:
        if not _enabled(request, "X-DashScope-Async"):
            raise Refused("AccessDenied", SYNC_REFUSED)
        body = self._body(sent)
        model = self._known_model(body)
        if request.path.rstrip("/").endswith("/image2video/video-synthesis"):
            raise Refused("InvalidParameter", "url error, please check url！")
        self.rates.admit("submit", caller.account, model)
        self._check_concurrency(caller, model)
        if not isinstance(body.get("input"), dict):
            raise Refused("BadRequest.EmptyInput")
        resolve_oss = _enabled(request, "X-DashScope-OssResourceResolve")
        image_url, audio_url = order.media_urls(body)
        picture = await self.inspector.image(image_url, caller, model, resolve_oss=resolve_oss)
        reading = order.read(body, refuse_unknown=self.options.unknown_parameter == "refuse")
        if reading.order.audio:
            await self.inspector.audio(audio_url, caller, model, resolve_oss=resolve_oss)
        if reading.refusal is not None and self.options.missing_field == "sync":
            raise reading.refusal
        # Other creates were let in while the picture was fetched.
        self._check_concurrency(caller, model)
        task = self._task(caller, request_id, reading, picture)
        self.board.add(task)
        return task

    def _task(self, caller: Caller, request_id: str, reading: order.Reading, picture: Picture | None) -> Task:
        fault = self.faults.take("task")
        failure = reading.refusal or reading.late_refusal
        if fault is not None and fault.action == "fail":
            failure = Refused(fault.value)
        given_seed = reading.order.seed
        return Task(
            task_id=str(uuid.uuid4()),
            request_id=request_id,
            caller=caller,
            order=reading.order,
            picture=picture,
            submitted_at=self.clock.now(),
            pending_s=self.board.draw_pending_s(),
            run_s=VALIDATION_S if reading.refusal else self.board.draw_run_s(),
            failure=failure,
            fate=fault.action if fault is not None and fault.action != "fail" else "",
            seed=given_seed if given_seed is not None else self.draws.randrange(order.SEED_MAX),
        )

    @staticmethod
    def _body(sent: bytes) -> dict[str, Any]:
        if len(sent) > BODY_BYTES_MAX:
            raise Refused("BadRequest.TooLarge")
        try:
            body = json.loads(sent)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Refused("InvalidParameter", "Required body invalid, please check the request body format.")
        return body

    def _known_model(self, body: dict[str, Any]) -> str:
        model = body.get("model")
        if not isinstance(model, str) or not model:
            raise Refused("BadRequest.EmptyModel")
        if model == order.MODEL:
            return model
        if self.options.unknown_model == "400":
            raise Refused("InvalidParameter", "Model not exist.")
        raise Refused("ModelNotFound")

    def _check_concurrency(self, caller: Caller, model: str) -> None:
        if self.options.over_concurrency != "429":
            return
        if self.board.in_progress(caller.account, model) >= self.options.max_running:
            raise Refused("Throttling.RateQuota")

    async def query(self, request: web.Request) -> web.StreamResponse:
        task_id = request.match_info["task_id"]

        async def work(caller: Caller, request_id: str) -> dict[str, Any]:
            if "X-DashScope-Async" in request.headers:
                raise Refused("AccessDenied", ASYNC_REFUSED)
            self.rates.admit("query", caller.account)
            task = self.board.find(task_id, caller.account)
            if task is None or task.fate == "unknown":
                return replies.unknown(task_id, request_id)
            return replies.queried(task, request_id, f"{request.scheme}://{request.host}")

        await request.read()
        return (await self.gateway.answer(request, "poll", work)).response

    async def list(self, request: web.Request) -> web.StreamResponse:
        async def work(caller: Caller, request_id: str) -> dict[str, Any]:
            self.rates.admit("list", caller.account)
            wanted = read_filter(request.query, self.clock.now(), self.options.list_page_max)
            tasks = [task for task in self.board.of_account(caller.account) if wanted.fits(task)]
            first = (wanted.page_no - 1) * wanted.page_size
            page = tasks[first : first + wanted.page_size]
            return replies.listed(page, len(tasks), wanted.page_no, wanted.page_size, request_id)

        await request.read()
        return (await self.gateway.answer(request, "list", work)).response

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        task_id = request.match_info["task_id"]

        async def work(caller: Caller, request_id: str) -> dict[str, Any]:
            self.rates.admit("cancel", caller.account)
            task = self.board.find(task_id, caller.account)
            if task is None:
                raise Refused("UnsupportedOperation")
            self.board.cancel(task)
            return replies.cancelled(request_id)

        await request.read()
        return (await self.gateway.answer(request, "cancel", work)).response

    async def policy(self, request: web.Request) -> web.StreamResponse:
        async def work(caller: Caller, request_id: str) -> dict[str, Any]:
            if request.query.get("action") != "getPolicy":
                raise Refused("InvalidParameter", "Field required: action")
            model = self._known_model({"model": request.query.get("model")})
            self.rates.admit("policy", caller.account, model)
            host = f"{request.scheme}://{request.host}{UPLOAD_PATH}"
            return replies.policy(self.uploads.policy(caller, model, host), request_id)

        await request.read()
        return (await self.gateway.answer(request, "policy", work)).response

    async def nowhere(self, request: web.Request) -> web.StreamResponse:
        async def work(_caller: Caller, _request_id: str) -> dict[str, Any]:
            raise Refused("NotFound")

        await request.read()
        return (await self.gateway.answer(request, "nowhere", work)).response
