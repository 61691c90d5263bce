"""The audit of an account: every create and every bill, or a loud no."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.fakes.bench import Bench

from wanvideo.clock import FakeClock
from wanvideo.contract.job import Job, State
from wanvideo.errors import ProviderUnavailable
from wanvideo.jobs import account
from wanvideo.jobs.audit import Audit, audit
from wanvideo.jobs.comparison import Line, Verdict

PRICE = Decimal("0.60")


async def audited(bench: Bench, *, hours: int = 24) -> Audit:
    """The audit, by a clock that does not make the test wait for tries."""
    shop = replace(bench.shop, clock=FakeClock(bench.clock.now(), auto=True))
    return await audit(shop, bench.provider, hours=hours)


async def only(bench: Bench) -> Line:
    (line,) = (await audited(bench)).lines
    return line


async def made(bench: Bench, **fields: object) -> Job:
    done = await bench.drive(await bench.submit(**fields))
    assert done.state is State.SUCCEEDED
    return done


async def test_an_account_without_anything_is_clean(bench: Bench) -> None:
    found = await audited(bench)
    assert (found.lines, found.is_clean, found.failure()) == ((), True, None)
    assert (found.approved, found.at_provider, found.billed_s, found.cost_cny) == (0, 0, 0.0, Decimal(0))


async def test_clips_that_were_asked_for_here_are_accounted_for(bench: Bench) -> None:
    jobs = [await made(bench, prompt=f"pan {number}") for number in range(3)]
    found = await audited(bench)
    assert found.is_clean
    assert [line.job_id for line in found.lines] == [job.id for job in jobs]
    assert (found.approved, found.at_provider, found.elsewhere) == (3, 3, 0)
    assert (found.billed_s, found.cost_cny, found.unpriced) == (6, 3 * PRICE, 0)


async def test_a_task_that_runs_on_is_accounted_for(bench: Bench) -> None:
    await bench.drive(await bench.submit(), State.RUNNING)
    line = await only(bench)
    assert (line.verdict, line.status, line.state, line.cost_cny) == (Verdict.OK, "running", "running", None)


async def test_the_clip_of_another_program_is_named_with_its_price(bench: Bench) -> None:
    await made(bench)
    stray = bench.provider.stranger()
    bench.provider.endings = ["fail"]
    failed = bench.provider.stranger()
    await bench.clock.advance(30)
    found = await audited(bench)
    assert [(line.task_id, line.cost_cny) for line in found.unaccounted] == [
        (stray.id, PRICE),
        (failed.id, Decimal(0)),
    ]
    assert (found.approved, found.at_provider) == (1, 3)
    failure = found.failure()
    assert failure is not None
    assert (failure.code, failure.exit_code) == ("audit_failed", 9)
    assert failure.detail == "2 lines do not add up: 2 unaccounted."
    assert "`wanvideo rescue`" in failure.hint


async def test_a_submit_that_was_never_answered_is_uncertain(bench: Bench) -> None:
    bench.provider.creates = ["lost_without_task"]
    job = await bench.submit()
    await bench.drive(job, State.UNCERTAIN)
    line = await only(bench)
    assert (line.verdict, line.job_id, line.task_id) == (Verdict.UNCERTAIN, job.id, None)
    assert (line.outcome, line.state) == ("lost", "uncertain")
    failure = (await audited(bench)).failure()
    assert failure is not None
    assert failure.detail == "1 line does not add up: 1 uncertain."
    assert "`wanvideo jobs watch ID`" in failure.hint


async def test_a_submit_that_was_refused_or_did_not_arrive_made_no_task(bench: Bench) -> None:
    bench.provider.creates = ["not_delivered", "throttle", "refuse"]
    job = await bench.drive(await bench.submit())
    assert job.state is State.FAILED
    found = await audited(bench)
    assert [line.outcome for line in found.lines] == ["not_delivered", "throttled", "refused"]
    assert (found.is_clean, found.approved, found.at_provider) == (True, 3, 0)


async def test_a_submit_that_was_proved_absent_is_settled(bench: Bench) -> None:
    bench.provider.creates = ["lost_without_task"]
    await made(bench)
    found = await audited(bench)
    assert [line.outcome for line in found.lines] == ["proved_absent", "accepted"]
    assert found.is_clean


async def test_a_failed_task_and_its_successor_are_two_creates_and_one_bill(bench: Bench) -> None:
    bench.provider.endings = ["trouble"]
    await made(bench)
    found = await audited(bench)
    assert [(line.status, line.cost_cny) for line in found.lines] == [
        ("failed", Decimal(0)),
        ("succeeded", PRICE),
    ]
    assert found.is_clean


async def test_an_accepted_task_that_has_gone_is_missing(bench: Bench) -> None:
    job = await made(bench)
    bench.provider.tasks.clear()
    line = await only(bench)
    assert (line.verdict, line.job_id, line.task_id, line.status) == (
        Verdict.MISSING,
        job.id,
        "task-1",
        None,
    )


async def test_a_task_that_the_list_shows_late_is_asked_for_by_name(bench: Bench) -> None:
    await made(bench)
    bench.provider.list_lag_s = 3600
    line = await only(bench)
    assert (line.verdict, line.status, line.cost_cny) == (Verdict.OK, "succeeded", PRICE)


async def test_a_bill_that_the_provider_changed_afterwards_is_told(bench: Bench) -> None:
    await made(bench)
    bench.provider.billed_s = 15
    line = await only(bench)
    assert (line.verdict, line.billed_s, line.cost_cny, line.ours_cny) == (
        Verdict.BILL_DIFFERS,
        15,
        Decimal("4.5"),
        PRICE,
    )
    assert "¥0.60" in line.why
    failure = (await audited(bench)).failure()
    assert failure is not None
    assert "Model Studio console" in failure.hint


async def test_only_the_hours_that_were_asked_for_count(bench: Bench) -> None:
    old = await made(bench, prompt="old")
    await bench.clock.advance(2 * 3600)
    new = await made(bench, prompt="new")
    assert [line.job_id for line in (await audited(bench, hours=1)).lines] == [new.id]
    assert [line.job_id for line in (await audited(bench, hours=24)).lines] == [old.id, new.id]


async def test_a_task_so_old_that_the_provider_forgets_it_is_not_called_missing(bench: Bench) -> None:
    await made(bench)
    for age_s in (86_400 - 600, 300, 300, 3600):
        await bench.clock.advance(age_s)
        assert (await audited(bench)).is_clean


async def test_attempts_with_another_key_are_left_out_and_counted_unless_listed_here(bench: Bench) -> None:
    """The list is the main account's: it shows the tasks of all its keys."""
    await made(bench)
    bench.provider.key = "key-2"
    found = await audited(bench)
    assert (found.is_clean, len(found.lines), found.elsewhere) == (True, 1, 0)
    bench.provider.tasks.clear()
    found = await audited(bench)
    assert (found.is_clean, len(found.lines), found.elsewhere) == (True, 0, 1)


async def test_the_whole_list_counts_however_many_pages_it_has(bench: Bench) -> None:
    bench.provider.list_page_size = 2
    strays = [bench.provider.stranger().id for _ in range(5)]
    await bench.clock.advance(30)
    found = await audited(bench)
    assert [line.task_id for line in found.lines] == strays


async def test_where_the_provider_cannot_be_asked_in_full_nothing_is_claimed(bench: Bench) -> None:
    await made(bench)
    bench.provider.lists = [ProviderUnavailable("503")] * account.TRIES
    with pytest.raises(ProviderUnavailable):
        await audited(bench)
    bench.provider.fetches = [ProviderUnavailable("503")] * account.TRIES
    with pytest.raises(ProviderUnavailable):
        await audited(bench)
    bench.provider.lists = [ProviderUnavailable("503")]
    bench.provider.fetches = [ProviderUnavailable("503")] * 2
    assert (await audited(bench)).is_clean


async def test_an_audit_changes_nothing_and_sends_nothing_that_costs(bench: Bench) -> None:
    job = await made(bench)
    bench.provider.stranger()
    await bench.clock.advance(30)
    before = (await bench.job(job), await bench.history(job.id), await bench.ledger.attempts(job.id))
    await audited(bench)
    assert (await bench.job(job), await bench.history(job.id), await bench.ledger.attempts(job.id)) == before
    assert len(bench.provider.sent) == 1


async def test_it_is_told_in_plain_json(bench: Bench) -> None:
    await made(bench)
    bench.provider.stranger()
    await bench.clock.advance(30)
    told = json.loads(json.dumps((await audited(bench)).as_json()))
    assert (told["clean"], told["creates"]) == (False, {"approved": 1, "rescued": 0, "at_provider": 2})
    assert (told["billed_s"], told["cost_cny"]) == (4, 1.2)
    assert told["unaccounted"] == {"count": 1, "cost_cny": 0.6}
    assert told["verdicts"] == {"ok": 1, "unaccounted": 1}
    assert told["error"]["code"] == "audit_failed"
    assert [line["verdict"] for line in told["lines"]] == ["ok", "unaccounted"]
