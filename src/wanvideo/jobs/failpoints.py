"""Named moments at which a test lets a process die, as `kill -9` would at the worst time."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Final

Failpoint = Callable[[str], None]

NAMES: Final = (
    "before_upload",
    "after_upload",
    "before_post",  # the attempt is committed, the POST has not left
    "after_post",  # the provider has answered, nothing is committed
    "after_accept",
    "after_poll",
    "during_download",
    "after_download",
    "during_conform",
    "after_conform",
    "before_stored",  # the clip lies at its place, the ledger does not know
)


def never(name: str) -> None:
    """No failpoint: what every real run uses."""


def dies_at(chosen: str) -> Failpoint:
    """Kill this process, without any clean-up, the first time it comes to `chosen`."""

    def failpoint(name: str) -> None:
        if name == chosen:
            os.kill(os.getpid(), signal.SIGKILL)

    return failpoint
