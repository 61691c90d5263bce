"""One shot to one file: frames are rendered in a thread beside the encoder, which runs in the caller's."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from queue import Full, Queue
from secrets import token_hex
from threading import BoundedSemaphore, Event

import cv2

from wanvideo.preview.effects import stage
from wanvideo.preview.encode import ClipWriter
from wanvideo.preview.frames import shoot
from wanvideo.preview.intent import plan
from wanvideo.preview.picture import fit, read_picture
from wanvideo.preview.plan import Plan
from wanvideo.preview.room import film
from wanvideo.preview.scene_analysis import analyse, pivot_of
from wanvideo.preview.shot import RenderCancelled, Rendered, Shot
from wanvideo.preview.sound import SAMPLE_RATE_HZ, soundtrack
from wanvideo.preview.view import Frame

FRAMES_AHEAD = 8
PROGRESS_EVERY_S = 0.2
CANCEL_EVERY_S = 0.05
_PLACES = BoundedSemaphore(max(2, os.cpu_count() or 2))
"""More renders at once than cores would only take memory; the others wait."""
# For the whole process: one thread of OpenCV beside x264's two keeps two cores busy, more would wait for each
# other (5 to 10 % of the time), and several renders share the cores alike.
cv2.setNumThreads(1)
LARGEST_USEFUL_ZOOM = 1.6  # a picture is never needed sharper than this many times the frame


def render_clip(
    shot: Shot,
    output: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Rendered:
    """See `wanvideo.preview.render`."""
    watch = _Watch(shot.frame_count, on_progress, cancelled)
    watch.frame_done(0)
    unfinished = output.with_name(f".{output.name}.{token_hex(4)}.part")
    while not _PLACES.acquire(timeout=CANCEL_EVERY_S):
        watch.frame_done(0)
    try:
        rendered = _render(shot, unfinished, watch)
        unfinished.replace(output)
    finally:
        _PLACES.release()
        unfinished.unlink(missing_ok=True)
    return rendered


def _render(shot: Shot, path: Path, watch: _Watch) -> Rendered:
    take = _Take(shot, plan(shot.prompt, shot.negative_prompt))
    sound = soundtrack(shot.sound, shot.seed, round(shot.frame_count / shot.fps * SAMPLE_RATE_HZ))
    with (
        closing(_ahead(take.frames())) as frames,
        ClipWriter(
            path,
            width_px=shot.width_px,
            height_px=shot.height_px,
            fps=shot.fps,
            draft=shot.draft,
            sound=sound,
        ) as writer,
    ):
        for done, frame in enumerate(frames, start=1):
            writer.write(frame)
            watch.frame_done(done)
    return Rendered(take.plan, tuple(dict.fromkeys(take.notes)))


@dataclass
class _Take:
    """The making of one clip's frames; `notes` are complete once the first frame is out."""

    shot: Shot
    plan: Plan
    notes: list[str] = field(default_factory=list)

    def frames(self) -> Iterator[Frame]:
        shot = self.shot
        picture = read_picture(
            shot.picture, covering_px=(shot.width_px, shot.height_px), zoom=LARGEST_USEFUL_ZOOM
        )
        fitted = fit(picture.size, shot.width_px, shot.height_px)
        scene = analyse(picture, self.plan, shot)
        path = film(shot, self.plan, fitted, pivot_of(scene))
        lit = stage(self.plan, shot, scene)
        self.notes += [*path.notes, *lit.notes]
        for view in shoot(picture, fitted, scene, path, shot):
            lit.apply(view)
            yield view.frame


def _ahead(frames: Iterator[Frame]) -> Generator[Frame]:
    """Run `frames` in a thread, at most FRAMES_AHEAD in front. OpenCV and x264 both release the GIL."""
    waiting: Queue[Frame | None] = Queue(FRAMES_AHEAD)
    stop = Event()

    def put(item: Frame | None) -> None:
        while not stop.is_set():
            with suppress(Full):
                waiting.put(item, timeout=0.1)
                return

    def produce() -> None:
        try:
            for frame in takewhile(lambda _frame: not stop.is_set(), frames):
                put(frame)
        finally:
            put(None)

    with ThreadPoolExecutor(1, thread_name_prefix="wanvideo-preview") as pool:
        producer = pool.submit(produce)
        try:
            while (item := waiting.get()) is not None:
                yield item
            producer.result()  # raises what the frames raised
        finally:
            stop.set()


class _Watch:
    """Tells the caller how far the clip is and asks if it is still wanted, without slowing the frames."""

    def __init__(
        self,
        frames_total: int,
        on_progress: Callable[[int, int], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._frames_total = frames_total
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._told_at_s = self._asked_at_s = float("-inf")

    def frame_done(self, frames_done: int) -> None:
        now_s = time.monotonic()
        if self._cancelled is not None and now_s - self._asked_at_s >= CANCEL_EVERY_S:
            self._asked_at_s = now_s
            if self._cancelled():
                raise RenderCancelled(f"cancelled after {frames_done} of {self._frames_total} frames")
        is_last = frames_done == self._frames_total
        if self._on_progress is not None and (is_last or now_s - self._told_at_s >= PROGRESS_EVERY_S):
            self._told_at_s = now_s
            self._on_progress(frames_done, self._frames_total)
