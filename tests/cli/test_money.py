"""`audit`, `rescue` and `spend` as they are typed: what needs a key, what does not, and words that clash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wanvideo.cli.main import app, run


@pytest.fixture(autouse=True)
def quiet_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("DASHSCOPE_API_KEY", "DASHSCOPE_HTTP_BASE_URL", "WANVIDEO_DAILY_BUDGET", "OUTPUT_DIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def typed(*words: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr of one command in this process."""
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("words", [["audit"], ["rescue"], ["rescue", "--all"]])
def test_the_account_is_not_asked_without_its_key(words: list[str]) -> None:
    code, told, said = typed(*words)
    assert (code, told) == (3, "")
    assert said.splitlines()[0].startswith("error: Neither DASHSCOPE_API_KEY nor")
    assert "--provider preview" not in said
    code, told, _ = typed(*words, "--json")
    assert (code, json.loads(told)["code"]) == (3, "credentials_missing")


def test_spend_needs_no_key_and_no_server() -> None:
    code, told, _ = typed("spend")
    assert code == 0
    assert told.splitlines() == [
        "     today  7 days  held back  clips  saved",
        "all  ¥0.00   ¥0.00      ¥0.00      0  ¥0.00",
        "",
        "budget  none; WANVIDEO_DAILY_BUDGET sets one",
    ]


def test_spend_tells_what_is_left_of_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANVIDEO_DAILY_BUDGET", "12.5")
    assert typed("spend")[1].splitlines()[-1] == "budget  ¥12.50 a day, ¥12.50 left today"
    code, told, _ = typed("spend", "--json")
    assert code == 0
    body = json.loads(told)
    assert (body["daily_budget_cny"], body["left_cny"], body["owners"]) == (12.5, 12.5, [])
    assert body["today"]["spent_cny"] == body["last_7_days"]["spent_cny"] == 0


@pytest.mark.parametrize("hours", ["0", "25", "x"])
def test_an_audit_looks_back_a_day_at_most(hours: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The provider forgets tasks after that: an older attempt would look as if its task were missing."""
    assert run(["audit", "--hours", hours]) == 2
    assert capsys.readouterr().err.startswith("error: --hours: ")


def test_all_and_some_cannot_both_be_meant() -> None:
    code, _, said = typed("rescue", "--all", "--adopt", "t-1")
    assert code == 2
    assert said.startswith("error: --all: Give --adopt or --all, not both.")
