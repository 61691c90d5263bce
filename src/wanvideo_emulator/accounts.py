"""Who is calling: API keys, the account each belongs to, and its rates."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from dataclasses import dataclass

from wanvideo_emulator.codes import NO_KEY, Refused

MAIN_ACCOUNT = "main"


@dataclass(frozen=True)
class Caller:
    """An authenticated key. Quotas, lists and uploaded files belong to the account, not to the key."""

    account: str
    key_fingerprint: str
    """First 12 hex digits of the key's sha256; the key itself is kept nowhere."""

    @property
    def api_key_id(self) -> str:
        return str(int(self.key_fingerprint, 16) % 1_000_000)

    @property
    def uid(self) -> str:
        return str(10**15 + int(hashlib.sha256(self.account.encode()).hexdigest()[:10], 16))


def fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12]


class Accounts:
    """The keys this emulator knows. `KEY=ACCOUNT` puts a key into another main account."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._accounts: dict[str, str] = {}
        for entry in keys:
            key, _, account = entry.partition("=")
            self._accounts[key] = account or MAIN_ACCOUNT

    def caller(self, authorization: str | None) -> Caller:
        """The caller behind an Authorization header. Raises Refused (401)."""
        scheme, _, key = (authorization or "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise Refused("InvalidApiKey", NO_KEY)
        if self._accounts:
            account = self._accounts.get(key)
        else:
            account = MAIN_ACCOUNT if key.startswith("sk-") else None
        if account is None:
            raise Refused("InvalidApiKey")
        return Caller(account, fingerprint(key))


class Rate:
    """At most `per_s` admissions in any one second of real time. 0: no limit. Refusals are not counted."""

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._admitted: deque[float] = deque()
        self._arrived: deque[float] = deque()
        self.count = 0
        self.refused = 0
        self.peak_per_s = 0

    def admit(self) -> bool:
        now = time.monotonic()
        for times in (self._admitted, self._arrived):
            while times and times[0] <= now - 1.0:
                times.popleft()
        self._arrived.append(now)
        self.count += 1
        self.peak_per_s = max(self.peak_per_s, len(self._arrived))
        if self._per_s and len(self._admitted) >= self._per_s:
            self.refused += 1
            return False
        self._admitted.append(now)
        return True


class Rates:
    """One Rate for each (what, account, model), made when first met."""

    def __init__(self, limits: dict[str, int]) -> None:
        self._limits = limits
        self._rates: dict[tuple[str, str, str], Rate] = {}

    def admit(self, what: str, account: str, model: str = "") -> None:
        """Count one request. Raises Refused (429) over the limit."""
        key = (what, account, model)
        if key not in self._rates:
            self._rates[key] = Rate(self._limits[what])
        if not self._rates[key].admit():
            raise Refused("Throttling.RateQuota")

    def report(self) -> dict[str, dict[str, int]]:
        """For each kind: how many came, how many were refused, and the most in any one second."""
        totals = {what: {"count": 0, "refused": 0, "peak_per_s": 0} for what in self._limits}
        for (what, _, _), rate in self._rates.items():
            total = totals[what]
            total["count"] += rate.count
            total["refused"] += rate.refused
            total["peak_per_s"] = max(total["peak_per_s"], rate.peak_per_s)
        return totals
