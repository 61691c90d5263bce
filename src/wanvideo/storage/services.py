"""The clients of an object store, set up so that waiting stays short and nothing foreign slips in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from wanvideo.errors import SettingsInvalid
from wanvideo.settings import AccessKey
from wanvideo.storage.url import FIELD, Place

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config, S3Credential

    Client = S3Store | GCSStore | AzureStore

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_RETRY: RetryConfig = {
    "max_retries": 3,
    # in all; the jobs come back by themselves, and their patience survives a restart
    "retry_timeout": timedelta(seconds=10),
    "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=2), "base": 2},
}
_TRANSFER_FACTOR = 4
"""One part of an upload may take this many times the silence that is borne: bytes that move are not seen
from outside, and a slow line must not lose a paid clip. Two parts of 5 MiB in 120 s: 0.7 Mbit/s will do."""


@dataclass(frozen=True, slots=True)
class Service:
    """Two clients of one bucket: `quick` asks and answers, `patient` moves files."""

    quick: Client
    patient: Client


def connect(place: Place, key: AccessKey | None, *, connect_timeout_s: float, silence_s: float) -> Service:
    """Clients for a place. Nothing is sent yet. Raises: SettingsInvalid when they can never work."""
    if place.scheme == "oss" and key is None:
        raise SettingsInvalid(
            "There is no key for oss:// storage.",
            field="OSS_ACCESS_KEY_ID",
            hint="Set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or the pair ALIBABA_CLOUD_ACCESS_KEY_....",
        )
    try:
        return Service(
            quick=_client(place, key, _http(place, connect_timeout_s, silence_s)),
            patient=_client(place, key, _http(place, connect_timeout_s, silence_s * _TRANSFER_FACTOR)),
        )
    except (BaseError, ValueError, OSError):  # their texts may quote what a variable holds
        if place.scheme == "az":
            raise SettingsInvalid(
                "The storage account is not named, or its variables make no sense.",
                field=FIELD,
                hint="Add ?account=NAME, or set AZURE_STORAGE_ACCOUNT_NAME.",
            ) from None
        raise SettingsInvalid("The variables of the storage service make no sense.", field=FIELD) from None


def _http(place: Place, connect_timeout_s: float, timeout_s: float) -> ClientConfig:
    options: ClientConfig = {
        "connect_timeout": timedelta(seconds=connect_timeout_s),
        "timeout": timedelta(seconds=timeout_s),
        "user_agent": "wanvideo",
    }
    if place.endpoint is None:
        return options
    at = urlsplit(place.endpoint)
    if at.scheme == "http":
        options["allow_http"] = True
    if at.hostname in _THIS_MACHINE:
        # HTTP_PROXY would catch it: a proxy of its own that excludes it is the only way to say "none"
        options["proxy_url"] = place.endpoint
        options["proxy_excludes"] = ",".join(_THIS_MACHINE)
    return options


def _client(place: Place, key: AccessKey | None, http: ClientConfig) -> Client:
    if place.scheme == "gs":
        return GCSStore(place.bucket, client_options=http, retry_config=_RETRY)
    if place.scheme == "az":
        if place.account:
            return AzureStore(
                place.bucket, account_name=place.account, client_options=http, retry_config=_RETRY
            )
        return AzureStore(place.bucket, client_options=http, retry_config=_RETRY)
    provider = None if key is None else lambda: _credential(key)
    return S3Store(
        place.bucket,
        config=_s3_config(place),
        client_options=http,
        retry_config=_RETRY,
        credential_provider=provider,
    )


def _s3_config(place: Place) -> S3Config:
    """What is said here beats the AWS_... variables, which obstore reads by itself."""
    config: S3Config = {
        "virtual_hosted_style_request": place.style != "path",
        "disable_bulk_delete": True,  # OSS has no such call
    }
    if place.region:
        config["region"] = place.region
    if place.endpoint:
        config["endpoint"] = place.endpoint
        config["aws_endpoint_url_s3"] = place.endpoint  # else a variable of this name would win
    if place.scheme == "oss":  # what is set for AWS must not change how OSS is asked
        config |= {"skip_signature": False, "unsigned_payload": False, "s3_express": False}
    return config


def _credential(key: AccessKey) -> S3Credential:
    """Handed over by a function, for else a session token among the AWS_... variables would be added."""
    return {
        "access_key_id": key.id.get_secret_value(),
        "secret_access_key": key.secret.get_secret_value(),
        "token": key.token.get_secret_value() if key.token else None,
        "expires_at": None,
    }
