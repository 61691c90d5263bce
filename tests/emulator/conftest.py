"""What every test of the emulator may use: a bare client, a small picture, a valid create."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from .bare import MODEL, Raw, data_uri, encoded, painted


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    async with aiohttp.ClientSession() as session:
        yield Raw(session)


@pytest.fixture(scope="session")
def clips_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared by all emulators of a test run, so that the same clip is rendered once."""
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def picture() -> bytes:
    return encoded(painted())


@pytest.fixture(scope="session")
def picture_uri(picture: bytes) -> str:
    return data_uri(picture)


@pytest.fixture(scope="session")
def body(picture_uri: str) -> dict[str, Any]:
    """A complete, valid create; copy it before changing it (`body | {...}`)."""
    return {
        "model": MODEL,
        "input": {"prompt": "push in", "img_url": picture_uri},
        "parameters": {"resolution": "720P", "duration": 2, "audio": False, "seed": 7},
    }
