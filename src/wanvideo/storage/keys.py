"""How stored files are named: a date, what the prompt says, and the short job id."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from wanvideo.contract.job import Job
from wanvideo.ports import Keep

_SLUG_BYTES = 60


def slug(prompt: str) -> str:
    """The prompt's first words, fit for a file's name in any language: letters, digits and hyphens."""
    folded = unicodedata.normalize("NFKC", prompt).lower()
    words = re.findall(r"[^\W_]+", folded)
    short = ""
    for word in words:
        longer = f"{short}-{word}" if short else word
        if len(longer.encode()) > _SLUG_BYTES:
            break
        short = longer
    # one very long word, or Chinese without spaces: cut it at a whole character
    return short or "".join(words)[:16] or "clip"


def local_date(at: datetime) -> str:
    """The day by the user's own clock, as they would look for it."""
    return at.astimezone().strftime("%Y-%m-%d")


def clip_key(job: Job, kind: Keep) -> str:
    """The key under the app's folder, for example videos/2026-11-23-slow-push-in-k3f9qz.mp4."""
    name = f"{local_date(job.created_at)}-{slug(job.request['prompt'])}-{job.id[-6:]}"
    return f"videos/{name}.mp4" if kind is Keep.CLIP else f"videos/{name}.source.mp4"


def picture_key(sha256: str, suffix: str) -> str:
    """Pictures are named by content: the same picture is kept once."""
    return f"pictures/{sha256}{suffix}"
