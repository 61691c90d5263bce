"""What falls, drifts and shines in a preview, beyond the camera's own move."""

from __future__ import annotations

from dataclasses import dataclass

from wanvideo.preview.plan import Plan
from wanvideo.preview.scene import Scene
from wanvideo.preview.shot import Shot
from wanvideo.preview.view import View


@dataclass(frozen=True)
class Stage:
    """All effects of one clip. `notes` say in plain words what was left undone."""

    notes: tuple[str, ...] = ()

    def apply(self, view: View) -> None:
        """Draw into the planes of `view.frame`. Views come in the order of the clip."""


def stage(plan: Plan, shot: Shot, scene: Scene) -> Stage:
    """Prepare the effects and the light of `plan` for one clip."""
    del plan, shot, scene
    return Stage()
