"""How long a preview takes and how evenly it moves, beside what else makes a moving picture of a still one.

    python bench/preview.py [ROUNDS]

4 s of 1280*720 at 24 fps from a picture of 1920*1080, a push-in, x264 veryfast at crf 18 everywhere. Ours
runs in this process, as in a server, and analyses the picture. ffmpeg is the system's, with its start;
MoviePy takes part if it is installed, without its import. Rounds are interleaved, so that a busy moment meets
all alike. Jitter is the root mean square of what an off-centre patch moves from frame to frame beside the
cubic trend of that, by the phase of its spectra, on the decoded files. Exit code 1 when a target is missed.
"""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from machine import machine  # the module beside this script
from wanvideo.preview import Shot, render

Plane = NDArray[np.float64]

ROUNDS = 7
WIDTH_PX, HEIGHT_PX, FPS, FRAMES = 1280, 720, 24, 96
ENCODER = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p"]
OURS, PLAIN, MOVIEPY = "wanvideo", "zoompan", "MoviePy"
FOURFOLD, FRAME = "scale 4x, zoompan", "frame 4x, zoompan"
PATCH = (slice(180, 564), slice(60, 444))
TARGETS = (
    (FOURFOLD, "time", 0.60),
    (PLAIN, "time", 1.15),
    (FOURFOLD, "jitter", 0.20),
)


def ours(picture: Path, output: Path) -> None:
    render(
        Shot(
            picture,
            prompt="push in",
            sound="none",
            width_px=WIDTH_PX,
            height_px=HEIGHT_PX,
            frame_count=FRAMES,
        ),
        output,
    )


def zoompan(picture: Path, output: Path, *before: str) -> None:
    zoom = (
        f"zoompan=z='1+0.14*on/{FRAMES - 1}':x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2'"
        f":d={FRAMES}:s={WIDTH_PX}x{HEIGHT_PX}:fps={FPS}"
    )
    quiet = ["ffmpeg", "-v", "error", "-y"]
    subprocess.run([*quiet, "-i", picture, "-vf", ",".join((*before, zoom)), *ENCODER, output], check=True)


def fourfold(picture: Path, output: Path) -> None:
    """The usual cure for its jitter: the picture enlarged four times first."""
    zoompan(picture, output, "scale=4*iw:4*ih")


def fourfold_frame(picture: Path, output: Path) -> None:
    """The same with only as much as the frame needs, for those who work it out."""
    zoompan(picture, output, f"scale={4 * WIDTH_PX}:{4 * HEIGHT_PX}")


def moviepy(picture: Path, output: Path) -> None:
    from moviepy import CompositeVideoClip, ImageClip, vfx

    still = ImageClip(np.asarray(Image.open(picture).convert("RGB").resize((WIDTH_PX, HEIGHT_PX))))
    moved = still.with_duration(FRAMES / FPS).with_effects([vfx.Resize(lambda time_s: 1 + 0.035 * time_s)])
    clip = CompositeVideoClip([moved.with_position("center")], size=(WIDTH_PX, HEIGHT_PX))
    options = ["-crf", "18", "-pix_fmt", "yuv420p"]
    clip.write_videofile(str(output), fps=FPS, preset="veryfast", ffmpeg_params=options, logger=None)


def jitter_px(path: Path) -> float:
    with av.open(str(path)) as clip:
        frames = [frame.to_ndarray(format="gray")[PATCH].astype(np.float64) for frame in clip.decode(video=0)]
    assert len(frames) == FRAMES, f"{path}: {len(frames)} frames"
    steps = shifts_px(frames)
    at = np.arange(len(steps))
    trend = np.stack([np.polyval(np.polyfit(at, way, 3), at) for way in steps.T], axis=1)
    return float(np.sqrt(np.mean(np.sum((steps - trend) ** 2, axis=1))))


def shifts_px(frames: list[Plane]) -> Plane:
    """How far each frame's content moves from the one before, right and down, to a few hundredths.

    A shift turns the phase of each frequency by as much as there is of it; the strong, low ones are trusted.
    The peak of a phase correlation would be blunter than what is measured here.
    """
    height, width = frames[0].shape
    along, across = np.fft.fftfreq(height)[:, np.newaxis], np.fft.rfftfreq(width)[np.newaxis]
    used = (np.hypot(along, across) < 0.2) & (np.hypot(along, across) > 2 / width)
    turns = 2 * np.pi * np.stack([(across + 0 * along)[used], (along + 0 * across)[used]], axis=1)
    window = np.hanning(height)[:, np.newaxis] * np.hanning(width)
    spectra = [np.fft.rfft2(window * (frame - frame.mean()))[used] for frame in frames]
    shifts = []
    for one, other in pairwise(spectra):
        product = one * np.conj(other)
        weighted = turns * np.abs(product)[:, np.newaxis]
        shift = np.zeros(2)
        for _closer in range(3):
            left = np.angle(product * np.exp(-1j * (turns @ shift)))
            shift += np.linalg.solve(weighted.T @ turns, weighted.T @ left)
        shifts.append(shift)
    return np.array(shifts)


def leaves(path: Path) -> None:
    """Thousands of crisp ellipses over soft grain: detail all over the frame."""
    chance = np.random.default_rng(5)
    total = np.zeros((1080, 1920, 3), np.float32)
    for cell_px, weight in ((128, 1.0), (48, 0.7), (20, 0.4), (8, 0.3)):
        cells = chance.random((1080 // cell_px + 3, 1920 // cell_px + 3, 3), dtype=np.float32)
        total += weight * cv2.resize(cells, (1920, 1080), interpolation=cv2.INTER_CUBIC)
    total = (total - total.min()) / (total.max() - total.min())
    pixels = (40 + 190 * total).astype(np.uint8)
    for _leaf in range(2500):
        x_px, y_px, long_px = chance.integers(1920), chance.integers(1080), chance.integers(8, 60)
        sides = (int(long_px), int(long_px * chance.uniform(0.3, 1)))
        colour = [int(level) for level in chance.integers(30, 230, 3)]
        turn = float(chance.uniform(0, 180))
        cv2.ellipse(pixels, (int(x_px), int(y_px)), sides, turn, 0, 360, colour, -1, cv2.LINE_AA)
    Image.fromarray(pixels).save(path)


def measured(picture: Path, folder: Path, rounds: int) -> dict[str, tuple[list[float], float]]:
    """Seconds of each round, and the jitter, of each contender. A first round is not counted."""
    contenders: dict[str, Callable[[Path, Path], None]] = {
        OURS: ours,
        PLAIN: zoompan,
        FOURFOLD: fourfold,
        FRAME: fourfold_frame,
    }
    if importlib.util.find_spec("moviepy"):
        contenders[MOVIEPY] = moviepy
    times_s: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, make in contenders.items():
            output = folder / f"{name.replace(' ', '_')}.mp4"
            started_s = time.perf_counter()
            make(picture, output)
            if number:
                times_s[name].append(time.perf_counter() - started_s)
    return {
        name: (times, jitter_px(folder / f"{name.replace(' ', '_')}.mp4")) for name, times in times_s.items()
    }


def told(title: str, results: dict[str, tuple[list[float], float]]) -> int:
    """Print the table of one picture; return how many targets it missed."""
    jitters_px = {name: jitter for name, (_, jitter) in results.items()}

    def times_of(name: str, peer: str) -> float:
        """The median of the rounds' own ratios: what slows one round slows both."""
        pairs = zip(results[name][0], results[peer][0], strict=True)
        return statistics.median(one / other for one, other in pairs)

    print(f"{title}\n")
    print(f"| | median (s) | min-max (s) | fps | to {PLAIN} | to {FOURFOLD} | jitter (px) |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, (times, jitter) in results.items():
        median = statistics.median(times)
        print(
            f"| {name} | {median:.2f} | {min(times):.2f}-{max(times):.2f} | {FRAMES / median:.0f} "
            f"| {times_of(name, PLAIN):.2f} | {times_of(name, FOURFOLD):.2f} | {jitter:.3f} |"
        )
    print()
    missed = 0
    for peer, what, most in TARGETS:
        ratio = times_of(OURS, peer) if what == "time" else jitters_px[OURS] / jitters_px[peer]
        verdict = "met" if ratio <= most else "MISSED"
        missed += ratio > most
        print(f"{what} of {peer}: {ratio:.2f}, at most {most:.2f}: {verdict}")
    print()
    return missed


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print(f"{machine()}; {rounds} interleaved rounds\n")
    harbour = Path(__file__).parent.parent / "examples" / "harbour.png"
    missed = 0
    with tempfile.TemporaryDirectory() as name:
        drawn = Path(name) / "leaves.png"
        leaves(drawn)
        for title, picture in (("The harbour", harbour), ("Leaves", drawn)):
            missed += told(title, measured(picture, Path(name), rounds))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
