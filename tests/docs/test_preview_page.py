"""Each move, effect and light of the preview is shown, with words in both languages that ask for it."""

from __future__ import annotations

import runpy

import pytest
from PIL import Image

from wanvideo.preview import plan
from wanvideo.preview.plan import EFFECTS, LIGHTS, MOVES

from .pages import ROOT, text_of

SHOWN: dict[str, tuple[str, str]] = runpy.run_path(str(ROOT / "scripts/preview_sheets.py"))["SHOWN"]


def test_all_that_the_preview_knows_is_shown() -> None:
    assert list(SHOWN) == [*MOVES, *EFFECTS, *LIGHTS]
    page = text_of(ROOT / "docs/preview.md")
    for name in SHOWN:
        assert f"](preview/{name}.jpg)" in page
    assert sorted(path.stem for path in (ROOT / "docs/preview").iterdir()) == sorted(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_the_words_shown_ask_for_it_and_for_nothing_else(name: str) -> None:
    for words in SHOWN[name]:
        understood = plan(words)
        found = {*understood.moves, *understood.effects, *understood.light}
        assert found - {"still"} == {name} - {"still"}
        assert (understood.asked, understood.unused_words) == (True, ())


@pytest.mark.parametrize("name", SHOWN)
def test_its_strip_is_a_picture_of_four_frames(name: str) -> None:
    with Image.open(ROOT / f"docs/preview/{name}.jpg") as strip:
        strip.load()
        assert (strip.format, strip.width > 4 * strip.height) == ("JPEG", True)
