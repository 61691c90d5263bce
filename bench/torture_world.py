"""The real processes of a torture run: an emulated provider, and workers to be killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import aiohttp

KEY = "sk-torture"
COMMAND = str(Path(sys.executable).parent / "wanvideo")
READY = "worker: drives the jobs"
START_LIMIT_S = 60.0


class Provider:
    """`wanvideo emulator` as a process of its own, and its control endpoints."""

    def __init__(self, base_url: str, http: aiohttp.ClientSession) -> None:
        self.base_url = base_url
        self._control = base_url.removesuffix("/api/v1") + "/emulator"
        self._http = http

    async def truth(self) -> dict[str, Any]:
        async with self._http.get(f"{self._control}/truth") as answer:
            told: dict[str, Any] = await answer.json()
            return told

    async def arm(self, faults: tuple[str, ...]) -> None:
        for spec in faults:
            async with self._http.post(f"{self._control}/faults", json={"spec": spec}) as answer:
                answer.raise_for_status()

    async def disarm(self) -> list[dict[str, Any]]:
        """Which faults were met, and how often."""
        async with self._http.get(f"{self._control}/faults") as answer:
            met: list[dict[str, Any]] = (await answer.json())["faults"]
        async with self._http.delete(f"{self._control}/faults") as answer:
            answer.raise_for_status()
        return met

    async def clip(self, task_id: str) -> bytes:
        """The clip of a task, asked for as any client would."""
        headers = {"Authorization": f"Bearer {KEY}"}
        async with self._http.get(f"{self.base_url}/tasks/{task_id}", headers=headers) as answer:
            url = (await answer.json())["output"]["video_url"]
        async with self._http.get(url) as answer:
            answer.raise_for_status()
            return await answer.read()


@asynccontextmanager
async def provider(log: Path, *flags: str) -> AsyncIterator[Provider]:
    """Start the emulator, and stop it in the end."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "wanvideo_emulator", *flags, stdout=asyncio.subprocess.PIPE, stderr=errors
        )  # fmt: skip
        try:
            with contextlib.suppress(OSError):  # it must answer at once, however busy the workers are
                os.setpriority(os.PRIO_PROCESS, process.pid, -5)
            assert process.stdout is not None
            base_url = (await process.stdout.readline()).decode().split()[-1]
            timeout = aiohttp.ClientTimeout(total=60)
            async with aiohttp.ClientSession(timeout=timeout) as http:
                yield Provider(base_url, http)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


@dataclass
class Worker:
    """One `wanvideo worker` and its log."""

    process: asyncio.subprocess.Process
    log: Path
    _file: IO[bytes]
    wrapped: bool = False  # the process is `unshare`, the worker its child

    async def works(self) -> bool:
        """Wait until it has opened the ledger; False when it ended before that."""
        end_s = asyncio.get_running_loop().time() + START_LIMIT_S
        while READY not in self.log.read_text(errors="replace"):
            if self.process.returncode is not None:
                return False
            if asyncio.get_running_loop().time() > end_s:
                raise TimeoutError(f"{self.log.name}: no worker after {START_LIMIT_S:.0f} s")
            await asyncio.sleep(0.05)
        return True

    async def ends(self, within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s):
                await self.process.wait()
        except TimeoutError:
            return False
        return True

    async def falls_asleep(self, within_s: float) -> bool:
        """Wait until it has stopped itself at a failpoint."""
        end_s = asyncio.get_running_loop().time() + within_s
        while asyncio.get_running_loop().time() < end_s:
            if self.process.returncode is not None:
                return False
            if _state_of(self.pid()) == "T":
                return True
            await asyncio.sleep(0.05)
        return False

    def pid(self) -> int:
        """The worker's own, as this process sees it."""
        if not self.wrapped:
            return self.process.pid
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else self.process.pid

    def namespace(self) -> str:
        """Of its process ids; by it and its pid the ledger knows a worker."""
        return Path(f"/proc/{self.pid()}/ns/pid").readlink().name.strip("pid:[]")

    def send(self, number: signal.Signals) -> None:
        if self.process.returncode is None:  # else the number may be somebody else's by now
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                os.kill(self.pid(), number)

    async def kill(self) -> int:
        self.send(signal.SIGKILL)
        code = await self.process.wait()
        self._file.close()
        return code


def _state_of(pid: int) -> str:
    """One letter: R(unning), S(leeping), T (stopped) ...; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


async def start_worker(
    log: Path, env: dict[str, str], folder: Path, *arguments: str, before: tuple[str, ...] = ()
) -> Worker:
    """`before`: words in front of the command, such as `unshare`."""
    file = log.open("wb")
    process = await asyncio.create_subprocess_exec(
        *before, COMMAND, "worker", *arguments, cwd=folder, env=env, stdout=file, stderr=file,
        stdin=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    return Worker(process, log, file, wrapped=bool(before))


def environment(folder: Path, bytecode: Path, base_url: str, **more: str) -> dict[str, str]:
    """Nothing of the machine's own settings, and a home of its own."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    source = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
    return source | {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "NO_PROXY": "127.0.0.1",
        "PYTHONPYCACHEPREFIX": str(bytecode),
        "DASHSCOPE_API_KEY": KEY,
        "DASHSCOPE_HTTP_BASE_URL": base_url,
        "OUTPUT_DIR": str(folder / "output"),
        **more,
    }
