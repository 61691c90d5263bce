"""The request of `video.generate`: a closed, frozen value; an unknown field gets a "did you mean"."""

from __future__ import annotations

import difflib
import math
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails

from wanvideo.contract.model_card import MODEL, limit
from wanvideo.contract.size import Size, exact_fps, frame_count, parse_size
from wanvideo.errors import ImageInvalid, ModelUnsupported, RequestInvalid


def _number(value: Any) -> Any:
    """JSON and Python both let `true` pass as 1; a person who writes it made a mistake."""
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


def _prompt(value: Any) -> Any:
    if isinstance(value, str) and value and not value.strip():
        raise ValueError("is blank")
    return value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _sound_url(value: str | None) -> str | None:
    if value is not None and not value.startswith(("http://", "https://", "oss://")):
        raise ValueError("is not an http(s) or oss:// URL; the provider fetches the sound itself")
    return value


def _size(value: Any) -> Any:
    return str(parse_size(value)) if isinstance(value, str) else value


def _picture(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if hasattr(value, "read"):
        value = value.read()
        if not isinstance(value, bytes):
            raise ValueError('must be opened in binary mode, as in open(name, "rb")')
    if not isinstance(value, str | bytes):
        raise ValueError("must be a path, an http(s) URL, an oss:// URL, a data URI, bytes or a binary file")
    if not value:
        raise ValueError("is empty")
    return value


def _own_file(value: Any) -> Any:
    """Another process may render, in another folder: the path is made whole here."""
    return str(Path(value).expanduser().absolute()) if isinstance(value, str | Path) and value else value


Number = Annotated[float, BeforeValidator(_number)]
PictureInput = str | Path | bytes | BinaryIO
"""What a caller may give as `reference_image`; inside a request it is a str (path or URL) or bytes."""

_PICTURE_SCHEMA = {
    "type": "string",
    "description": "Path, http(s) URL, oss:// URL or data URI of a JPEG, PNG, BMP or WEBP picture.",
}


class WanOptions(BaseModel):
    """What Wan offers beyond the contract. Source: the vendor's image-to-video page, read 2026-11-23."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    resolution: Annotated[Literal["720P", "1080P"] | None, BeforeValidator(_upper)] = Field(
        None, description="Pixel tier; chosen from `size` when left out. 1080P costs more."
    )
    audio: bool = Field(True, description="Sound. A silent clip costs half in Beijing.")
    audio_url: Annotated[str | None, AfterValidator(_sound_url)] = Field(
        None, description="http(s) URL of a wav or mp3, 3 to 30 s, at most 15 MB."
    )
    prompt_extend: bool = Field(True, description="Let the provider's language model enrich the prompt.")
    shot_type: Literal["single", "multi"] | None = Field(None, description="Acts only with prompt_extend.")
    watermark: bool = Field(False, description="The provider's own mark, lower right.")
    template: str | None = Field(None, description="Name of an effect; the prompt is then ignored.")
    motion_phrase: bool = Field(True, description="Add a short phrase for motion_strength to the prompt.")


class PreviewOptions(BaseModel):
    """What the local preview renderer offers beyond the contract; Wan does not see it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sound: bool = Field(False, description="A soft ambient bed instead of silence.")
    draft: bool = Field(False, description="Encode faster, into a larger file.")
    overscan: bool = Field(
        False, description="Begin a little nearer than the picture, so that a pan needs no push-in."
    )
    mask: Annotated[str | None, BeforeValidator(_own_file)] = Field(
        None, description="Path of a picture, white where the subject is, or of an ONNX model that finds it."
    )
    depth: Annotated[str | None, BeforeValidator(_own_file)] = Field(
        None, description="Path of a picture, white where it is near, or of an ONNX model that finds it."
    )


class VideoRequest(BaseModel):
    """One clip to make. Units: seconds, frames per second, pixels. Cost: `wanvideo estimate`.

    Raises (through `parse_request`): RequestInvalid, ImageInvalid, ModelUnsupported.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", title="video.generate request")

    prompt: Annotated[
        str,
        Field(
            min_length=1,
            max_length=limit("prompt_max_chars"),
            description="What should move, and how; any language.",
        ),
        BeforeValidator(_prompt),
    ]
    negative_prompt: str = Field(
        "", max_length=limit("negative_prompt_max_chars"), description="What to avoid."
    )
    duration: Number = Field(
        4,
        ge=limit("duration_min_s"),
        le=limit("duration_max_s"),
        description="Seconds. A fraction is trimmed locally; the provider bills whole seconds, rounded up.",
    )
    fps: Number = Field(
        24,
        ge=limit("fps_min"),
        le=limit("fps_max"),
        description="Frames per second. The model makes 30; anything else is conformed locally.",
    )
    size: Annotated[str, BeforeValidator(_size)] = Field(
        "1280*720", description="W*H in pixels, even sides; WxH and W×H are read too."
    )
    seed: Annotated[int, Field(ge=0, le=limit("seed_max")), BeforeValidator(_number)] | None = Field(
        None, description="Drawn, sent and reported when left out."
    )
    reference_image: Annotated[str | bytes, BeforeValidator(_picture), WithJsonSchema(_PICTURE_SCHEMA)]
    motion_strength: Annotated[float, Field(ge=0, le=1), BeforeValidator(_number)] | None = Field(
        None, description="0 is still, 1 is lively."
    )
    fit: Literal["cover", "contain"] = Field(
        "cover", description="How a picture of another aspect is fitted to `size`: cropped, or padded."
    )
    model: Literal["wan2.6-i2v-flash"] = Field(
        MODEL, description="Only this exact string; an alias, a suffix or another model is refused."
    )
    wan: WanOptions = Field(default_factory=WanOptions, description="What Wan offers beyond the contract.")
    preview: PreviewOptions = Field(
        default_factory=PreviewOptions, description="What the preview offers beyond the contract."
    )

    @property
    def frame_size(self) -> Size:
        return parse_size(self.size)

    @property
    def frame_count(self) -> int:
        return frame_count(self.duration, exact_fps(self.fps))

    @property
    def resolution(self) -> str:
        """The provider's tier: as asked, else chosen from `size`."""
        return self.wan.resolution or self.frame_size.resolution

    @property
    def billed_s(self) -> int:
        """Whole seconds the provider is asked for, and bills."""
        return math.ceil(self.duration)


def parse_request(fields: Any) -> VideoRequest:
    """Check a mapping of fields against the contract. Pure: nothing is read or sent.

    Raises: RequestInvalid (or a subclass) naming the first wrong field, the reason and the way out.
    """
    if isinstance(fields, VideoRequest):
        return fields
    if not isinstance(fields, dict):
        raise RequestInvalid(f"A request is an object of fields, not {type(fields).__name__}.")
    try:
        return VideoRequest.model_validate(fields)
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False, include_context=False)) from None


_OPTIONS: dict[str, type[BaseModel]] = {"wan": WanOptions, "preview": PreviewOptions}


def _path(problem: ErrorDetails) -> str:
    return ".".join(str(part) for part in problem["loc"] if part not in ("str", "bytes"))


def _refusal(problems: list[ErrorDetails]) -> RequestInvalid:
    first = min(problems, key=lambda p: p["type"] != "extra_forbidden")
    field = _path(first)
    path = field.split(".")
    others = dict.fromkeys(_path(problem) for problem in problems)
    others.pop(field, None)
    hint = f" Wrong too: {', '.join(others)}." if others else ""
    if first["type"] == "extra_forbidden":
        known = _OPTIONS.get(path[0], VideoRequest) if len(path) > 1 else VideoRequest
        close = difflib.get_close_matches(path[-1], list(known.model_fields), n=1)
        meant = f"Did you mean `{close[0]}`?" if close else f"Known: {', '.join(known.model_fields)}."
        return RequestInvalid("There is no such field.", field=field, hint=meant + hint)
    if field == "model":
        return ModelUnsupported(f"{_short(first['input'])} is not wan2.6-i2v-flash.", field="model")
    if first["type"] == "missing":
        if field == "reference_image":
            return ImageInvalid(
                "A picture is required.",
                field=field,
                hint="Give a path, URL, data URI or bytes (on the command line: --image FILE)." + hint,
            )
        return RequestInvalid("This field is required.", field=field, hint=f"Give a {field}." + hint)
    reason = first["msg"].removeprefix("Value error, ")
    if field == "reference_image":
        return ImageInvalid(f"The picture {reason}.", field=field)
    reason = reason.removeprefix("Input ").removeprefix("String ")
    given = "" if field in ("prompt", "negative_prompt") else f", not {_short(first['input'])}"
    given = "" if first["type"] == "value_error" else given
    if first["type"] == "string_too_long":
        given = f"; it has {len(first['input'])}"
        hint = " The provider would cut it silently and bill all the same." + hint
    return RequestInvalid(
        f"{reason[:1].upper()}{reason[1:]}{given}.", field=field, hint=(RULES.get(field, "") + hint).strip()
    )


RULES = {
    "prompt": f"Write 1 to {limit('prompt_max_chars')} characters.",
    "negative_prompt": f"Write at most {limit('negative_prompt_max_chars')} characters.",
    "duration": f"Give {limit('duration_min_s')} to {limit('duration_max_s')} seconds.",
    "fps": f"Give {limit('fps_min')} to {limit('fps_max')} frames per second.",
    "size": "Write W*H with even sides, for example 1280*720.",
    "seed": f"Give a whole number from 0 to {limit('seed_max')}.",
    "motion_strength": "Give a number from 0 (still) to 1 (lively).",
    "fit": "Write cover or contain.",
}
"""One line a field: how to get it right."""


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
