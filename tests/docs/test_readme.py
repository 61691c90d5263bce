"""The READMEs say what really happens, and both say the same."""

from __future__ import annotations

import re
import shlex
from decimal import Decimal
from pathlib import Path

import pytest

from wanvideo.contract.model_card import MODEL
from wanvideo.contract.price import PRICE_CNY_PER_S, cost_of

from .pages import CHINESE, README, blocks, headings, links, output, text_of
from .typing_at_a_terminal import screen, type_in


def first_commands(page: Path) -> list[str]:
    return next(block.text for block in blocks(page) if block.language == "sh").splitlines()


def pattern(line: str) -> str:
    """A line of the README with what differs from run to run left open: ids, seeds, days, folders."""
    text = re.escape(line)
    text = re.sub(r"^/.*?/output/", ".*/output/", text)
    text = re.sub(r"j_[0-9a-z]{12}", "j_[0-9a-z]{12}", text)
    text = re.sub(r"seed\\ \d+", r"seed \\d+", text)
    text = re.sub(r"\d{4}\\-\d\d\\-\d\d", r"\\d{4}-\\d\\d-\\d\\d", text)
    return re.sub(r"[0-9a-z]{6}\\\.mp4$", r"[0-9a-z]{6}\\.mp4", text)


def test_the_first_command_prints_what_the_readme_says(tmp_path: Path) -> None:
    command = shlex.split(first_commands(README)[0])
    assert command[0] == "./wanvideo"
    exit_code, lines = type_in(command[1:], tmp_path)
    assert exit_code == 0
    told = output(README, "preview")
    assert len(lines) == len(told), lines
    for line, promised in zip(lines, told, strict=True):
        assert re.fullmatch(pattern(promised), line), f"{line!r} instead of {promised!r}"
    assert Path(lines[-1]).read_bytes()[4:8] == b"ftyp"


def test_a_live_line_leaves_nothing_behind() -> None:
    assert screen("a\n\x1b[?25l⠋ busy\r\x1b[2K⠙ done\n\x1b[?25h\r\x1b[1A\x1b[2Kb\r\n") == ["a", "b"]


def test_the_second_command_is_the_first_with_a_key() -> None:
    first, second = first_commands(README)
    assert second == f"DASHSCOPE_API_KEY=sk-... {first}"
    summary, path = output(README, "wan")
    cost = cost_of("beijing", "720P", True, 4)
    assert f"¥{cost.cny:.2f}" in summary
    assert MODEL in summary
    assert path.endswith(f"{summary[-6:]}.mp4")


@pytest.mark.parametrize("page", [README, CHINESE], ids=["english", "chinese"])
def test_the_prices_are_those_of_the_price_list(page: Path) -> None:
    text = text_of(page)
    heading = "## What it costs" if page is README else "## 费用"
    told = {
        Decimal(number) for number in re.findall(r"0\.\d+", text.partition(heading)[2].partition("```")[0])
    }
    assert told == {price for (region, _, _), price in PRICE_CNY_PER_S.items() if region == "beijing"}


def test_both_readmes_have_the_same_parts() -> None:
    assert [level for level, _ in headings(README)] == [level for level, _ in headings(CHINESE)]
    assert [(block.language, block.text) for block in blocks(README)] == [
        (block.language, block.text) for block in blocks(CHINESE)
    ]
    table = re.compile(r"^\|", re.MULTILINE)
    assert len(table.findall(text_of(README))) == len(table.findall(text_of(CHINESE)))


def test_both_readmes_lead_to_the_same_places_and_to_each_other() -> None:
    english, chinese = links(README), links(CHINESE)
    assert english[0] == CHINESE.name
    assert chinese[0] == README.name
    assert english[1:] == chinese[1:]


def test_the_first_screen_is_short() -> None:
    """One sentence, then the two commands."""
    start = text_of(README).partition("```sh")[0]
    sentence = start.split("\n\n")[2].strip()
    assert sentence.count(". ") == 0
    assert sentence.endswith(".")
    assert len(start.splitlines()) <= 9
