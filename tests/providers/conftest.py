"""What the tests of the providers share."""

from __future__ import annotations

import socket

import pytest


@pytest.fixture
def unused_url() -> str:
    """The address of a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/api/v1"
