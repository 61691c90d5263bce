"""One request a call, on the wire: counted by servers that behave badly on purpose."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr
from tests.providers.studio import CREDENTIALS, KEY, QUICK, answering

from wanvideo.errors import SettingsInvalid
from wanvideo.providers.dashscope.credentials import Credentials
from wanvideo.providers.dashscope.line import Line, NoReply, Reply, Timeouts

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def post(sdk: Any) -> Awaitable[Any]:
    sent: Awaitable[Any] = sdk.transport.request("POST", "/create", json={"prompt": "小雪"})
    return sent


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[tuple[str, list[int]]]:
    """A server that reads each request to its end and then does what `talk` says; and the requests' sizes."""
    requests: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lower = head.lower()
                size = (
                    int(lower.split(b"content-length:")[1].split()[0]) if b"content-length:" in lower else 0
                )
                await reader.readexactly(size)
                requests.append(size)
                await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1", requests


@asynccontextmanager
async def line_to(url: str, timeouts: Timeouts = QUICK, **more: Any) -> AsyncIterator[Line]:
    line = Line(CREDENTIALS, url, timeouts, **more)
    try:
        yield line
    finally:
        await line.close()


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def half_an_answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"output": {"task_id"')
    await writer.drain()
    writer.close()


async def no_http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    writer.close()


async def bad_gzip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd")
    await writer.drain()


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
    for _second in range(100):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def silence(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(9)


@pytest.mark.parametrize("talk", [hang_up, reset, half_an_answer, no_http, bad_gzip])
async def test_a_broken_line_is_no_reason_to_send_again(talk: Talk) -> None:
    async with talking(talk) as (url, requests), line_to(url) as line:
        with pytest.raises(NoReply) as caught:
            await line.submit(post)
        assert not caught.value.never_left
        await asyncio.sleep(0.05)
        assert len(requests) == 1


@pytest.mark.parametrize("talk", [drip, silence])
async def test_no_server_can_hold_a_call_for_ever(talk: Talk) -> None:
    async with talking(talk) as (url, requests), line_to(url, Timeouts(0.1, 0.3, 0.3, 0.3)) as line:
        for send in (line.submit, line.query):
            with pytest.raises(NoReply) as caught:
                await send(post)
            assert not caught.value.never_left
        assert len(requests) == 2


async def test_nobody_listens_means_that_nothing_left(unused_url: str) -> None:
    async with line_to(unused_url) as line:
        with pytest.raises(NoReply) as caught:
            await line.submit(post)
        assert caught.value.never_left


async def test_a_name_that_does_not_resolve_means_that_nothing_left() -> None:
    async with line_to("http://no-such-host.invalid/api/v1") as line:
        with pytest.raises(NoReply) as caught:
            await line.submit(post)
        assert caught.value.never_left


async def test_a_server_that_does_not_speak_tls_has_got_nothing() -> None:
    async with talking(no_http) as (url, requests), line_to(url.replace("http:", "https:")) as line:
        with pytest.raises(NoReply) as caught:
            await line.submit(post)
        assert caught.value.never_left
        assert requests == []


async def test_a_proxy_that_will_not_connect_has_passed_nothing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=403)

    async with answering(answer) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        async with line_to("https://dashscope.invalid/api/v1") as line:
            with pytest.raises(NoReply) as caught:
                await line.submit(post)
            assert caught.value.never_left


async def test_a_call_that_fails_before_its_request_has_sent_nothing() -> None:
    async with talking(hang_up) as (url, requests), line_to(url) as line:
        with pytest.raises(NoReply) as caught:
            await line.submit(lambda sdk: sdk.videos.jobs.create(odd=1))
        assert caught.value.never_left
        assert requests == []


async def test_a_create_never_travels_on_a_used_connection() -> None:
    """A server may close an idle connection at the very moment it is used again, and then nobody knows."""
    peers: list[Any] = []

    async def answer(asked: web.Request) -> web.Response:
        assert asked.transport is not None
        peers.append(asked.transport.get_extra_info("peername"))
        return web.json_response({})

    async with answering(answer) as url, line_to(url) as line:
        for _ in range(3):
            await line.submit(post)
        assert len(set(peers)) == 3
        for _ in range(3):
            await line.query(post)
        assert len(set(peers)) == 4


@pytest.mark.parametrize("status", [302, 307, 408, 409, 429, 500, 503])
async def test_no_status_makes_it_send_again_or_elsewhere(status: int) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(
            status=status, headers={"Location": "/else", "x-should-retry": "true", "retry-after": "0"}
        )

    async with answering(answer) as url, line_to(f"{url}/api/v1") as line:
        for send in (line.submit, line.query):
            reply = await send(post)
            assert (reply.status, reply.ok, reply.payload) == (status, False, None)
    assert asked == ["/api/v1/create"] * 2


async def test_what_the_environment_says_to_the_sdk_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('base_url = "http://127.0.0.1:9"\nmax_retries = 9\nworkspace = "w"\n')
    for name, value in {
        "DASHSCOPE_CONFIG_PATH": str(config),
        "DASHSCOPE_CONFIG": str(config),
        "DASHSCOPE_API_KEY": "sk-of-the-environment",
        "DASHSCOPE_BASE_URL": "http://127.0.0.1:9",
        "DASHSCOPE_HTTP_BASE_URL": "http://127.0.0.1:9",
        "DASHSCOPE_WORKSPACE": "another",
        "DASHSCOPE_REGION": "mars",
        "DASHSCOPE_PROTOCOL": "openai",
        "DASHSCOPE_TIMEOUT": "0.001",
        "DASHSCOPE_MAX_RETRIES": "7",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    heads: list[Any] = []

    async def answer(asked: web.Request) -> web.Response:
        heads.append(asked.headers)
        return web.json_response({}, status=503)

    async with answering(answer) as url, line_to(url) as line:
        assert (await line.submit(post)).status == 503
    assert [head["Authorization"] for head in heads] == [f"Bearer {KEY}"]
    assert "X-DashScope-WorkSpace" not in heads[0]


async def test_a_workspace_is_sent_when_it_is_set() -> None:
    heads: list[Any] = []

    async def answer(asked: web.Request) -> web.Response:
        heads.append(asked.headers)
        return web.json_response({})

    async with answering(answer) as url, line_to(url, workspace="ws-1") as line:
        await line.submit(post)
        await line.post_form(f"{url}/store", {"key": "k"}, b"x", "image/png")
    assert heads[0]["X-DashScope-WorkSpace"] == "ws-1"
    assert not {"Authorization", "X-DashScope-WorkSpace"} & set(heads[1])


async def test_a_variable_the_sdk_chokes_on_is_named(
    monkeypatch: pytest.MonkeyPatch, unused_url: str
) -> None:
    monkeypatch.setenv("DASHSCOPE_TIMEOUT", "soon")
    async with line_to(unused_url) as line:
        with pytest.raises(SettingsInvalid, match="DASHSCOPE_TIMEOUT"):
            await line.submit(post)


async def test_an_answer_that_repeats_the_key_is_masked() -> None:
    async def answer(asked: web.Request) -> web.Response:
        return web.json_response({"message": f"bad header {asked.headers['Authorization']}"}, status=400)

    odd = Credentials(SecretStr("my-odd-key"), "test")
    async with answering(answer) as url:
        line = Line(odd, url, QUICK)
        reply = await line.query(post)
        await line.close()
    assert "my-odd-key" not in f"{reply.payload} {reply.text}"
    assert repr(reply) == str(Reply(400, None)) == "Reply(status=400)"


async def test_calls_beside_each_other_get_their_own_answers() -> None:
    async def answer(asked: web.Request) -> web.Response:
        await asyncio.sleep(0.05 if asked.path.endswith("1") else 0)
        return web.json_response({"path": asked.path})

    async with answering(answer) as url, line_to(url) as line:

        async def asked_for(number: int) -> Reply:
            return await line.query(lambda sdk: sdk.transport.request("GET", f"/{number}"))

        replies = await asyncio.gather(*(asked_for(number) for number in range(6)))
    assert [reply.payload["path"] for reply in replies] == [f"/{n}" for n in range(6)]


def test_the_sdk_is_not_loaded_before_it_is_needed() -> None:
    heavy = "dashscope httpx aiohttp cv2 av numpy"
    code = (
        "import sys, wanvideo.providers.dashscope.adapter, wanvideo.providers.preview;"
        f"print([name for name in '{heavy}'.split() if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
