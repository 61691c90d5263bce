"""A test that needs a program this machine lacks is skipped, and nobody can overlook it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

SUITE = """
import pytest

@pytest.mark.needs("sh")
def test_here(): pass

@pytest.mark.needs("sh", "no-such-program")
def test_missing(): raise AssertionError("this must not run")

@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.needs("another-program")
def test_missing_twice(number): raise AssertionError("this must not run")
"""


def test_each_missing_program_is_named_once_at_the_end_with_the_package_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "programs.txt").write_text("# program, package\nno-such-program  its-package\n")
    (tmp_path / "tests").mkdir()
    shutil.copy(HERE / "conftest.py", tmp_path / "tests")
    (tmp_path / "tests" / "test_suite.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    command = [sys.executable, "-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider", "--strict-markers"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    loud = [line for line in run.stdout.splitlines() if line.startswith("NOT TESTED")]
    some, one = loud
    assert some.startswith("NOT TESTED: 2 tests were skipped, another-program is missing here (")
    assert one.startswith("NOT TESTED: 1 test was skipped, no-such-program is missing here (")
    assert "apt-get install its-package" in one
    assert "1 passed, 3 skipped" in run.stdout
    assert run.returncode == 0
