"""The lock check finds what would make a set-up unsafe or different from machine to machine."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent
HASH = "--hash=sha256:" + "0" * 64
GOOD = (
    f'numpy==2.4.6 ; python_full_version < "3.12" \\\n    {HASH}\n    # via\n    #   -c requirements.lock\n'
)


@pytest.fixture(scope="module")
def locks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("locks", ROOT / "scripts/locks.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_pinned_and_hashed_lock_is_fine(locks: ModuleType) -> None:
    assert locks.text_faults("a.lock", GOOD) == []


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (f"--index-url https://mirror.invalid/simple\n{GOOD}", "an address or an option"),
        (f"numpy @ https://mirror.invalid/numpy.whl {HASH}\n", "an address or an option"),
        (f"--find-links wheels\n{GOOD}", "an address or an option"),
        ("numpy==2.4.6\n", "numpy has no hash"),
        (f"numpy>=2 {HASH}\n", "numpy is not pinned"),
    ],
)
def test_what_makes_a_lock_unsafe_is_named(locks: ModuleType, bad: str, said: str) -> None:
    (fault,) = locks.text_faults("a.lock", bad)
    assert said in fault
    assert fault.endswith("run scripts/lock")


def test_a_dependency_that_the_lock_forgot_is_named(locks: ModuleType) -> None:
    assert locks.unmet("a.lock", ["NumPy>=2.3"], GOOD) == []
    assert locks.unmet("a.lock", ["pillow>=13"], GOOD)[0].startswith("a.lock does not meet pillow>=13")
    assert locks.unmet("a.lock", ["numpy>=3"], GOOD)[0].startswith("a.lock does not meet numpy>=3")
    assert locks.unmet("a.lock", ['pywin32; sys_platform == "no-such-system"'], GOOD) == []


def test_the_tools_may_not_change_what_users_get(
    locks: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scripts").mkdir()
    for name in (locks.RUNTIME, locks.UV, "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    development = (ROOT / locks.DEVELOPMENT).read_text()
    newer = "\n".join(
        "pillow==99.0 \\" if line.startswith("pillow==") else line for line in development.split("\n")
    )
    (tmp_path / locks.DEVELOPMENT).write_text(newer)
    monkeypatch.setattr(locks, "ROOT", tmp_path)
    (fault,) = locks.faults()
    assert "it lacks pillow==" in fault
