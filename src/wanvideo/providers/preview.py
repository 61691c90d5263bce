"""The local preview renderer as a `Provider`: its tasks are files in one folder, shared by all processes.

A task is `ID.json`; what became of it is told by the files beside it: `ID.mp4` (done; `ID.notes` says
what was limited), `ID.error` (failed), `ID.cancelled`. Whoever holds the lock on `ID.lock` renders; a process
that dies lets go of it, and the next look at the task begins the rendering anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from wanvideo.clock import Clock, SystemClock
from wanvideo.contract.job import TaskId
from wanvideo.contract.model_card import limit
from wanvideo.contract.price import FREE, Cost
from wanvideo.contract.problem import from_problem
from wanvideo.contract.request import VideoRequest
from wanvideo.errors import (
    CancelRefused,
    ImageInvalid,
    MediaRejected,
    NotDelivered,
    ProviderUnavailable,
    StorageFailed,
    WanvideoError,
)
from wanvideo.ports import (
    Account,
    ClipStream,
    Order,
    Pace,
    TaskListing,
    TaskPage,
    TaskReport,
    TaskStatus,
    Upload,
)
from wanvideo.preview import ENGINE
from wanvideo.providers import links
from wanvideo.providers.preview_order import body_of, path_of, refused, shot_of, told_of
from wanvideo.providers.rendering import AT_ONCE, Renderer, write_whole

KEEP: Final = timedelta(days=7)
"""Tasks and pictures older than this are swept away; the clips were stored elsewhere long before."""
UPLOAD_LIFE: Final = timedelta(days=6)
FETCH_TIMEOUT_S: Final = 30
_ID = re.compile(r"p_[0-9a-f]{6,64}")


async def read_picture(url: str) -> bytes:
    """The picture behind a link or data URI. Raises: ImageInvalid, for an `oss://` picture too."""
    if url.startswith("data:"):
        return links.decode_data_uri(url)
    if url.startswith(("http://", "https://")):
        return await links.fetch_picture(url, max_bytes=limit("image_max_bytes"), timeout_s=FETCH_TIMEOUT_S)
    raise ImageInvalid(
        "The preview cannot see a picture that lies with DashScope.",
        field="reference_image",
        hint="Give the picture as a file, or use `--provider dashscope`.",
    )


class PreviewProvider:
    """Real clips without a key, network or cost; never Wan. Several processes may share one folder.

    `place` tells the folder from those of other machines where they share a ledger.
    """

    name = "preview"
    model = ENGINE
    pace = Pace(typical_s=2, first_look_s=0.2, look_every_s=0.2, slots=AT_ONCE)

    def __init__(
        self,
        folder: Path,
        clock: Clock | None = None,
        read_picture: Callable[[str], Awaitable[bytes]] = read_picture,
        *,
        place: str = "local",
        new_id: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._folder = folder
        self.account = Account(self.name, place, "none")
        self._clock = clock or SystemClock()
        self._read_picture = read_picture
        self._new_id = new_id
        self._renderer = Renderer(folder)
        self._swept = False

    def __repr__(self) -> str:
        return f"PreviewProvider({str(self._folder)!r})"

    def estimate(self, request: VideoRequest) -> Cost:
        del request  # whatever it is
        return FREE

    def settled(self, request: VideoRequest, billed_s: float) -> Cost:
        del request, billed_s
        return FREE

    def body(self, order: Order) -> dict[str, Any]:
        return body_of(order)

    async def upload(self, data: bytes, *, name: str) -> Upload:
        """Keep the picture in the folder, by its hash."""
        ending = re.search(r"\.[A-Za-z0-9]{1,5}$", name)
        path = self._folder / (hashlib.sha256(data).hexdigest() + (ending[0].lower() if ending else ""))
        try:
            await asyncio.to_thread(self._keep_picture, path, data)
        except OSError as error:
            raise StorageFailed(f"{self._folder}: {error.strerror}.") from None
        return Upload(path.resolve().as_uri(), self._clock.now() + UPLOAD_LIFE)

    async def ready(self) -> None:
        """Nothing to prepare."""

    async def ping(self) -> None:
        """It keeps this machine's time."""

    async def create(self, body: Mapping[str, Any]) -> TaskId:
        """Write the task down and begin to render it. Raises: MediaRejected, ProviderRefused."""
        task = TaskId(f"p_{self._new_id()}")
        order = {**body, "created_at": self._clock.now().isoformat()}
        url = str(body["picture"])
        if not url.startswith("file:"):
            order["picture"] = (await self.upload(await self._read_picture(url), name="")).url
        try:
            await asyncio.to_thread(self._write_down, task, order)
        except OSError as error:
            raise NotDelivered(
                f"{self._folder}: {error.strerror}.", hint=StorageFailed.default_hint
            ) from None
        await asyncio.to_thread(self._begin, task, order)
        return task

    async def fetch(self, task: TaskId) -> TaskReport:
        return await asyncio.to_thread(self._look, task)

    async def list_page(self, since_at: datetime, until_at: datetime, page_no: int) -> TaskPage:
        """The whole list is one page."""
        listed = await asyncio.to_thread(self._list, since_at, until_at)
        return TaskPage(tuple(listed) if page_no == 1 else (), 1, len(listed))

    async def cancel(self, task: TaskId) -> None:
        """Stop it and leave nothing behind. Works at any time. Raises: CancelRefused for an unknown task."""
        if not _ID.fullmatch(task) or not self._file(task, "json").exists():
            raise CancelRefused(
                "There is no such preview.", task_id=task, hint="It may have been swept away."
            )
        await asyncio.to_thread(self._cancel, task)

    @asynccontextmanager
    async def open_clip(self, url: str, *, offset_bytes: int = 0) -> AsyncIterator[ClipStream]:
        try:
            clip = await asyncio.to_thread(path_of(url).open, "rb")
        except OSError as error:
            raise ProviderUnavailable(f"The preview's file cannot be read ({error.strerror}).") from None
        with clip:
            total = clip.seek(0, 2)
            start = min(offset_bytes, total)
            clip.seek(start)

            async def chunks() -> AsyncIterator[bytes]:
                while chunk := await asyncio.to_thread(clip.read, links.CHUNK_BYTES):
                    yield chunk

            yield ClipStream(chunks(), total, start)

    async def close(self) -> None:
        """Stop what this process renders; the next process that looks at those tasks renders them again."""
        await asyncio.to_thread(self._renderer.close)

    def _file(self, task: str, ending: str) -> Path:
        return self._folder / f"{task}.{ending}"

    def _keep_picture(self, path: Path, data: bytes) -> None:
        if path.exists():
            path.touch()  # a picture in use is not swept away
        else:
            write_whole(path, data)

    def _write_down(self, task: TaskId, order: Mapping[str, Any]) -> None:
        if not self._swept:
            self._sweep()
        picture = path_of(str(order["picture"]))
        if not picture.is_file():
            raise MediaRejected("The picture is gone from the preview's folder.", field="reference_image")
        picture.touch()
        try:
            shot_of(order)
        except (ValueError, TypeError, KeyError) as error:
            raise refused(error) from None
        write_whole(self._file(task, "json"), json.dumps(order, ensure_ascii=False).encode())

    def _begin(self, task: TaskId, order: Mapping[str, Any]) -> bool:
        return self._renderer.begin(task, shot_of(order))

    def _look(self, task: TaskId) -> TaskReport:
        order = self._order(task)
        if order is None:
            return TaskReport(TaskStatus.UNKNOWN)
        created_at = datetime.fromisoformat(order["created_at"])
        if self._file(task, "cancelled").exists():
            return TaskReport(TaskStatus.CANCELLED, submitted_at=created_at)
        clip = self._file(task, "mp4")
        if clip.exists():
            return self._finished(clip, order, created_at)
        error = self._error(task)
        if error is not None:
            return TaskReport(TaskStatus.FAILED, error=error, submitted_at=created_at)
        running = self._begin(task, order)
        return TaskReport(
            TaskStatus.RUNNING if running else TaskStatus.PENDING,
            submitted_at=created_at,
            progress=self._renderer.progress(task) if running else 0.0,
        )

    def _finished(self, clip: Path, order: Mapping[str, Any], created_at: datetime) -> TaskReport:
        return TaskReport(
            TaskStatus.SUCCEEDED,
            video_url=clip.resolve().as_uri(),
            submitted_at=created_at,
            ended_at=datetime.fromtimestamp(clip.stat().st_mtime, UTC),
            billed_s=0.0,
            cost=FREE,
            prompt_seen=str(order["prompt"]),
            progress=1.0,
            warnings=told_of(order, self._notes(clip)),
        )

    def _notes(self, clip: Path) -> list[str]:
        """What the renderer said about its clip."""
        try:
            notes: list[str] = json.loads(clip.with_suffix(".notes").read_bytes())
        except FileNotFoundError:
            return []
        return notes

    def _cancel(self, task: TaskId) -> None:
        write_whole(self._file(task, "cancelled"), b"")
        self._renderer.stop(task)

    def _list(self, since_at: datetime, until_at: datetime) -> list[TaskListing]:
        found = []
        for path in self._folder.glob("p_*.json"):
            task = TaskId(path.stem)
            order = self._order(task)
            if order is None or not since_at <= datetime.fromisoformat(order["created_at"]) <= until_at:
                continue
            found.append(TaskListing(task, self._status(task), datetime.fromisoformat(order["created_at"])))
        return sorted(found, key=lambda listing: listing.created_at, reverse=True)

    def _status(self, task: TaskId) -> TaskStatus:
        for ending, status in (
            ("cancelled", TaskStatus.CANCELLED),
            ("mp4", TaskStatus.SUCCEEDED),
            ("error", TaskStatus.FAILED),
            ("lock", TaskStatus.RUNNING),
        ):
            if self._file(task, ending).exists():
                return status
        return TaskStatus.PENDING

    def _order(self, task: TaskId) -> dict[str, Any] | None:
        if not _ID.fullmatch(task):
            return None
        try:
            order: dict[str, Any] = json.loads(self._file(task, "json").read_bytes())
        except FileNotFoundError:
            return None
        return order

    def _error(self, task: TaskId) -> WanvideoError | None:
        try:
            return from_problem(json.loads(self._file(task, "error").read_bytes()))
        except FileNotFoundError:
            return None

    def _sweep(self) -> None:
        self._swept = True
        oldest = (self._clock.now() - KEEP).timestamp()
        for path in self._folder.glob("*"):
            if path.is_file() and path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
