"""The line to DashScope: the official SDK's 2.0 client, held so that it sends each request exactly once.

The SDK is used for what it knows best (paths, headers, the shape of a request) and kept from what would
cost money: it is given no retries, no environment and no configuration file, and a create never travels
on a connection that was used before, since a server that has just closed an idle one leaves the client
unable to tell whether the request arrived. Answers are judged from their bytes, whatever the SDK makes
of them, so that an odd answer to a poll cannot hide a finished clip.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wanvideo.errors import SettingsInvalid
from wanvideo.providers.dashscope.credentials import Credentials
from wanvideo.redact import MASK, redact

if TYPE_CHECKING:
    import httpx


UPLOAD_LIMIT_S = 600
"""A picture has 20 MB at most; an upload that takes longer is stuck, however busy it looks."""


@dataclass(slots=True)
class _Exchange:
    """What the HTTP client under the SDK saw of one call."""

    began: bool = False  # a request was made up and handed to the network
    response: httpx.Response | None = None


_exchange: ContextVar[_Exchange | None] = ContextVar("exchange", default=None)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each step may take, in seconds. `transfer_s` counts silence, the others the whole step."""

    connect_s: float = 5
    submit_s: float = 60
    query_s: float = 15
    transfer_s: float = 30


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. `payload` is None when the body is no JSON; `text` is then what there is."""

    status: int
    payload: Any
    text: str = ""
    request_id: str | None = None
    date: str | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def __repr__(self) -> str:  # the payload may hold a signed link
        return f"Reply(status={self.status})"


class NoReply(Exception):
    """No answer came. `never_left` is True only when the request surely did not reach anybody."""

    def __init__(self, reason: str, *, never_left: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.never_left = never_left


@dataclass(frozen=True, slots=True)
class _Clients:
    submit: Any  # dashscope.AsyncClient; a new connection for every request
    query: Any  # dashscope.AsyncClient; connections are reused
    bare: httpx.AsyncClient  # for the storage host: carries no key
    https: tuple[httpx.AsyncClient, ...]


class Line:
    """Sends SDK calls over our own HTTP clients. Opened on first use, in a thread: the import takes 0.5 s."""

    def __init__(
        self, credentials: Credentials, base_url: str, timeouts: Timeouts, *, workspace: str | None = None
    ) -> None:
        self._key = credentials.api_key
        self._base_url = base_url
        self._timeouts = timeouts
        self._workspace = workspace
        self._clients: _Clients | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> _Clients:
        """Load the SDK and build the clients. Raises: SettingsInvalid."""
        async with self._opening:
            if self._clients is None:
                self._clients = await asyncio.to_thread(self._build)
            return self._clients

    async def submit(self, call: Callable[[Any], Awaitable[Any]]) -> Reply:
        """Send one create. Raises: NoReply."""
        clients = await self.open()
        limits = self._timeouts
        return await self._send(call, clients.submit, limits.submit_s + 3 * limits.connect_s)

    async def query(self, call: Callable[[Any], Awaitable[Any]]) -> Reply:
        """Send one call that costs nothing. Raises: NoReply."""
        clients = await self.open()
        limits = self._timeouts
        return await self._send(call, clients.query, limits.query_s + 3 * limits.connect_s)

    async def post_form(self, url: str, fields: dict[str, str], data: bytes, media_type: str) -> Reply:
        """Send a file to the storage host, without the key. Raises: NoReply."""
        bare = (await self.open()).bare

        async def call(http: Any) -> None:
            await http.post(url, data=fields, files={"file": (fields["key"], data, media_type)})

        return await self._send(call, bare, UPLOAD_LIMIT_S)

    async def close(self) -> None:
        clients, self._clients = self._clients, None
        for client in clients.https if clients else ():
            await client.aclose()

    async def _send(self, call: Callable[[Any], Awaitable[Any]], client: Any, limit_s: float | None) -> Reply:
        import httpx
        from dashscope.v2.errors import DashScopeError

        seen = _Exchange()
        before = _exchange.set(seen)
        trouble: Exception | None = None
        try:
            async with asyncio.timeout(limit_s):
                await call(client)
        except (
            DashScopeError,
            httpx.HTTPError,
            httpx.InvalidURL,
            OSError,  # a TimeoutError too
            ValueError,  # the SDK's reading of an answer: broken JSON, an unexpected type
            TypeError,
            AttributeError,
            LookupError,
            RuntimeError,  # a client that was closed meanwhile
        ) as error:
            trouble = error
        finally:
            _exchange.reset(before)
        response = seen.response
        if response is not None and _was_read(response):
            told = response.content.decode("utf-8", "replace").replace(self._key.get_secret_value(), MASK)
            return Reply(
                response.status_code,
                _json(told),
                told,
                response.headers.get("x-request-id"),
                response.headers.get("date"),
            )
        cause = _http_cause(trouble)
        never_left = not seen.began or (response is None and _no_connection(cause))
        raise NoReply(_reason(cause or trouble), never_left=never_left) from None

    def _build(self) -> _Clients:
        import dashscope
        import httpx
        from dashscope.v2.transport import default_user_agent

        # The SDK warns on a logger without a handler, which Python would print on stderr.
        logging.getLogger("dashscope").addHandler(logging.NullHandler())
        limits = self._timeouts
        headers = {
            "Authorization": f"Bearer {self._key.get_secret_value()}",
            "User-Agent": default_user_agent(),
        }
        if self._workspace:
            headers["X-DashScope-WorkSpace"] = self._workspace
        # An endpoint on this machine is never behind a proxy.
        trust_env = urlsplit(self._base_url).hostname not in ("127.0.0.1", "localhost", "::1")

        trusted = httpx.create_ssl_context()  # made once: it takes 20 ms

        def http(read_s: float, *, signed: bool = True, keep: int = 20) -> httpx.AsyncClient:
            return httpx.AsyncClient(
                base_url=self._base_url if signed else "",
                headers=headers if signed else None,
                timeout=httpx.Timeout(read_s, connect=limits.connect_s),
                limits=httpx.Limits(max_keepalive_connections=keep, keepalive_expiry=20),
                follow_redirects=False,
                verify=trusted,
                trust_env=trust_env,
                event_hooks={"request": [_begin], "response": [_hear]},
            )

        def sdk(client: httpx.AsyncClient, read_s: float) -> Any:
            return dashscope.AsyncClient(
                api_key=self._key.get_secret_value(),
                base_url=self._base_url,
                workspace=self._workspace,
                region="cn-beijing",  # only names a default endpoint, and ours is given
                protocol="native",
                timeout=read_s,
                max_retries=0,
                config_path=Path(os.devnull),
                http_client=client,
            )

        try:
            submit, query = http(limits.submit_s, keep=0), http(limits.query_s)
            bare = http(limits.transfer_s, signed=False)
            return _Clients(
                sdk(submit, limits.submit_s), sdk(query, limits.query_s), bare, (submit, query, bare)
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise SettingsInvalid(
                f"The connection to DashScope cannot be set up: {redact(str(error))}.",
                hint="Look at DASHSCOPE_HTTP_BASE_URL, other DASHSCOPE_ variables and the proxy's.",
            ) from None


async def _begin(_request: httpx.Request) -> None:
    seen = _exchange.get()
    if seen is not None:
        seen.began = True


async def _hear(response: httpx.Response) -> None:
    seen = _exchange.get()
    if seen is not None:
        seen.response = response


def _was_read(response: httpx.Response) -> bool:
    """False when the connection broke in the middle of the answer."""
    import httpx

    try:
        return response.content is not None
    except httpx.ResponseNotRead:
        return False


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _http_cause(error: BaseException | None) -> BaseException | None:
    """The httpx error that an error of the SDK was made from."""
    import httpx

    while error is not None and not isinstance(error, httpx.HTTPError | httpx.InvalidURL):
        error = error.__cause__
    return error


def _no_connection(cause: BaseException | None) -> bool:
    """Whether the request surely was not sent: there was no connection to send it on."""
    import httpx

    return isinstance(
        cause,
        httpx.ConnectError
        | httpx.ConnectTimeout
        | httpx.PoolTimeout
        | httpx.ProxyError
        | httpx.UnsupportedProtocol
        | httpx.LocalProtocolError
        | httpx.InvalidURL,
    )


def _reason(error: BaseException | None) -> str:
    if isinstance(error, TimeoutError):
        return "the time-out passed"
    text = redact(str(error or "")).strip().rstrip(".")
    return f"{type(error).__name__}{f': {text}' if text else ''}"
