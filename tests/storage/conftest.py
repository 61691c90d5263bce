"""Servers that run while the tests of this folder do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.buckets import Moto, Nanio, moto_running, nanio_running


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with moto_running() as server:
        yield server


@pytest.fixture(scope="session")
def nanio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nanio]:
    with nanio_running(tmp_path_factory.mktemp("nanio")) as server:
        yield server


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "work.mp4"
    path.write_bytes(b"clip" * 1000)
    return path


@pytest.fixture
def big_clip(tmp_path: Path) -> Path:
    """Big enough to be sent in parts."""
    path = tmp_path / "big.mp4"
    path.write_bytes(bytes(range(256)) * (12 << 12))
    return path


@pytest.fixture(autouse=True)
def no_keys_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """obstore reads these by itself."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
