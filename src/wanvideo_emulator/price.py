"""What the real service would have billed.

Source: model pricing page, Beijing, CNY for each second of finished video, read 2026-11-23.
"""

from __future__ import annotations

CNY_PER_S = {
    ("720P", True): 0.30,
    ("1080P", True): 0.50,
    ("720P", False): 0.15,
    ("1080P", False): 0.25,
}


def cost_cny(resolution: str, audio: bool, billed_s: int) -> float:
    """Only finished clips cost; pass the seconds of `usage.duration`."""
    return round(CNY_PER_S[resolution, audio] * billed_s, 4)
