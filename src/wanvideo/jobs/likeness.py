"""Whether a task may be what a submit made, by what the provider tells of it once it has ended.

A prompt comes back as it was sent (`orig_prompt`, vendor's page, read 2026-11-23), but nobody promises every
letter of it. So words that are the same prove one thing, words that have little in common prove another, and
whatever lies between proves nothing: it is neither adopted nor waved through.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from functools import lru_cache
from html import unescape
from typing import Any, Final

from wanvideo.contract.job import Attempt, Job
from wanvideo.ports import TaskReport
from wanvideo.redact import redact

ALIKE: Final = 0.8
"""From this share of common letters on, two prompts may be one that the provider changed a little."""
_RUN = 3  # letters that are compared at a time: word order and spelling count, in any language


class Likeness(Enum):
    SAME = "same"
    UNSURE = "unsure"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Facts:
    """What was asked for, or what the provider tells of a task. None: not told. The prompt is redacted."""

    prompt: str | None = None
    billed_s: float | None = None
    resolution: str | None = None
    sound: bool | None = None
    loose: bool = False  # with a template the provider ignores the prompt, so that another one proves nothing

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def facts_of(written: Mapping[str, Any]) -> Facts:
    """Facts as `as_json` wrote them down."""
    prompt, billed_s, resolution, sound = map(written.get, ("prompt", "billed_s", "resolution", "sound"))
    return Facts(prompt, billed_s, resolution, sound)


def asked(job: Job, attempt: Attempt) -> Facts:
    """What the submit asked for."""
    options = job.request.get("wan") or {}
    prompt = attempt.body.get("input", {}).get("prompt")
    return Facts(prompt, job.billed_s, job.resolution, options.get("audio"), bool(options.get("template")))


def told(report: TaskReport) -> Facts:
    """What a task that has succeeded tells. What was sent is redacted in the record, so this is as well."""
    prompt = None if report.prompt_seen is None else redact(report.prompt_seen)
    return Facts(prompt, report.billed_s, report.resolution, report.sound)


def compare(sent: Facts, seen: Facts) -> Likeness:
    """OTHER only by the prompt: seconds, tier and sound are what was billed, and that may be odd for once."""
    if sent.prompt is not None and seen.prompt is not None and _words(sent.prompt) != _words(seen.prompt):
        other = not sent.loose and _have_little_in_common(sent.prompt, seen.prompt)
        return Likeness.OTHER if other else Likeness.UNSURE
    return Likeness.UNSURE if differences(sent, seen) else Likeness.SAME


def differences(sent: Facts, seen: Facts) -> list[str]:
    """In words, how a task differs from what was asked for, the prompt left aside."""
    found = []
    if sent.billed_s is not None and seen.billed_s is not None and round(seen.billed_s) != sent.billed_s:
        found.append(f"{seen.billed_s:g} s instead of {sent.billed_s:g} s")
    if None not in (sent.resolution, seen.resolution) and seen.resolution != sent.resolution:
        found.append(f"{seen.resolution} instead of {sent.resolution}")
    if None not in (sent.sound, seen.sound) and seen.sound != sent.sound:
        found.append("with sound" if seen.sound else "without sound")
    return found


def _words(prompt: str) -> list[str]:
    return unicodedata.normalize("NFKC", prompt).split()


@lru_cache(maxsize=1024)
def _have_little_in_common(one: str, other: str) -> bool:
    """Neither a part of the other (cut, or continued), nor nearly the same letters in the same runs."""
    short, long = sorted((_letters(one), _letters(other)), key=len)
    if short in long:
        return False
    left, right = _runs(short), _runs(long)
    return 2 * (left & right).total() < ALIKE * (left.total() + right.total())


def _letters(prompt: str) -> str:
    folded = unicodedata.normalize("NFKC", unescape(prompt)).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def _runs(letters: str) -> Counter[str]:
    return Counter(letters[at : at + _RUN] for at in range(max(1, len(letters) - _RUN + 1)))
