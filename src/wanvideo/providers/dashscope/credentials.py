"""Where the DashScope key is found: the environment, else the Alibaba Cloud credentials file."""

from __future__ import annotations

import configparser
import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from wanvideo.errors import SettingsInvalid
from wanvideo.settings import Settings

ENVIRONMENT_NAME = "DASHSCOPE_API_KEY"
FILE_OPTION = "dashscope_api_key"
FILE_NAME = ".alibabacloud/credentials"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key and where it came from. Neither `repr` nor `str` shows the key."""

    api_key: SecretStr
    source: str

    @property
    def fingerprint(self) -> str:
        """First 8 hex digits of the key's sha256: tells two keys apart, and tells nothing else."""
        return hashlib.sha256(self.api_key.get_secret_value().encode()).hexdigest()[:8]

    def __repr__(self) -> str:
        return f"Credentials(source={self.source!r}, fingerprint={self.fingerprint!r})"


def find(settings: Settings, home: Path | None = None) -> Credentials | None:
    """The key to use, or None when there is none. The environment wins over the file.

    Raises: SettingsInvalid for a key that no header can carry, for a file that cannot be read, and for
    a section that ALIBABA_CLOUD_PROFILE names but the file does not have. A key is never printed.
    """
    given = settings.api_key.get_secret_value().strip() if settings.api_key else ""
    if given:
        return Credentials(SecretStr(_sound(given, ENVIRONMENT_NAME)), ENVIRONMENT_NAME)
    return _from_file((home or Path.home()) / FILE_NAME, settings.profile)


def _from_file(path: Path, profile: str) -> Credentials | None:
    shown = f"~/{FILE_NAME}"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{shown} cannot be read ({type(error).__name__}).") from None
    # `%` is an ordinary character of a key, and a `[DEFAULT]` section means nothing special here.
    parser = configparser.ConfigParser(interpolation=None, strict=False, default_section="\0")
    try:
        parser.read_string(text)
    except configparser.Error as error:
        # The parser's own message quotes the line, which may hold a key.
        line = getattr(error, "lineno", None) or next((n for n, _ in getattr(error, "errors", ())), None)
        where = f" (line {line})" if line else ""
        raise SettingsInvalid(f"{shown} is not a credentials file{where}.") from None
    if not parser.has_section(profile):
        if profile == "default":
            return None
        raise SettingsInvalid(
            f"{shown} has no section [{profile}].",
            field="ALIBABA_CLOUD_PROFILE",
            hint=f"Sections there: {', '.join(parser.sections()) or 'none'}.",
        )
    value = parser.get(profile, FILE_OPTION, fallback="").strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip()
    source = f"{shown} [{profile}]"
    return Credentials(SecretStr(_sound(value, source)), source) if value else None


def _sound(key: str, source: str) -> str:
    if key.isascii() and key.isprintable() and " " not in key:
        return key
    raise SettingsInvalid(
        "The key holds a space, a line break or another character that no key has.",
        field=source,
        hint="Copy it again from the Model Studio console; it is one word.",
    )
