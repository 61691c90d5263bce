"""Makes a clip exactly what was asked for: size, frame rate and number of frames, with its sound in step.

What the model made is touched as little as possible: a clip that already conforms is copied byte for byte,
sound is cut but not encoded anew, and pictures are encoded at a quality where the loss cannot be seen.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from wanvideo.errors import ClipInvalid, JobCancelled, StorageFailed
from wanvideo.media.frames import BT709, UNSPECIFIED, assumed_matrix, decode_first
from wanvideo.media.probe import ClipFacts, probe
from wanvideo.media.reading import open_clip, reading, sound_of
from wanvideo.media.reframe import Reframer
from wanvideo.media.soundtrack import Soundtrack

# x264: https://trac.ffmpeg.org/wiki/Encode/H.264 calls crf 17 or 18 visually lossless.
_ENCODER = {"crf": "16", "preset": "faster"}
# Fixed, so that the same clip gives the same bytes on every machine, and several clips share one fairly.
_THREADS = 2
_KEYFRAME_EVERY_S = 2

Cancelled = Callable[[], bool]
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Target:
    """What the clip has to be. Both sides are even (H.264 in 4:2:0 knows no others)."""

    width_px: int
    height_px: int
    fps: Fraction
    frame_count: int

    def __post_init__(self) -> None:
        if self.width_px % 2 or self.height_px % 2 or min(self.width_px, self.height_px) < 2:
            raise ValueError(f"sides must be even: {self.width_px}x{self.height_px}")
        if self.fps <= 0 or self.frame_count < 1:
            raise ValueError(f"a clip needs frames: {self.frame_count} at {self.fps} fps")

    @property
    def duration_s(self) -> Fraction:
        return self.frame_count / self.fps


@dataclass(frozen=True)
class Conformed:
    """`changed` names each difference that was removed; () when the bytes were copied as they were."""

    path: Path
    changed: tuple[str, ...]


def needs(facts: ClipFacts, target: Target) -> tuple[str, ...]:
    """What `conform` would change, in words; () when the clip already is what `target` says."""
    changes = []
    if facts.fps != target.fps:
        changes.append(f"fps {_rate_in_words(facts.fps)} -> {_rate_in_words(target.fps)}")
    if (facts.width_px, facts.height_px) != (target.width_px, target.height_px):
        changes.append(f"size {facts.width_px}x{facts.height_px} -> {target.width_px}x{target.height_px}")
    # At another rate the same length has another number of frames; half a frame either way is no change.
    frames_there = facts.frame_count / facts.fps * target.fps
    surplus = round(frames_there) - target.frame_count
    if surplus:
        verb = "trimmed" if surplus > 0 else "held the last frame"
        changes.append(f"{verb} {facts.duration_s:.2f} s -> {float(target.duration_s):.2f} s")
    return tuple(changes)


def conform(
    source: Path,
    output: Path,
    target: Target,
    *,
    cancelled: Cancelled | None = None,
    on_progress: Progress | None = None,
) -> Conformed:
    """Write `source` to `output` as `target` says: MP4, H.264, ready to stream.

    A frame of the output shows the nearest frame of the source; a size of another shape is filled and cropped
    in the middle; a source that is too short holds its last frame. `cancelled` is asked once a frame,
    `on_progress` gets the share done, 0 to 1. On any failure `output` does not stay behind.

    Takes about as long as the clip runs, for 1280x720 on two cores.
    Raises ClipInvalid, StorageFailed, JobCancelled.
    """
    if source.resolve() == output.resolve():
        raise ValueError("a clip cannot be conformed onto itself")
    facts = probe(source)
    changed = needs(facts, target)
    with _removed_on_failure(output):
        if changed:
            _rewrite(source, facts, output, target, cancelled or _never, on_progress or _unheard)
        else:
            with _writing(output):
                shutil.copyfile(source, output)
    return Conformed(output, changed)


def _rate_in_words(fps: Fraction) -> str:
    return f"{float(fps):.3f}".rstrip("0").rstrip(".")


def _never() -> bool:
    return False


def _unheard(share: float) -> None:
    """Progress that nobody asked for."""


def _rewrite(
    source: Path,
    facts: ClipFacts,
    output: Path,
    target: Target,
    cancelled: Cancelled,
    on_progress: Progress,
) -> None:
    with open_clip(source) as (container, video), reading(source):
        first = decode_first(container, video)
        begin_s = (first.pts or 0) * (video.time_base or Fraction(1))
    with open_clip(source) as (container, video), _created(output) as made:
        reframer = Reframer(
            first,
            width_px=target.width_px,
            height_px=target.height_px,
            # With uneven time stamps the average is slower than the shortest gap between two frames.
            source_fps=max(facts.fps, video.base_rate or facts.fps),
            fps=target.fps,
            frame_count=target.frame_count,
            pixel_aspect=video.sample_aspect_ratio or Fraction(1),
        )
        picture = _add_picture(made, target, first)
        sound = sound_of(container)
        soundtrack = Soundtrack(sound, made, begin_s=begin_s, end_s=target.duration_s) if sound else None
        written = 0
        for item in _read(source, container, video, sound):
            if cancelled():
                raise JobCancelled("conforming the clip was cancelled.")
            if isinstance(item, Packet):
                if soundtrack:
                    with reading(source):
                        packets = soundtrack.feed(item)
                    made.mux(packets)
                continue
            for frame in reframer.feed(item):
                # The filters hand on what kind of frame it was; the encoder is to choose anew.
                frame.pict_type = PictureType.NONE
                frame.duration = 1
                made.mux(picture.encode(frame))
                written += 1
                on_progress(written / target.frame_count)
        made.mux(picture.encode())
        if soundtrack:
            made.mux(soundtrack.finish())
    if written != target.frame_count:
        raise ClipInvalid(f"{source.name} gave {written} frames instead of {target.frame_count}.")


def _add_picture(made: OutputContainer, target: Target, first: VideoFrame) -> VideoStream:
    """The video stream of the new file, with the colours of the old one, or what players assume of them."""
    stream = made.add_stream("libx264", rate=target.fps, options=dict(_ENCODER))
    stream.width, stream.height, stream.pix_fmt = target.width_px, target.height_px, "yuv420p"
    context = stream.codec_context
    context.thread_count = _THREADS
    context.gop_size = math.ceil(target.fps * _KEYFRAME_EVERY_S)
    tagged = (first.colorspace, first.color_primaries, first.color_trc)
    if first.colorspace == UNSPECIFIED and assumed_matrix(first.colorspace, first.height) == BT709:
        tagged = (BT709, BT709, BT709)
    context.colorspace, context.color_primaries, context.color_trc = tagged
    context.color_range = ColorRange.MPEG
    return stream


def _read(
    source: Path, container: InputContainer, video: VideoStream, sound: AudioStream | None
) -> Iterator[VideoFrame | Packet[AudioStream] | None]:
    """Decoded pictures and sound packets as they come, then None. Raises ClipInvalid on a broken one."""
    video.thread_type = "AUTO"
    video.codec_context.thread_count = _THREADS
    with reading(source):
        for packet in container.demux(*([video, sound] if sound else [video])):
            if packet.is_corrupt:
                raise ClipInvalid(f"{source.name} is cut short or damaged: a packet in it is broken.")
            if sound and packet.stream_index == sound.index:
                yield cast("Packet[AudioStream]", packet)
                continue
            for frame in cast("Packet[VideoStream]", packet).decode():
                if frame.is_corrupt:
                    raise ClipInvalid(f"{source.name} is damaged: a frame in it does not decode cleanly.")
                yield frame
    yield None


@contextmanager
def _created(output: Path) -> Iterator[OutputContainer]:
    with (
        _writing(output),
        av.open(f"file:{output}", "w", format="mp4", options={"movflags": "+faststart"}) as made,
    ):
        yield made


@contextmanager
def _writing(output: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, av.error.FFmpegError) as error:
        raise StorageFailed(f"{output.name} could not be written: {error.strerror}.") from error


@contextmanager
def _removed_on_failure(output: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        output.unlink(missing_ok=True)
        raise
