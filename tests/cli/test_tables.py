"""What people read of an audit, a rescue and the spending."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from wanvideo.cli.tables import print_audit, print_orphans, print_spending
from wanvideo.contract.job import JobId, TaskId
from wanvideo.contract.price import cost_of
from wanvideo.jobs.audit import Audit
from wanvideo.jobs.comparison import Line, Verdict
from wanvideo.jobs.rescue import Orphan
from wanvideo.jobs.spending import OwnerLine, SpendingReport, Sum
from wanvideo.ports import TaskReport, TaskStatus

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OURS = Line(
    Verdict.OK,
    TaskId("t-1"),
    JobId("j_000000000001"),
    1,
    TaskStatus.SUCCEEDED,
    "accepted",
    "succeeded",
    NOW,
    NOW,
    4,
    Decimal("1.2"),
    Decimal("1.2"),
)
STRAY = Line(
    Verdict.UNACCOUNTED,
    TaskId("t-2"),
    status=TaskStatus.SUCCEEDED,
    created_at=NOW,
    billed_s=2,
    cost_cny=Decimal("0.3"),
    why="no attempt of this ledger made it",
)


def audit_of(*lines: Line, elsewhere: int = 0) -> Audit:
    return Audit("dashscope|https://h/api/v1|k", NOW - timedelta(days=1), NOW, lines, elsewhere)


def test_an_audit_shows_each_line_and_the_totals(capsys: pytest.CaptureFixture[str]) -> None:
    print_audit(audit_of(OURS, STRAY))
    assert capsys.readouterr().out.splitlines() == [
        "verdict      task  status     billed   cost  job               made (UTC)      our word",
        "ok           t-1   succeeded     4 s  ¥1.20  j_000000000001/1  11-23 12:00:00  accepted, succeeded",
        (
            "unaccounted  t-2   succeeded     2 s  ¥0.30  -                 11-23 12:00:00  "
            "no attempt of this ledger made it"
        ),
        "",
        "account      dashscope|https://h/api/v1|k",
        "between      2026-11-22 12:00:00 and 2026-11-23 12:00:00 UTC",
        "creates      1 approved here, 2 at the provider",
        "billed       6 s, ¥1.50",
        "unaccounted  1, ¥0.30",
    ]


def test_an_account_without_anything_has_no_empty_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_audit(audit_of())
    told = capsys.readouterr().out
    assert "verdict" not in told
    assert "creates      0 approved here, 0 at the provider" in told
    assert "unaccounted  0\n" in told


def test_what_an_audit_cannot_see_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    unpriced = replace(OURS, billed_s=None, cost_cny=None)
    print_audit(audit_of(replace(OURS, rescued=True), unpriced, elsewhere=2))
    told = capsys.readouterr()
    assert "1 approved here, 1 rescued, 2 at the provider" in told.out
    assert "4 s, ¥1.20; 1 clip more whose bill the provider does not tell" in told.out
    assert "rescued, succeeded" in told.out
    assert told.err == "2 attempts with another key or endpoint were left out: audit them there\n"


def orphan(*, left: timedelta | None = timedelta(hours=22, minutes=5), rival: str | None = None) -> Orphan:
    report = TaskReport(
        TaskStatus.SUCCEEDED,
        expires_at=None if left is None else NOW + left,
        billed_s=4,
        cost=cost_of("beijing", "720P", True, 4),
        prompt_seen="boats drift\n on the tide",
    )
    return Orphan(TaskId("t-1"), NOW, report, None if rival is None else JobId(rival))


def test_finds_show_their_price_and_how_long_their_link_lives(capsys: pytest.CaptureFixture[str]) -> None:
    print_orphans([orphan()], NOW)
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "task  made (UTC)           billed   cost  link lives   prompt",
        "t-1   2026-11-23 12:00:00     4 s  ¥1.20  22 h 05 min  boats drift on the tide",
        "",
        "1 clip, 4 s, ¥1.20: paid, and never collected here",
    ]
    assert told.err == "Bring them home: wanvideo rescue --all\n"


def test_a_find_without_price_time_prompt_or_link_is_shown_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bare = Orphan(TaskId("t-1"), None, TaskReport(TaskStatus.SUCCEEDED))
    print_orphans([bare, orphan(left=timedelta(seconds=-1))], NOW)
    first, second = capsys.readouterr().out.splitlines()[1:3]
    assert first.split() == ["t-1", "-", "-", "-", "-", "(not", "told)"]
    assert " dead " in second


def test_a_find_that_may_be_of_a_job_here_is_pointed_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_orphans([orphan(rival="j_000000000009")], NOW)
    assert capsys.readouterr().err == (
        "t-1 may be that of j_000000000009, whose submit was never answered: "
        "wanvideo jobs watch j_000000000009\n"
    )


def test_nothing_found_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_orphans([], NOW)
    told = capsys.readouterr()
    assert (told.out, told.err) == (
        "",
        "every finished clip of the last 24 hours belongs to a job here\n",
    )


def test_spending_shows_owners_budget_and_savings(capsys: pytest.CaptureFixture[str]) -> None:
    today = Sum(Decimal("1.2"), Decimal("0.6"), 1, Decimal("0.6"), 1)
    week = Sum(Decimal("12.4"), Decimal("0.6"), 11, Decimal("1.8"), 3)
    owners = (OwnerLine("ada", "dashscope", Sum(), week), OwnerLine(None, "preview", Sum(), Sum()))
    print_spending(SpendingReport(NOW, NOW, today, week, owners, Decimal(10)))
    assert capsys.readouterr().out.splitlines() == [
        "                       today  7 days  held back  clips  saved",
        "all                    ¥1.20  ¥12.40      ¥0.60     11  ¥1.80",
        "ada, dashscope         ¥0.00  ¥12.40      ¥0.60     11  ¥1.80",
        "command line, preview  ¥0.00   ¥0.00      ¥0.00      0  ¥0.00",
        "",
        "budget  ¥10.00 a day, ¥8.20 left today",
        "saved   ¥0.60 today, by 1 clip that was there already",
        "saved   ¥1.80 in 7 days, by 3 clips that were there already",
    ]
