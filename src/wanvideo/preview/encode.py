"""Frames and sound to an MP4 file: H.264, tagged BT.709, playable from the first bytes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from wanvideo.preview.sound import SAMPLE_RATE_HZ
from wanvideo.preview.view import Frame

X264_THREADS = 2  # x264's output depends on the number of threads, so it must not follow the machine's cores
SOUND_CHUNK_SAMPLES = 1024
_AVX512_SKX = 256  # cv::CPU_AVX512_SKX, which the Python binding does not name
KEY_EVERY_S = 5
MOVIE_TIMESCALE_HZ = "90000"  # the default of 1000 would round the sound's length to milliseconds


class ClipWriter:
    """Writes one clip to `path`. Use as a context manager; after an error the file is incomplete and of no
    use.

    `sound` is 2 * samples in -1..1 at 44.1 kHz; it is written along with the pictures it belongs to.
    """

    def __init__(
        self,
        path: Path,
        *,
        width_px: int,
        height_px: int,
        fps: Fraction,
        draft: bool,
        sound: NDArray[np.float32] | None,
    ) -> None:
        self._size_px = (width_px, height_px)
        self._time_base = 1 / fps
        self._fps = fps
        options = {"movflags": "+faststart", "fflags": "+bitexact", "movie_timescale": MOVIE_TIMESCALE_HZ}
        self._file = av.open(str(path), "w", format="mp4", options=options)
        self._video = self._file.add_stream("libx264", rate=fps)
        context = self._video.codec_context
        context.width, context.height = self._size_px
        context.pix_fmt = "yuv420p"
        context.time_base = self._time_base
        context.gop_size = max(1, round(KEY_EVERY_S * fps))  # a key picture is seen as a faint pulse
        context.thread_count = X264_THREADS
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        context.colorspace = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        context.options = {"preset": "superfast" if draft else "veryfast", "crf": "18", **_repeatable()}
        self._sound = sound
        self._audio = None
        if sound is not None:
            self._audio = self._file.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="stereo")
            self._audio.codec_context.bit_rate = 128_000
        self._frames = 0
        self._samples = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._file.close()

    def write(self, frame: Frame) -> None:
        """Append one frame, and the sound up to its end."""
        width, height = self._size_px
        picture = av.VideoFrame(width, height, "yuv420p")
        for plane, pixels in zip(picture.planes, frame.planes(), strict=True):
            _fill(plane, pixels)
        picture.pts = self._frames
        picture.time_base = self._time_base
        picture.duration = 1
        picture.color_primaries = ColorPrimaries.BT709
        picture.color_trc = ColorTrc.BT709
        picture.colorspace = Colorspace.ITU709
        picture.color_range = ColorRange.MPEG
        self._frames += 1
        self._file.mux(self._video.encode(picture))
        self._write_sound(until=round(self._frames / self._fps * SAMPLE_RATE_HZ), whole_chunks=True)

    def _finish(self) -> None:
        self._file.mux(self._video.encode(None))
        if self._audio is not None:
            self._write_sound(until=round(self._frames / self._fps * SAMPLE_RATE_HZ), whole_chunks=False)
            self._file.mux(self._audio.encode(None))

    def _write_sound(self, *, until: int, whole_chunks: bool) -> None:
        if self._audio is None or self._sound is None:
            return
        for start, end in _chunks(self._samples, min(until, self._sound.shape[1]), whole_chunks):
            samples = np.ascontiguousarray(self._sound[:, start:end])
            chunk = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
            chunk.sample_rate = SAMPLE_RATE_HZ
            chunk.pts = start
            chunk.time_base = Fraction(1, SAMPLE_RATE_HZ)
            self._file.mux(self._audio.encode(chunk))
            self._samples = end


def _repeatable() -> dict[str, str]:
    """x264 options without which the same frames may give other bytes.

    Its AVX-512 code of the macroblock tree reads memory that nobody wrote (seen with PyAV 18.1 at sizes such
    as 320*180, and gone with any other instruction set). AVX2 is as fast here.
    """
    return {"x264-params": "asm=AVX2"} if cv2.checkHardwareSupport(_AVX512_SKX) else {}


def _chunks(start: int, end: int, whole: bool) -> Iterator[tuple[int, int]]:
    while end - start >= (SOUND_CHUNK_SAMPLES if whole else 1):
        stop = min(end, start + SOUND_CHUNK_SAMPLES)
        yield start, stop
        start = stop


def _fill(plane: av.video.plane.VideoPlane, rows: NDArray[np.uint8]) -> None:
    """Copy rows into a plane whose lines may be padded."""
    height, width = rows.shape
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    lines[:height, :width] = rows
