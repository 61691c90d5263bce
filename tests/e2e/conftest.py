"""`desk` makes previews, `wan` has an emulated provider, `open_desk` sets up any other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from wanvideo_emulator import EmulatorThread, Options

from .desk import Desk, painted

OpenDesk = Callable[..., Desk]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of this run: clips and bytecode are made once."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture
def open_desk(tmp_path: Path, shared_folder: Path) -> Iterator[OpenDesk]:
    """`open_desk(faults=("submit:drop*1",))`: the keywords are those of the emulator's Options."""
    with ExitStack() as opened:

        def open_(*, provider: bool = True, **options: Any) -> Desk:
            quick = {"speed": 1000.0, "submit_per_s": 0, "query_per_s": 0, "pending_s": (0, 0)}
            clips = shared_folder / "emulated-clips"
            emulator = None
            if provider:
                chosen = Options(**{**quick, "clips_folder": clips, **options})
                emulator = opened.enter_context(EmulatorThread(chosen))
            number = len(list(tmp_path.iterdir()))
            desk = Desk(tmp_path / f"desk{number}", emulator, shared_folder / "bytecode")
            desk.folder.mkdir()
            painted().save(desk.folder / "boat.png")
            return desk

        yield open_


@pytest.fixture
def wan(open_desk: OpenDesk) -> Desk:
    return open_desk()


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return open_desk(provider=False)
