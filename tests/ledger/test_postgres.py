"""What only PostgreSQL has: its own clock, a network between, users and rights."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from tests.ledger.conftest import attempt_of, new_job
from tests.ledger.steps import claim, current, held, sent
from tests.postgres import Server, command, cut_all, database_url, fresh_database, started

from wanvideo.clock import FakeClock
from wanvideo.contract.job import State, TaskId
from wanvideo.errors import JobConflict, SettingsInvalid, StorageFailed
from wanvideo.jobs.machine import OPEN
from wanvideo.ledger import postgres
from wanvideo.ledger.opening import open_engine
from wanvideo.ledger.sql import SqlLedger
from wanvideo.ledger.statements import money
from wanvideo.ports import Upload

SECRET = "s3cret/word"
QUOTED = "s3cret%2Fword"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with fresh_database() as made:
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of one's own, to be stopped and set as one likes."""
    made = started()
    yield made
    made.close()


@pytest.fixture
async def ledger(url: str) -> AsyncIterator[SqlLedger]:
    made = await SqlLedger.open(url, FakeClock())
    yield made
    await made.close()


# --- whose clock rules ---


async def test_a_process_whose_clock_is_wrong_by_hours_still_sees_leases_rightly(url: str) -> None:
    real = datetime.now(UTC)
    fast = await SqlLedger.open(url, FakeClock(real + timedelta(hours=5)))
    slow = await SqlLedger.open(url, FakeClock(real - timedelta(hours=5)))
    job = await slow.add_job(new_job())
    assert abs(job.created_at - real) < timedelta(minutes=5)
    [lease] = await claim(slow, "slow", lease_s=30)
    assert await claim(fast, "fast") == []
    assert await fast.lease_owners() == {"slow"}
    wait_s = await fast.next_due_s(states=OPEN, only=None)
    assert wait_s is not None
    assert 20 < wait_s <= 30
    assert await slow.renew(lease, lease_s=0.2)
    await asyncio.sleep(0.25)
    [taken] = await claim(fast, "fast")
    assert taken.fence > lease.fence
    assert await slow.write(lease, {"note": "late"}) is None
    for each in (fast, slow):
        await each.close()


async def test_due_times_turns_posts_and_uploads_go_by_the_database_too(url: str) -> None:
    real = datetime.now(UTC)
    fast = await SqlLedger.open(url, FakeClock(real + timedelta(hours=5)))
    slow = await SqlLedger.open(url, FakeClock(real - timedelta(hours=5)))
    await fast.add_job(new_job())
    [lease] = await claim(fast, "fast")
    await fast.release([lease], in_s=60)
    assert await claim(slow, "slow") == await claim(fast, "fast") == []
    assert await fast.take_turn("gate", per_s=0.1) == 0
    assert 8 < await slow.take_turn("gate", per_s=0.1) <= 10
    assert await fast.hold_post("watch", "fast", for_s=30)
    assert not await slow.hold_post("watch", "slow", for_s=30)
    await slow.remember_upload("account", "sha", Upload("oss://a", real + timedelta(hours=1)))
    assert await fast.upload("account", "sha", at_least_s=3000) == "oss://a"
    assert await slow.upload("account", "sha", at_least_s=4000) is None
    for each in (fast, slow):
        await each.close()


# --- durable ---


@pytest.mark.parametrize(
    ("theirs", "ours"), [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")]
)
async def test_a_commit_is_on_disk_whatever_the_database_is_set_to(url: str, theirs: str, ours: str) -> None:
    name = url.rpartition("/")[2].partition("?")[0]
    await command(url, f"ALTER DATABASE {name} SET synchronous_commit = {theirs}")
    engine = open_engine(url)
    for _ in range(2):  # also after the connection went back and came again
        async with engine.writer.connect() as connection:
            found = (await connection.execute(text("SHOW synchronous_commit"))).scalar()
        assert found == ours
    await engine.writer.dispose()


async def test_a_server_that_does_not_wait_for_its_disk_is_told_of(server: Server) -> None:
    async with fresh_database(server.url) as url:
        ledger = await SqlLedger.open(url, FakeClock())
        assert "fsync" not in await ledger.probe()
        server.set(fsync="off")
        for _ in range(50):
            if "fsync is off" in await ledger.probe():
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("the probe did not tell")
        server.set(fsync="on")
        await ledger.close()


# --- connections ---


async def test_many_callers_share_ten_connections(url: str, ledger: SqlLedger) -> None:
    counted = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    most = 0

    async def look() -> None:
        nonlocal most
        while True:
            async with ledger._database.reading() as turn:
                most = max(most, await turn.scalar(counted))

    async with ledger.listening(lambda: None):
        looking = asyncio.create_task(look())
        await asyncio.gather(*(ledger.add_job(new_job()) for _ in range(100)))
        looking.cancel()
        await asyncio.wait([looking])
    assert 2 < most <= 10
    assert len(await ledger.jobs(limit=999)) == 100


async def test_connections_that_were_cut_while_idle_are_not_noticed(url: str, ledger: SqlLedger) -> None:
    await asyncio.gather(*(ledger.add_job(new_job()) for _ in range(8)))
    await cut_all(url)
    await asyncio.sleep(0.05)  # the cut arrives
    for _ in range(3):
        await ledger.add_job(new_job())


async def test_a_server_that_was_restarted_is_used_again_by_itself(server: Server) -> None:
    async with fresh_database(server.url) as url:
        ledger = await SqlLedger.open(url, FakeClock())
        job = await ledger.add_job(new_job())
        server.stop()
        try:
            for _ in range(2):
                with pytest.raises(StorageFailed, match="cannot be used: PostgreSQL at") as failure:
                    await ledger.add_job(new_job())
                assert failure.value.retryable
                with pytest.raises(StorageFailed):
                    await ledger.job(job.id)
        finally:
            server.start()
        assert await ledger.job(job.id) == job
        assert len(await claim(ledger, "w", limit=9)) == 1
        await ledger.close()


async def test_a_connection_that_is_not_answered_is_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that swallows everything must not hold the ledger up for ever."""
    monkeypatch.setattr(postgres, "ANSWER_S", 0.5)
    async with fresh_database(server.url) as url:
        ledger = await SqlLedger.open(url, FakeClock())
        async with ledger._database.reading() as turn:
            deaf = await turn.scalar(text("SELECT pg_backend_pid()"))
        os.kill(deaf, signal.SIGSTOP)
        try:
            with pytest.raises(StorageFailed, match="no answer in time"):
                await ledger.add_job(new_job())
            async with asyncio.timeout(5):
                await ledger.add_job(new_job())
                await ledger.add_job(new_job())
        finally:
            os.kill(deaf, signal.SIGCONT)
        await ledger.close()


async def test_a_transaction_that_is_cut_is_undone_and_said_so(url: str, ledger: SqlLedger) -> None:
    job = await ledger.add_job(new_job())

    async def half_done() -> None:
        async with ledger._database.writing() as turn:
            await turn.run(text("UPDATE jobs SET note = 'half'"))
            await cut_all(url)
            await turn.run(text("UPDATE jobs SET note = 'done'"))

    with pytest.raises(StorageFailed):
        await half_done()
    assert (await current(ledger, job.id)).note is None


async def test_a_machine_that_freezes_in_a_transaction_holds_nobody_up_for_long(
    url: str, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "IDLE_S", 0.5)
    frozen = await SqlLedger.open(url, FakeClock())

    async def freeze() -> None:
        async with frozen._database.writing() as turn:
            await turn.lock("gate g")
            async with asyncio.timeout(10):
                await ledger.take_turn("g", per_s=1)  # waits for the lock, and gets it
            await turn.now()

    with pytest.raises(StorageFailed):
        await freeze()
    await frozen.close()


async def test_a_caller_that_gives_up_waiting_holds_nobody_else_up(ledger: SqlLedger) -> None:
    async with ledger._database.writing() as turn:
        await turn.lock("gate g")
        waiting = asyncio.create_task(ledger.take_turn("g", per_s=1))
        await asyncio.sleep(0.2)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(5):
        assert await ledger.take_turn("g", per_s=1) == 0, "its turn was not taken either"


async def test_a_task_that_is_being_written_down_late_is_not_rescued_meanwhile(ledger: SqlLedger) -> None:
    clock = FakeClock()
    lease = await sent(ledger, clock, await held(ledger))
    attempt = attempt_of(lease, clock)
    changes = {"state": State.RUNNING, "task_id": TaskId("t")}
    async with ledger._database.writing() as turn:  # what `record_task` does, held open
        await turn.lock("task t")
        await turn.run(money.change_attempt(lease.job.id, 1, {"task_id": "t"}))
        rescue = asyncio.create_task(ledger.add_rescued(new_job(), attempt, changes))
        await asyncio.wait([rescue], timeout=0.3)
        assert not rescue.done()
    with pytest.raises(JobConflict, match=lease.job.id):
        await rescue


# --- what it says when it cannot be used ---


def says_no_secret(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    told = [str(error), repr(error), getattr(error, "hint", ""), caplog.text]
    assert not [words for words in told if SECRET in words or QUOTED in words]
    assert error.__cause__ is None
    assert error.__suppress_context__, "a traceback would show the driver's own words"


async def refused(url: str, kind: type[Exception], caplog: pytest.LogCaptureFixture) -> str:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(kind) as refusal:
        await SqlLedger.open(url, FakeClock())
    says_no_secret(refusal.value, caplog)
    return str(refusal.value)


async def test_nobody_listens_there(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = await refused(f"postgresql://ann:{QUOTED}@127.0.0.1:{port}/clips", StorageFailed, caplog)
    assert f"PostgreSQL at 127.0.0.1:{port}, database clips" in said


async def test_somebody_listens_and_never_answers(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "CONNECT_S", 0.3)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        port = mute.getsockname()[1]
        said = await refused(f"postgresql://ann:{QUOTED}@127.0.0.1:{port}/x", StorageFailed, caplog)
    assert "no answer in time" in said


async def test_there_is_no_such_host(caplog: pytest.LogCaptureFixture) -> None:
    said = await refused(f"postgresql://ann:{QUOTED}@nowhere.invalid/clips", StorageFailed, caplog)
    assert "nowhere.invalid" in said


async def test_a_wrong_password_and_an_unknown_database(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    await command(server.url, f"CREATE USER ann PASSWORD '{SECRET}'")
    server.demand_password_of("ann")
    place = server.url.replace("postgresql://postgres@", "postgresql://ann:{}@")
    for wrong in ("wrong", ""):
        said = await refused(place.format(wrong), SettingsInvalid, caplog)
        assert "refuses the user or the password" in said
        assert said.startswith("WANVIDEO_DATABASE_URL: ")
    right = place.format(QUOTED)
    said = await refused(database_url(right, "nothing"), SettingsInvalid, caplog)
    assert "no such database" in said
    assert "createdb nothing" in said


async def test_a_user_without_rights(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    await command(server.url, "CREATE USER eve")
    async with fresh_database(server.url) as url:
        eve = url.replace("postgres@", f"eve:{QUOTED}@")
        said = await refused(eve, SettingsInvalid, caplog)
    assert "eve may not do this: permission denied" in said


async def test_a_database_that_takes_no_writes(url: str, caplog: pytest.LogCaptureFixture) -> None:
    name = url.rpartition("/")[2].partition("?")[0]
    await command(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    ledger = await SqlLedger.open(url, FakeClock())
    with pytest.raises(StorageFailed, match="read-only transaction") as failure:
        await ledger.add_job(new_job())
    says_no_secret(failure.value, caplog)
    assert await ledger.jobs(limit=1) == []
    with pytest.raises(StorageFailed):
        await ledger.probe()
    await ledger.close()


def test_an_option_that_the_driver_does_not_know_is_named() -> None:
    with pytest.raises(SettingsInvalid, match=r"not known: channel_binding\.") as refusal:
        open_engine(f"postgres://ann:{QUOTED}@host/db?sslmode=require&channel_binding=require")
    assert "sslmode" in refusal.value.hint
    assert QUOTED not in str(refusal.value)


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(SettingsInvalid) as refusal:
        open_engine("postgresql://host/db")
    assert refusal.value.hint == 'pip install "wanvideo[postgres]"'


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg"])
async def test_every_common_spelling_of_the_address_works(url: str, scheme: str) -> None:
    sep = "&" if "?" in url else "?"
    ledger = await SqlLedger.open(f"{url.replace('postgresql', scheme, 1)}{sep}sslmode=prefer", FakeClock())
    words = await ledger.probe()
    assert words.startswith("PostgreSQL ")
    assert await ledger.add_job(new_job(request={"prompt": "\0 \ud83d"}))
    await ledger.close()


async def test_a_note_that_quotes_a_nul_is_kept_without_it(ledger: SqlLedger) -> None:
    """PostgreSQL takes none; a job that cannot be written to would be stuck for ever."""
    await ledger.add_job(new_job())
    [lease] = await claim(ledger, "w")
    written = await ledger.write(lease, {"state": State.FAILED, "note": "a\0b", "error": {"detail": "a\0b"}})
    assert written is not None
    assert (written.job.note, written.job.error) == ("ab", {"detail": "a\0b"})
