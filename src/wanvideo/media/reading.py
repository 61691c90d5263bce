"""Opens a clip for reading; what libav dislikes about the file becomes ClipInvalid with a plain reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from wanvideo.errors import ClipInvalid
from wanvideo.media.signature import describe

# A downloaded file is never trusted: no playlist in it may make libav open other files or addresses.
_GUARDS = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts",
}
_HEAD_BYTES = 1024


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn libav's errors on reading `path` into ClipInvalid. Keep writing out of the block."""
    try:
        yield
    except av.error.FFmpegError as error:
        reason = (error.strerror or "unreadable").rstrip(".").lower()
        raise ClipInvalid(f"{path.name} is cut short or damaged: {reason}.") from error


@contextmanager
def open_clip(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its video stream. Raises ClipInvalid, and says what the file is instead."""
    _refuse_other_files(path)
    with reading(path):
        # The scheme keeps a colon in a name from being read as a protocol.
        container = av.open(
            f"file:{path}", "r", container_options=_GUARDS, metadata_errors="ignore", timeout=None
        )
    with container:
        # A stream in a codec that libav does not know has no codec_context, whatever its type says.
        pictures = [
            stream
            for stream in container.streams.video
            if stream.codec_context and stream.codec_context.width > 0
        ]
        if not pictures:
            raise ClipInvalid(f"{path.name} holds no video.")
        yield container, pictures[0]


def sound_of(container: InputContainer) -> AudioStream | None:
    """The first sound stream that can be read, if there is one."""
    return next((stream for stream in container.streams.audio if stream.codec_context), None)


def _refuse_other_files(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise ClipInvalid(f"{path.name} cannot be read: {error.strerror}.") from error
    if not head:
        raise ClipInvalid(f"{path.name} is empty.")
    what, _ = describe(head)
    if "text" in what or "HTML" in what:
        raise ClipInvalid(f"{path.name} is not a clip but {what}.")
    if not head.strip(b"\0"):
        raise ClipInvalid(f"{path.name} begins with nothing but zeros: it was never written completely.")
