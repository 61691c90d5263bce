"""What hides things in the air: what stands nearer than they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wanvideo.preview.view import View

Cover = NDArray[np.float32]


def cover(view: View, subject: float, near: float) -> Cover | None:
    """Flat, of the chroma planes' size: 1 shows, 0 hides. `subject` and `near` from 0 to 1 say how much the
    subject and near things hide. None where nothing hides.
    """
    shown: Cover | None = None
    for name, strength in (("subject", subject), ("nearness", near)):
        region = view.region(name) if strength else None
        if region is None:
            continue
        levels = (1 - strength * np.arange(256) / 255).astype(np.float32)
        part = levels[region.reshape(-1)]
        shown = part if shown is None else shown * part
    return shown
