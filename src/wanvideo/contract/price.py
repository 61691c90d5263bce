"""What a clip costs, per region, resolution and sound.

Source: help.aliyun.com/zh/model-studio/model-pricing, read 2026-11-23. Billed per second of `usage.duration`,
only when a task succeeds. CNY; prices may change, so what was billed is settled from `usage`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

PRICE_CNY_PER_S: Final[dict[tuple[str, str, bool], Decimal]] = {
    ("beijing", "720P", True): Decimal("0.3"),
    ("beijing", "1080P", True): Decimal("0.5"),
    ("beijing", "720P", False): Decimal("0.15"),
    ("beijing", "1080P", False): Decimal("0.25"),
    ("singapore", "720P", True): Decimal("0.366962"),
    ("singapore", "1080P", True): Decimal("0.550443"),
    ("singapore", "720P", False): Decimal("0.183481"),
    ("singapore", "1080P", False): Decimal("0.275221"),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Money for one clip: `cny` in yuan, `billed_s` in seconds, `basis` = estimate | usage | free."""

    cny: Decimal
    billed_s: float
    basis: str

    def as_json(self) -> dict[str, object]:
        return {"cny": float(self.cny), "billed_s": self.billed_s, "basis": self.basis}

    def __str__(self) -> str:
        if self.basis == "free":
            return "free"
        about = "about " if self.basis == "estimate" else ""
        return f"{about}¥{self.cny:.2f}"


FREE: Final = Cost(Decimal(0), 0, "free")


def region_of(endpoint: str | None, otherwise: str) -> str:
    """Whose price list counts: an endpoint in Singapore brings Singapore's, whatever the settings say."""
    host = urlsplit(endpoint or "").hostname or ""
    return "singapore" if "dashscope-intl" in host or "ap-southeast-1" in host else otherwise


def cost_of(region: str, resolution: str, sound: bool, billed_s: float, *, basis: str = "estimate") -> Cost:
    """The price of `billed_s` seconds. Raises KeyError for a region the card does not know."""
    per_s = PRICE_CNY_PER_S[region, resolution, sound]
    return Cost(per_s * Decimal(str(billed_s)), billed_s, basis)
