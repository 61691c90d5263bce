"""A local stand-in for DashScope video synthesis, strict and unpleasant where the real service is.

The official SDK works against it unmodified; its clips are real. It shares no code with `wanvideo` except the
renderer of the preview, which draws its pixels.
"""

from __future__ import annotations

from wanvideo_emulator.command import add_arguments, main, options_from, serve
from wanvideo_emulator.faults import BadFault
from wanvideo_emulator.options import Options
from wanvideo_emulator.server import Emulator
from wanvideo_emulator.thread import EmulatorThread

__all__ = [
    "BadFault",
    "Emulator",
    "EmulatorThread",
    "Options",
    "add_arguments",
    "main",
    "options_from",
    "serve",
]
