"""Carries the sound of a clip over to another file: in step with the pictures, and never longer."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

# What MP4 can hold, and players play, goes over as it is (names of libav's decoders).
_COPIED = frozenset(("aac", "mp3", "mp3float", "opus", "libopus", "ac3", "eac3", "flac", "alac"))
_BITS_PER_S = 192_000


class Soundtrack:
    """Takes the sound packets of `source` in order and gives packets of `output`.

    `begin_s` is the moment in the source that becomes zero, `end_s` how long the new clip is, in seconds.
    """

    def __init__(
        self, source: AudioStream, output: OutputContainer, *, begin_s: Fraction, end_s: Fraction
    ) -> None:
        self._begin_s, self._end_s = begin_s, end_s
        self._is_copied = source.codec_context.name in _COPIED
        if self._is_copied:
            self._stream = output.add_stream_from_template(source)
            return
        context = source.codec_context
        # A file may number its channels without naming them; more than two become two.
        layout = "mono" if context.layout.nb_channels == 1 else "stereo"
        self._stream = output.add_stream("aac", rate=context.sample_rate, layout=layout)
        self._stream.codec_context.bit_rate = _BITS_PER_S
        self._resampler = AudioResampler("fltp", layout, context.sample_rate)

    def feed(self, packet: Packet[AudioStream]) -> list[Packet[AudioStream]]:
        """The packets to write once `packet` is read. libav's errors pass through."""
        if self._is_copied:
            return self._copied(packet)
        # The empty packet at the end of the source makes the decoder give what it still holds.
        ready = [self._cut(part) for frame in packet.decode() for part in self._resampler.resample(frame)]
        return [made for frame in ready if frame for made in self._stream.encode(frame)]

    def finish(self) -> list[Packet[AudioStream]]:
        """The packets that an encoder still holds."""
        return [] if self._is_copied else self._stream.encode(None)

    def _copied(self, packet: Packet[AudioStream]) -> list[Packet[AudioStream]]:
        if packet.size == 0 or packet.pts is None:
            return []
        base, length = packet.time_base, packet.duration or 0
        begin = packet.pts - round(self._begin_s / base)
        end = math.ceil(self._end_s / base)
        # One packet from before the beginning stays: a decoder needs it to start cleanly, nobody hears it.
        if begin >= end or begin + 2 * length <= 0:
            return []
        packet.pts = packet.dts = begin
        packet.duration = min(length, end - begin)
        packet.stream = self._stream
        return [packet]

    def _cut(self, frame: AudioFrame) -> AudioFrame | None:
        """The part of the frame that lies in the new clip, in its time; None where none does."""
        assert frame.pts is not None  # the resampler always sets it
        rate = frame.sample_rate
        begin = frame.pts - round(self._begin_s * rate)
        samples = frame.to_ndarray()[:, max(0, -begin) : max(0, round(self._end_s * rate) - begin)]
        if not samples.size:
            return None
        part = AudioFrame.from_ndarray(
            np.ascontiguousarray(samples, dtype=np.float32), "fltp", frame.layout.name
        )
        part.sample_rate, part.time_base, part.pts = rate, Fraction(1, rate), max(0, begin)
        return part
