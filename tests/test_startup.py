"""Importing the package and asking for help stay cheap: what is heavy is loaded where it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"dashscope", "sqlalchemy", "av", "cv2", "numpy", "PIL", "aiohttp", "httpx", "rich", "fastapi"}

HELP = """
import sys
sys.argv = ["wanvideo", *{arguments!r}]
from wanvideo.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


def loaded_by(program: str) -> set[str]:
    """Every module that a fresh interpreter has loaded after this program, and each of its parents."""
    tell = "\nimport sys\nsys.stderr.write('\\n'.join(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program + tell], capture_output=True, text=True, check=True, timeout=60
    )
    return set(run.stderr.splitlines())


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_by("import wanvideo")
    assert loaded & (HEAVY | {"pydantic", "typer", "asyncio"}) == set()
    assert {name for name in loaded if name.startswith("wanvideo")} == {"wanvideo"}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["generate", "--help"], ["jobs", "--help"], ["audit", "--help"]], ids=" ".join
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    loaded = loaded_by(HELP.format(arguments=arguments))
    assert loaded & (HEAVY | {"wanvideo.app", "wanvideo.settings", "asyncio", "ssl"}) == set()
    assert "wanvideo.cli.main" in loaded


def test_the_version_is_told_without_anything_else() -> None:
    run = subprocess.run(
        [sys.executable, "-c", HELP.format(arguments=["--version"])],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.startswith("wanvideo 0.")


def test_asking_for_a_preview_never_loads_the_vendors_sdk() -> None:
    """It takes half a second and more, and a preview does not need it."""
    loaded = loaded_by("import wanvideo.app, wanvideo.client, wanvideo.media.image, wanvideo.media.conform")
    assert loaded & {"dashscope", "httpx", "aiohttp", "rich", "cv2", "fastapi"} == set()
