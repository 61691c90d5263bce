"""`wanvideo preview-sheet`: one PNG beside the clip, or one message that says what to give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from tests.fakes.clips import clip_bytes

from wanvideo.cli.main import run


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip_bytes())
    return path


def test_the_sheet_lies_beside_the_clip_and_its_path_is_printed(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["preview-sheet", str(clip)]) == 0
    sheet = clip.with_suffix(".png")
    assert capsys.readouterr().out == f"{sheet}\n"
    with Image.open(sheet) as picture:
        assert picture.format == "PNG"
    assert sorted(path.name for path in clip.parent.iterdir()) == ["clip.mp4", "clip.png"]


def test_with_json_both_paths_are_told(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = clip.with_name("look.png")
    assert run(["preview-sheet", str(clip), "-o", str(sheet), "--columns", "2", "--rows", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"sheet": str(sheet), "clip": str(clip)}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone.mp4"], "error: file: gone.mp4 is not there."),
        (["clip.mp4", "-o", "."], "error: output: . is a folder."),
        (["."], "error: file: . is a folder."),
        (["clip.mp4", "-o", "clip.mp4"], "error: output: clip.mp4 is the clip itself."),
        (["clip.mp4", "-o", "sheet.jpg"], "error: output: sheet.jpg does not end in .png."),
        (["clip.mp4", "-o", "no/where.png"], "error: output: no/where.png cannot be written: No such file"),
        (["notes.mp4"], "error: file: notes.mp4 is not a clip"),
    ],
)
def test_what_cannot_be_done_is_one_message_and_leaves_nothing(
    clip: Path,
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(clip.parent)
    Path("notes.mp4").write_text("no clip")
    assert run(["preview-sheet", *words]) != 0
    told = capsys.readouterr()
    assert message in told.err
    assert told.out == ""
    assert "Traceback" not in told.err
    assert sorted(path.name for path in clip.parent.iterdir()) == ["clip.mp4", "notes.mp4"]
