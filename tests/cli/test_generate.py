"""Flags, --request and --file become one request; `estimate` tells its price."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wanvideo.cli.main import app
from wanvideo.contract.request import PreviewOptions, VideoRequest, WanOptions


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr of one command in this process."""
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def quiet_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("DASHSCOPE_API_KEY", "WANVIDEO_REGION", "DASHSCOPE_HTTP_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_every_field_of_the_contract_has_a_flag() -> None:
    code, told, _ = run("generate", "--help")
    assert code == 0
    fields = set(VideoRequest.model_fields) - {"wan", "preview", "prompt"} | set(WanOptions.model_fields)
    fields |= {f"preview_{name}" for name in PreviewOptions.model_fields}
    assert {name for name in fields if f"--{name.replace('_', '-')}" not in told} == set()


@pytest.mark.parametrize(
    ("flags", "cost"),
    [
        ([], {"cny": 1.2, "billed_s": 4}),
        (["--no-audio"], {"cny": 0.6, "billed_s": 4}),
        (["--size", "1920x1080", "--duration", "2.5"], {"cny": 1.5, "billed_s": 3}),
    ],
)
def test_estimate_tells_the_price_without_a_key_or_a_picture(
    flags: list[str], cost: dict[str, float]
) -> None:
    code, told, _ = run("estimate", *flags, "--json")
    assert code == 0
    assert json.loads(told).items() >= cost.items()


def test_estimate_for_people_prints_the_price_alone_on_stdout() -> None:
    code, told, around = run("estimate", "--duration", "2")
    assert (code, told) == (0, "¥0.60\n")
    assert "2 s are billed when it succeeds" in around


@pytest.mark.parametrize(
    ("arguments", "field", "words"),
    [
        (["x", "--request", "{", "--image", "a.png"], "request", "not JSON"),
        (["x", "--request", "[]", "--image", "a.png"], "request", "JSON object"),
        (["x", "--request", "{}", "--file", "b.json"], "request", "not both"),
        (["x", "--file", "none.json"], "file", "cannot be read"),
        (["x", "--image", "a.png", "--cache", "perhaps"], "cache", "perhaps"),
        (["x", "--image", "a.png", "--max-cost", "much"], "max_cost", "amount of yuan"),
        (["x", "--image", "a.png", "--max-cost", "-1"], "max_cost", "amount of yuan"),
        (["--image", "a.png"], "prompt", "required"),
    ],
)
def test_what_cannot_be_read_names_where_it_stands(arguments: list[str], field: str, words: str) -> None:
    code, told, _ = run("generate", *arguments, "--json")
    problem = json.loads(told)
    assert (code, problem["field"]) == (2, field)
    assert words in problem["detail"]


def test_a_request_may_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("{}"))
    wish = json.dumps({"prompt": "x", "reference_image": "a.png", "size": "321*240"})
    result = CliRunner().invoke(app, ["generate", "--file", "-", "--json"], input=wish)
    assert json.loads(result.stdout)["field"] == "size"


def test_prices_are_exact() -> None:
    _, told, _ = run("estimate", "--duration", "15", "--size", "1920*1080", "--json")
    assert Decimal(str(json.loads(told)["cny"])) == Decimal("7.5")
