"""The tree keeps its habits: small modules, telling names, one place for settings, a pinned public face."""

from __future__ import annotations

import ast
import configparser
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import wanvideo

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
MODULES = sorted(SOURCE.rglob("*.py"))

LONGEST_LINES = 300
LONGER: dict[str, int] = {}  # module: lines. Take entries out, or make them smaller; never add one.

DRAWERS = {"utils", "util", "helpers", "helper", "common", "core", "base", "manager", "managers", "misc"}

PUBLIC_NAMES = [
    "AsyncClient",
    "AsyncJob",
    "Client",
    "ClipJob",
    "Settings",
    "VideoRequest",
    "VideoResult",
    "WanvideoError",
    "__version__",
    "video",
]


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def calls_and_attributes(path: Path) -> Iterator[str]:
    """Every name that a module calls (`print`) and every dotted name in it (`os.environ`)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Every comment of a module, with the number of its line."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_a_module_holds_one_idea() -> None:
    too_long = {
        name_of(path): line_count(path)
        for path in MODULES
        if line_count(path) > LONGER.get(name_of(path), LONGEST_LINES)
    }
    assert not too_long, "split it"


def test_the_list_of_longer_modules_only_shrinks() -> None:
    """An entry whose module has become small enough, or has gone, is taken out."""
    for name, limit in LONGER.items():
        assert (SOURCE / name).exists(), f"{name} has gone: take it out of LONGER"
        assert line_count(SOURCE / name) > LONGEST_LINES, f"{name} is short enough: take it out of LONGER"
        assert limit <= 330, f"{name}: too long for an exception"


def test_names_are_nouns_of_the_field() -> None:
    parts = {part: path for path in MODULES for part in path.relative_to(SOURCE).with_suffix("").parts}
    drawers = {part.strip("_"): parts[part] for part in parts if DRAWERS & set(part.split("_"))}
    assert not drawers, f"a name that could hold anything: {drawers}"


def test_only_the_command_line_and_the_emulator_print() -> None:
    printing = [
        name_of(path)
        for path in MODULES
        if not name_of(path).startswith(("wanvideo/cli/", "wanvideo_emulator/"))
        if "print" in calls_and_attributes(path)
    ]
    assert printing == []


def test_only_settings_read_the_environment() -> None:
    reading = [
        name_of(path)
        for path in MODULES
        if name_of(path) != "wanvideo/settings.py"
        if {"os.environ", "os.getenv", "os.putenv", "os.environb"} & set(calls_and_attributes(path))
    ]
    assert reading == []


UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
SILENCED = re.compile(r"(noqa(: ?[A-Z]+\d+(, ?[A-Z]+\d+)*)?|type: ?ignore(\[[\w, -]+\])?)\s*$")


def test_nothing_is_left_for_later() -> None:
    found = [
        f"{name_of(path)}:{number}"
        for path in MODULES
        for number, text in comments(path)
        if UNFINISHED.search(text)
    ]
    assert found == []


def test_no_check_is_switched_off_in_silence() -> None:
    """The reason stands after the `noqa` or `type: ignore`, or in a comment on the line above."""
    found = []
    for path in MODULES:
        written = dict(comments(path))
        found += [
            f"{name_of(path)}:{number} {text}"
            for number, text in written.items()
            if SILENCED.search(text) and number - 1 not in written
        ]
    assert found == []


def test_every_module_has_a_floor() -> None:
    """`lint-imports` says this too (exhaustive); here it fails with the tests, and says where to write it."""
    floors = configparser.ConfigParser()
    floors.read(ROOT / ".importlinter")
    placed = set(re.findall(r"\w+", floors["importlinter:contract:floors"]["layers"]))
    here = {
        path.stem
        for path in (SOURCE / "wanvideo").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert here - {"__init__"} <= placed, "give the new module a floor in .importlinter"


def test_the_public_names_are_these() -> None:
    assert sorted(wanvideo.__all__) == PUBLIC_NAMES
    assert all(hasattr(wanvideo, name) for name in PUBLIC_NAMES)
