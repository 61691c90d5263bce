"""How one emulator behaves: every switch in one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DAY_S = 86_400.0


@dataclass(frozen=True)
class Options:
    """The switches of an emulator. Durations are seconds of the real service unless said otherwise.

    `speed` shortens only how long tasks queue and run (60: a task of 60 s takes 1 s). Times, rates, link
    expiry and the 24 h life of a task stay on the wall clock, which `POST /emulator/advance` moves.
    """

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes any free port."""
    speed: float = 1.0
    api_keys: tuple[str, ...] = ()
    """`KEY` or `KEY=ACCOUNT`; empty: any key that starts with `sk-` works, all of one account."""
    pending_s: tuple[float, float] | None = None
    """Shortest and longest wait before a task may run; None: about 40 ms, rarely up to 10 s."""
    run_s: tuple[float, float] | None = None
    """Shortest and longest run; None: log-normal around 72 s, nearly always 55..95 s."""
    max_running: int = 5
    """Tasks of one account and model that run at once."""
    over_concurrency: Literal["queue", "429"] = "queue"
    """What a create beyond `max_running` gets: a PENDING task, or 429."""
    submit_per_s: int = 5
    """Creates a second, per account and model; 0 lifts the limit."""
    query_per_s: int = 20
    """Queries a second, lists a second and cancels a second, per account; 0 lifts the limit."""
    size_multiple: Literal[2, 16] = 2
    """Output sides are floored to this: 2 was measured on the real service, 16 is in its documents."""
    missing_field: Literal["deferred", "sync"] = "deferred"
    """Where a bad or missing field is refused: as a FAILED task, or with 400 on the create."""
    unknown_parameter: Literal["ignore", "refuse"] = "ignore"
    """What a key in `parameters` that the model does not document gets."""
    unknown_model: Literal["404", "400"] = "404"
    """Both answers to a wrong model name have been seen: 404 ModelNotFound, 400 `Model not exist.`"""
    faults: tuple[str, ...] = ()
    """Fault specs (see `wanvideo_emulator.faults.GRAMMAR`) armed from the start."""
    list_page_max: int = 100
    """A larger `page_size` is cut to this, silently."""
    list_lag_s: float = 0.0
    """A new task shows up in the list only after this many wall clock seconds."""
    link_ttl_s: float = DAY_S
    task_ttl_s: float = DAY_S
    fetch_timeout_s: float = 10.0
    """How long the service tries to download `img_url` or `audio_url`; real seconds."""
    clips_folder: Path | None = None
    """Rendered clips are kept here and found again by later emulators; None: they go when it stops."""
    seed: int = 0
    """Of the draws for waits, runs, chances of faults and missing seeds."""

    def __post_init__(self) -> None:
        if self.speed <= 0:
            raise ValueError("speed must be above 0")
        if self.max_running < 1 or self.list_page_max < 1:
            raise ValueError("max_running and list_page_max must be at least 1")
        if min(self.submit_per_s, self.query_per_s) < 0:
            raise ValueError("rates must be 0 (no limit) or more")
        for name in ("pending_s", "run_s"):
            span = getattr(self, name)
            if span is not None and not 0 <= span[0] <= span[1]:
                raise ValueError(f"{name} must be (shortest, longest), both 0 or more")
