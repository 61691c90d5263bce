"""A line between a client and a server on this machine that can be broken on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: closing sends a reset instead of a polite end
_CHUNK_BYTES = 1 << 16


class Proxy:
    """Passes bytes on until it is told otherwise.

    `cut_sent_bytes`: reset a connection once its client has sent that much; `cut_answers`: pass what the
    client sends, and reset before the first byte of the answer (the request was served, nobody hears of it);
    `silent`: take connections and bytes, and never answer. `down()` refuses connections, `up()` takes them.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server_at = (host, port)
        self._listener: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0
        self.sent_bytes = 0  # by clients, over all connections
        self.cut_sent_bytes: int | None = None
        self.cut_answers = False
        self.silent = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def up(self) -> None:
        """Take connections, at the same port every time."""
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Refuse new connections, and reset those that are open."""
        if self._listener is not None:
            self._listener.close()
        for end in self._ends:
            _reset(end)
        await asyncio.gather(*self._serving)

    async def _serve(self, client: asyncio.StreamReader, answering: asyncio.StreamWriter) -> None:
        self.connections += 1
        this = asyncio.current_task()
        assert this is not None
        self._serving.add(this)
        ends = [answering]
        self._ends.add(answering)
        try:
            server, asking = await asyncio.open_connection(*self._server_at)
            ends.append(asking)
            self._ends.add(asking)
            ways = {
                asyncio.ensure_future(self._send(client, asking)),
                asyncio.ensure_future(self._answer(server, answering)),
            }
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                _reset(end)
            await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            _reset(answering)  # the server is away
        finally:
            self._ends.difference_update(ends)
            self._serving.discard(this)

    async def _send(self, reader: asyncio.StreamReader, beyond: asyncio.StreamWriter) -> None:
        passed = 0
        while data := await reader.read(_CHUNK_BYTES):
            passed += len(data)
            self.sent_bytes += len(data)
            if self.cut_sent_bytes is not None and passed > self.cut_sent_bytes:
                return
            if not self.silent:
                beyond.write(data)
                await beyond.drain()

    async def _answer(self, answers: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await answers.read(_CHUNK_BYTES):
            if self.cut_answers:
                return
            writer.write(data)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    line = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):  # it may be closed already
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()


@asynccontextmanager
async def proxy_to(host: str, port: int) -> AsyncIterator[Proxy]:
    """A proxy before `host:port`, for as long as the block runs."""
    proxy = Proxy(host, port)
    await proxy.up()
    try:
        yield proxy
    finally:
        await proxy.down()
