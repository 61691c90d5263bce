"""What a browser makes of a clip: Debian's chromium, which reports to a server of this test."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from queue import Queue

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WAIT_S = 60
PAGE = b"""<!doctype html><video muted preload=auto src=/clip.mp4></video><script>
const video = document.querySelector("video");
function shown() {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.toDataURL("image/png");
}
function tell(what) { fetch("/told", {method: "POST", body: JSON.stringify(what)}); }
let first;
video.onerror = () => tell({error: video.error.message});
video.onloadeddata = () => { first = shown(); video.playbackRate = 2; video.play(); };
video.onended = () => tell({first, last: shown(), ended_at_s: video.currentTime,
  frames: video.getVideoPlaybackQuality().totalVideoFrames});
</script>"""


@dataclass(frozen=True)
class Playback:
    """`first` and `last` are rows * columns * RGB."""

    first: NDArray[np.uint8]
    last: NDArray[np.uint8]
    ended_at_s: float
    frames: int


def play(clip: Path, profile: Path) -> Playback:
    """Play `clip` to its end. Raises: RuntimeError when chromium cannot."""
    told: Queue[dict[str, str]] = Queue()
    with _served(clip.read_bytes(), told) as address:
        command = [shutil.which("chromium") or "chromium", "--headless=new", "--no-sandbox", "--disable-gpu"]
        command += [
            "--autoplay-policy=no-user-gesture-required",
            "--force-color-profile=srgb",
            "--no-first-run",
        ]
        command += [f"--user-data-dir={profile}", "--disable-background-networking", address]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            result = told.get(timeout=WAIT_S)
        finally:
            browser.terminate()
            browser.wait()
    if "error" in result:
        raise RuntimeError(result["error"])
    return Playback(
        _pixels(result["first"]),
        _pixels(result["last"]),
        float(result["ended_at_s"]),
        int(result["frames"]),
    )


def _pixels(data_url: str) -> NDArray[np.uint8]:
    with Image.open(BytesIO(base64.b64decode(data_url.partition(",")[2]))) as opened:
        return np.asarray(opened.convert("RGB"))


@contextmanager
def _served(clip: bytes, told: Queue[dict[str, str]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = ("video/mp4", clip) if self.path == "/clip.mp4" else ("text/html", PAGE)
            self._answer(kind, body)

        def do_POST(self) -> None:
            told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer("text/plain", b"")

        def _answer(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing into the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
