"""Real trouble for a folder: a disk that fills up, a disk that turns read-only, a folder of somebody else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import asyncio, json, os, resource, sys
from pathlib import Path
from tests.storage.test_keys import job
from wanvideo.errors import StorageFailed
from wanvideo.ports import Keep
from wanvideo.storage.local import LocalStore

async def told(ask):
    try:
        return str(await ask)
    except StorageFailed as error:
        assert error.retryable
        return "failed: " + error.detail

async def main(before, out, clip):
    store = LocalStore(Path(out))
    small = Path(clip).with_name("small.mp4")
    small.write_bytes(b"small")
    first = await store.put_clip(job(), small, Keep.CLIP)
    exec(before)
    answers = [
        await told(store.put_clip(job(), Path(clip), Keep.CLIP)),
        await told(store.put_clip(job(), Path(clip), Keep.SOURCE)),
        await told(store.put_picture(b"x" * 500_000, sha256="abc", suffix=".png")),
        await told(store.probe()),
    ]
    files = {path.name: path.stat().st_size for path in Path(out).rglob("*") if path.is_file()}
    print(json.dumps({"answers": answers, "files": files, "first": Path(first.url).name}))

asyncio.run(main(*sys.argv[1:]))
"""
FULL = "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))"
READ_ONLY = "assert os.system(f'mount -o remount,ro {out}') == 0"
NOT_MINE = """
for folder in (Path(out), *[path for path in Path(out).rglob("*") if path.is_dir()]):
    folder.chmod(0o555)
if os.geteuid() == 0:
    os.setuid(65534)  # rights do not bind root
"""


def run(before: str, out: Path, clip: Path, within: Sequence[str] = ()) -> dict[str, Any]:
    ran = subprocess.run(
        [*within, sys.executable, "-c", PROGRAM, before, str(out), str(clip)],
        capture_output=True, text=True, check=False, timeout=60, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


@pytest.fixture
def half_a_mb(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x" * 500_000)
    return path


@pytest.fixture
def small_disk(tmp_path: Path) -> list[str]:
    """A command that runs another one with a disk of 256 KiB at tmp_path/out, which goes when it ends."""
    (tmp_path / "out").mkdir()
    script = f'mount -t tmpfs -o size=256k none "{tmp_path / "out"}" && exec "$@"'
    within = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("NOT TESTED: only root may mount a small disk")
    if subprocess.run([*within, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("NOT TESTED: nothing may be mounted here")
    return within


def test_a_disk_that_is_full_keeps_what_was_there_and_nothing_half_written(
    small_disk: list[str], half_a_mb: Path
) -> None:
    told = run("", half_a_mb.with_name("out"), half_a_mb, small_disk)
    assert all(answer.endswith("No space left on device.") for answer in told["answers"][:3])
    assert told["answers"][3].endswith("written, read and removed"), "there is room for a few bytes"
    assert told["files"] == {told["first"]: 5}


def test_a_disk_that_turned_read_only_is_told(small_disk: list[str], half_a_mb: Path) -> None:
    told = run(READ_ONLY, half_a_mb.with_name("out"), half_a_mb, small_disk)
    assert all(answer.endswith("Read-only file system.") for answer in told["answers"])
    assert told["files"] == {told["first"]: 5}


def test_a_file_that_may_not_grow_leaves_nothing_half_written(half_a_mb: Path) -> None:
    """The same where nothing can be mounted: the kernel refuses the write in the middle of the file."""
    told = run(FULL, half_a_mb.with_name("out"), half_a_mb)
    assert all(answer.endswith("File too large.") for answer in told["answers"][:3])
    assert told["files"] == {told["first"]: 5}


def test_a_folder_of_somebody_else_is_told(half_a_mb: Path) -> None:
    for folder in half_a_mb.parents:
        if folder.name.startswith(("pytest-", "popen-", "test_")):
            folder.chmod(0o755)  # pytest closes its folders to others; they are to see the clip
    told = run(NOT_MINE, half_a_mb.with_name("out"), half_a_mb)
    assert all(answer.endswith("Permission denied.") for answer in told["answers"])
    assert told["files"] == {told["first"]: 5}
