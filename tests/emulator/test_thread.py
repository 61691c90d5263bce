"""An emulator for code without an event loop."""

from __future__ import annotations

import json
import urllib.request

import pytest

from wanvideo_emulator import BadFault, EmulatorThread, Options


def test_it_serves_from_a_thread_and_stops_with_the_block() -> None:
    with EmulatorThread(Options(faults=("poll:500*1",))) as emulator:
        control = emulator.origin + "/emulator/truth"
        with urllib.request.urlopen(control) as response:
            assert json.load(response)["faults"] == emulator.truth()["faults"]
        emulator.clear_faults()
        assert emulator.truth()["faults"] == []
        with pytest.raises(BadFault):
            emulator.add_fault("nonsense")
        before = emulator.truth()["now"]
        emulator.advance(3600)
        assert emulator.truth()["now"] - before >= 3600
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(control)


def test_a_taken_port_is_an_error_at_once() -> None:
    with EmulatorThread() as emulator:
        port = int(emulator.origin.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), EmulatorThread(Options(port=port)):
            pass
