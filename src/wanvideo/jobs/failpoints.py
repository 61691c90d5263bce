"""Named moments at which a test lets a process die, as `kill -9` would at the worst time, or stops it."""

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
    "after_succeeded",  # that it ended well is committed, nothing of the clip is here
    "during_download",
    "after_download",
    "during_conform",
    "after_conform",
    "after_source",  # the provider's own file lies at its place, the clip does not
    "before_stored",  # the clip lies at its place, the ledger does not know
)


def never(name: str) -> None:
    """No failpoint: what every real run uses."""


def dies_at(chosen: str) -> Failpoint:
    """Kill this process, without any clean-up, when it comes to the point named `chosen`.

    `NAME+2` lets it pass twice. `stop:NAME` stops the process there instead, once, as a machine that falls
    asleep does; whoever set it has to wake it (SIGCONT).
    """
    how, _, rest = chosen.rpartition(":")
    chosen_name, _, skip = rest.partition("+")
    left = int(skip or 0)
    number = signal.SIGSTOP if how == "stop" else signal.SIGKILL

    def failpoint(name: str) -> None:
        nonlocal left
        if name == chosen_name:
            left -= 1
            if left == -1:
                os.kill(os.getpid(), number)

    return failpoint
