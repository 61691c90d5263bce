"""How an effect sets in: slowly, then faster, then slowly, so that nobody sees where it begins and ends."""

from __future__ import annotations


def eased(share: float) -> float:
    """The way from 0 to 1 for a time from 0 to 1; what lies before is 0, what lies after 1."""
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)
