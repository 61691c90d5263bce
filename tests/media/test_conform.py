"""A conformed clip is exactly what was asked for, shows the right frames, and its sound stays in step."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from wanvideo.contract.size import exact_fps
from wanvideo.errors import ClipInvalid, JobCancelled, StorageFailed
from wanvideo.media.conform import Target, conform, needs
from wanvideo.media.probe import check, probe

from .conftest import Studio

RATES = (1, 12.5, 23.976, 24, 25, 29.97, 30, 50, 60)
AAC_FRAME_S = 1024 / 44_100


def moments(numbers: list[int], source_fps: Fraction, fps: Fraction) -> list[Fraction]:
    """For each frame: the moment of the source that it shows, less the moment at which it is shown."""
    return [Fraction(number) / source_fps - index / fps for index, number in enumerate(numbers)]


@pytest.mark.parametrize("source_rate", ["30", "24", "24000/1001", "25/2"])
def test_every_rate_comes_out_exactly_and_shows_the_nearest_frame(studio: Studio, source_rate: str) -> None:
    source_fps = Fraction(source_rate)
    source = studio.clip(fps=source_fps, frames=round(source_fps * 3), sound=None)
    for rate, seconds in zip(RATES, itertools.cycle((2.5, 1.7, 2)), strict=False):
        fps = exact_fps(rate)
        target = Target(80, 48, fps, max(1, round(seconds * fps)))
        made = conform(source, studio.folder / "out.mp4", target)
        facts = check(made.path)
        assert (facts.fps, facts.frame_count) == (fps, target.frame_count), rate
        numbers = studio.numbers(made.path)
        assert len(numbers) == target.frame_count
        half_a_source_frame = 1 / source_fps / 2
        assert max(map(abs, moments(numbers, source_fps, fps))) <= half_a_source_frame * Fraction(103, 100), (
            rate
        )
        assert needs(facts, target) == ()


def test_ties_fall_the_same_way_every_time(studio: Studio) -> None:
    """60 to 24 takes each frame half way between two: an uneven choice would be seen as judder."""
    source = studio.clip(fps=Fraction(60), frames=120, sound=None)
    made = conform(source, studio.folder / "out.mp4", Target(80, 48, Fraction(24), 40))
    numbers = studio.numbers(made.path)
    steps = [after - before for before, after in itertools.pairwise(numbers)]
    assert numbers[0] == 0
    assert set(steps) == {2, 3}
    assert all(a != b for a, b in itertools.pairwise(steps))


def test_a_clip_that_conforms_is_copied_byte_for_byte(studio: Studio) -> None:
    source = studio.clip(fps=Fraction(30), frames=60)
    made = conform(source, studio.folder / "out.mp4", Target(80, 48, Fraction(30), 60))
    assert made.changed == ()
    assert made.path.read_bytes() == source.read_bytes()
    assert not made.path.samefile(source)


def test_what_changes_is_told(studio: Studio) -> None:
    source = studio.clip(fps=Fraction(30), frames=150)
    made = conform(source, studio.folder / "out.mp4", Target(64, 64, Fraction(24), 108))
    assert made.changed == ("fps 30 -> 24", "size 80x48 -> 64x64", "trimmed 5.00 s -> 4.50 s")


def test_needs_knows_each_difference(studio: Studio) -> None:
    facts = probe(studio.clip(fps=Fraction(30), frames=60))
    assert needs(facts, Target(80, 48, Fraction(30), 60)) == ()
    assert needs(facts, Target(80, 48, Fraction(24), 48)) == ("fps 30 -> 24",)
    assert needs(facts, Target(82, 48, Fraction(30), 60)) == ("size 80x48 -> 82x48",)
    assert needs(facts, Target(80, 48, Fraction(30), 59)) == ("trimmed 2.00 s -> 1.97 s",)
    assert needs(facts, Target(80, 48, Fraction(30), 75)) == ("held the last frame 2.00 s -> 2.50 s",)
    assert needs(facts, Target(80, 48, exact_fps(23.976), 48)) == ("fps 30 -> 23.976",)


def test_a_short_source_holds_its_last_frame(studio: Studio) -> None:
    source = studio.clip(fps=Fraction(30), frames=30)
    made = conform(source, studio.folder / "out.mp4", Target(80, 48, Fraction(30), 75))
    assert studio.numbers(made.path) == [*range(30), *[29] * 45]
    facts = check(made.path)
    assert facts.sound_duration_s == pytest.approx(1, abs=0.03)


def test_a_source_of_one_frame_is_held(studio: Studio) -> None:
    source = studio.clip(frames=1, sound=None)
    made = conform(source, studio.folder / "out.mp4", Target(80, 48, Fraction(25), 10))
    assert studio.numbers(made.path) == [0] * 10


@pytest.mark.parametrize("rate", [12.5, 23.976, 30])
@pytest.mark.parametrize("seconds", [1.5, 2.3, 4])
def test_the_sound_stays_in_step_and_ends_with_the_pictures(
    studio: Studio, rate: float, seconds: float
) -> None:
    source = studio.clip(fps=Fraction(30), frames=120)
    fps = exact_fps(rate)
    target = Target(80, 48, fps, round(seconds * fps))
    made = conform(source, studio.folder / "out.mp4", target)
    facts = check(made.path)
    assert facts.sound_duration_s is not None
    assert abs(facts.sound_duration_s - facts.duration_s) <= AAC_FRAME_S
    beeps = studio.beeps_at_s(made.path)
    # A whole second of the source is heard at that second still, to within a millisecond.
    assert beeps == pytest.approx(list(range(len(beeps))), abs=0.001)
    assert len(beeps) == min(4, int(np.ceil(float(target.duration_s))))


def test_the_sound_is_not_encoded_anew(studio: Studio) -> None:
    source = studio.clip(frames=48)
    made = conform(source, studio.folder / "out.mp4", Target(80, 48, Fraction(30), 60))

    def packets(path: Path) -> list[bytes]:
        with av.open(str(path)) as clip:
            return [bytes(packet) for packet in clip.demux(audio=0) if packet.size]

    assert packets(made.path) == packets(source)


def test_a_sound_that_mp4_cannot_hold_is_encoded_and_cut(studio: Studio) -> None:
    source = studio.clip("source.mkv", fps=Fraction(24), frames=96, sound="pcm_s16le")
    made = conform(source, studio.folder / "out.mp4", Target(80, 48, Fraction(24), 60))
    facts = check(made.path)
    assert facts.sound_duration_s == pytest.approx(2.5, abs=AAC_FRAME_S)
    assert studio.beeps_at_s(made.path) == pytest.approx([0, 1, 2], abs=0.002)


@pytest.mark.parametrize("sound", ["aac", "pcm_s16le"])
def test_a_sound_that_begins_before_the_pictures_stays_in_step(studio: Studio, sound: str) -> None:
    """Frame 0 is shown at 0.25 s of the source, and at 0 of the result: the sound moves along."""
    source = studio.clip("source.mkv", frames=72, pts=[index + 6 for index in range(72)], sound=sound)
    made = conform(source, studio.folder / "out.mp4", Target(80, 48, Fraction(30), 60))
    assert studio.numbers(made.path)[0] == 0
    with av.open(str(made.path)) as clip:
        assert next(clip.decode(video=0)).pts == 0
    assert studio.beeps_at_s(made.path) == pytest.approx([0.75, 1.75], abs=0.002)


def test_longer_sound_than_pictures_is_cut(studio: Studio) -> None:
    source = studio.clip(frames=24, sound_s=3)
    made = conform(source, studio.folder / "out.mp4", Target(80, 48, Fraction(30), 30))
    assert check(made.path).sound_duration_s == pytest.approx(1, abs=AAC_FRAME_S)


def test_uneven_time_stamps_are_evened_out(studio: Studio) -> None:
    """Each frame is held until the next one is due, whatever gaps the source has."""
    source = studio.clip(fps=Fraction(10), frames=6, pts=[0, 1, 2, 7, 8, 9], sound=None)
    made = conform(source, studio.folder / "out.mp4", Target(80, 48, Fraction(20), 20))
    assert studio.numbers(made.path) == [0, 0, 1, 1, *[2] * 10, 3, 3, 4, 4, 5, 5]


def stripes(width: int, height: int) -> np.ndarray:
    """Red left half, blue right half, with a green frame in the middle sixth of the height."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2] = (220, 30, 30)
    picture[:, width // 2 :] = (30, 30, 220)
    picture[height * 5 // 12 : height * 7 // 12] = (30, 200, 30)
    return picture


@pytest.mark.parametrize(
    ("size", "target"),
    [
        ((96, 54), (48, 96)),
        ((54, 96), (96, 54)),
        ((82, 46), (80, 46)),
        ((96, 54), (192, 108)),
        ((50, 50), (98, 22)),
    ],
)
def test_another_shape_is_filled_and_cropped_in_the_middle(
    studio: Studio, size: tuple[int, int], target: tuple[int, int]
) -> None:
    source = studio.clip(size=size, frames=2, pictures=[stripes(*size)] * 2, sound=None)
    made = conform(source, studio.folder / "out.mp4", Target(*target, Fraction(24), 2))
    with av.open(str(made.path)) as clip:
        frame = next(clip.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    width, height = target
    assert frame.shape == (height, width, 3)
    assert frame[height // 2, width // 4, 1] > 150  # the green stripe is still in the middle
    if height >= 46:
        left, right = frame[2, width // 4], frame[2, width * 3 // 4]
        assert left[0] > left[2] + 100
        assert right[2] > right[0] + 100
    assert (frame.sum(axis=2) > 100).all()  # nowhere a black bar


def test_pixels_that_are_not_square_are_made_square(studio: Studio) -> None:
    source = studio.folder / "wide.mp4"
    with av.open(str(source), "w") as made_by_hand:
        video = made_by_hand.add_stream("libx264", rate=24)
        video.width, video.height, video.pix_fmt = 48, 48, "yuv420p"
        video.codec_context.sample_aspect_ratio = Fraction(2)
        frame = av.VideoFrame.from_ndarray(stripes(48, 48), format="rgb24")
        frame.pts, frame.time_base = 0, Fraction(1, 24)
        made_by_hand.mux([*video.encode(frame), *video.encode(None)])
    made = conform(source, studio.folder / "out.mp4", Target(96, 48, Fraction(24), 1))
    with av.open(str(made.path)) as clip:
        assert clip.streams.video[0].sample_aspect_ratio in (None, 1)
        frame_out = next(clip.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    assert frame_out[2, 4, 0] > 150  # cropped neither left
    assert frame_out[40, 92, 2] > 150  # nor right


@pytest.mark.parametrize(
    ("size", "tagged", "expected"), [((80, 48), 1, 1), ((80, 48), 6, 6), ((80, 48), 2, 2), ((80, 720), 2, 1)]
)
def test_colour_tags_are_carried_over(
    studio: Studio, size: tuple[int, int], tagged: int, expected: int
) -> None:
    source = studio.clip(size=size, frames=3, colour=tagged, sound=None)
    made = conform(source, studio.folder / "out.mp4", Target(40, 24, Fraction(24), 3))
    with av.open(str(made.path)) as clip:
        context = clip.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (expected,) * 3
        assert context.pix_fmt == "yuv420p"


def test_full_range_becomes_limited_without_a_shift_of_grey(studio: Studio) -> None:
    source = studio.folder / "full.mp4"
    with av.open(str(source), "w") as made_by_hand:
        video = made_by_hand.add_stream("libx264", rate=24, options={"crf": "1"})
        video.width, video.height, video.pix_fmt = 64, 64, "yuvj420p"
        video.codec_context.color_range = 2
        plane = np.full((96, 64), 128, np.uint8)
        plane[:64] = np.repeat(np.array([0, 64, 192, 255], np.uint8), 16)
        frame = av.VideoFrame.from_ndarray(plane, format="yuvj420p")
        frame.pts, frame.time_base, frame.color_range = 0, Fraction(1, 24), 2
        made_by_hand.mux([*video.encode(frame), *video.encode(None)])
    made = conform(source, studio.folder / "out.mp4", Target(32, 32, Fraction(24), 1))
    with av.open(str(made.path)) as clip:
        decoded = next(clip.decode(video=0))
        assert decoded.format.name == "yuv420p"
        assert decoded.color_range != 2  # limited, or nothing said, which means limited
        luma = decoded.to_ndarray()[16, [4, 12, 20, 28]].astype(int)
    assert np.abs(luma - [16, 71, 181, 235]).max() <= 3


def test_the_pixels_are_hardly_touched(studio: Studio) -> None:
    """Trimming encodes anew; the loss stays below what can be seen."""
    rng = np.random.default_rng(7)
    noise = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)
    detail = np.kron(noise, np.ones((8, 8, 1), np.uint8))
    pictures = [np.roll(detail, 2 * index, axis=1) for index in range(12)]
    source = studio.clip(size=(128, 96), frames=12, pictures=pictures, sound=None)
    made = conform(source, studio.folder / "out.mp4", Target(128, 96, Fraction(24), 11))

    def luma(path: Path) -> np.ndarray:
        with av.open(str(path)) as clip:
            return np.array([frame.to_ndarray(format="gray") for frame in clip.decode(video=0)], float)

    error = ((luma(source)[:11] - luma(made.path)) ** 2).mean()
    assert 10 * np.log10(255**2 / error) > 40


def test_the_clip_is_ready_to_stream(studio: Studio) -> None:
    made = conform(studio.clip(), studio.folder / "out.mp4", Target(80, 48, Fraction(30), 60))
    data = made.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_the_same_clip_gives_the_same_bytes(studio: Studio) -> None:
    source, target = studio.clip(), Target(64, 64, Fraction(25), 40)
    first = conform(source, studio.folder / "first.mp4", target).path.read_bytes()
    assert conform(source, studio.folder / "second.mp4", target).path.read_bytes() == first


def test_the_output_may_have_any_name(studio: Studio) -> None:
    made = conform(studio.clip(), studio.folder / "a:b.part", Target(80, 48, Fraction(30), 60))
    assert check(made.path).frame_count == 60


def test_progress_runs_from_nothing_to_all(studio: Studio) -> None:
    shares: list[float] = []
    target = Target(80, 48, Fraction(30), 60)
    conform(studio.clip(), studio.folder / "out.mp4", target, on_progress=shares.append)
    assert len(shares) == 60
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_cancelled_clip_leaves_nothing_behind(studio: Studio) -> None:
    asked = itertools.count()
    output = studio.folder / "out.mp4"
    with pytest.raises(JobCancelled):
        conform(studio.clip(), output, Target(80, 48, Fraction(30), 60), cancelled=lambda: next(asked) > 10)
    assert not output.exists()


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_broken_source_is_refused_and_leaves_nothing_behind(studio: Studio, share: float) -> None:
    data = studio.clip(frames=96, options={"preset": "ultrafast", "crf": "4"}).read_bytes()
    part, output = studio.folder / "part.mp4", studio.folder / "out.mp4"
    part.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ClipInvalid, match=r"cut short|damaged"):
        conform(part, output, Target(80, 48, Fraction(30), 20))
    assert not output.exists()


def test_damage_behind_the_needed_part_is_found_too(studio: Studio) -> None:
    """Frames that are trimmed away are decoded as well: the source is kept beside the result."""
    path = studio.clip(frames=96, sound=None, options={"preset": "ultrafast", "crf": "4", "g": "10"})
    data = bytearray(path.read_bytes())
    late = len(data) * 9 // 10
    data[late : late + 400] = b"\xff" * 400
    path.write_bytes(data)
    with pytest.raises(ClipInvalid, match=r"cut short|damaged"):
        conform(path, studio.folder / "out.mp4", Target(80, 48, Fraction(24), 10))


@pytest.mark.parametrize("frames", [48, 40])  # copied, encoded
def test_a_place_that_cannot_be_written_is_a_storage_error(studio: Studio, frames: int) -> None:
    with pytest.raises(StorageFailed, match=r"out\.mp4 could not be written"):
        conform(studio.clip(), studio.folder / "gone" / "out.mp4", Target(80, 48, Fraction(24), frames))


def test_a_full_disk_is_a_storage_error(studio: Studio) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    output = studio.folder / "out.mp4"
    output.symlink_to(full)
    with pytest.raises(StorageFailed):
        conform(studio.clip(), output, Target(80, 48, Fraction(30), 60))
    assert not output.exists()


def test_a_clip_is_never_conformed_onto_itself(
    studio: Studio, must_not_be_called: Callable[..., None]
) -> None:
    source = studio.clip()
    before = source.read_bytes()
    with pytest.raises(ValueError, match="onto itself"):
        conform(source, source, Target(80, 48, Fraction(30), 60), on_progress=must_not_be_called)
    assert source.read_bytes() == before


@pytest.mark.parametrize("wrong", [(81, 48, 24, 5), (80, 0, 24, 5), (80, 48, 0, 5), (80, 48, 24, 0)])
def test_a_target_that_no_clip_can_be_is_refused(wrong: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"even|frames"):
        Target(wrong[0], wrong[1], Fraction(wrong[2]), wrong[3])
