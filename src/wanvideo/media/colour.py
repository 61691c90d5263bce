"""Any decoded picture to plain 8-bit RGB in sRGB, which is what the model reads; each step told in words."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageCms

_WHITE = (255, 255, 255)
_ICC_MODES = {"RGB ": "RGB", "CMYK": "CMYK", "GRAY": "L"}
# A profile that moves no colour by more than this (of 255) is sRGB under whatever name.
_SAME_COLOUR = 3


def to_srgb(picture: Image.Image, *, is_deep: bool) -> tuple[Image.Image, tuple[str, ...]]:
    """`picture` as mode RGB in sRGB, and what was changed; the same object and () when it already was.

    `is_deep` says that the file holds 16 bits a channel. Peak memory: about two pictures of 4 bytes a pixel.
    """
    profile_bytes: bytes | None = picture.info.get("icc_profile")
    notes: list[str] = []
    if is_deep:
        notes.append("reduced from 16 to 8 bits a channel")
    if picture.mode.startswith("I"):
        deep = np.asarray(picture)
        picture = Image.fromarray((deep >> 8).astype(np.uint8), "L")
    if picture.mode in ("P", "1", "PA") or "transparency" in picture.info:
        has_alpha = "transparency" in picture.info or picture.mode == "PA"
        if not has_alpha:
            notes.append("turned from a palette into full colours")
        picture = picture.convert("RGBA" if has_alpha else "RGB")
    picture, flattened = _without_alpha(picture)
    notes += flattened
    if profile_bytes:
        picture, converted = _by_profile(picture, profile_bytes)
        notes += converted
    if picture.mode != "RGB":
        notes.append(f"converted from {_mode_in_words(picture.mode)} to RGB")
        picture = picture.convert("RGB")
    return picture, tuple(notes)


def _mode_in_words(mode: str) -> str:
    return {"L": "greyscale", "YCbCr": "YCbCr", "LAB": "Lab"}.get(mode, mode)


def _without_alpha(picture: Image.Image) -> tuple[Image.Image, Sequence[str]]:
    if not picture.has_transparency_data:
        return picture, ()
    alpha = picture.getchannel("A")
    least, most = alpha.getextrema()
    if least == 255:
        opaque = picture.convert("L" if picture.mode == "LA" else "RGB")
        return opaque, ("removed an alpha channel that hid nothing",)
    if most == 0:
        # Many writers of 32-bit BMP leave the fourth byte at zero; a picture of nothing is never meant.
        return picture.convert("RGB"), ("ignored an alpha channel that hid the whole picture",)
    flat = Image.new("RGB", picture.size, _WHITE)
    flat.paste(picture, mask=alpha)
    return flat, ("laid the transparent parts on white",)


def _by_profile(picture: Image.Image, profile_bytes: bytes) -> tuple[Image.Image, Sequence[str]]:
    """The picture taken from its own colour profile to sRGB; unchanged if the profile is sRGB or unusable."""
    try:
        profile = ImageCms.getOpenProfile(io.BytesIO(profile_bytes))
        space = _ICC_MODES.get(profile.profile.xcolor_space)
        if space != picture.mode:
            return picture, ("ignored a colour profile that does not fit the picture",)
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            picture.mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if picture.mode == "RGB" and _keeps_colours(transform):
            return picture, ()
        converted = ImageCms.applyTransform(picture, transform)
        name = " ".join(ImageCms.getProfileDescription(profile).split()) or "its own colour profile"
    except (ImageCms.PyCMSError, ValueError) as error:
        return picture, (f"ignored an unreadable colour profile ({error})",)
    assert converted is not None  # only with inPlace
    return converted, (f"converted from {name} to sRGB",)


def _keeps_colours(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether the transform leaves a lattice of 9x9x9 colours where they are."""
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    lattice = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    moved = ImageCms.applyTransform(Image.fromarray(lattice, "RGB"), transform)
    assert moved is not None  # only with inPlace
    return int(np.abs(np.asarray(moved).astype(int) - lattice).max()) <= _SAME_COLOUR
