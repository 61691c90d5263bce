"""How long the first word takes: `import wanvideo` and `wanvideo --help`, beside python and the vendor's SDK.

    python bench/startup.py [ROUNDS]

Rounds are interleaved, so that a busy moment of the machine meets all candidates alike; the table shows
medians. Byte code is cached in a folder of its own, as it is after any normal installation.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import machine  # the module beside this script

ROUNDS = 15
COMMAND = str(Path(sys.executable).parent / "wanvideo")
CANDIDATES: dict[str, list[str]] = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import wanvideo": [sys.executable, "-c", "import wanvideo"],
    "wanvideo --version": [COMMAND, "--version"],
    "wanvideo --help": [COMMAND, "--help"],
    "import typer": [sys.executable, "-c", "import typer"],
    "import dashscope": [sys.executable, "-c", "import dashscope"],
}
TARGETS_MS = {"import wanvideo": 120, "wanvideo --help": 150}


def run_ms(command: list[str], env: dict[str, str]) -> float:
    started_s = time.perf_counter()
    subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - started_s) * 1000


def measured_ms(rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each candidate. The first round only fills the caches and is not counted."""
    times_ms: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    with tempfile.TemporaryDirectory() as bytecode:
        env = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        for number in range(rounds + 1):
            for name, command in CANDIDATES.items():
                took_ms = run_ms(command, env)
                if number:
                    times_ms[name].append(took_ms)
    return times_ms


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    times_ms = measured_ms(rounds)
    print(f"{machine()}; medians of {rounds} rounds\n")
    print(f"{'':<20} {'median':>8} {'fastest':>8} {'target':>8}")
    missed = 0
    for name, values in times_ms.items():
        median, target = statistics.median(values), TARGETS_MS.get(name)
        told = f"{target} ms" if target else ""
        missed += bool(target and median > target)
        print(f"{name:<20} {median:>5.0f} ms {min(values):>5.0f} ms {told:>8}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
