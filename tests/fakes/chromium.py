"""A real browser that plays a clip: what it shows of the first frame, and whether it comes to the end."""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, sync_playwright

_FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
          "--force-color-profile=srgb", "--mute-audio")  # fmt: skip
_PLAY = """
async ([clip, speed]) => {
  const bytes = Uint8Array.from(atob(clip), letter => letter.charCodeAt(0));
  const video = document.createElement("video");
  video.muted = true;
  const told = name => new Promise((done, broken) => {
    video.addEventListener(name, done, {once: true});
    video.addEventListener("error", () => broken(new Error(video.error.message)), {once: true});
  });
  const shown = new Promise(done => video.requestVideoFrameCallback(done));
  const loaded = told("loadeddata");
  video.src = URL.createObjectURL(new Blob([bytes], {type: "video/mp4"}));
  await loaded;
  await shown;
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  const first = canvas.toDataURL("image/png");
  const ended = told("ended");
  video.playbackRate = speed;
  await video.play();
  await ended;
  const quality = video.getVideoPlaybackQuality();
  return {first, duration_s: video.duration, at_s: video.currentTime,
          corrupted: quality.corruptedVideoFrames, frames: quality.totalVideoFrames};
}
"""


@dataclass(frozen=True)
class Played:
    """`first` is rows * columns * RGB; `frames` is how many the browser decoded until the end."""

    first: NDArray[np.uint8]
    duration_s: float
    at_s: float
    frames: int
    corrupted: int


@contextmanager
def blank_page() -> Iterator[Page]:
    """An empty page of Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(_FLAGS))
        try:
            yield browser.new_page()
        finally:
            browser.close()


def play(page: Page, clip: Path, *, speed: float = 1.0) -> Played:
    """Show the first frame, then play to the end. A clip that cannot be decoded raises playwright's Error."""
    told: dict[str, Any] = page.evaluate(_PLAY, [base64.b64encode(clip.read_bytes()).decode(), speed])
    with Image.open(io.BytesIO(base64.b64decode(told["first"].partition(",")[2]))) as picture:
        first = np.asarray(picture.convert("RGB"))
    return Played(first, told["duration_s"], told["at_s"], told["frames"], told["corrupted"])
