"""wanvideo: the money-safe way to make video with Alibaba's Wan model.

    from wanvideo import video
    clip = video.generate(prompt="slow push in, light snow", reference_image="harbour.png")
    print(clip.video_url, clip.duration, clip.fps, clip.seed)

The names below are the public surface. They are loaded on first use: importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wanvideo.client import AsyncClient, AsyncJob, Client, ClipJob, video
    from wanvideo.contract.request import VideoRequest
    from wanvideo.contract.result import VideoResult
    from wanvideo.errors import WanvideoError
    from wanvideo.settings import Settings

__version__ = "0.1.0"

_HOMES = {
    "AsyncClient": "client",
    "AsyncJob": "client",
    "Client": "client",
    "ClipJob": "client",
    "Settings": "settings",
    "VideoRequest": "contract.request",
    "VideoResult": "contract.result",
    "WanvideoError": "errors",
    "video": "client",
}

__all__ = [
    "AsyncClient",
    "AsyncJob",
    "Client",
    "ClipJob",
    "Settings",
    "VideoRequest",
    "VideoResult",
    "WanvideoError",
    "__version__",
    "video",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
