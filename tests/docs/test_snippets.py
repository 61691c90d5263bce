"""The Python of the documentation works; where it is cheap, it is really run."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from wanvideo.contract.request import parse_request
from wanvideo.contract.result import VideoResult

from .pages import PAGES, README, ROOT, Block, blocks
from .typing_at_a_terminal import plain_place

SNIPPETS = [block for page in PAGES for block in blocks(page) if block.language == "python"]


def run(code: str, place: Path) -> str:
    """What a script prints in a folder with nothing but the example picture, without key or settings."""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=place,
        env=plain_place(place),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def only(page: Path, text: str) -> str:
    found = [block.text for block in blocks(page) if block.language == "python" and text in block.text]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("block", SNIPPETS, ids=lambda block: f"{block.page}-{SNIPPETS.index(block)}")
def test_every_snippet_is_python_and_imports_what_exists(block: Block) -> None:
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("wanvideo"):
            module = importlib.import_module(str(node.module))
            assert [name.name for name in node.names if not hasattr(module, name.name)] == []


def test_the_lines_of_the_readme_make_a_clip(tmp_path: Path) -> None:
    code = only(README, "video.generate")
    assert len([line for line in code.splitlines() if line.strip()]) <= 6
    url, duration_s, fps, seed = run(code, tmp_path).rsplit(maxsplit=3)
    assert (float(duration_s), float(fps)) == (4, 24)
    assert 0 <= int(seed) < 2**31
    assert Path(url).read_bytes()[4:8] == b"ftyp"
    assert Path(url).is_relative_to(tmp_path / "output/ai-video-wan-video/videos")


def test_the_test_that_users_are_offered_passes(tmp_path: Path) -> None:
    code = only(ROOT / "docs/emulator.md", "def test_a_dropped_line")
    run(f"{code}\nfrom pathlib import Path\ntest_a_dropped_line_is_not_paid_twice(Path('clips'))", tmp_path)


def test_every_json_block_is_json() -> None:
    for page in PAGES:
        for block in blocks(page):
            if block.language == "json":
                json.loads(block.text)


def test_the_contract_page_shows_a_request_and_a_result_that_are_valid() -> None:
    request, result = (
        json.loads(block.text) for block in blocks(ROOT / "docs/contract.md") if block.language == "json"
    )
    assert parse_request(request).seed == 7
    assert list(VideoResult.model_validate(result).model_dump()) == list(result)
