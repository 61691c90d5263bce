"""What a bench ran on."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def machine() -> str:
    """What it ran on, and how busy that was."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    processor = names[0] if names else platform.processor() or platform.machine()
    python = platform.python_version()
    return f"{processor}, {os.cpu_count()} cores{load}; {platform.system()}, Python {python}"
