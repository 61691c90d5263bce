"""What `audit`, `rescue` and `spend` show to people."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from wanvideo.cli.printing import out, out_table, say, seconds, yuan
from wanvideo.jobs.audit import Audit, total_cny
from wanvideo.jobs.comparison import Line
from wanvideo.jobs.rescue import Orphan
from wanvideo.jobs.spending import SpendingReport, Sum

NOT_TOLD = "-"


def print_audit(found: Audit) -> None:
    if found.lines:
        out_table(
            ("verdict", "task", "status", "billed", "cost", "job", "our word", "made (UTC)", ""),
            [_audit_row(line) for line in found.lines],
            right=("billed", "cost"),
        )
        out("")
    stray = found.unaccounted
    out(f"account      {found.account}")
    out(f"between      {_moment(found.since_at)} and {_moment(found.until_at)} UTC")
    out(f"creates      {found.approved} approved here, {found.at_provider} at the provider")
    out(f"billed       {found.billed_s:g} s, {yuan(found.cost_cny)}{_unpriced(found.unpriced)}")
    out(f"unaccounted  {len(stray)}{f', {yuan(total_cny(stray))}' if stray else ''}")
    if found.elsewhere:
        say(f"{found.elsewhere} attempts with another key or endpoint were left out: audit them there")


def _unpriced(count: int) -> str:
    return f"; {count} clips more whose bill the provider does not tell" if count else ""


def _audit_row(line: Line) -> tuple[str, ...]:
    ours = [word for word in (line.outcome, line.state) if word]
    return (
        line.verdict.value,
        line.task_id or NOT_TOLD,
        line.status.value if line.status else NOT_TOLD,
        NOT_TOLD if line.billed_s is None else f"{line.billed_s:g} s",
        NOT_TOLD if line.cost_cny is None else yuan(line.cost_cny),
        f"{line.job_id}/{line.attempt}" if line.job_id else NOT_TOLD,
        ", ".join(ours) or NOT_TOLD,
        _moment(line.at),
        line.why,
    )


def print_orphans(found: list[Orphan], now: datetime) -> None:
    if not found:
        say("every finished clip of the last 24 hours belongs to a job here")
        return
    out_table(
        ("task", "made (UTC)", "billed", "cost", "link lives", "prompt"),
        [
            (
                orphan.task_id,
                _moment(orphan.created_at),
                NOT_TOLD if orphan.report.billed_s is None else f"{orphan.report.billed_s:g} s",
                NOT_TOLD if orphan.cost_cny is None else yuan(orphan.cost_cny),
                _left(orphan.link_left_s(now)),
                _short(orphan.report.prompt_seen or "(not told)"),
            )
            for orphan in found
        ],
        right=("billed", "cost"),
    )
    billed_s = sum(orphan.report.billed_s or 0 for orphan in found)
    clips = "1 clip" if len(found) == 1 else f"{len(found)} clips"
    out("")
    cost_cny = sum((orphan.cost_cny or Decimal(0) for orphan in found), Decimal(0))
    out(f"{clips}, {billed_s:g} s, {yuan(cost_cny)}: paid, and never collected here")
    for orphan in found:
        if orphan.rival:
            say(f"{orphan.task_id} may be that of {orphan.rival}: wanvideo jobs watch {orphan.rival}")
    say("Bring them home: wanvideo rescue --all")


def _left(left_s: float | None) -> str:
    if left_s is None:
        return NOT_TOLD
    return seconds(left_s) if left_s > 0 else "dead"


def print_spending(report: SpendingReport) -> None:
    head = ("", "spent", "held back", "clips", "saved by clips that were there")
    rows = [("today", *_sums(report.today)), ("last 7 days", *_sums(report.week))]
    for line in report.owners:
        who = f"  {line.owner or 'command line'}, {line.provider}"
        rows += [(f"{who}, today", *_sums(line.today)), (f"{who}, 7 days", *_sums(line.week))]
    out_table(head, rows, right=head[1:4])
    out("")
    if report.daily_budget_cny is None:
        out("no daily budget; WANVIDEO_DAILY_BUDGET sets one")
    else:
        left = report.left_cny or 0
        out(f"daily budget {yuan(report.daily_budget_cny)}, {yuan(left)} left until midnight")


def _sums(one: Sum) -> tuple[str, ...]:
    saved = f"{yuan(one.saved_cny)}, {one.hits}" if one.hits else NOT_TOLD
    return yuan(one.spent_cny), yuan(one.reserved_cny), str(one.clips), saved


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _short(prompt: str) -> str:
    line = " ".join(prompt.split())
    return line if len(line) <= 48 else line[:47] + "…"
