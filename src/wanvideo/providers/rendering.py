"""Preview tasks under way: two threads, one file lock a task, and files that tell other processes.

The lock is the process's: the kernel drops it when the process dies, whichever way.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from wanvideo.contract.problem import problem
from wanvideo.errors import MediaRejected, ProviderFailed, WanvideoError
from wanvideo.preview import MapUnusable, RenderCancelled, Shot, render
from wanvideo.providers.preview_order import refused

AT_ONCE: Final = 2
TELL_EVERY_S: Final = 0.25
CLOSE_WITHIN_S: Final = 3.0


@dataclass(slots=True)
class _Running:
    """A rendering of this process. `lock` is the descriptor that holds the lock file's lock."""

    lock: int
    progress: float = 0.0
    stopped: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)


class Renderer:
    """Renders the tasks of one folder. All methods may be called from any thread and do not block long."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, _Running] = {}
        self._guard = threading.Lock()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="wanvideo-preview")
        self._closed = False

    def begin(self, task: str, shot: Shot) -> bool:
        """Render the task unless somebody does. Returns whether it is being rendered, here or elsewhere."""
        with self._guard:
            if task in self._running:
                return True
            if self._closed or len(self._running) >= AT_ONCE:
                return _is_locked(self._file(task, "lock"))
            lock = _lock(self._file(task, "lock"))
            if lock is None:
                return True
            if any(self._file(task, ending).exists() for ending in ("mp4", "error", "cancelled")):
                _unlock(lock, self._file(task, "lock"))  # it ended between the caller's look and ours
                return True
            mine = self._running[task] = _Running(lock)
            thread = self._threads.submit(self._render, task, shot, mine)
        thread.add_done_callback(lambda thread: self._end(task, mine, thread))
        return True

    def progress(self, task: str) -> float | None:
        """How much of it is done, 0..1, by the word of the process that renders it."""
        mine = self._running.get(task)
        if mine is not None:
            return mine.progress
        try:
            return float(json.loads(self._file(task, "progress").read_bytes()))
        except (FileNotFoundError, ValueError):
            return None

    def stop(self, task: str) -> None:
        """Stop the rendering, if it is ours, and remove what it made; `ID.cancelled` stops it elsewhere."""
        mine = self._running.get(task)
        if mine is not None:
            mine.stopped.set()
            mine.ended.wait(CLOSE_WITHIN_S)
        self._remove_traces(task)

    def close(self) -> None:
        """Stop everything; nothing is marked as failed or cancelled."""
        with self._guard:
            self._closed = True
            ours = list(self._running.values())
        for mine in ours:
            mine.stopped.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        until_s = time.monotonic() + CLOSE_WITHIN_S
        for mine in ours:
            mine.ended.wait(max(0.0, until_s - time.monotonic()))

    def _render(self, task: str, shot: Shot, mine: _Running) -> None:
        cancelled = self._file(task, "cancelled")
        told_at_s = 0.0

        def on_progress(done: int, total: int) -> None:
            nonlocal told_at_s
            mine.progress = done / total
            if done and time.monotonic() - told_at_s >= TELL_EVERY_S:
                told_at_s = time.monotonic()
                self._file(task, "progress").write_text(f"{mine.progress:.3f}")

        part = self._file(task, "part.mp4")
        rendered = render(
            shot, part, on_progress=on_progress, cancelled=lambda: mine.stopped.is_set() or cancelled.exists()
        )
        _sync(part)
        if rendered.notes:
            write_whole(self._file(task, "notes"), json.dumps(rendered.notes, ensure_ascii=False).encode())
        part.replace(self._file(task, "mp4"))
        if cancelled.exists():
            self._remove_traces(task)

    def _end(self, task: str, mine: _Running, thread: Future[None]) -> None:
        error = None if thread.cancelled() else thread.exception()
        try:
            if error is not None and not isinstance(error, RenderCancelled):
                write_whole(self._file(task, "error"), json.dumps(problem(_failure(error, task))).encode())
            for ending in ("progress", "part.mp4"):
                self._file(task, ending).unlink(missing_ok=True)
        finally:
            with self._guard:
                self._running.pop(task, None)
                _unlock(mine.lock, self._file(task, "lock"))
            mine.ended.set()

    def _remove_traces(self, task: str) -> None:
        for ending in ("mp4", "part.mp4", "progress", "notes", "error"):
            self._file(task, ending).unlink(missing_ok=True)

    def _file(self, task: str, ending: str) -> Path:
        return self._folder / f"{task}.{ending}"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there complete or not at all, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        beside.write_bytes(data)
        _sync(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("rb") as written:
        os.fsync(written.fileno())


def _lock(path: Path) -> int | None:
    """The descriptor of a lock that is now ours, or None when another one holds it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        with contextlib.suppress(FileNotFoundError):
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        os.close(descriptor)  # its last holder removed the file in between: what we locked is nameless


def _is_locked(path: Path) -> bool:
    if not path.exists():
        return False
    descriptor = _lock(path)
    if descriptor is not None:
        _unlock(descriptor, path)
    return descriptor is None


def _unlock(descriptor: int, path: Path) -> None:
    path.unlink(missing_ok=True)  # before the lock is let go of, so that nobody else's file is removed
    os.close(descriptor)


def _failure(error: BaseException, task: str) -> WanvideoError:
    if isinstance(error, MapUnusable):
        return refused(error, task)
    detail = f"The preview could not be rendered ({type(error).__name__}: {error})."
    if type(error).__name__ == "UnidentifiedImageError":  # Pillow's; importing it for its name would be dear
        return MediaRejected(detail, field="reference_image", task_id=task)
    return ProviderFailed(detail, task_id=task)
