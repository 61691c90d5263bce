"""`./wanvideo` sets itself up once, stays out of the way afterwards, and mends what was left half done."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Checkout

OFFLINE = "error: Request failed after 3 retries\n  cause: dns error"
INSTALLS = 2  # calls of `uv pip install` that one set-up makes: the lock, then wanvideo itself


def installs(calls: list[str]) -> list[str]:
    return [call for call in calls if call.startswith("uv pip install")]


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def test_the_first_start_sets_up_and_runs_where_the_user_is(checkout: Checkout) -> None:
    run = checkout.wanvideo("generate", "a b")
    assert run.stdout == f"{checkout.user_folder} generate a b\n"  # stdout is the command's alone
    assert run.returncode == 0
    said = run.stderr.splitlines()
    assert said[0] == "wanvideo: setting up in .venv (once, about 20 s) ..."
    assert said[1].startswith("wanvideo: ready after ")
    assert len(said) == 2
    locked, editable = installs(checkout.calls())
    assert locked.endswith("--require-hashes -r requirements.lock")
    assert editable.endswith("--no-deps --editable .")


def test_the_second_start_hands_over_at_once(checkout: Checkout) -> None:
    checkout.wanvideo("x")
    checkout.calls()
    run = checkout.wanvideo("y")
    assert (run.stdout, run.stderr) == (f"{checkout.user_folder} y\n", "")
    assert checkout.calls() == []  # neither uv nor a Python was started


def test_the_first_start_leaves_the_commands_input_alone(checkout: Checkout) -> None:
    assert checkout.wanvideo("-", stdin="a request\n").stdout.endswith("a request\n")


def test_it_works_through_links(checkout: Checkout) -> None:
    near, far = checkout.root.parent / "near", checkout.bin / "far"
    near.symlink_to("my checkout/wanvideo")
    far.symlink_to(near)
    assert checkout.run("far", "x").stdout == f"{checkout.user_folder} x\n"
    assert checkout.run("../near", "x").stdout == f"{checkout.user_folder} x\n"


def test_it_hands_on_how_the_user_called_it(checkout: Checkout) -> None:
    def told(*command: str | Path, **env: str) -> str:
        run = checkout.run(*command, "called", **env)
        assert run.returncode == 0
        return run.stdout.splitlines()[1]

    launcher = checkout.root / "wanvideo"
    (checkout.user_folder / "wanvideo").symlink_to(launcher)
    (checkout.bin / "linked").symlink_to(launcher)
    assert told(launcher) == str(launcher)
    assert told("./wanvideo") == "./wanvideo"
    assert told("sh", "wanvideo") == "./wanvideo"
    assert told("./wanvideo", WANVIDEO_COMMAND="of another clone") == "./wanvideo"
    assert told("sh", "-c", 'linked "$@"', "sh") == "linked"
    (checkout.bin / "wanvideo").symlink_to(launcher)
    assert told("sh", "-c", 'wanvideo "$@"', "sh") == "wanvideo"
    assert told("./wanvideo") == "./wanvideo"


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_a_new_version_is_installed_at_the_next_start(checkout: Checkout, changed: str) -> None:
    checkout.wanvideo("x")
    checkout.calls()
    (checkout.root / changed).write_text("# newer\n")
    assert checkout.wanvideo("y").stdout == f"{checkout.user_folder} y\n"
    assert len(installs(checkout.calls())) == INSTALLS
    assert (checkout.root / ".venv/bin/half-installed").exists()  # what was there is kept


def test_a_python_that_has_gone_is_replaced(checkout: Checkout) -> None:
    checkout.wanvideo("x")
    for link in (checkout.root / ".venv/bin").glob("python*"):
        link.unlink()
        link.symlink_to("/gone/python3.11")
    run = checkout.wanvideo("y")
    assert run.stdout == f"{checkout.user_folder} y\n"
    assert os.path.realpath(checkout.root / ".venv/bin/python") != "/gone/python3.11"


def test_a_checkout_that_was_moved_is_set_up_anew(checkout: Checkout) -> None:
    checkout.wanvideo("x")
    checkout.calls()
    moved = checkout.root.rename(checkout.root.parent / "moved")
    assert checkout.run(moved / "wanvideo", "y").stdout == f"{checkout.user_folder} y\n"
    assert len(installs(checkout.calls())) == INSTALLS
    assert str(moved) in (moved / ".venv/bin/wanvideo").read_text()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_set_up_that_was_cut_off_begins_from_nothing(checkout: Checkout, end: signal.Signals) -> None:
    cut = checkout.start(checkout.root / "wanvideo", "x", UV_TAKES_S="30")
    half = checkout.root / ".venv/bin/half-installed"
    wait_until(half.exists)
    (checkout.root / ".venv/half a package").touch()
    os.killpg(cut.pid, end)
    assert cut.communicate(timeout=10)[0] == ""
    assert cut.returncode != 0

    assert checkout.wanvideo("y").stdout == f"{checkout.user_folder} y\n"
    assert not (checkout.root / ".venv/half a package").exists()


def test_without_a_network_it_says_so_and_works_later(checkout: Checkout) -> None:
    run = checkout.wanvideo("x", UV_SAYS=OFFLINE)
    log = checkout.root / ".venv/setup.log"
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr.splitlines()[1:] == [
        f"wanvideo: could not reach the package index; run this again when online (details: {log})"
    ]
    assert OFFLINE in log.read_text()
    assert checkout.wanvideo("y").stdout == f"{checkout.user_folder} y\n"


def test_any_other_failure_points_to_the_log(checkout: Checkout) -> None:
    run = checkout.wanvideo("x", UV_SAYS="error: Hash mismatch for `numpy`")
    log = checkout.root / ".venv/setup.log"
    assert run.returncode == 1
    assert run.stderr.splitlines()[1:] == [
        f"wanvideo: set-up failed: the packages could not be installed (details: {log})"
    ]


def test_two_first_starts_make_one_set_up(checkout: Checkout) -> None:
    both = [checkout.start(checkout.root / "wanvideo", word, UV_TAKES_S="0.3") for word in ("x", "y")]
    ends = [process.communicate(timeout=30) for process in both]
    assert [out for out, _ in ends] == [f"{checkout.user_folder} x\n", f"{checkout.user_folder} y\n"]
    assert len(installs(checkout.calls())) == INSTALLS
    said = sorted(err.splitlines()[0] for _, err in ends)
    assert said == [
        "wanvideo: another process is setting up; waiting for it ...",
        "wanvideo: setting up in .venv (once, about 20 s) ...",
    ]


def test_an_old_python_is_named(checkout: Checkout) -> None:
    checkout.program("python3", "#!/bin/sh\necho old 3.9.2 /usr/bin/python3.9\n")
    run = checkout.wanvideo("x")
    assert run.returncode == 1
    assert run.stderr == (
        "wanvideo: needs Python 3.11 or newer; this machine has 3.9.2. Install one and run this again.\n"
    )
    assert not (checkout.root / ".venv").exists()


def test_a_newer_python_beside_an_old_one_is_found(checkout: Checkout) -> None:
    (checkout.bin / "python3").rename(checkout.bin / "python3.12")
    checkout.program("python3", "#!/bin/sh\necho old 3.9.2 /usr/bin/python3.9\n")
    assert checkout.wanvideo("x").stdout == f"{checkout.user_folder} x\n"


def test_no_python_at_all_is_said(checkout: Checkout) -> None:
    (checkout.bin / "python3").unlink()
    run = checkout.wanvideo("x")
    assert run.returncode == 1
    assert "this machine has none" in run.stderr


def test_a_broken_shim_is_passed_over(checkout: Checkout) -> None:
    (checkout.bin / "python3").rename(checkout.bin / "python3.13")
    checkout.program("python3", "#!/bin/sh\necho 'python3: command not found in this shim' >&2\nexit 127\n")
    assert checkout.wanvideo("x").returncode == 0


def test_the_shells_own_python_settings_do_not_reach_the_set_up(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "venv.py").write_text("raise SystemExit('the wrong venv')")
    assert checkout.wanvideo("x", PYTHONPATH=str(tmp_path), PYTHONHOME="").returncode == 0
