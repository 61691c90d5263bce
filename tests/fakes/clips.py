"""Real, tiny mp4 files: 240x240, five frames a second, made once."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import av
import numpy as np

SIZE = "240*240"
FPS = 5
SECONDS = 2


@functools.cache
def clip_bytes(seed: int = 0, *, seconds: int = SECONDS, fps: int = FPS, side_px: int = 240) -> bytes:
    """A clip of noise; another seed gives other bytes of about the same length."""
    noise = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        _write(path, noise, seconds, fps, side_px)
        return path.read_bytes()


def _write(path: Path, noise: np.random.Generator, seconds: int, fps: int, side_px: int) -> None:
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as made:
        stream = made.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "40"})
        stream.width = stream.height = side_px
        stream.pix_fmt = "yuv420p"
        for index in range(seconds * fps):
            picture = noise.integers(0, 255, (side_px, side_px, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
