"""What every test may use: the asyncio backend, and `@pytest.mark.needs("ffprobe")` for system programs."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent.parent / "scripts" / "programs.txt"
MISSING = "missing program"  # the key under which a skipped test's report names what it lacked


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*programs): skip where one of these system programs is missing")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        missing = [program for program in mark.args if shutil.which(program) is None]
        item.user_properties += [(MISSING, program) for program in missing]
        if missing:
            pytest.skip(f"needs {', '.join(missing)}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One loud line for each missing program: a skipped test must not look like a passed one."""
    skipped = Counter(
        program
        for report in terminalreporter.stats.get("skipped", [])
        for key, program in getattr(report, "user_properties", ())
        if key == MISSING
    )
    for program, count in sorted(skipped.items()):
        tests = "1 test was" if count == 1 else f"{count} tests were"
        package = debian_packages().get(str(program), str(program))
        hint = f"apt-get install {package}, or ./check as root on Debian"
        terminalreporter.write_line(
            f"NOT TESTED: {tests} skipped, {program} is missing here ({hint})", red=True
        )


def debian_packages() -> dict[str, str]:
    """The Debian package of each program that tests may need, from scripts/programs.txt."""
    lines = [line for line in PROGRAMS.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split() for line in lines)
