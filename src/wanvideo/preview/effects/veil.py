"""What hides things in the air: whatever stands nearer than they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wanvideo.preview.picture import Pixels
from wanvideo.preview.view import View


@dataclass(frozen=True)
class Veil:
    """A region, 0..255, the size of the chroma planes, and how much it hides where it is 255."""

    region: Pixels
    strength: float

    def shown(self) -> NDArray[np.float32]:
        """For each level of the region how much is left to see."""
        return (1 - self.strength * np.arange(256, dtype=np.float32) / 255).astype(np.float32)


def veils(view: View, *, subject: float = 0.0, near: float = 0.0) -> list[Veil]:
    """What the subject and near things hide, by how much each hides; the scene may know neither."""
    found = []
    for name, strength in (("subject", subject), ("nearness", near)):
        region = view.region(name) if strength else None
        if region is not None:
            found.append(Veil(region, strength))
    return found
