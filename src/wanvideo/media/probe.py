"""What a clip really is, measured in the file; and whether the file is whole."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from wanvideo.errors import ClipInvalid
from wanvideo.media.frames import decode_first, decode_last
from wanvideo.media.reading import open_clip, reading, sound_of


@dataclass(frozen=True)
class ClipFacts:
    """`duration_s` is frame_count / fps: how long the pictures run, whatever the container claims."""

    width_px: int
    height_px: int
    fps: Fraction
    frame_count: int
    duration_s: float
    codec: str
    pixel_format: str
    has_sound: bool
    sound_duration_s: float | None
    size_bytes: int


def probe(path: Path) -> ClipFacts:
    """Measure a clip by its container, in a few milliseconds. Raises ClipInvalid.

    A file that was cut short may still probe as perfect: `check` finds that out.
    """
    with open_clip(path) as (container, video), reading(path):
        frame_count = video.frames or sum(packet.size > 0 for packet in container.demux(video))
        return _facts(path, container, video, frame_count)


def check(path: Path, *, expected_bytes: int | None = None) -> ClipFacts:
    """Prove that a downloaded clip is whole, and measure it. Some 100 ms for 5 s of 1280x720.

    No part may reach over the end of the file, every packet is read and must be intact, there must be as
    many as the container announces, and the first and last frame must decode. `expected_bytes` is what the
    server announced. Raises ClipInvalid.
    """
    with open_clip(path) as (container, video):
        size_bytes = path.stat().st_size
        if expected_bytes is not None and size_bytes != expected_bytes:
            raise ClipInvalid(f"{path.name} has {size_bytes} bytes instead of {expected_bytes}.")
        _refuse_cut_box(path, size_bytes)
        with reading(path):
            packet_count = _read_every_packet(path, container, video)
        if packet_count == 0:
            raise ClipInvalid(f"{path.name} holds no frame.")
        facts = _facts(path, container, video, packet_count)
    with open_clip(path) as (container, video), reading(path):
        first = decode_first(container, video)
        last = decode_last(container, video)
        if first.is_corrupt or last.is_corrupt:
            raise ClipInvalid(f"{path.name} is damaged: its first or last frame does not decode cleanly.")
    return facts


def _refuse_cut_box(path: Path, size_bytes: int) -> None:
    """MP4 is a row of boxes that tell their size; where the last is cut, libav quietly drops a stream."""
    with path.open("rb") as file:
        at = 0
        while at + 8 <= size_bytes:
            file.seek(at)
            head = file.read(16)
            if at == 0 and head[4:8] != b"ftyp":
                return  # another container
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            if length < 8:  # 0: up to the end of the file; less makes no sense
                return
            at += length
    if at > size_bytes:
        raise ClipInvalid(f"{path.name} is cut short: {at - size_bytes} bytes are missing at its end.")


def _read_every_packet(path: Path, container: InputContainer, video: VideoStream) -> int:
    """The number of intact video packets, once it is proved that none is missing."""
    audible = list(container.streams.audio)
    seen = dict.fromkeys([video.index, *(stream.index for stream in audible)], 0)
    for packet in container.demux(video, *audible):
        if packet.size == 0:  # the end mark of a stream
            continue
        if packet.is_corrupt:
            raise ClipInvalid(f"{path.name} is cut short or damaged: a packet in it is broken.")
        seen[packet.stream_index] += 1
    for stream in (video, *audible):
        there, announced = seen[stream.index], stream.frames
        if announced and there != announced:
            raise ClipInvalid(
                f"{path.name} is cut short: {there} of {announced} {stream.type} packets are there."
            )
    return seen[video.index]


def _facts(path: Path, container: InputContainer, video: VideoStream, frame_count: int) -> ClipFacts:
    fps = _frame_rate(path, video, frame_count)
    sound = sound_of(container)
    context = video.codec_context
    return ClipFacts(
        width_px=context.width,
        height_px=context.height,
        fps=fps,
        frame_count=frame_count,
        duration_s=float(frame_count / fps),
        codec=context.name,
        pixel_format=context.pix_fmt or "unknown",
        has_sound=sound is not None,
        sound_duration_s=_sound_duration_s(container, sound) if sound else None,
        size_bytes=path.stat().st_size,
    )


def _frame_rate(path: Path, video: VideoStream, frame_count: int) -> Fraction:
    """The rate of the frames' time stamps.

    The average rate is off by up to a frame when the container's length is not a multiple of the frame's;
    the base rate, taken from the gaps between frames, is exact where it is near the average at all.
    """
    average, base = video.average_rate, video.base_rate
    if average and base and abs(average - base) * max(frame_count, 1) <= base:
        return Fraction(base)
    rate = average or video.guessed_rate
    if not rate:
        raise ClipInvalid(f"{path.name} does not tell how fast its frames run.")
    return Fraction(rate)


def _sound_duration_s(container: InputContainer, sound: AudioStream) -> float | None:
    if sound.duration is not None and sound.time_base is not None:
        return float(sound.duration * sound.time_base)
    return container.duration / 1_000_000 if container.duration is not None else None
