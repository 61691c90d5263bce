"""What is laid over the camera's pictures: weather, things in the air, water and clouds that flow, and light.

Each effect is a function of the time and the seed, never of the frame count, and its sizes are shares of
the frame. It sets in gently after the first frame, which stays the reference picture; only `fade_in` begins
black.
"""

from __future__ import annotations

from wanvideo.preview.effects.stage import Stage, stage

__all__ = ["Stage", "stage"]
