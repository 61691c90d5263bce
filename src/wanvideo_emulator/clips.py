"""The clips: their size by the provider's rule, and their rendering beside the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

from wanvideo_emulator.media import Picture
from wanvideo_emulator.order import Order

FPS = 30
PIXEL_BUDGET = {"720P": 1280 * 720, "1080P": 1920 * 1080}
WORKERS = 2
_log = logging.getLogger("wanvideo_emulator")


def clip_size_px(width_px: int, height_px: int, resolution: str, multiple: int) -> tuple[int, int]:
    """The clip's size: the tier's pixel budget at the picture's aspect, sides floored to `multiple`.

    At 720P, 1024x768 gives 1108x830 for 2 (measured on the real service), 750x1000 gives 816x1104 for 16
    (its FAQ).
    """
    aspect = width_px / height_px
    # An aspect such as 1.0 must not lose a pixel to rounding of the root.
    height = math.sqrt(PIXEL_BUDGET[resolution] / aspect)
    return _floored(aspect * height, multiple), _floored(height, multiple)


def _floored(side: float, multiple: int) -> int:
    return int(side + 1e-9) // multiple * multiple


class ClipMaker:
    """Renders clips into `folder` on a few threads; two equal orders share one rendering.

    A clip found in the folder is taken as it is: the renderer gives the same file for the same order.
    """

    def __init__(self, folder: Path, size_multiple: int) -> None:
        self._folder = folder
        self._size_multiple = size_multiple
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="clip")
        self._made: dict[str, asyncio.Future[Path]] = {}
        self._closing = False

    def start(self, order: Order, picture: Picture, seed: int) -> asyncio.Future[Path]:
        """Begin a clip. The future fails if rendering does; wait for `close` before removing the folder."""
        width_px, height_px = clip_size_px(
            picture.width_px, picture.height_px, order.resolution, self._size_multiple
        )
        words = "" if order.template else order.prompt or ""
        wish = (
            picture.sha256,
            words,
            order.negative_prompt,
            seed,
            width_px,
            height_px,
            order.duration_s,
            order.audio,
        )
        name = hashlib.sha256(repr(wish).encode()).hexdigest()
        known = self._made.get(name)
        if known is not None and not (known.done() and (known.cancelled() or known.exception())):
            return known
        made = asyncio.get_running_loop().run_in_executor(
            self._pool,
            self._render,
            order,
            picture,
            words,
            seed,
            (width_px, height_px),
            name,
        )
        made.add_done_callback(_report_failure)
        self._made[name] = made
        return made

    def _render(
        self, order: Order, picture: Picture, words: str, seed: int, size_px: tuple[int, int], name: str
    ) -> Path:
        # Imported late: the renderer loads OpenCV, and an emulator that only refuses needs none of it.
        from wanvideo.preview import ENGINE, Shot, render

        output = self._folder / f"{ENGINE.replace('/', '-')}-{name}.mp4"
        if output.exists():
            return output

        shot = Shot(
            picture=picture.data,
            prompt=words,
            negative_prompt=order.negative_prompt,
            seed=seed,
            motion_strength=0.5,
            width_px=size_px[0],
            height_px=size_px[1],
            fps=Fraction(FPS),
            frame_count=FPS * order.duration_s,
            sound="ambient" if order.audio else "none",
            draft=True,
        )
        render(shot, output, cancelled=lambda: self._closing)
        return output

    async def close(self) -> None:
        """Stop what is being rendered and wait for the threads."""
        self._closing = True
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)


def _report_failure(made: asyncio.Future[Path]) -> None:
    trouble = None if made.cancelled() else made.exception()
    # A cancelled rendering only means that the emulator is closing.
    if trouble is not None and type(trouble).__name__ != "RenderCancelled":
        _log.error("the renderer failed; the task ends as InternalError.Algo", exc_info=trouble)
