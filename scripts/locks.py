"""Checks the lock files without a network: what would make a set-up unsafe, or differ between machines.

Each lock pins every package to one version and its hashes, and names no address: where packages come
from is the user's own setting. Every dependency of pyproject.toml is met by its lock, and the
development lock holds exactly the versions that users get.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
RUNTIME, DEVELOPMENT, UV = "requirements.lock", "requirements-dev.lock", "scripts/requirements-uv.lock"
REFRESH = "run scripts/lock"


def pins(text: str) -> list[tuple[Requirement, int]]:
    """The pinned requirements of one lock, each with its number of hashes."""
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = [line.split("#")[0].strip() for line in joined.splitlines()]
    return [(Requirement(line.split(" --hash=")[0]), line.count("--hash=sha256:")) for line in lines if line]


def text_faults(name: str, text: str) -> list[str]:
    """Addresses, options and unpinned or unhashed packages in the text of one lock."""
    if address := re.search(r"\w+://\S+|^\s*-\S+.*", re.sub(r"--hash=\S+|#\s+-\S.*", "", text), re.MULTILINE):
        return [f"{name} holds an address or an option ({address.group().strip()}); {REFRESH}"]
    faults = []
    for requirement, hashes in pins(text):
        if not str(requirement.specifier).startswith("=="):
            faults.append(f"{name}: {requirement.name} is not pinned; {REFRESH}")
        if hashes == 0:
            faults.append(f"{name}: {requirement.name} has no hash; {REFRESH}")
    return faults


def unmet(name: str, wanted: list[str], text: str) -> list[str]:
    """Dependencies, as pyproject.toml spells them, that one lock does not hold in a fitting version."""
    versions: dict[str, list[str]] = {}
    for requirement, _ in pins(text):
        version = str(requirement.specifier).removeprefix("==")
        versions.setdefault(canonicalize_name(requirement.name), []).append(version)
    faults = []
    for requirement in map(Requirement, wanted):
        here = versions.get(canonicalize_name(requirement.name), [])
        if not here and requirement.marker and not requirement.marker.evaluate():
            continue
        if not here or not all(requirement.specifier.contains(version) for version in here):
            faults.append(f"{name} does not meet {requirement} of pyproject.toml; {REFRESH}")
    return faults


def lines_of(text: str) -> set[str]:
    return {str(requirement) for requirement, _ in pins(text)}


def faults() -> list[str]:
    """Everything wrong with the locks of this checkout, one line each."""
    text = {name: (ROOT / name).read_text() for name in (RUNTIME, DEVELOPMENT, UV)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = [fault for name in text for fault in text_faults(name, text[name])]
    if found:
        return found
    found += unmet(RUNTIME, project["project"]["dependencies"], text[RUNTIME])
    found += unmet(DEVELOPMENT, project["dependency-groups"]["dev"], text[DEVELOPMENT])
    for pin in sorted(lines_of(text[RUNTIME]) - lines_of(text[DEVELOPMENT])):
        found.append(f"{DEVELOPMENT} differs from what users get: it lacks {pin}; {REFRESH}")
    return found


def main() -> None:
    found = faults()
    print("\n".join(found) or "The locks are whole: pinned, hashed, without addresses.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
