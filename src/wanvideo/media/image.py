"""Accepts a reference picture: refuses what the provider would refuse, and mends what can be mended.

Limits: https://help.aliyun.com/zh/model-studio/image-to-video-api-reference (sides 240 to 8000 px, 20 MB,
JPEG, PNG without alpha, BMP, WEBP). The picture's aspect decides the aspect of the clip, hence the framing.
"""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NoReturn

from PIL import Image, UnidentifiedImageError

from wanvideo.errors import ImageInvalid
from wanvideo.media.colour import to_srgb
from wanvideo.media.framing import Fit, apply_framing, crop_in_words, plan_framing, plan_whole
from wanvideo.media.picture_file import PictureFile, PictureFileDamaged, read_picture_file
from wanvideo.media.signature import PictureKind, describe, picture_kind

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

MediaType = Literal["image/jpeg", "image/png", "image/bmp", "image/webp"]

_MEDIA: dict[PictureKind, tuple[MediaType, str]] = {
    "JPEG": ("image/jpeg", ".jpg"),
    "PNG": ("image/png", ".png"),
    "BMP": ("image/bmp", ".bmp"),
    "WEBP": ("image/webp", ".webp"),
}
_UPRIGHT_BY = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MAX_PNG_BYTES = 10_000_000
_JPEG_QUALITY = 95
_FETCH_AGAIN = "Save or download the picture again."


@dataclass(frozen=True)
class PictureLimits:
    """What the provider takes; `max_pixels` guards our own memory and is judged before decoding."""

    min_side_px: int = 240
    max_side_px: int = 8000
    max_bytes: int = 20_000_000
    max_pixels: int = 64_000_000


PROVIDER_LIMITS = PictureLimits()


@dataclass(frozen=True)
class AcceptedPicture:
    """A picture that is ready to be sent.

    `data` is the file as given, byte for byte, when nothing had to change; `sha256` is of `data`,
    `source_sha256` of the bytes as given. `warnings` tells each change in plain words.
    """

    data: bytes
    media_type: MediaType
    suffix: str
    sha256: str
    source_sha256: str
    width_px: int
    height_px: int
    warnings: tuple[str, ...]


def accept(
    data: bytes,
    *,
    width_px: int,
    height_px: int,
    fit: Fit = "cover",
    keep_whole: bool = False,
    name: str = "reference_image",
    limits: PictureLimits = PROVIDER_LIMITS,
) -> AcceptedPicture:
    """Make `data`, a whole picture file, fit for a clip of `width_px` x `height_px`.

    The EXIF orientation is applied, transparency laid on white, colours brought to 8-bit sRGB, and the
    picture cropped (`fit="cover"`) or padded (`"contain"`) to the clip's aspect; its resolution stays, within
    `limits`. With `keep_whole` what `"cover"` would cut away stays too, for whoever crops it himself.

    The place where a photo was taken never leaves: it is cut out of a file that is otherwise sent as it is,
    and all metadata is dropped from one that is encoded anew.

    Blocks for up to some seconds on a photo of 50 megapixels, and takes about 10 bytes of memory a pixel.
    Raises ImageInvalid with `field=name`.
    """
    return _Acceptance(name, limits, (width_px, height_px), fit, keep_whole).accept(data)


@dataclass(frozen=True)
class _Acceptance:
    name: str
    limits: PictureLimits
    shape: tuple[int, int]
    fit: Fit
    keep_whole: bool

    def accept(self, data: bytes) -> AcceptedPicture:
        kind = self._judge_file(data)
        try:
            file = read_picture_file(data, kind)
        except PictureFileDamaged as damage:
            self._refuse(f"the {kind} file {damage}.", _FETCH_AGAIN)
        self._judge_size(file)
        picture = self._decode(file, kind)
        notes: list[str] = []
        if file.is_animated:
            notes.append("used only the first frame of an animation")
        if file.orientation != 1:
            notes.append("turned upright as its EXIF orientation says")
            picture = picture.transpose(_UPRIGHT_BY[file.orientation])
        framing = plan_framing(
            picture.size,
            self.shape,
            self.fit,
            min_side_px=self.limits.min_side_px,
            max_side_px=self.limits.max_side_px,
        )
        if framing is None:
            self._refuse(
                f"a picture of the shape {self.shape[0]}:{self.shape[1]} cannot keep the provider's limits.",
                "Choose a size that is less narrow.",
            )
        if self.keep_whole and self.fit == "cover" and framing.box != (0, 0, *framing.source):
            whole = plan_whole(
                picture.size, min_side_px=self.limits.min_side_px, max_side_px=self.limits.max_side_px
            )
            if whole is not None:  # else too narrow a strip: cropped after all
                notes.append(crop_in_words(framing, self.shape))
                framing = whole
        decoded = picture
        picture, converted = to_srgb(picture, is_deep=file.is_deep)
        is_same = picture is decoded and framing.is_unchanged and file.orientation == 1
        del decoded
        notes += converted
        picture, framed = apply_framing(picture, framing, self.shape)
        notes += framed
        if is_same and not (file.is_animated and kind == "WEBP"):
            sent, sent_kind = self._as_given(data, file, notes), kind
        else:
            sent, sent_kind, picture = self._encode(picture, file.is_lossless, notes)
        media_type, suffix = _MEDIA[sent_kind]
        return AcceptedPicture(
            data=sent,
            media_type=media_type,
            suffix=suffix,
            sha256=hashlib.sha256(sent).hexdigest(),
            source_sha256=hashlib.sha256(data).hexdigest(),
            width_px=picture.width,
            height_px=picture.height,
            warnings=tuple(notes),
        )

    def _refuse(self, detail: str, hint: str | None = None) -> NoReturn:
        raise ImageInvalid(detail[:1].upper() + detail[1:], field=self.name, hint=hint)

    def _judge_file(self, data: bytes) -> PictureKind:
        if not data:
            self._refuse("the file is empty.")
        if len(data) > self.limits.max_bytes:
            most_mb = self.limits.max_bytes / 1e6
            self._refuse(
                f"the file has {len(data) / 1e6:.1f} MB; at most {most_mb:g} MB are taken.",
                "Save it as JPEG, or with smaller sides.",
            )
        kind = picture_kind(data)
        if kind is None:
            what, hint = describe(data)
            self._refuse(f"the file is {what}; JPEG, PNG, BMP and WEBP pictures are taken.", hint)
        return kind

    def _judge_size(self, file: PictureFile) -> None:
        width, height = file.width_px, file.height_px
        if file.orientation >= 5:
            width, height = height, width
        if width * height > self.limits.max_pixels:
            self._refuse(
                f"the picture has {width}x{height} pixels ({width * height / 1e6:.0f} megapixels); "
                f"at most {self.limits.max_pixels / 1e6:.0f} megapixels are taken.",
                f"Scale it down to at most {self.limits.max_side_px} pixels a side.",
            )
        least = self.limits.min_side_px
        if min(width, height) < least:
            # The size that keeps the aspect and is just large enough: the nearest way out.
            factor = least / max(1, min(width, height))
            enough = f"{math.ceil(width * factor)}x{math.ceil(height * factor)}"
            self._refuse(
                f"the picture is {width}x{height} (width x height); each side needs at least {least} pixels.",
                f"Give the picture at {enough} or larger.",
            )

    def _decode(self, file: PictureFile, kind: PictureKind) -> Image.Image:
        try:
            picture = Image.open(io.BytesIO(file.bare), formats=[kind])
            # A file with two headers shows one size to us and another to the decoder.
            if picture.size != (file.width_px, file.height_px):
                self._refuse(f"the {kind} file contradicts itself about its size.", _FETCH_AGAIN)
            picture.load()
        except UnidentifiedImageError:
            self._refuse(f"the {kind} file is damaged: its header makes no sense.", _FETCH_AGAIN)
        except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
            self._refuse(f"the {kind} file is cut short or damaged: {error}.", _FETCH_AGAIN)
        return picture

    def _as_given(self, data: bytes, file: PictureFile, notes: list[str]) -> bytes:
        """The file with the same pixels, less what should not leave this machine."""
        if file.tells_place:
            notes.append("removed the location data and other metadata; the pixels are untouched")
        if file.hidden_bytes:
            notes.append(f"removed {file.hidden_bytes} bytes hidden behind the end of the picture")
        return file.bare if file.tells_place or file.hidden_bytes or file.is_animated else data

    def _encode(
        self, picture: Image.Image, is_lossless: bool, notes: list[str]
    ) -> tuple[bytes, PictureKind, Image.Image]:
        """The picture as a new file without metadata, made smaller if it would break the limit of bytes."""
        # What rode along in the decoded file (EXIF, profile, comment) must not be written again.
        picture.info.clear()
        if is_lossless:
            png = _Bounded(min(_MAX_PNG_BYTES, self.limits.max_bytes))
            try:
                picture.save(png, "PNG")
                return png.getvalue(), "PNG", picture
            except _BoundReachedError:
                notes.append("saved as JPEG, since it would be too large as PNG")
        while True:
            jpeg = io.BytesIO()
            picture.save(jpeg, "JPEG", quality=_JPEG_QUALITY, subsampling="4:4:4")
            surplus = jpeg.tell() / self.limits.max_bytes
            if surplus <= 1:
                return jpeg.getvalue(), "JPEG", picture
            before = picture.size
            factor = max(0.95 / math.sqrt(surplus), self.limits.min_side_px / min(before))
            if factor >= 1:
                self._refuse(
                    "the picture cannot be saved within the limit of bytes.", "Give a simpler picture."
                )
            picture = picture.resize(
                (round(before[0] * factor), round(before[1] * factor)), Image.Resampling.LANCZOS
            )
            notes.append(
                f"scaled down from {before[0]}x{before[1]} to {picture.width}x{picture.height} to keep "
                f"{self.limits.max_bytes / 1e6:g} MB"
            )


class _BoundReachedError(Exception):
    pass


class _Bounded(io.BytesIO):
    """A buffer that stops the writer early, so that a hopeless PNG costs neither time nor memory."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__()
        self._max_bytes = max_bytes

    def write(self, data: ReadableBuffer, /) -> int:
        if self.tell() + memoryview(data).nbytes > self._max_bytes:
            raise _BoundReachedError
        return super().write(data)
