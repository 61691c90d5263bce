"""From settings to a store: a folder unless a storage URL names something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from wanvideo.ports import VideoStore
from wanvideo.settings import AccessKey
from wanvideo.storage.local import LocalStore
from wanvideo.storage.url import place_of


def _no_key(_: str) -> None:
    return None


def open_store(
    storage_url: str | None,
    folder: Path,
    *,
    public_url: str | None = None,
    link_ttl_s: int = 86_400,
    access_key: Callable[[str], AccessKey | None] = _no_key,
    connect_timeout_s: float = 5,
    silence_s: float = 30,
) -> VideoStore:
    """The store that a storage URL names; `folder` when there is none. No service is asked anything yet.

    `access_key` finds the key for a scheme (Settings.access_key); where it finds none, the service's own
    ways of finding one are used. Raises: SettingsInvalid.
    """
    place = folder if storage_url is None else place_of(storage_url)
    if isinstance(place, Path):
        return LocalStore(place.absolute(), public_url)
    from wanvideo.storage.remote import RemoteStore  # loads obstore: only who stores remotely needs it
    from wanvideo.storage.services import connect

    service = connect(
        place, access_key(place.scheme), connect_timeout_s=connect_timeout_s, silence_s=silence_s
    )
    return RemoteStore(place, service, public_url=public_url, link_ttl_s=link_ttl_s)
