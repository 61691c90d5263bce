"""The vendor's names of fields beside ours, so that a refusal can point at what the user wrote."""

from __future__ import annotations

import re
from typing import Final

from wanvideo.contract.model_card import NOT_IN_VENDOR_PAGE

OURS: Final[dict[str, str]] = {
    "model": "model",
    "prompt": "prompt",
    "negative_prompt": "negative_prompt",
    "img_url": "reference_image",
    "audio_url": "wan.audio_url",
    "template": "wan.template",
    "resolution": "wan.resolution",
    "duration": "duration",
    "prompt_extend": "wan.prompt_extend",
    "shot_type": "wan.shot_type",
    "audio": "wan.audio",
    "watermark": "wan.watermark",
    "seed": "seed",
    "size": "size",
    "fps": "fps",
    "motion_strength": "motion_strength",
}

_PATH = re.compile(r"\b(?:input|parameters)\.(\w+)")
_QUIRK = re.compile(r"(?<![\w.])(?:parameters\.)?(" + "|".join(NOT_IN_VENDOR_PAGE) + r")\b", re.IGNORECASE)
# "File size is larger than 15MB" is about the file, not about our `size`.
_THING = r"(?:file|image|picture|media|audio|video|input|body|request|payload)"
_SIZE_OF_A_FILE = re.compile(
    rf"\b{_THING}(?:'s)?[ _]size\b|\bsize of (?:the |an? )?{_THING}\b", re.IGNORECASE
)


def field_named(message: str) -> str | None:
    """Our name of the field that `input.X` or `parameters.X` in a vendor's message stands for."""
    found = _PATH.search(message)
    return OURS.get(found[1]) if found else None


def parameter_named(message: str) -> str | None:
    """Which of `size`, `fps`, `motion_strength` a vendor's message names as a word, if any."""
    found = _QUIRK.search(_SIZE_OF_A_FILE.sub(" ", message))
    return found[1].lower() if found else None
