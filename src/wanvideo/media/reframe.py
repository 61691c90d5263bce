"""libav's filters set up so that any clip comes out at one size, one frame rate and one number of frames."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import av
from av.filter import Graph
from av.video.frame import VideoFrame

from wanvideo.errors import ClipInvalid

_SCALER = "lanczos+accurate_rnd"
# The fps filter, rounding up, shows the frame that is current at a moment. Frames that come half a frame
# early make that the nearest one; its own "near" is late by up to half a frame of the slower rate, and would
# begin a clip of 1 fps half a second in. Nearly half, so that a tie falls the same way every time.
_NEARLY_HALF = Fraction(49, 100)


class Reframer:
    """Takes the frames of a clip in order and gives exactly `frame_count` frames back, 1/fps apart.

    Built from the first frame, which tells the size, pixel format and colours; it still has to be fed.
    `pixel_aspect` is how wide a pixel of the source is for its height, nearly always 1.
    """

    def __init__(
        self,
        first: VideoFrame,
        *,
        width_px: int,
        height_px: int,
        source_fps: Fraction,
        fps: Fraction,
        frame_count: int,
        pixel_aspect: Fraction,
    ) -> None:
        self._frame_count = frame_count
        self._given = 0
        self._graph = graph = Graph()
        covering = _covering_size(first.width * pixel_aspect, first.height, width_px, height_px)
        source = graph.add(
            "buffer",
            video_size=f"{first.width}x{first.height}",
            pix_fmt=first.format.name,
            time_base=str(first.time_base),
            pixel_aspect="1/1",
            colorspace=str(first.colorspace),
            range=str(first.color_range),
        )
        graph.link_nodes(
            source,
            graph.add("settb", "1/1000000"),
            graph.add("setpts", f"PTS-STARTPTS-{round(_NEARLY_HALF / source_fps * 1_000_000)}"),
            graph.add("fps", fps=f"{fps.numerator}/{fps.denominator}", round="up", start_time="0"),
            # The last frame is held without end, then the clip cut: one rule for too short and too long.
            graph.add("tpad", stop="-1", stop_mode="clone"),
            graph.add("trim", end_frame=str(frame_count)),
            graph.add(
                "scale", width=str(covering[0]), height=str(covering[1]), flags=_SCALER, out_range="tv"
            ),
            graph.add("crop", out_w=str(width_px), out_h=str(height_px)),
            graph.add("setsar", sar="1"),
            graph.add("format", pix_fmts="yuv420p"),
            graph.add("buffersink"),
        ).configure()

    @property
    def is_full(self) -> bool:
        """Whether all frames were given: what comes after is not needed."""
        return self._given == self._frame_count

    def feed(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """The frames that are ready once `frame` is known; None ends the clip and gives the rest."""
        if self.is_full:
            return
        self._graph.vpush(frame)
        while not self.is_full:
            try:
                ready = self._graph.vpull()
            except (BlockingIOError, av.error.EOFError):
                return
            except av.error.FFmpegError as error:
                raise ClipInvalid(f"the clip's frames cannot be converted: {error.strerror}.") from error
            self._given += 1
            yield ready


def _covering_size(
    width: Fraction, height_px: int, target_width_px: int, target_height_px: int
) -> tuple[int, int]:
    """The even size of the source's shape that covers the target, in pixels."""
    factor = max(target_width_px / width, Fraction(target_height_px, height_px))

    def even(side: Fraction, least: int) -> int:
        # Half a pixel short of the target is the target: rounding up would blur a perfect fit.
        return max(least, 2 * math.ceil((side * factor - Fraction(1, 2)) / 2))

    return even(width, target_width_px), even(Fraction(height_px), target_height_px)
