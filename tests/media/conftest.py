"""Clips whose frames carry their own number, so that a test can tell which frame it looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

BITS = 10
RATE = 48_000


def numbered(number: int, width: int, height: int) -> np.ndarray:
    """A grey picture with the number as ten black and white bars."""
    picture = np.empty((height, width), np.uint8)
    for bit in range(BITS):
        picture[:, width * bit // BITS : width * (bit + 1) // BITS] = 220 if number >> bit & 1 else 30
    return picture


def read_number(grey: np.ndarray) -> int:
    height, width = grey.shape
    row = grey[height // 2]
    return sum(1 << bit for bit in range(BITS) if row[int(width * (bit + 0.5) / BITS)] > 125)


@dataclass(frozen=True)
class Studio:
    """Makes and reads test clips."""

    folder: Path

    def clip(
        self,
        name: str = "source.mp4",
        *,
        fps: Fraction = Fraction(24),
        frames: int = 48,
        size: tuple[int, int] = (80, 48),
        codec: str = "libx264",
        sound: str | None = "aac",
        sound_s: float | None = None,
        pictures: list[np.ndarray] | None = None,
        colour: int = 2,
        pts: list[int] | None = None,
        faststart: bool = True,
        options: dict[str, str] | None = None,
    ) -> Path:
        """`sound` is a beep at each full second; `pictures` are RGB arrays instead of numbers."""
        path = self.folder / name
        width, height = size
        flags = {"movflags": "+faststart"} if faststart and name.endswith("mp4") else {}
        with av.open(str(path), "w", options=flags) as made:
            video: Any = made.add_stream(
                codec, rate=fps, options=options or {"preset": "ultrafast", "crf": "8"}
            )
            video.width, video.height, video.pix_fmt = width, height, "yuv420p"
            context = video.codec_context
            context.colorspace = context.color_primaries = context.color_trc = colour
            audio: Any = made.add_stream(sound, rate=RATE, layout="mono") if sound else None
            for index in range(frames):
                if pictures:
                    frame = av.VideoFrame.from_ndarray(pictures[index], format="rgb24").reformat(
                        format="yuv420p", dst_colorspace=colour, src_color_range=2, dst_color_range=1
                    )
                else:
                    chroma = np.full((height // 2, width), 128, np.uint8)
                    planes = np.vstack([numbered(index, width, height), chroma])
                    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
                frame.pts, frame.time_base, frame.duration = pts[index] if pts else index, 1 / fps, 1
                made.mux(video.encode(frame))
            made.mux(video.encode())
            if audio:
                samples = int((sound_s or float(frames / fps)) * RATE)
                at_s = np.arange(samples) / RATE
                beep = (0.5 * np.sin(2 * np.pi * 1000 * at_s) * (at_s % 1 < 0.1)).astype(np.float32)
                wave = beep[None] if sound == "aac" else (beep * 32767).astype(np.int16)[None]
                heard = av.AudioFrame.from_ndarray(wave, "fltp" if sound == "aac" else "s16", "mono")
                heard.sample_rate, heard.pts, heard.time_base = RATE, 0, Fraction(1, RATE)
                made.mux(audio.encode(heard))
                made.mux(audio.encode())
        return path

    def numbers(self, path: Path) -> list[int]:
        """The numbers of all frames, in the order a player shows them."""
        with av.open(str(path)) as clip:
            return [read_number(frame.to_ndarray(format="gray")) for frame in clip.decode(video=0)]

    def beeps_at_s(self, path: Path) -> list[float]:
        """When each beep begins, by the file's own time stamps, in seconds."""
        with av.open(str(path)) as clip:
            found: list[float] = []
            silent_since = -1.0
            for frame in clip.decode(audio=0):
                level = np.abs(frame.to_ndarray().astype(float)).max(axis=0)
                level = level / 32768 if frame.format.name.startswith("s16") else level
                for index in np.flatnonzero(level > 0.1):
                    assert frame.pts is not None
                    at_s = float(frame.pts * (frame.time_base or 0)) + index / RATE
                    if at_s - silent_since > 0.3:
                        found.append(at_s)
                    silent_since = at_s
            return found


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@pytest.fixture
def must_not_be_called() -> Callable[..., None]:
    def fail(*arguments: object) -> None:
        pytest.fail(f"called with {arguments}")

    return fail
