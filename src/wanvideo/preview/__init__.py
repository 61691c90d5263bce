"""The local preview renderer: one picture and a prompt to a clip with real camera motion, without key,
network or cost.

It moves the camera, it does not invent: nobody walks, turns or talks. What the prompt asks beyond that comes
back in `Plan.unused_words`, so that no preview is ever passed off as Wan. Importing this package loads
neither numpy, OpenCV nor PyAV; the first `render` does (about 0.4 s).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from wanvideo.preview.intent import plan
from wanvideo.preview.plan import Plan
from wanvideo.preview.shot import ENGINE, MapUnusable, RenderCancelled, Rendered, Shot

__all__ = ["ENGINE", "MapUnusable", "Plan", "RenderCancelled", "Rendered", "Shot", "plan", "render"]


def render(
    shot: Shot,
    output: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Rendered:
    """Render `shot` to the MP4 file `output`; return what was understood of the prompt, and what was limited.

    The file appears at `output` complete or not at all; its folder must exist. The same shot gives the same
    bytes on the same machine and engine version. Blocks for about 0.3 s per second of 1280*720 video on two
    cores; call it in a thread from async code. Both callbacks are called from the calling thread:
    `on_progress(frames_done, frames_total)` first with 0, then a few times a second, last with all frames;
    `cancelled()` up to 20 times a second.

    Raises: RenderCancelled; MapUnusable for the shot's own mask or depth; ValueError for a size, rate or
    length that no clip can have; PIL.UnidentifiedImageError or OSError for a picture that cannot be read or a
    file that cannot be written.
    """
    # numpy, OpenCV and PyAV: only who renders pays for them
    from wanvideo.preview.pipeline import render_clip

    return render_clip(shot, output, on_progress=on_progress, cancelled=cancelled)
