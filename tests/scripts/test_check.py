"""`./check` runs every step, says which failed, and gets the programs that tests need where it may."""

from __future__ import annotations

from .conftest import Checkout

STEPS = ["locks", "format", "lint", "types", "floors", "page", "tests"]
FINE = "#!/bin/sh\nexit 0\n"
FAILING = "#!/bin/sh\necho 'something is wrong'\nexit 1\n"


def with_tools(checkout: Checkout, **tools: str) -> Checkout:
    """Has the development set-up done, with these tools in place of the real ones."""
    checkout.run(checkout.root / "check", "page")
    for name in ("ruff", "mypy", "lint-imports", "python", "git"):
        path = checkout.root / ".venv/bin" / name
        path.unlink(missing_ok=True)
        path.write_text(tools.get(name, FINE))
        path.chmod(0o755)
    return checkout


def headings(output: str) -> list[str]:
    return [line.removeprefix("== ") for line in output.splitlines() if line.startswith("== ")]


def test_it_installs_the_development_lock(checkout: Checkout) -> None:
    run = checkout.run(checkout.root / "check", "page")
    assert run.returncode == 0
    assert "There is no page yet." in run.stdout
    calls = checkout.calls()
    assert any(call.endswith("--require-hashes -r requirements-dev.lock") for call in calls)
    # that set-up serves ./wanvideo too, and the next ./check
    assert checkout.wanvideo("x").stderr == ""
    assert checkout.run(checkout.root / "check", "page").stderr == ""
    assert checkout.calls() == []


def test_all_steps_run_in_order_and_end_well(checkout: Checkout) -> None:
    run = with_tools(checkout).run(checkout.root / "check")
    assert headings(run.stdout) == STEPS
    assert run.stdout.splitlines()[-1].startswith("check: all is well (")
    assert run.returncode == 0


def test_a_failed_step_stops_nothing_but_the_verdict(checkout: Checkout) -> None:
    run = with_tools(checkout, ruff=FAILING).run(checkout.root / "check")
    assert headings(run.stdout) == STEPS
    assert run.stdout.splitlines()[-1].startswith("check: FAILED: format lint (")
    assert run.returncode == 1


def test_single_steps_and_words_for_pytest(checkout: Checkout) -> None:
    echo = '#!/bin/sh\necho python "$@"\n'
    run = with_tools(checkout, python=echo).run(checkout.root / "check", "tests", "--", "-k", "seed")
    assert headings(run.stdout) == ["tests"]
    assert "python -m pytest -n 2 -k seed\n" in run.stdout


def test_an_unknown_step_is_refused_with_the_list(checkout: Checkout) -> None:
    run = checkout.run(checkout.root / "check", "linting")
    assert run.returncode == 2
    assert run.stderr == f"check: there is no step 'linting'; the steps are: {' '.join(STEPS)}\n"
    assert checkout.calls() == []


def test_a_tracked_uv_lock_is_refused(checkout: Checkout) -> None:
    run = with_tools(checkout, git="#!/bin/sh\necho uv.lock\n").run(checkout.root / "check", "locks")
    assert "uv.lock is in git" in run.stdout
    assert run.returncode == 1


def test_missing_programs_are_named_where_they_cannot_be_installed(checkout: Checkout) -> None:
    with_tools(checkout)
    (checkout.root / "scripts/programs.txt").write_text("# a list\n\nsh dash\nmissing-one its-package\n")
    run = checkout.run(checkout.root / "check", "tests")
    assert "Missing here: its-package (this is not Debian).\n" in run.stdout
    assert run.returncode == 0


def test_missing_programs_are_installed_by_root_on_debian(checkout: Checkout) -> None:
    with_tools(checkout)
    (checkout.root / "scripts/programs.txt").write_text("one its-package\nother its-package\nthird more\n")
    (checkout.bin / "id").unlink()
    checkout.program("id", "#!/bin/sh\necho 0\n")
    # the first try fails, as on a machine whose package lists were never fetched
    checkout.program(
        "apt-get",
        '#!/bin/sh\necho "apt-get $*" >>"$CALLS"\n'
        'case "$*" in *update*) : >"$HOME/lists" ;; esac\n[ -e "$HOME/lists" ]\n',
    )
    checkout.calls()
    run = checkout.run(checkout.root / "check", "tests")
    assert "Installing its-package more ...\n" in run.stdout
    assert "did not work" not in run.stdout
    assert [call.split("Timeout=300 ")[1] for call in checkout.calls()] == [
        "install --yes --no-install-recommends its-package more",
        "update",
        "install --yes --no-install-recommends its-package more",
    ]
