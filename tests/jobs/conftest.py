"""An engine on fakes for each test."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fakes.bench import Bench

logging.getLogger("aiosqlite").setLevel(logging.WARNING)  # else a failed test shows every statement


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = await Bench.open(tmp_path)
    yield made
    await made.ledger.close()
