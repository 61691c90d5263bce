"""Pictures and sounds are looked at as strictly as documented."""

from __future__ import annotations

import io
import wave

import pytest
from PIL import Image

from wanvideo_emulator.codes import Refused
from wanvideo_emulator.media import inspect_audio, inspect_image

from .bare import encoded, painted


def code(data: bytes) -> str:
    with pytest.raises(Refused) as caught:
        inspect_image(data)
    assert caught.value.status == 400
    return caught.value.code


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP"])
def test_the_documented_formats_are_taken(kind: str) -> None:
    seen = inspect_image(encoded(painted(320, 240), kind))
    assert (seen.width_px, seen.height_px) == (320, 240)


def test_a_turned_photo_counts_as_it_is_shown() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    painted(320, 240).save(buffer, "JPEG", exif=exif)
    seen = inspect_image(buffer.getvalue())
    assert (seen.width_px, seen.height_px) == (240, 320)


def test_other_formats_are_refused() -> None:
    assert code(encoded(painted(), "GIF")) == "InvalidImageFormat"


def test_a_png_with_transparency_is_refused() -> None:
    assert code(encoded(painted().convert("RGBA"))) == "InvalidImageFormat"


def test_no_picture_and_half_a_picture_are_refused() -> None:
    assert code(b"<html>not found</html>") == "InvalidImage.FileFormat"
    whole = encoded(Image.effect_noise((300, 300), 50))
    assert code(whole[: len(whole) // 2]) == "InvalidImage.FileFormat"


@pytest.mark.parametrize("size", [(239, 400), (400, 239), (8001, 240)])
def test_sides_have_limits(size: tuple[int, int]) -> None:
    assert code(encoded(Image.new("L", size))) == "InvalidImageResolution"


def test_weight_has_a_limit() -> None:
    assert code(encoded(painted()) + bytes(20 * 1024 * 1024)) == "InvalidImage.ImageSize"


def sound(length_s: float) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(int(length_s * 8000) * 2))
    return buffer.getvalue()


def test_sounds_of_three_to_thirty_seconds_are_taken() -> None:
    inspect_audio(sound(3.5))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (sound(31), "longer than 30s"),
        (sound(1), "shorter than 3s"),
        (b"not a sound at all" * 50, "Allowed types are: .wav, .mp3."),
        (encoded(painted()), "Allowed types are: .wav, .mp3."),
    ],
)
def test_other_sounds_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        inspect_audio(data)
    assert caught.value.code == "InvalidURL"
