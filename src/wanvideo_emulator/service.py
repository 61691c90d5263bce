"""One emulated service put together: everything that a reset throws away."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

from wanvideo_emulator.accounts import Accounts, Rates
from wanvideo_emulator.api import TaskApi
from wanvideo_emulator.clips import ClipMaker
from wanvideo_emulator.clock import WallClock
from wanvideo_emulator.downloads import Downloads
from wanvideo_emulator.faults import FaultPlan
from wanvideo_emulator.form_post import FormPost
from wanvideo_emulator.gateway import Gateway
from wanvideo_emulator.links import Links
from wanvideo_emulator.media import Inspector
from wanvideo_emulator.options import Options
from wanvideo_emulator.tasks import Board, Task
from wanvideo_emulator.truth import Truth
from wanvideo_emulator.uploads import Uploads

POLICIES_PER_S = 100


class Service:
    """The state and the handlers. Make it inside a running event loop; `close` it there."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._folder = Path(tempfile.mkdtemp(prefix="wanvideo-emulator-"))
        (self._folder / "uploads").mkdir()
        clips_folder = options.clips_folder or self._folder / "clips"
        clips_folder.mkdir(parents=True, exist_ok=True)
        draws = random.Random(options.seed)  # noqa: S311  (chance of a test double, not a secret)
        self.clock = WallClock()
        self.faults = FaultPlan(options.faults, random.Random(options.seed))  # noqa: S311  (as above)
        self.rates = Rates(
            {
                "submit": options.submit_per_s,
                "query": options.query_per_s,
                "list": options.query_per_s,
                "cancel": options.query_per_s,
                "policy": POLICIES_PER_S,
            }
        )
        self.uploads = Uploads(self.clock, self._folder / "uploads")
        self.truth = Truth(self.clock)
        self._clips = ClipMaker(clips_folder, options.size_multiple)
        self._links = Links()
        self._inspector = Inspector(self.uploads, options.fetch_timeout_s)
        self.board = Board(
            options,
            self.clock,
            draws,
            start_clip=self._start_clip,
            publish=self._publish,
        )
        self.api = TaskApi(
            options=options,
            clock=self.clock,
            draws=draws,
            gateway=Gateway(Accounts(options.api_keys), self.faults),
            rates=self.rates,
            faults=self.faults,
            inspector=self._inspector,
            board=self.board,
            uploads=self.uploads,
            truth=self.truth,
        )
        self.form_post = FormPost(self.faults, self.uploads)
        self.downloads = Downloads(self.clock, self.faults, self._links, self.truth)
        self._running = asyncio.get_running_loop().create_task(self.board.run())

    def _start_clip(self, task: Task) -> asyncio.Future[Path]:
        assert task.picture is not None
        return self._clips.start(task.order, task.picture, task.seed)

    def _publish(self, task: Task) -> None:
        assert task.clip is not None
        assert task.ended_at is not None
        expires_at = task.ended_at + self._options.link_ttl_s
        task.link_path, task.link_query = self._links.publish(
            task.task_id, task.clip.result(), task.ended_at, expires_at
        )

    def report(self) -> dict[str, Any]:
        return self.truth.report(self.board, self.rates, self.faults, self.uploads)

    def advance(self, seconds: float) -> None:
        """Jump the clock ahead and let what became due happen."""
        self.clock.advance(seconds)
        self.board.step()
        self.board.wake()

    async def close(self) -> None:
        """Stop tasks and renders, remove all files."""
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running
        await self._inspector.close()
        await self._clips.close()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
