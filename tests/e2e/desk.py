"""A folder to run `wanvideo` in, with a provider of its own, and what a test may ask about the outcome."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from wanvideo import AsyncClient, Settings, VideoResult
from wanvideo.app import open_app
from wanvideo.contract.job import Job
from wanvideo_emulator import EmulatorThread

KEY = "sk-e2e00secret11key22that33must44not55leak"
COMMAND = Path(sys.executable).parent / "wanvideo"
SIZE = "320*240"
ORDER = ("--image", "boat.png", "--size", SIZE, "--duration", "2", "--seed", "7", "--no-audio")
PROMPT = "slow push in"


@dataclass(frozen=True)
class Ran:
    """One command that came to its end."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        value = json.loads(self.stdout)
        assert isinstance(value, dict)
        return value

    @property
    def path(self) -> Path:
        """The one line on stdout, as a path."""
        line, rest = self.stdout.split("\n", 1)
        assert rest == "", "more than one line"
        return Path(line)

    def succeeded(self) -> Ran:
        assert self.code == 0, f"{self.code}\n{self.stdout}\n{self.stderr}"
        return self


def painted(width_px: int = 320, height_px: int = 240) -> Image.Image:
    """A boat on the sea, or near enough: no symmetry, some edges, some flat colour."""
    image = Image.new("RGB", (width_px, height_px), "lightsteelblue")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height_px * 2 // 3, width_px, height_px), fill="teal")
    draw.polygon([(90, 150), (90, 40), (170, 150)], fill="ivory")
    draw.polygon([(60, 155), (200, 155), (180, 190), (80, 190)], fill="saddlebrown")
    draw.ellipse((240, 20, 290, 70), fill="gold")
    return image


@dataclass
class Desk:
    """A working folder with `boat.png` in it. `emulator` is None where only the preview is there."""

    folder: Path
    emulator: EmulatorThread | None
    bytecode: Path
    env: dict[str, str] = field(default_factory=dict)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Nothing of the machine's own settings: no key, no credentials file, no proxy."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "NO_PROXY": "127.0.0.1",
            "PYTHONPYCACHEPREFIX": str(self.bytecode),  # every process after the first starts faster
            "PYTHONWARNINGS": "error::ResourceWarning",
        }
        if self.emulator is not None:
            env |= {"DASHSCOPE_API_KEY": KEY, "DASHSCOPE_HTTP_BASE_URL": self.emulator.base_url}
        return env | self.env | dict(more or {})

    def start(
        self, *arguments: str, env: Mapping[str, str] | None = None, **more: Any
    ) -> subprocess.Popen[str]:
        """A command that goes on while the test looks at it; end it with `finish`."""
        return self._start([str(COMMAND), *arguments], env, **more)

    def finish(self, process: subprocess.Popen[str], timeout_s: float = 60) -> Ran:
        """Wait for a command, and look for what must never be printed."""
        try:
            stdout, stderr = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            raise AssertionError(f"it hangs:\n{stdout}\n{stderr}") from None
        for text in (stdout, stderr):
            assert KEY not in text
            assert "Signature=" not in text
        assert "Traceback" not in stderr, stderr
        assert "Warning" not in stderr, stderr
        return Ran(process.returncode, stdout, stderr)

    def run(self, *arguments: str, env: Mapping[str, str] | None = None, timeout_s: float = 60) -> Ran:
        return self.finish(self.start(*arguments, env=env), timeout_s)

    def generate(self, *arguments: str, env: Mapping[str, str] | None = None, prompt: str = PROMPT) -> Ran:
        """The usual order: two seconds of the boat, silent, seed 7."""
        return self.run("generate", prompt, *ORDER, *arguments, env=env)

    def start_generate(
        self, *arguments: str, env: Mapping[str, str] | None = None, **more: Any
    ) -> subprocess.Popen[str]:
        return self.start("generate", PROMPT, *ORDER, *arguments, env=env, **more)

    def script(self, source: str, *arguments: str, env: Mapping[str, str] | None = None) -> Ran:
        """A Python program of a user, with every warning an error in it."""
        file = self.folder / "script.py"
        file.write_text(source, encoding="utf-8")
        command = [sys.executable, "-W", "error", str(file), *arguments]
        return self.finish(self._start(command, env))

    def _start(self, command: list[str], env: Mapping[str, str] | None, **more: Any) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment(env), text=True, **{**pipes, **more}
        )

    # --- what is so afterwards ---

    def truth(self) -> dict[str, Any]:
        """What the provider saw."""
        assert self.emulator is not None
        return self.emulator.truth()

    @property
    def output(self) -> Path:
        return self.folder / "output" / "ai-video-wan-video"

    def settings(self, **more: Any) -> Settings:
        """Those of the commands, for this very process."""
        chosen = Settings.read(self.environment()).model_copy(update=more)
        return chosen.model_copy(update={"output_dir": self.folder / chosen.output_dir})

    def jobs(self) -> list[Job]:
        """The jobs of this folder, newest first, as the ledger has them."""

        async def asked() -> list[Job]:
            async with open_app(self.settings()) as app:
                return await app.jobs.jobs(limit=100)

        return asyncio.run(asked())

    def job(self) -> Job:
        """The only job of this folder."""
        (only,) = self.jobs()
        return only

    def events(self) -> list[str]:
        """What happened to the only job of this folder."""

        async def asked() -> list[str]:
            async with open_app(self.settings()) as app:
                (only,) = await app.jobs.jobs(limit=100)
                return [event.event for event in await app.jobs.events(only.id)]

        return asyncio.run(asked())

    async def making(
        self, *, settings: Settings | None = None, timeout_s: float = 60, **fields: Any
    ) -> VideoResult:
        """The usual order from this very process: for what is not about the command line, and quicker."""
        order = {
            "prompt": PROMPT,
            "reference_image": self.folder / "boat.png",
            "duration": 2,
            "size": SIZE,
            "seed": 7,
            "wan": {"audio": False},
        }
        async with AsyncClient(settings or self.settings()) as client:
            return await client.generate({**order, **fields}, timeout_s=timeout_s)

    def make(self, **asked: Any) -> VideoResult:
        """`making`, for a test that does one thing after the other."""
        return asyncio.run(self.making(**asked))

    def watch(self, job_id: str, **more: Any) -> VideoResult:
        """Pick a job up in this very process, and see it to its end."""

        async def asked() -> VideoResult:
            async with AsyncClient(self.settings(**more)) as client:
                return await (await client.job(job_id)).wait(60)

        return asyncio.run(asked())

    def nothing_was_sent(self) -> bool:
        truth = self.truth()
        return not truth["creates"] and not truth["uploads"] and truth["policies"] == 0

    def paid_once(self) -> bool:
        """One clip billed, and no task beside it that could be."""
        truth = self.truth()
        ended = [task["status"] for task in truth["tasks"]]
        return (
            truth["billed_s"] == 2 and ended.count("SUCCEEDED") == 1 and set(ended) <= {"SUCCEEDED", "FAILED"}
        )


def job_id_in(text: str) -> str:
    """The job's id in what a person reads."""
    found = re.search(r"\bj_[0-9a-z]{12}\b", text)
    assert found, text
    return found[0]


def until(so: Callable[[], object], within_s: float = 30.0) -> None:
    """Look again and again until it is so."""
    end_s = time.monotonic() + within_s
    while not so():
        assert time.monotonic() < end_s, "it never came to be"
        time.sleep(0.05)
