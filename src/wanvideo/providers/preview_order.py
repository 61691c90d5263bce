"""An order for a preview as it is written down, and what it means to the renderer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from wanvideo.contract.size import exact_fps, frame_count, parse_size
from wanvideo.errors import ProviderRefused
from wanvideo.ports import Order
from wanvideo.preview import ENGINE, MapUnusable, Shot, plan


def body_of(order: Order) -> dict[str, Any]:
    """The order in our own words: what `create` takes, and what will be made of the prompt."""
    request = order.request
    understood = plan(request.prompt, request.negative_prompt)
    return {
        "model": ENGINE,
        "picture": order.picture_url,
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "duration": request.duration,
        "fps": request.fps,
        "size": request.size,
        "seed": order.seed,
        "motion_strength": request.motion_strength,
        "options": request.preview.model_dump(),
        "plan": {
            "moves": list(understood.moves),
            "effects": list(understood.effects),
            "light": list(understood.light),
            "unused_words": list(understood.unused_words),
        },
    }


def shot_of(order: Mapping[str, Any]) -> Shot:
    """The shot that an order asks for: exactly the size, rate and length of the contract."""
    size, fps = parse_size(str(order["size"])), exact_fps(order["fps"])
    strength, options = order["motion_strength"], order.get("options") or {}
    return Shot(
        picture=path_of(str(order["picture"])),
        prompt=str(order["prompt"]),
        negative_prompt=str(order["negative_prompt"]),
        seed=int(order["seed"]),
        motion_strength=Shot.motion_strength if strength is None else float(strength),
        width_px=size.width_px,
        height_px=size.height_px,
        fps=fps,
        frame_count=frame_count(order["duration"], fps),
        sound="ambient" if options.get("sound") else "silence",
        draft=bool(options.get("draft")),
        overscan=bool(options.get("overscan")),
        mask=_file(options.get("mask"), "mask"),
        depth=_file(options.get("depth"), "depth"),
    )


def _file(path: str | None, name: str) -> Path | None:
    if path is None:
        return None
    if not path:
        raise MapUnusable(name, "It names no file")
    if not Path(path).is_file():
        raise MapUnusable(name, f"{path} {'is no file' if Path(path).exists() else 'is not there'}")
    return Path(path)


def refused(error: Exception, task: str | None = None) -> ProviderRefused:
    """Why the renderer cannot make a shot, with the field to change where it is known."""
    if isinstance(error, MapUnusable):
        return ProviderRefused(f"{error.why}.", field=f"preview.{error.name}", task_id=task)
    return ProviderRefused(f"The preview cannot render that: {error}.", task_id=task)


def path_of(url: str) -> Path:
    """The file that a file:// address names."""
    return Path(unquote(urlsplit(url).path))


def told_of(order: Mapping[str, Any], notes: Sequence[str]) -> tuple[str, ...]:
    """What the clip does not show although it was asked for, in words; `notes` are the renderer's own."""
    unused = plan(str(order["prompt"]), str(order["negative_prompt"])).unused_words
    words = f"The preview does not act on: {', '.join(unused)}."
    return (words, *notes) if unused else tuple(notes)
