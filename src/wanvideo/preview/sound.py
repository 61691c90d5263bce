"""The sound of a clip: silence, or a soft ambient bed, surf-like noise that swells over a quiet chord."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from wanvideo.preview.shot import Sound

SAMPLE_RATE_HZ = 44_100
LOUDNESS = 0.09  # root mean square of full scale, about -21 dB: clearly audible, never in the way
FADE_S = 0.25
# Chords as frequencies in hertz: open fifths and ninths, which fit any picture.
_CHORDS_HZ = (
    (110.0, 164.81, 246.94),
    (98.0, 146.83, 220.0),
    (130.81, 196.0, 293.66),
    (116.54, 174.61, 261.63),
)


def soundtrack(kind: Sound, seed: int, samples: int) -> NDArray[np.float32] | None:
    """Stereo sound, 2 * `samples` in -1..1 at 44.1 kHz; None for a clip without a sound track."""
    if kind == "none":
        return None
    return ambient_bed(seed, samples) if kind == "ambient" else np.zeros((2, samples), np.float32)


def ambient_bed(seed: int, samples: int) -> NDArray[np.float32]:
    """Stereo sound, 2 * `samples` in -1..1 at 44.1 kHz. The same seed and length give the same sound."""
    chance = np.random.default_rng([seed, 0x50D])
    time_s = np.arange(samples) / SAMPLE_RATE_HZ
    swell_hz, phase = chance.uniform(0.11, 0.19), chance.uniform()
    chord = _CHORDS_HZ[chance.integers(len(_CHORDS_HZ))]
    bed = np.empty((2, samples))
    for side in range(2):
        swell = 0.65 + 0.35 * np.sin(math.tau * (swell_hz * time_s + phase + 0.12 * side))
        bed[side] = _surf(chance, samples) * swell
        for partial, frequency_hz in enumerate(chord):
            beat_hz = chance.uniform(0.15, 0.4)  # each side drifts on its own, which makes the chord wide
            tremble = 0.75 + 0.25 * np.sin(math.tau * (beat_hz * time_s + chance.uniform()))
            bed[side] += (
                0.5 / (1 + partial) * tremble * np.sin(math.tau * (frequency_hz + 0.3 * side) * time_s)
            )
    bed *= LOUDNESS / max(1e-9, float(np.sqrt(np.mean(bed**2))))
    edge_s = np.minimum(time_s, time_s[::-1])
    bed *= np.clip(edge_s / FADE_S, 0.0, 1.0)
    return np.tanh(bed).astype(np.float32)


def _surf(chance: np.random.Generator, samples: int) -> NDArray[np.float64]:
    """Noise that falls off above 400 Hz, like wind and water; unit loudness."""
    spectrum = np.fft.rfft(chance.standard_normal(samples))
    frequency_hz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    rumble = frequency_hz / (frequency_hz + 60.0)
    noise = np.fft.irfft(spectrum * rumble / (1 + (frequency_hz / 400.0) ** 1.3), samples)
    return np.asarray(noise / max(1e-9, float(np.sqrt(np.mean(noise**2)))))
