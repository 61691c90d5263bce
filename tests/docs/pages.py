"""The documentation as data: pages, their code blocks, headings, links and commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))
README, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
_CALL = re.compile(r"(?:\w+=\S+ +)*(?:\./)?wanvideo(?: +(?P<arguments>[^#]*))?$")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: str
    language: str
    text: str


@dataclass(frozen=True)
class Call:
    """One `wanvideo ...` as it stands in a page; `whole` when it is meant to be typed as it is."""

    page: str
    arguments: str
    whole: bool


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[Block]:
    return [Block(name_of(page), language, body) for language, body in _FENCE.findall(text_of(page))]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", text_of(page))


def spans(page: Path) -> list[str]:
    """Every piece of inline code."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def headings(page: Path) -> list[tuple[int, str]]:
    """Level and words of every heading."""
    found = re.findall(r"^(#+) +(.+?) *$", prose(page), re.MULTILINE)
    return [(len(marks), words) for marks, words in found]


def anchors(page: Path) -> set[str]:
    """What a link may name after `#`, spelt as GitHub spells it."""
    words = (re.sub(r"[^\w\- ]", "", title.lower()) for _, title in headings(page))
    return {text.replace(" ", "-") for text in words}


def links(page: Path) -> list[str]:
    """Targets of links and images, in the order they stand."""
    text = re.sub(r"`[^`\n]+`", "", prose(page))
    return [first or second for first, second in _LINK.findall(text)]


def calls(page: Path) -> list[Call]:
    """Every `wanvideo` command of a page: typed lines of its blocks, and inline mentions."""
    found = []
    for block in blocks(page):
        if block.language in ("sh", "console"):
            lines = block.text.replace("\\\n", " ").splitlines()
            typed = [line.removeprefix("$ ") for line in lines if block.language == "sh" or line[:2] == "$ "]
            found += _calls(page, [line.partition(" | ")[0] for line in typed], whole=True)
    return found + _calls(page, spans(page), whole=False)


def _calls(page: Path, lines: list[str], *, whole: bool) -> list[Call]:
    matches = (_CALL.fullmatch(line.strip()) for line in lines)
    return [Call(name_of(page), (match["arguments"] or "").strip(), whole) for match in matches if match]


def output(page: Path, name: str) -> list[str]:
    """The lines of the block below `<!-- output: NAME -->`."""
    match = re.search(rf"<!-- output: {name} -->\n```text\n(.*?)```", text_of(page), re.DOTALL)
    assert match, f"{name_of(page)} has no output called {name}"
    return match[1].splitlines()
