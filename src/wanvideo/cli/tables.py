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
            ("verdict", "task", "status", "billed", "cost", "job", "made (UTC)", "our word"),
            [_audit_row(line) for line in found.lines],
            right=("billed", "cost"),
        )
        out("")
    stray = found.unaccounted
    out(f"account      {found.account}")
    out(f"between      {_moment(found.since_at)} and {_moment(found.until_at)} UTC")
    rescued = f", {found.rescued} rescued" if found.rescued else ""
    out(f"creates      {found.approved} approved here{rescued}, {found.at_provider} at the provider")
    out(f"billed       {found.billed_s:g} s, {yuan(found.cost_cny)}{_unpriced(found.unpriced)}")
    out(f"unaccounted  {len(stray)}{f', {yuan(total_cny(stray))}' if stray else ''}")
    if found.elsewhere:
        say(f"{found.elsewhere} attempts with another key or endpoint were left out: audit them there")


def _unpriced(count: int) -> str:
    return f"; {_clips(count)} more whose bill the provider does not tell" if count else ""


def _audit_row(line: Line) -> tuple[str, ...]:
    ours = ["rescued" if line.rescued else line.outcome, line.state, line.why]
    return (
        line.verdict.value,
        line.task_id or NOT_TOLD,
        line.status.value if line.status else NOT_TOLD,
        NOT_TOLD if line.billed_s is None else f"{line.billed_s:g} s",
        NOT_TOLD if line.cost_cny is None else yuan(line.cost_cny),
        f"{line.job_id}/{line.attempt}" if line.job_id else NOT_TOLD,
        _moment(line.at)[5:],
        ", ".join(word for word in ours if word),
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
                _moment(orphan.created_at) if orphan.created_at else NOT_TOLD,
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
    out("")
    cost_cny = sum((orphan.cost_cny or Decimal(0) for orphan in found), Decimal(0))
    out(f"{_clips(len(found))}, {billed_s:g} s, {yuan(cost_cny)}: paid, and never collected here")
    for orphan in found:
        if orphan.rival:
            say(
                f"{orphan.task_id} may be that of {orphan.rival}, whose submit was never answered: "
                f"wanvideo jobs watch {orphan.rival}"
            )
    if any(orphan.rival is None for orphan in found):
        say("Bring them home: wanvideo rescue --all")


def _left(left_s: float | None) -> str:
    if left_s is None:
        return NOT_TOLD
    return seconds(left_s) if left_s > 0 else "dead"


def print_spending(report: SpendingReport) -> None:
    rows = [("all", *_sums(report.today, report.week))]
    rows += [
        (f"{line.owner or 'command line'}, {line.provider}", *_sums(line.today, line.week))
        for line in report.owners
    ]
    head = ("", "today", "7 days", "held back", "clips", "saved")
    out_table(head, rows, right=head[1:])
    out("")
    if report.daily_budget_cny is not None and report.left_cny is not None:
        out(f"budget  {yuan(report.daily_budget_cny)} a day, {yuan(report.left_cny)} left today")
    else:
        out("budget  none; WANVIDEO_DAILY_BUDGET sets one")
    for when, one in (("today", report.today), ("in 7 days", report.week)):
        if one.hits:
            were = "was" if one.hits == 1 else "were"
            out(f"saved   {yuan(one.saved_cny)} {when}, by {_clips(one.hits)} that {were} there already")


def _sums(today: Sum, week: Sum) -> tuple[str, ...]:
    """Spent today and in the week; held back, clips and savings of the week."""
    return (
        yuan(today.spent_cny),
        yuan(week.spent_cny),
        yuan(week.reserved_cny),
        str(week.clips),
        yuan(week.saved_cny),
    )


def _clips(count: int) -> str:
    return "1 clip" if count == 1 else f"{count} clips"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _short(prompt: str) -> str:
    line = " ".join(prompt.split())
    return line if len(line) <= 48 else line[:47] + "…"
