"""The request as Python keywords: a call gives either one request or its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from wanvideo.contract.request import PictureInput, VideoRequest, parse_request
from wanvideo.errors import RequestInvalid


class VideoFields(TypedDict, total=False):
    """The fields of the contract as keywords; see VideoRequest for their rules."""

    prompt: str
    negative_prompt: str
    duration: float
    fps: float
    size: str
    seed: int | None
    reference_image: PictureInput
    motion_strength: float | None
    fit: Literal["cover", "contain"]
    model: str
    wan: Mapping[str, Any]
    preview: Mapping[str, Any]


def one_request(request: VideoRequest | Mapping[str, Any] | None, fields: VideoFields) -> VideoRequest:
    """The request that a call means, checked. Raises: RequestInvalid and its like."""
    if request is None:
        return parse_request(dict(fields))
    if fields:
        raise RequestInvalid(
            "Give a request or its fields, not both.", hint="Put the fields into the request."
        )
    return parse_request(request if isinstance(request, VideoRequest | str) else dict(request))
