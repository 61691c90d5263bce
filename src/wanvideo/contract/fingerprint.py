"""The cache key: two requests with the same key may share one clip, and one bill."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from wanvideo.contract.request import VideoRequest


def key_fields(request: VideoRequest, *, picture_sha256: str, provider: str) -> dict[str, Any]:
    """The fields that make a clip what it is. The picture counts by its bytes, never by its name; the options
    of the preview count for previews only.
    """
    fields = request.model_dump(mode="json", exclude={"reference_image"})
    fields["picture_sha256"] = picture_sha256
    fields["provider"] = provider
    fields["wan"]["resolution"] = request.resolution
    if provider != "preview":
        del fields["preview"]
    return fields


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces; 4 and 4.0 are the same number."""

    def plain(item: Any) -> Any:
        if isinstance(item, float) and item.is_integer():
            return int(item)
        if isinstance(item, dict):
            return {str(name): plain(inner) for name, inner in item.items()}
        if isinstance(item, list | tuple):
            return [plain(inner) for inner in item]
        return item

    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: Any) -> str:
    """sha256, in hex, over the canonical JSON of a value."""
    return hashlib.sha256(canonical(value)).hexdigest()


def cache_key(request: VideoRequest, *, picture_sha256: str, provider: str) -> str:
    """sha256, in hex, of the fields that make the clip."""
    return digest(key_fields(request, picture_sha256=picture_sha256, provider=provider))
