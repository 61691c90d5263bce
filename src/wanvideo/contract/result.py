"""The result of `video.generate`: `video_url`, `duration`, `fps`, `seed` first, measured in the file."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from wanvideo.contract.model_card import MODEL


def _plain(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


PlainNumber = Annotated[float, PlainSerializer(_plain, return_type=float | int, when_used="always")]


class VideoResult(BaseModel):
    """One stored clip. Units: seconds, frames per second, pixels, yuan."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="video.generate result")

    video_url: str = Field(description="Path of the stored mp4, or its durable URL in an object store.")
    duration: PlainNumber = Field(description="Seconds, measured in the file.")
    fps: PlainNumber = Field(description="Frames per second, measured in the file.")
    seed: int = Field(description="The seed that was sent.")
    job_id: str
    task_id: str | None = Field(description="The provider's id; null for a preview.")
    provider: str = Field(description="dashscope or preview; a preview is never passed off as Wan.")
    model: str = Field(description=f"{MODEL}, or the name of the local preview renderer.")
    size: str = Field(description="W*H, measured in the file.")
    cost: dict[str, Any] = Field(description="cny, billed_s, and basis: usage, estimate or free.")
    cached: bool = Field(False, description="True when an earlier clip answered and nothing was billed.")
    warnings: list[str] = Field(default_factory=list, description="Every adjustment, in words.")
    sha256: str = Field(description="Of the stored file.")
    created_at: datetime
    source_url: str | None = Field(
        None, description="The provider's own file, kept beside a conformed one (`keep_source`)."
    )
