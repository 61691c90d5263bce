"""A clip is what its file says, and a broken download is found out before it is believed."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from wanvideo.errors import ClipInvalid
from wanvideo.media.probe import check, probe

from .conftest import Studio


def test_the_facts_are_those_of_the_file(studio: Studio) -> None:
    path = studio.clip(fps=Fraction(30), frames=75)
    facts = probe(path)
    assert (facts.width_px, facts.height_px) == (80, 48)
    assert (facts.fps, facts.frame_count, facts.duration_s) == (Fraction(30), 75, 2.5)
    assert (facts.codec, facts.pixel_format) == ("h264", "yuv420p")
    assert facts.has_sound
    assert facts.sound_duration_s == pytest.approx(2.5, abs=0.03)
    assert facts.size_bytes == path.stat().st_size
    assert check(path) == facts


def test_a_silent_clip_has_no_sound(studio: Studio) -> None:
    facts = check(studio.clip(sound=None))
    assert (facts.has_sound, facts.sound_duration_s) == (False, None)


@pytest.mark.parametrize("rate", ["1", "25/2", "24000/1001", "24", "25", "30000/1001", "30", "50", "60"])
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_every_rate_is_measured_exactly(studio: Studio, rate: str, ending: str) -> None:
    fps = Fraction(rate)
    facts = check(studio.clip(f"clip.{ending}", fps=fps, frames=7, sound=None))
    if ending == "mp4":
        assert facts.fps == fps
    else:  # Matroska keeps time in whole milliseconds
        assert float(facts.fps) == pytest.approx(float(fps), rel=0.02)
    assert facts.frame_count == 7


def test_probing_is_quick(studio: Studio) -> None:
    path = studio.clip(frames=240)
    probe(path)
    began = time.process_time()
    probe(path)
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.99, 0.999])
@pytest.mark.parametrize("faststart", [True, False])
def test_a_clip_that_was_cut_short_is_refused(studio: Studio, share: float, faststart: bool) -> None:
    """With the index in front, even 1 % of a clip opens and claims its full length."""
    whole = studio.clip(frames=96, faststart=faststart, options={"preset": "ultrafast", "crf": "4"})
    data = whole.read_bytes()
    part = studio.folder / "part.mp4"
    part.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ClipInvalid, match=r"cut short|damaged|no frame|no video"):
        check(part)


def test_a_clip_with_a_hole_is_refused(studio: Studio) -> None:
    data = studio.clip(frames=96, sound=None, options={"preset": "ultrafast", "crf": "4"}).read_bytes()
    middle = len(data) // 2
    holed = studio.folder / "holed.mp4"
    holed.write_bytes(data[:middle] + data[middle + len(data) // 10 :])
    with pytest.raises(ClipInvalid, match=r"cut short|damaged"):
        check(holed)


def test_a_byte_missing_against_the_announced_length_is_refused(studio: Studio) -> None:
    path = studio.clip()
    size = path.stat().st_size
    assert check(path, expected_bytes=size).size_bytes == size
    with pytest.raises(ClipInvalid, match=f"has {size} bytes instead of {size + 1}"):
        check(path, expected_bytes=size + 1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", r"web page \(HTML\)"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "an XML text"),
        (b'{"code":"AccessDenied"}', "a JSON text"),
        (b"no such file, sorry\n", "a text"),
        (bytes(5000), "never written completely"),
        (b"\x93\x01\xfe" * 2000, "cut short or damaged"),
    ],
)
def test_what_is_no_clip_is_called_by_its_name(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(ClipInvalid, match=reason):
        check(path)
    with pytest.raises(ClipInvalid, match=reason):
        probe(path)


def test_a_missing_file_is_a_clip_error_too(tmp_path: Path) -> None:
    with pytest.raises(ClipInvalid, match="cannot be read"):
        probe(tmp_path / "gone.mp4")


def test_a_sound_file_is_no_clip(studio: Studio) -> None:
    path = studio.folder / "sound.mp4"
    with av.open(str(path), "w") as made:
        audio = made.add_stream("aac", rate=48_000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        silence.sample_rate = 48_000
        made.mux([*audio.encode(silence), *audio.encode(None)])
    with pytest.raises(ClipInvalid, match="holds no video"):
        probe(path)


def test_a_playlist_never_makes_us_open_other_files(studio: Studio) -> None:
    studio.clip("secret.mp4")
    listing = studio.folder / "list.mp4"
    listing.write_text("ffconcat version 1.0\nfile secret.mp4\n")
    with pytest.raises(ClipInvalid):
        check(listing)
    listing.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsecret.mp4\n#EXT-X-ENDLIST\n")
    with pytest.raises(ClipInvalid):
        check(listing)


def test_a_name_with_a_colon_is_a_name(studio: Studio) -> None:
    path = studio.clip().rename(studio.folder / "http:clip.mp4")
    assert check(path).frame_count == 48


def test_damage_anywhere_gives_facts_or_a_clip_error(studio: Studio) -> None:
    """No traceback and no crash, whatever byte is wrong."""
    data = studio.clip(frames=20, options={"preset": "medium", "g": "10", "crf": "10"}).read_bytes()
    damaged = studio.folder / "damaged.mp4"
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(60):
        content = bytearray(data)
        for place in rng.integers(0, len(data) if rng.random() < 0.5 else 3000, size=4):
            content[place] = rng.integers(0, 256)
        damaged.write_bytes(content)
        try:
            check(damaged)
        except ClipInvalid:
            refused += 1
    assert 0 < refused <= 60


def test_a_codec_that_nobody_knows_is_no_video(studio: Studio) -> None:
    data = studio.clip(sound=None).read_bytes()
    path = studio.folder / "odd.mp4"
    path.write_bytes(data.replace(b"avc1", b"zzzz"))
    with pytest.raises(ClipInvalid, match=r"no video|cut short or damaged"):
        check(path)
