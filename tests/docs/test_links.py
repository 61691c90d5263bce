"""Nothing in the documentation leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .pages import PAGES, ROOT, anchors, links, name_of, spans, text_of


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_and_picture_is_there(page: Path) -> None:
    for link in links(page):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT), f"{link} leads out of the project"
        assert not anchor or anchor in anchors(target), f"{link}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    """Of the code, as `bench/polling.py`: those are no links."""
    named = [
        re.match(r"(?:\.venv/bin/python )?((?:bench|tests|scripts|src)/[\w./-]+\w)", span)
        for span in spans(page)
    ]
    assert [match[1] for match in named if match and not (ROOT / match[1]).exists()] == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        local = [link.partition("#")[0] for link in links(page) if not link.startswith("http")]
        waiting += [(page.parent / path).resolve() for path in local if path]
    assert [name_of(page) for page in PAGES if page not in reached] == []


def test_every_decision_is_in_the_index_with_its_own_number() -> None:
    folder = ROOT / "docs/decisions"
    pages = sorted(page for page in folder.glob("*.md") if page.name != "README.md")
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    index = links(folder / "README.md")
    for page in pages:
        assert page.name in index
        text = text_of(page)
        assert text.startswith(f"# {page.name[:4]}: ")
        assert [f"## {part}" in text for part in ("Context", "Decision", "Consequences")] == [True] * 3


def test_no_page_shows_a_place_that_only_its_writer_had() -> None:
    """Example outputs are made on some machine; its folders do not belong in them."""
    told = tuple(f"/{folder}/" for folder in ("tmp", "root", "work", "Users"))
    assert [name_of(page) for page in PAGES if any(folder in text_of(page) for folder in told)] == []
