"""Nothing is paid twice and nothing paid is lost, whatever dies: `kill -9` under a provider full of faults.

    .venv/bin/python bench/torture.py                      # 300 kills on each database, about half an hour
    .venv/bin/python bench/torture.py --kills 12 --database sqlite

Real `wanvideo worker` processes drive orders that keep coming in, against an emulated provider that drops,
delays, garbles and refuses. Half of the workers die at a named point (jobs/failpoints.py, each in its turn),
half at any moment; some are first put to sleep beyond their lease, and woken. People ask twice, cancel and
retry meanwhile. In the end the faults stop, the last workers finish, and the ledger is compared with what the
provider really saw and billed. Exit code 1, and all logs kept, when anything does not add up.

The same --seed draws the same kills, orders and faults; what meets what is left to the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
from machine import machine
from torture_plan import kills
from torture_run import Report, opened
from torture_verdict import Verdict, judge, judge_audit, judge_logs, read_books
from torture_world import COMMAND
from wanvideo.app import open_app

DATABASES = ("sqlite", "postgres")
ROWS = {
    "beyond_approved": "creates beyond approved",
    "paid_again": "clips paid more than once",
    "lost": "paid clips lost",
    "corrupt": "corrupt files",
    "strays": "files nobody knows",
    "stuck": "jobs stuck",
    "money": "jobs whose money differs",
    "audit": "lines of `wanvideo audit`",
    "broken": "steps that broke",
}


@asynccontextmanager
async def database(kind: str) -> AsyncIterator[str | None]:
    """The URL of a fresh one; None: the file beside the clips."""
    if kind == "sqlite":
        yield None
        return
    from tests.postgres import command, database_url, started

    server = await asyncio.to_thread(started)
    try:
        await command(server.url, "CREATE DATABASE torture")
        yield database_url(server.url, "torture")
    finally:
        await asyncio.to_thread(server.close)


async def audited(env: dict[str, str], folder: Path) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        COMMAND, "audit", "--json", env={**env, "WANVIDEO_QUERY_RATE": "50"}, cwd=folder,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await process.communicate()
    if process.returncode not in (0, 9):
        raise RuntimeError(f"the audit ended with {process.returncode}: {errors.decode()[-2000:]}")
    told: dict[str, Any] = json.loads(out)
    return told


async def tortured(kind: str, folder: Path, clips: Path, given: argparse.Namespace) -> tuple[Report, Verdict]:
    plan = kills(given.kills, given.seed)
    async with (
        database(kind) as url,
        opened(folder, clips, url, seed=given.seed, open_jobs=given.jobs) as run,
    ):
        report = await run.carry_out(plan, given.workers)
        async with open_app(run.settings()) as app:
            books = await read_books(app, run.provider)
            verdict = await judge(books, run.provider, run.settings().app_dir)
        judge_audit(await audited(run.env, folder), books, verdict)
        judge_logs(run.logs, verdict)
        verdict.broken += report.trouble
        (folder / "truth.json").write_text(json.dumps(books.truth, indent=1))
        return report, verdict


def print_table(rows: list[tuple[str, list[str]]], heads: list[str]) -> None:
    wide = max(len(name) for name, _ in rows)
    columns = [max(len(values[at]) for _, values in [("", heads), *rows]) for at in range(len(heads))]
    for name, values in [("", heads), *rows]:
        print(f"{name:<{wide}}  " + "  ".join(f"{v:>{w}}" for v, w in zip(values, columns, strict=True)))


def told(outcomes: dict[str, tuple[Report, Verdict]]) -> None:
    """One column for each database."""
    both = list(outcomes.values())

    def row(name: str, value: Any) -> tuple[str, list[str]]:
        return name, [str(value(report, verdict)) for report, verdict in both]

    rows = [
        row("kills", lambda r, _: r.killed),
        row("  at a named point", lambda r, _: r.killed - r.kills["any moment"] - r.kills["asleep"]),
        row("  at any moment", lambda r, _: r.kills["any moment"]),
        row("  after a sleep beyond the lease", lambda r, _: r.kills["asleep"]),
        row("kills a minute", lambda r, _: f"{r.killed / r.killing_s * 60:.1f}"),
        row("seconds to settle", lambda r, _: f"{r.settling_s:.0f}" if r.settled else "not settled"),
        row("faults met", lambda r, _: sum(fault["met"] for fault in r.met)),
        row("jobs", lambda _, v: v.counts["jobs"]),
        *(
            row(f"  {state}", lambda _, v, state=state: v.counts["states"].get(state, 0))
            for state in ("succeeded", "failed", "cancelled")
        ),
        row("approved creates", lambda _, v: v.counts["approved"]),
        row("creates received", lambda _, v: v.counts["creates"]),
        row("clips billed", lambda _, v: v.counts["billed"]),
        row("yuan billed", lambda _, v: f"{v.counts['billed_cny']:.2f}"),
        row("most tasks at once", lambda _, v: v.counts["peak_running"]),
        row("most creates in a second", lambda _, v: v.counts["peak_per_s"]["submit"]),
        row("most polls in a second", lambda _, v: v.counts["peak_per_s"]["query"]),
        row("failed tasks that nobody owns", lambda _, v: v.counts["failed tasks that nobody owns"]),
        row("jobs that asked a person", lambda r, _: len(r.asked)),
        row("jobs that looked for long", lambda r, _: len(r.impatient)),
        *(row(words, lambda _, v, name=name: len(getattr(v, name))) for name, words in ROWS.items()),
    ]
    print_table(rows, list(outcomes))


def told_more(kind: str, report: Report, verdict: Verdict) -> None:
    points = {name: n for name, n in sorted(report.kills.items()) if name not in ("any moment", "asleep")}
    print(f"\n{kind}: kills by point: {points}")
    if report.missed:
        print(f"{kind}: points that a worker never came to: {dict(report.missed)}")
    print(f"{kind}: attempts by outcome: {verdict.counts['outcomes']}; people: {dict(report.whims)}")
    extra = {name: verdict.counts[name] for name in verdict.counts if " " in name}
    print(f"{kind}: {extra}")
    met: Counter[str] = Counter()
    for fault in report.met:
        met[re.split("[*@]", fault["spec"])[0]] += fault["met"]
    unmet = [spec for spec, times in met.items() if not times]
    if unmet:
        print(f"{kind}: faults that met nothing: {', '.join(unmet)}")
    for job_id, why in {**report.asked, **report.impatient}.items():
        print(f"{kind}: a person decided: {job_id}: {why}")
    for name, lines in verdict.wrong().items():
        for line in lines[:20]:
            print(f"{kind}: WRONG, {ROWS[name]}: {line}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--jobs", type=int, default=20, help="how many are kept open")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="for clips, ledgers and logs; a temporary one else")
    parser.add_argument(
        "--clips", type=Path, help="rendered clips and byte code, to be found again next time"
    )
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="torture-"))
    clips = given.clips or folder / "cache"
    print(f"{machine()}; seed {given.seed}, {given.workers} workers, logs in {folder}", flush=True)
    outcomes: dict[str, tuple[Report, Verdict]] = {}
    for kind in DATABASES if given.database == "both" else (given.database,):
        began_s = time.monotonic()
        place = folder / f"{kind}-{given.seed}"
        place.mkdir(parents=True)
        outcomes[kind] = asyncio.run(tortured(kind, place, clips, given))
        print(f"  {kind}: {(time.monotonic() - began_s) / 60:.1f} minutes", file=sys.stderr, flush=True)
    print()
    told(outcomes)
    for kind, (report, verdict) in outcomes.items():
        told_more(kind, report, verdict)
    failed = any(verdict.wrong() for _, verdict in outcomes.values())
    if not failed and given.folder is None:
        shutil.rmtree(folder)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
