"""What the documentation says about the code is what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import typer.main

from wanvideo.cli.main import app
from wanvideo.contract.job import State
from wanvideo.errors import all_errors
from wanvideo.jobs import policy, reconcile
from wanvideo.jobs.failpoints import NAMES
from wanvideo.jobs.latency import LOOKS_PER_CLIP, curve
from wanvideo.jobs.storing import AT_RISK, SAME_DAMAGE
from wanvideo.jobs.watch import POST_FOR_S
from wanvideo.ledger.pace import Gate
from wanvideo.ports import Pace

from .pages import CHINESE, PAGES, README, ROOT, headings, text_of

START = datetime(2026, 11, 25, tzinfo=UTC)
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


def said(page: Path) -> str:
    """The page on one line, so that it does not matter where its lines break."""
    return " ".join(text_of(page).split())


def test_the_engine_page_has_the_numbers_of_the_proof() -> None:
    text = said(ENGINE)
    assert timedelta(seconds=2) == reconcile.EARLY_SLACK
    assert timedelta(seconds=10) == reconcile.LATE_SLACK
    assert "from 2 s before it began to 10 s after the line was lost" in text
    assert timedelta(minutes=15) == reconcile.DOUBT_SLACK
    assert "within 15 min of that time" in text


def test_the_engine_page_has_the_numbers_of_the_engine() -> None:
    text = said(ENGINE)
    assert SAME_DAMAGE == 3
    assert "the very same way 3 times" in text
    assert timedelta(hours=6) == AT_RISK
    assert "From 6 h before" in text
    assert policy.MAX_UNDELIVERED == 8
    assert "8 tries" in text
    assert policy.MAX_TROUBLES == 2
    assert "2 more tasks" in text
    assert (policy.LEARN_AT_LEAST, policy.LEARN_FROM) == (3, 200)
    assert "The latest 200 clips" in text
    assert "Before there are 3," in text
    assert POST_FOR_S + 1 == 7
    assert "another has the post within 7 s" in text


def test_the_gates_open_as_the_engine_page_says() -> None:
    assert "for 2 s, then 4 s, 8 s ... at most 60 s" in said(ENGINE)
    gate, pauses_s = Gate(START), list[float]()
    for _ in range(7):
        gate, pause_s = gate.shut(START)
        pauses_s.append(pause_s)
    assert pauses_s == [2, 4, 8, 16, 32, 60, 60]
    assert "a tenth shorter" in said(ENGINE)
    first, _ = gate.turn(gate.next_at, 5)
    second, _ = first.turn(first.next_at, 5)
    apart_s = [
        (after.next_at - before.next_at).total_seconds() for before, after in ((gate, first), (first, second))
    ]
    assert apart_s[1] / apart_s[0] == pytest.approx(0.9)


def test_the_looks_come_when_the_engine_page_says() -> None:
    """Of a task that does not end, after the 50 clips that the page speaks of."""
    told = re.search(r"After 50 clips of 30 to 138 s.*?the looks come at ([\d, ]+) and (\d+) s", said(ENGINE))
    assert told
    promised_s = [int(number) for number in (*told[1].split(", "), told[2])]
    clips_s = 60 * np.exp(0.25 * np.random.default_rng(3).standard_normal(50))
    assert (round(clips_s.min()), round(clips_s.max())) == (30, 138)
    learned = curve(list(clips_s), Pace(75, 15, 3))
    looks_s, looked_s = list[float](), 0.0
    for age_s in np.arange(0, 100, 0.05):
        if learned.lag_s(np.array([looked_s]), np.array([age_s]))[0] >= learned.price_s:
            looks_s.append(age_s)
            looked_s = age_s
    assert looks_s[: len(promised_s)] == pytest.approx(promised_s, abs=1)
    assert len([look_s for look_s in looks_s if look_s <= 60]) < LOOKS_PER_CLIP


def test_the_changelog_has_a_place_for_what_is_new() -> None:
    text = text_of(ROOT / "CHANGELOG.md")
    section = re.search(r"^## (Unreleased|0\.1\.0).*?$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section
    assert section[2].count("\n- ") >= 1
