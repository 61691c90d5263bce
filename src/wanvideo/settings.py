"""Every setting, read once at the edge into one frozen value; docs/settings.md mirrors this table."""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from wanvideo.errors import SettingsInvalid

APP_FOLDER = "ai-video-wan-video"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """What an object store asks for; a temporary key has a token besides."""

    id: SecretStr
    secret: SecretStr
    token: SecretStr | None = None


def _secret(variable: str, description: str) -> Any:
    return Field(None, validation_alias=variable, description=description)


class Settings(BaseModel):
    """Built once by `Settings.read()` and handed down; no other module looks at the environment."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, allow_inf_nan=False
    )

    api_key: SecretStr | None = Field(
        None, validation_alias="DASHSCOPE_API_KEY", description="DashScope key; beats the credentials file."
    )
    profile: str = Field(
        "default",
        validation_alias="ALIBABA_CLOUD_PROFILE",
        description="Section of ~/.alibabacloud/credentials whose `dashscope_api_key` is used.",
    )
    base_url: str | None = Field(
        None,
        validation_alias="DASHSCOPE_HTTP_BASE_URL",
        description="Endpoint, ending in /api/v1; the region's own when left out.",
    )
    region: Literal["beijing", "singapore"] = Field(
        "beijing", validation_alias="WANVIDEO_REGION", description="Endpoint and price list."
    )
    workspace: str | None = Field(
        None, validation_alias="DASHSCOPE_WORKSPACE_ID", description="Workspace id, sent as a header."
    )
    output_dir: Path = Field(
        Path("output"), validation_alias="OUTPUT_DIR", description="Parent of ai-video-wan-video/."
    )
    provider: Literal["dashscope", "preview"] | None = Field(
        None,
        validation_alias="WANVIDEO_PROVIDER",
        description="dashscope or preview; dashscope when a key is found.",
    )
    database_url: str | None = Field(
        None,
        validation_alias="WANVIDEO_DATABASE_URL",
        description="Ledger; a SQLite file beside the clips when left out.",
    )
    storage_url: str | None = Field(
        None,
        validation_alias="WANVIDEO_STORAGE_URL",
        description="Clips and pictures: a folder, s3://, oss://, gs:// or az://; OUTPUT_DIR when left out.",
    )
    public_url: str | None = Field(
        None,
        validation_alias="WANVIDEO_PUBLIC_URL",
        description="Web address of the same place; links to clips start with it instead of being signed.",
    )
    link_ttl_s: int = Field(
        86_400,
        ge=60,
        le=604_800,  # S3, OSS and GCS sign for seven days at most
        validation_alias="WANVIDEO_LINK_TTL",
        description="Seconds a signed link to a stored clip lives.",
    )
    aws_key_id: SecretStr | None = _secret("AWS_ACCESS_KEY_ID", "Access key for s3:// storage.")
    aws_key_secret: SecretStr | None = _secret("AWS_SECRET_ACCESS_KEY", "Its secret.")
    aws_token: SecretStr | None = _secret("AWS_SESSION_TOKEN", "Its session token, when it is temporary.")
    oss_key_id: SecretStr | None = _secret("OSS_ACCESS_KEY_ID", "Access key for oss:// storage.")
    oss_key_secret: SecretStr | None = _secret("OSS_ACCESS_KEY_SECRET", "Its secret.")
    oss_token: SecretStr | None = _secret("OSS_SESSION_TOKEN", "Its session token, when it is temporary.")
    alibaba_key_id: SecretStr | None = _secret(
        "ALIBABA_CLOUD_ACCESS_KEY_ID", "The same, when OSS_ACCESS_KEY_ID is not set."
    )
    alibaba_key_secret: SecretStr | None = _secret("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "Its secret.")
    alibaba_token: SecretStr | None = _secret("ALIBABA_CLOUD_SECURITY_TOKEN", "Its session token.")
    max_cost_cny: Decimal | None = Field(
        None, ge=0, validation_alias="WANVIDEO_MAX_COST", description="Refuse a clip above this many yuan."
    )
    daily_budget_cny: Decimal | None = Field(
        None,
        ge=0,
        validation_alias="WANVIDEO_DAILY_BUDGET",
        description="No clip is begun that would bring a day's spending above this many yuan.",
    )
    keep_source: bool = Field(
        True,
        validation_alias="WANVIDEO_KEEP_SOURCE",
        description="Keep the provider's own file beside a conformed one.",
    )
    running_tasks: int = Field(
        5, ge=1, validation_alias="WANVIDEO_RUNNING_TASKS", description="Tasks at the provider at once."
    )
    submits_per_s: float = Field(
        5,
        gt=0,
        validation_alias="WANVIDEO_SUBMIT_RATE",
        description="Creates a second, shared by all processes of the account; the provider's limit is 5.",
    )
    queries_per_s: float = Field(
        15,
        gt=0,
        validation_alias="WANVIDEO_QUERY_RATE",
        description="Polls, lists and cancels a second, shared likewise; the provider's own limit is 20.",
    )
    connect_timeout_s: float = Field(
        5, gt=0, validation_alias="WANVIDEO_CONNECT_TIMEOUT", description="Seconds to reach the provider."
    )
    submit_timeout_s: float = Field(
        60,
        gt=0,
        le=120,  # reconcile looks for a lost submit's task in the three minutes after its start
        validation_alias="WANVIDEO_SUBMIT_TIMEOUT",
        description="Seconds for a create; the provider reads the picture meanwhile.",
    )
    query_timeout_s: float = Field(
        15, gt=0, validation_alias="WANVIDEO_QUERY_TIMEOUT", description="Seconds for a poll, list or cancel."
    )
    transfer_timeout_s: float = Field(
        30,
        gt=0,
        validation_alias="WANVIDEO_TRANSFER_TIMEOUT",
        description="Seconds without a byte before an upload or download is given up.",
    )
    lease_s: float = Field(
        30, ge=1, validation_alias="WANVIDEO_LEASE", description="Seconds a silent worker keeps a job."
    )
    absence_gap_s: float = Field(
        30,
        ge=0,
        validation_alias="WANVIDEO_ABSENCE_GAP",
        description="Seconds between the two empty task lists that prove an uncertain submit absent.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", validation_alias="WANVIDEO_LOG", description="Log lines on stderr."
    )
    failpoint: str | None = Field(
        None, validation_alias="WANVIDEO_FAILPOINT", description="Tests only: die at a named point."
    )

    @field_validator("base_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must start with http:// or https:// and name a host")
        if not parts.path.strip("/"):
            raise ValueError("has no path; it usually ends in /api/v1")
        return value.strip().rstrip("/")

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        parts = urlsplit(value.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must start with http:// or https:// and name a host")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("must be a plain address, without user, `?` and `#`")
        return value.strip().rstrip("/")

    @field_validator("output_dir")
    @classmethod
    def _home(cls, value: Path) -> Path:
        return value.expanduser()  # a `.env` is not read by a shell, which would do it

    @property
    def app_dir(self) -> Path:
        """The folder that holds clips, ledger and work files."""
        return self.output_dir / APP_FOLDER

    def access_key(self, scheme: str) -> AccessKey | None:
        """The key for a kind of storage, or None where the service's own ways of finding one are to be used.

        Raises: SettingsInvalid when only one half of a key is set.
        """
        for owner in {"s3": ("aws",), "oss": ("oss", "alibaba")}.get(scheme, ()):
            key_id, secret, token = (
                getattr(self, f"{owner}_{part}") for part in ("key_id", "key_secret", "token")
            )
            if key_id and secret:
                return AccessKey(key_id, secret, token)
            if key_id or secret:
                missing = type(self).model_fields[f"{owner}_key_{'secret' if key_id else 'id'}"]
                raise SettingsInvalid(
                    "It is not set, but the other half of the key is.", field=str(missing.validation_alias)
                )
        return None

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """The settings of this process: overrides, then the environment, then `.env` of the working folder.

        Raises: SettingsInvalid naming the variable and what is wrong; a value is never printed.
        """
        given: dict[str, Any] = {}
        if environ is None:
            given.update(_dotenv(Path(".env")))
            environ = os.environ
        given.update(environ)
        known = {str(f.validation_alias): name for name, f in cls.model_fields.items()}
        _refuse_typos(given, known)
        values = {known[k]: v for k, v in given.items() if k in known and v != ""}
        values.update({name: value for name, value in overrides.items() if value is not None})
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            name = str(first["loc"][0])
            variable = next((alias for alias, field in known.items() if name in (field, alias)), name)
            reason = first["msg"].removeprefix("Value error, ")
            raise SettingsInvalid(f"{reason[:1].upper()}{reason[1:]}.", field=str(variable)) from None


def _dotenv(path: Path) -> dict[str, str]:
    """What `.env` sets, or nothing when there is none. Raises: SettingsInvalid."""
    try:
        return {name: value for name, value in dotenv_values(path).items() if value is not None}
    except (UnicodeDecodeError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsInvalid(f"It cannot be read: {why}.", field=".env", hint="Save it as UTF-8.") from None


def _refuse_typos(given: Mapping[str, str], known: Collection[str]) -> None:
    """A misspelt limit must not count as no limit. Raises: SettingsInvalid."""
    for name in given:
        if name.startswith("WANVIDEO_") and name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
            if close:
                raise SettingsInvalid(
                    "There is no such setting.", field=name, hint=f"Did you mean {close[0]}?"
                )


def command_name(environ: Mapping[str, str] | None = None) -> str:
    """How the user calls this program, for the commands we print; the launcher of a clone tells it."""
    return shlex.quote((os.environ if environ is None else environ).get("WANVIDEO_COMMAND") or "wanvideo")
