"""A small checkout with the real scripts, on a machine that has a fake uv and nothing it does not need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TOOLS = (
    "sh",
    "cat",
    "chmod",
    "cksum",
    "date",
    "dirname",
    "find",
    "grep",
    "id",
    "mkdir",
    "readlink",
    "rm",
    "sleep",
)

# Stands in for uv: notes how it was called, fails or dawdles when told to, and "installs" a command that
# says where it runs and with what (with `-` it repeats its input,
# with `called` it says how it was told that the user calls it).
FAKE_UV = r"""#!/bin/sh
echo "uv $*" >>"$CALLS"
[ "$1" = pip ] || exit 0
[ -z "${UV_SAYS:-}" ] || { echo "$UV_SAYS" >&2; exit 2; }
bin=${4%/python}
: >"$bin/half-installed"
sleep "${UV_TAKES_S:-0}"
case "$*" in *--editable*)
    printf '%s\n' "#!/bin/sh" "# made for $bin/" 'echo "$PWD" "$@"; [ "$*" != - ] || cat' \
        '[ "$*" != called ] || echo "$WANVIDEO_COMMAND"' >"$bin/wanvideo"
    chmod +x "$bin/wanvideo"
esac
"""

LOGGED_PYTHON = """#!/bin/sh
echo python3 >>"$CALLS"
exec {python} "$@"
"""


@dataclass(frozen=True)
class Checkout:
    """A checkout in a folder with a space in its name, and the PATH of the machine it is on."""

    root: Path
    bin: Path
    user_folder: Path

    @property
    def env(self) -> dict[str, str]:
        return {"PATH": str(self.bin), "HOME": str(self.user_folder), "CALLS": str(self.bin / "calls")}

    def start(self, *command: str | Path, **env: str) -> subprocess.Popen[str]:
        """Starts a command as a user would, in a folder of their own."""
        return subprocess.Popen(
            list(command),
            cwd=self.user_folder,
            env=self.env | env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str | Path, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*command, **env)
        out, err = process.communicate(stdin, timeout=30)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def wanvideo(self, *words: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        return self.run(self.root / "wanvideo", *words, stdin=stdin, **env)

    def calls(self) -> list[str]:
        """What was started since the last look: each call of uv, and of python3 by that name."""
        path = self.bin / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def program(self, name: str, text: str) -> None:
        """Puts a program on this machine's PATH."""
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "my checkout", tmp_path / "bin", tmp_path / "user")
    for folder in (made.root, made.bin, made.user_folder):
        folder.mkdir()
    for name in ("wanvideo", "check"):
        shutil.copy(ROOT / name, made.root)
    shutil.copytree(ROOT / "scripts", made.root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        (made.root / name).write_text(f"# {name}\n")
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, f"every machine has {tool}"
        (made.bin / tool).symlink_to(found)
    made.program("uv", FAKE_UV)
    made.program("python3", LOGGED_PYTHON.format(python=os.path.realpath(sys.executable)))
    return made
