"""What the documentation says about the code is what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta

import typer.main

from wanvideo.cli.main import app
from wanvideo.contract.job import State
from wanvideo.errors import all_errors
from wanvideo.jobs import policy, reconcile
from wanvideo.jobs.failpoints import NAMES
from wanvideo.jobs.storing import AT_RISK, SAME_DAMAGE

from .pages import CHINESE, PAGES, README, ROOT, headings, text_of

CLI, ERRORS, ENGINE = ROOT / "docs/cli.md", ROOT / "docs/errors.md", ROOT / "docs/engine.md"


def commands(group: object, path: tuple[str, ...] = ()) -> list[str]:
    """Every command that does something, as it is typed: `jobs list`."""
    below = getattr(group, "commands", None)
    if below is None:
        return [" ".join(path)]
    return [name for word, command in below.items() for name in commands(command, (*path, word))]


def test_tables_and_help_texts_are_those_of_the_code() -> None:
    script = [sys.executable, str(ROOT / "scripts/docs.py"), "--check"]
    ran = subprocess.run(script, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_generated_part_stands_in_some_page() -> None:
    source = text_of(ROOT / "scripts/docs.py").partition("PARTS:")[2].partition("}")[0]
    parts = re.findall(r'^    "([a-z ]+)":', source, re.MULTILINE)
    everything = "".join(map(text_of, PAGES))
    assert len(parts) > 10
    assert [part for part in parts if f"<!-- begin: {part} -->\n" not in everything] == []


def test_every_command_has_its_help_and_an_example() -> None:
    text = text_of(CLI)
    for name in commands(typer.main.get_command(app)):
        section = re.split(r"^#+ ", text, flags=re.MULTILINE)
        mine = [one for one in section if one.startswith(f"{name}\n")]
        assert mine, f"docs/cli.md has no section for {name}"
        assert f"$ wanvideo {name}" in mine[0], f"no example of {name}"
        assert name == "emulator" or f"<!-- begin: help {name} -->" in mine[0], f"no help of {name}"


def test_every_error_has_its_section() -> None:
    told = [words.strip("`") for level, words in headings(ERRORS) if level == 3]
    assert told == [error.code for error in all_errors()]


def test_both_readmes_name_every_exit_code() -> None:
    real = {error.exit_code for error in all_errors()} | {0, 130}
    for page in (README, CHINESE):
        rows = re.findall(r"^\| (\d+) \| ", text_of(page), re.MULTILINE)
        assert {int(row) for row in rows} == real, page.name


def test_the_engine_page_knows_every_state_and_every_crash() -> None:
    text = text_of(ENGINE)
    crashes = text.partition("## What each crash leads to")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", crashes, re.MULTILINE) == list(NAMES)
    assert [state for state in State if f"`{state}`" not in text] == []


def test_the_engine_page_has_the_numbers_of_the_engine() -> None:
    text = text_of(ENGINE)
    assert timedelta(seconds=2) == reconcile.EARLY_SLACK
    assert timedelta(seconds=10) == reconcile.LATE_SLACK
    assert "from 2 s before it began to 10 s after the line was\n  lost" in text
    assert timedelta(minutes=15) == reconcile.DOUBT_SLACK
    assert "within 15 min of that time" in text
    assert SAME_DAMAGE == 3
    assert "the very same way\n3 times" in text
    assert timedelta(hours=6) == AT_RISK
    assert "From 6 h before" in text
    assert policy.MAX_UNDELIVERED == 8
    assert "8 tries" in text
    assert policy.MAX_TROUBLES == 2
    assert "2 more tasks" in text


def test_the_changelog_has_a_place_for_what_is_new() -> None:
    text = text_of(ROOT / "CHANGELOG.md")
    section = re.search(r"^## (Unreleased|0\.1\.0).*?$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section
    assert section[2].count("\n- ") >= 1
