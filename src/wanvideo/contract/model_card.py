"""What wan2.6-i2v-flash takes and makes, as data. Each limit names its source and the day it was read.

Validation, the schema, the emulator's tests and `docs/contract.md` are all judged against this card.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

MODEL: Final = "wan2.6-i2v-flash"
"""The one model, spelt exactly so. An alias or a date suffix is refused."""


@dataclass(frozen=True)
class Limit:
    """One fact of the model: `value`, where it was read and when (ISO date)."""

    value: Any
    source: str
    read_on: str = "2026-11-23"
    note: str = ""


_VENDOR_PAGE = "help.aliyun.com/zh/model-studio/image-to-video-api-reference"
_LEGACY_PAGE = "help.aliyun.com/zh/model-studio/legacy-image-to-video-api-reference"
_GUIDE = "help.aliyun.com/zh/model-studio/image-to-video-guide"
_RATE_PAGE = "help.aliyun.com/zh/model-studio/rate-limit"
_TASKS_PAGE = "help.aliyun.com/zh/model-studio/manage-asynchronous-tasks"
_OURS = "wanvideo"

CARD: Final[dict[str, Limit]] = {
    "prompt_max_chars": Limit(1500, _VENDOR_PAGE, note="the provider cuts longer prompts silently and bills"),
    "negative_prompt_max_chars": Limit(500, _VENDOR_PAGE),
    "duration_min_s": Limit(2, _VENDOR_PAGE),
    "duration_max_s": Limit(15, _VENDOR_PAGE),
    "provider_fps": Limit(30, _GUIDE, note="fixed; any other rate is conformed on this machine"),
    "fps_min": Limit(1, _OURS),
    "fps_max": Limit(60, _OURS),
    "seed_max": Limit(2147483647, _VENDOR_PAGE),
    "image_min_side_px": Limit(240, _LEGACY_PAGE, note="older copies of the page say 360"),
    "image_max_side_px": Limit(8000, _LEGACY_PAGE, note="older copies of the page say 2000"),
    "image_max_bytes": Limit(20_000_000, _LEGACY_PAGE, note="older copies of the page say 10 MB"),
    "image_formats": Limit(("JPEG", "PNG", "BMP", "WEBP"), _VENDOR_PAGE, note="PNG without alpha"),
    "resolutions": Limit(("720P", "1080P"), _VENDOR_PAGE, note="the provider's own default is 1080P"),
    "budget_720p_px": Limit(1280 * 720, _VENDOR_PAGE),
    "budget_1080p_px": Limit(1920 * 1080, _VENDOR_PAGE),
    "shot_types": Limit(("single", "multi"), _VENDOR_PAGE, note="acts only with prompt_extend"),
    "size_min_side_px": Limit(240, _OURS),
    "size_max_side_px": Limit(3840, _OURS),
    "size_max_aspect": Limit(4, _OURS, note="longer side : shorter side"),
    "submit_per_s": Limit(5, _RATE_PAGE),
    "running_tasks": Limit(5, _RATE_PAGE),
    "query_per_s": Limit(20, _TASKS_PAGE),
    "task_ttl_s": Limit(86_400, _VENDOR_PAGE, note="then the task is UNKNOWN"),
    "link_ttl_s": Limit(86_400, _VENDOR_PAGE),
    "upload_ttl_s": Limit(48 * 3600, "help.aliyun.com/zh/model-studio/get-temporary-file-url"),
}


def limit(name: str) -> Any:
    """The value of one limit of the card."""
    return CARD[name].value


COMMON_SIZES: Final[dict[str, tuple[str, ...]]] = {
    "720P": ("1280*720", "720*1280", "960*960", "1088*832", "832*1088"),
    "1080P": ("1920*1080", "1080*1920", "1440*1440", "1632*1248", "1248*1632"),
}
"""Sizes that fill a tier's pixel budget; any even `W*H` inside the limits works as well."""

NOT_IN_VENDOR_PAGE: Final = ("size", "fps", "motion_strength")
"""Fields of our contract that the vendor's page does not list: sent along, and made true locally."""

REGIONS: Final[dict[str, str]] = {
    "beijing": "https://dashscope.aliyuncs.com/api/v1",
    "singapore": "https://dashscope-intl.aliyuncs.com/api/v1",
}
"""Where the model is served (rate-limit page, read 2026-11-23). Virginia does not serve it."""
