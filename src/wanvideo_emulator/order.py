"""What a create asked for, read the way the vendor reads it.

Defaults, limits and the silent cuts are those of the image-to-video page for wan2.6-i2v-flash. That page does
not print the messages for values of a wrong type or out of range; they are worded after the one that has been
seen, `Field required: input.img_url`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from wanvideo_emulator.codes import INPUT_INAPPROPRIATE, OUTPUT_INAPPROPRIATE, Refused

MODEL = "wan2.6-i2v-flash"
PROMPT_CHARACTERS = 1500
NEGATIVE_PROMPT_CHARACTERS = 500
SEED_MAX = 2**31 - 1
SHORT_SIDES = {"720P": 720, "1080P": 1080}

# Words that moderation stumbles over, so that both kinds of refusal can be had without a fault.
WORDS_REFUSED_IN = ("forbidden", "违禁")
WORDS_REFUSED_OUT = ("indecent", "不雅")


@dataclass(frozen=True)
class Order:
    """One clip as the service understood it."""

    model: str
    prompt: str | None = None
    negative_prompt: str = ""
    template: str | None = None
    resolution: str = "1080P"
    duration_s: int = 5
    prompt_extend: bool = True
    shot_type: str = "single"
    audio: bool = True
    watermark: bool = False
    seed: int | None = None


@dataclass(frozen=True)
class Reading:
    """An order, with what is wrong with it: `refusal` ends the task as soon as it is scheduled,
    `late_refusal` only after the clip was made (inspection of the output)."""

    order: Order
    refusal: Refused | None = None
    late_refusal: Refused | None = None


def _integer(value: object, where: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused("InvalidParameter", f"Input should be a valid integer: {where}")
    if value < low:
        raise Refused("InvalidParameter", f"Input should be greater than or equal to {low}: {where}")
    if value > high:
        raise Refused("InvalidParameter", f"Input should be less than or equal to {high}: {where}")
    return value


def _boolean(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise Refused("InvalidParameter", f"Input should be a valid boolean: {where}")
    return value


def _choice(value: object, where: str, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        wanted = " or ".join(f"'{choice}'" for choice in choices)
        raise Refused("InvalidParameter", f"Input should be {wanted}: {where}")
    return value


def _text(value: object, where: str) -> str | None:
    # The 1.x SDK sends `prompt: null` when none was given.
    if value is None:
        return None
    if not isinstance(value, str):
        raise Refused("InvalidParameter", f"Input should be a valid string: {where}")
    return value


def _read_input(given: dict[str, Any], order: Order) -> Order:
    # Unknown keys of `input` are ignored: the 1.x SDK always sends two of them.
    prompt = _text(given.get("prompt"), "input.prompt")
    negative_prompt = _text(given.get("negative_prompt"), "input.negative_prompt")
    # The pictures and sounds themselves were inspected before; here only their being there counts.
    if not _text(given.get("img_url"), "input.img_url"):
        raise Refused("InvalidParameter", "Field required: input.img_url")
    _text(given.get("audio_url"), "input.audio_url")
    return replace(
        order,
        prompt=prompt[:PROMPT_CHARACTERS] if prompt is not None else None,
        negative_prompt=(negative_prompt or "")[:NEGATIVE_PROMPT_CHARACTERS],
        template=_text(given.get("template"), "input.template") or None,
    )


def _read_parameters(given: dict[str, Any], order: Order, refuse_unknown: bool) -> Order:
    read: dict[str, Any] = {}
    for key, value in given.items():
        where = f"parameters.{key}"
        match key:
            case "resolution":
                read[key] = _choice(value, where, tuple(SHORT_SIDES))
            case "duration":
                read["duration_s"] = _integer(value, where, 2, 15)
            case "shot_type":
                read[key] = _choice(value, where, ("single", "multi"))
            case "prompt_extend" | "audio" | "watermark":
                read[key] = _boolean(value, where)
            case "seed":
                read[key] = _integer(value, where, 0, SEED_MAX)
            case _ if refuse_unknown:
                raise Refused("InvalidParameter", f"Unknown parameter: {where}")
    return replace(order, **read)


def media_urls(body: dict[str, Any]) -> tuple[object, object]:
    """`img_url` and `audio_url` as sent: they are inspected before any field is checked."""
    given = body.get("input")
    if not isinstance(given, dict):
        return None, None
    return given.get("img_url"), given.get("audio_url")


def read(body: dict[str, Any], *, refuse_unknown: bool) -> Reading:
    """Read a create body whose model is known and whose `input` is an object.

    Raises nothing: what is wrong is in the reading, because the service finds out only after it has queued
    the task.
    """
    order = Order(model=body["model"])
    parameters = body.get("parameters", {})
    try:
        order = _read_input(body["input"], order)
        if not isinstance(parameters, dict):
            raise Refused("InvalidParameter", "Input should be an object: parameters")
        order = _read_parameters(parameters, order, refuse_unknown)
    except Refused as refusal:
        return Reading(order, refusal)
    words = f"{order.prompt or ''} {order.negative_prompt}".lower()
    if any(word in words for word in WORDS_REFUSED_IN):
        return Reading(order, Refused("DataInspectionFailed", INPUT_INAPPROPRIATE))
    if any(word in words for word in WORDS_REFUSED_OUT):
        return Reading(order, None, Refused("DataInspectionFailed", OUTPUT_INAPPROPRIATE))
    return Reading(order)
