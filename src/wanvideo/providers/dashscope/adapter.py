"""DashScope as a `Provider`: each method sends one request and says what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

from wanvideo.clock import Clock, SystemClock
from wanvideo.contract.job import TaskId
from wanvideo.contract.model_card import MODEL, REGIONS, limit
from wanvideo.contract.price import Cost, cost_of, region_of
from wanvideo.contract.request import VideoRequest
from wanvideo.errors import (
    NotDelivered,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    SubmitUncertain,
    Throttled,
)
from wanvideo.ports import Account, ClipStream, Order, Pace, TaskPage, TaskReport, Upload
from wanvideo.providers import links
from wanvideo.providers.dashscope import faults, outcome, upload, wire
from wanvideo.providers.dashscope.credentials import Credentials
from wanvideo.providers.dashscope.line import Line, NoReply, Reply, Timeouts
from wanvideo.redact import redact
from wanvideo.settings import Settings

CREATE_PATH: Final = "/services/aigc/video-generation/video-synthesis"
ASYNC: Final = {"X-DashScope-Async": "enable"}
RESOLVE_STORED: Final = {"X-DashScope-OssResourceResolve": "enable"}
PAGE_SIZES: Final = (100, 10)
"""The largest page is undocumented: 100 is asked for, and 10, the vendor's own, when that is refused."""
_QUESTIONS: Final = 64
"""Questions to the task list whose spelling is remembered until their last page."""

_Call = Callable[[Any], Awaitable[Any]]


class DashScopeProvider:
    """Wan through the official SDK. It never sleeps, never retries and never sends a create twice."""

    name = "dashscope"
    model = MODEL

    def __init__(
        self,
        credentials: Credentials,
        *,
        base_url: str,
        region: str,
        timeouts: Timeouts | None = None,
        workspace: str | None = None,
        clock: Clock | None = None,
        slots: int = 5,
        submits_per_s: float = 5,
        queries_per_s: float = 15,
    ) -> None:
        # two official samples of 10 s took 59 and 73 s, a real clip of 5 s 92 s (docs/sources.md)
        self.pace = Pace(
            typical_s=75,
            first_look_s=15,
            look_every_s=3,
            slots=slots,
            submits_per_s=submits_per_s,
            queries_per_s=queries_per_s,
        )
        base_url = base_url.rstrip("/")
        self.account = Account(self.name, redact(base_url), credentials.fingerprint)
        self._region = region
        self._timeouts = timeouts or Timeouts()
        self._clock = clock or SystemClock()
        self._line = Line(credentials, base_url, self._timeouts, workspace=workspace)
        self._page_size = PAGE_SIZES[0]
        self._lists_in_china_time = False
        self._questions: dict[tuple[datetime, datetime], dict[str, Any]] = {}

    @classmethod
    def from_settings(
        cls, credentials: Credentials, settings: Settings, clock: Clock | None = None
    ) -> DashScopeProvider:
        """The provider that the settings describe. A Singapore endpoint brings Singapore's prices."""
        base_url = settings.base_url or REGIONS[settings.region]
        return cls(
            credentials,
            base_url=base_url,
            region=region_of(base_url, settings.region),
            timeouts=Timeouts(
                settings.connect_timeout_s,
                settings.submit_timeout_s,
                settings.query_timeout_s,
                settings.transfer_timeout_s,
            ),
            workspace=settings.workspace,
            clock=clock,
            slots=settings.running_tasks,
            submits_per_s=settings.submits_per_s,
            queries_per_s=settings.queries_per_s,
        )

    def __repr__(self) -> str:
        return f"DashScopeProvider({self.account.name!r})"

    def estimate(self, request: VideoRequest) -> Cost:
        return cost_of(self._region, request.resolution, request.wan.audio, request.billed_s)

    def settled(self, request: VideoRequest, billed_s: float) -> Cost:
        return cost_of(self._region, request.resolution, request.wan.audio, billed_s, basis="usage")

    def body(self, order: Order) -> dict[str, Any]:
        return wire.encode(order)

    async def upload(self, data: bytes, *, name: str) -> Upload:
        params = {"action": "getPolicy", "model": MODEL}
        reply = await self._ask(lambda sdk: sdk.transport.request("GET", "/uploads", params=params))
        now_at = self._clock.now()
        return await upload.store(self._line, upload.Policy.read(reply.payload), data, name, now_at=now_at)

    async def ready(self) -> None:
        """Load the SDK and build the clients. Raises: SettingsInvalid."""
        await self._line.open()

    async def create(self, body: Mapping[str, Any]) -> TaskId:
        headers = ASYNC | (RESOLVE_STORED if wire.uses_stored_picture(body) else {})
        await self._line.open()  # whatever fails here has certainly sent nothing

        # Not the SDK's `jobs.create`: it takes every text of the input that happens to be the name of a
        # local file (a negative prompt "notes", say) for a file to upload, and so sends another body than
        # the one that was written down.
        post = {"json": dict(body), "headers": headers, "sdk_module": "aigc"}
        try:
            reply = await self._line.submit(lambda sdk: sdk.transport.request("POST", CREATE_PATH, **post))
        except NoReply as silence:
            raise outcome.unanswered(silence) from None
        except Exception as error:
            # Nothing of the kind is known; but whatever it is, it came after the request may have left.
            raise SubmitUncertain(f"The submit ended oddly ({type(error).__name__}).") from error
        return outcome.accepted(reply)

    async def fetch(self, task: TaskId) -> TaskReport:
        try:
            reply = await self._send(lambda sdk: sdk.videos.jobs.fetch(quote(task, safe="")))
            if reply.ok and wire.is_about(reply.payload, task):
                return wire.decode_report(reply.payload, region=self._region)
            raise _failure(reply)
        except ProviderError as error:
            error.task_id = task
            raise

    async def cancel(self, task: TaskId) -> None:
        try:
            await self._ask(lambda sdk: sdk.videos.jobs.cancel(quote(task, safe="")))
        except ProviderError as error:
            error.task_id = task
            raise

    async def list_page(self, since_at: datetime, until_at: datetime, page_no: int) -> TaskPage:
        """A page of the account's tasks of this model that were created in the window.

        Begin with page 1: it settles how the question is spelt on all its pages. The window may come back
        wider than asked, and a window of more than 16 hours may lack its oldest part (see `_spelt`). When
        the size of the page is refused, the error is retryable: ask again from page 1.
        """
        until_at = until_at.replace(microsecond=0) + timedelta(seconds=1)
        since_at = max(since_at.replace(microsecond=0), until_at - timedelta(seconds=limit("task_ttl_s")))
        question = self._question(since_at, until_at, page_no)
        try:
            reply = await self._list({**question, "page_no": page_no})
        except ProviderRefused as refusal:
            if question["page_size"] == PAGE_SIZES[-1]:
                raise
            self._page_size = PAGE_SIZES[-1]
            raise ProviderUnavailable(
                f"The task list was refused with {question['page_size']} lines a page: {refusal.detail}",
                hint="It is asked for again with shorter pages.",
                request_id=refusal.request_id,
            ) from None
        listings, pages = wire.decode_list(reply.payload)
        if any(listing.created_at < since_at for listing in listings):
            self._lists_in_china_time = True
        return TaskPage(tuple(listings), pages, wire.listed_total(reply.payload))

    async def ping(self) -> datetime | None:
        """Ask for one line of the task list: the key and the endpoint work when this does not raise.

        Returns the server's own time, where it gave one, to tell a wrong clock on this machine.
        """
        reply = await self._list({"page_no": 1, "page_size": 1})
        try:
            return parsedate_to_datetime(reply.date or "").astimezone(UTC)
        except ValueError:
            return None

    def open_clip(self, url: str, *, offset_bytes: int = 0) -> AbstractAsyncContextManager[ClipStream]:
        return links.open_clip(
            url,
            offset_bytes=offset_bytes,
            connect_s=self._timeouts.connect_s,
            silence_s=self._timeouts.transfer_s,
            expires_at=wire.link_expires_at(url),
            clock=self._clock,
        )

    async def close(self) -> None:
        await self._line.close()

    async def _list(self, params: dict[str, Any]) -> Reply:
        """`jobs.list` of the SDK reads a key that the answer does not have, so its transport is used."""
        return await self._ask(lambda sdk: sdk.transport.request("GET", "/tasks", params=params))

    def _question(self, since_at: datetime, until_at: datetime, page_no: int) -> dict[str, Any]:
        """The question as its first page spelt it: another window would move the lines between the pages."""
        window = (since_at, until_at)
        if page_no == 1 or window not in self._questions:
            self._questions.pop(window, None)
            while len(self._questions) >= _QUESTIONS:
                del self._questions[next(iter(self._questions))]
            self._questions[window] = self._spelt(since_at, until_at)
        return self._questions[window]

    def _spelt(self, since_at: datetime, until_at: datetime) -> dict[str, Any]:
        """The vendor does not say in which zone it reads a window; UTC+8, as everywhere else, is likely.

        Until a list has shown it, the window is spelt to hold under both readings, UTC+8 and UTC. Above 16
        hours it cannot be, since the vendor takes 24 at most: read as UTC, the oldest part is then missing.
        """
        start = wire.list_time(since_at, wire.CHINA if self._lists_in_china_time else UTC)
        earliest = wire.list_time(until_at - timedelta(seconds=limit("task_ttl_s")))
        return {
            "page_size": self._page_size,
            "start_time": max(start, earliest),
            "end_time": wire.list_time(until_at),
            "model_name": MODEL,
        }

    async def _ask(self, call: _Call) -> Reply:
        """Send a call that costs nothing and whose answer must be the vendor's JSON without a code."""
        reply = await self._send(call)
        if not reply.ok or not isinstance(reply.payload, dict) or wire.code_and_message(reply.payload)[0]:
            raise _failure(reply)
        return reply

    async def _send(self, call: _Call) -> Reply:
        try:
            return await self._line.query(call)
        except NoReply as silence:
            if silence.never_left:
                raise NotDelivered(f"The provider could not be reached ({silence.reason}).") from None
            raise ProviderUnavailable(f"The provider did not answer ({silence.reason}).") from None


def _failure(reply: Reply) -> ProviderError:
    """Our error for the answer to a free call. What the vendor itself did not say is no definite answer."""
    code, message, request_id = wire.code_and_message(reply.payload)
    request_id = request_id or reply.request_id
    error = faults.from_reply(reply.status, code, message, request_id)
    if code is None and not isinstance(error, Throttled | NotDelivered):
        hint = error.hint if error.hint != error.default_hint else None
        return ProviderUnavailable(error.detail, hint=hint, request_id=request_id)
    return error
