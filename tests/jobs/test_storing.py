"""A paid clip is brought home, whatever happens on the way, until its link dies."""

from __future__ import annotations

import errno
import json
import logging
import os
from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.bench import Bench
from tests.fakes.clips import clip_bytes
from tests.fakes.provider import SIGNATURE

from wanvideo.contract.job import Job, State, TaskId
from wanvideo.errors import ProviderUnavailable
from wanvideo.jobs.workshop import Rules
from wanvideo.ports import TaskReport


async def storing(bench: Bench, **fields: Any) -> Job:
    """A finished clip that waits to be stored: the disk is full."""
    bench.store.full = False
    job = await bench.submit(**fields)
    await bench.drive(job, State.RUNNING)
    bench.store.full = True
    return await bench.drive(job, State.STORING)


async def test_a_clip_that_fits_is_stored_byte_for_byte(bench: Bench) -> None:
    done = await bench.drive(await bench.submit())
    assert done.result is not None
    assert bench.store.files[done.result["video_url"]] == bench.provider.data
    assert done.result["source_url"] is None
    assert list((bench.folder / "work").iterdir()) == []


async def test_another_rate_is_made_here_and_the_providers_file_kept(bench: Bench) -> None:
    done = await bench.drive(await bench.submit(fps=4))
    assert done.result is not None
    assert done.result["fps"] == 4
    assert bench.store.files[done.result["source_url"]] == bench.provider.data
    assert bench.store.files[done.result["video_url"]] != bench.provider.data


async def test_the_providers_file_is_not_kept_where_that_is_switched_off(bench: Bench) -> None:
    bench.shop = replace(bench.shop, rules=Rules(keep_source=False))
    bench.new_worker()
    done = await bench.drive(await bench.submit(fps=4))
    assert done.result is not None
    assert done.result["source_url"] is None
    assert len([name for name in bench.store.files if "videos" in name]) == 1


async def test_seconds_that_are_billed_but_cut_off_are_told(bench: Bench) -> None:
    done = await bench.drive(await bench.submit(duration=2.4, fps=5))
    assert done.result is not None
    assert done.result["duration"] == 2.4
    assert [warning for warning in done.result["warnings"] if "billed" in warning]


async def test_a_cut_download_goes_on_where_it_stopped(bench: Bench) -> None:
    bench.provider.downloads = ["cut"]
    assert (await bench.drive(await bench.submit())).state is State.SUCCEEDED
    assert bench.provider.offsets == [0, 8192]


async def test_a_server_without_ranges_is_read_from_the_start(bench: Bench) -> None:
    bench.provider.downloads = ["cut", "no_range"]
    done = await bench.drive(await bench.submit())
    assert bench.provider.offsets == [0, 8192], "what came was whole, so nothing had to be loaded again"
    assert done.result is not None
    assert bench.store.files[done.result["video_url"]] == bench.provider.data


async def test_the_bytes_of_a_killed_worker_are_not_trusted_but_loaded_anew(bench: Bench) -> None:
    """A power cut may have damaged them, and a clip is stored byte for byte as the provider made it."""
    bench.provider.downloads = ["cut"]
    bench.die_at = "during_download"
    done = await bench.drive(await bench.submit())
    assert bench.kills == 1
    assert bench.provider.offsets == [0, 0]
    assert done.result is not None
    assert bench.store.files[done.result["video_url"]] == bench.provider.data


async def test_broken_bytes_are_never_stored_but_fetched_anew(bench: Bench) -> None:
    bench.provider.downloads = ["wrong_bytes"]
    done = await bench.drive(await bench.submit())
    assert bench.provider.offsets == [0, 0]
    assert done.result is not None
    assert bench.store.files[done.result["video_url"]] == bench.provider.data


async def test_a_cut_file_of_unknown_length_is_noticed(bench: Bench) -> None:
    whole = bench.provider.data
    job = await bench.submit()
    await bench.drive(job, State.RUNNING)
    bench.provider.data, bench.provider.downloads = whole[: len(whole) // 2], ["no_length"]
    await bench.drive(job, State.STORING)
    bench.provider.data = whole
    done = await bench.drive(job)
    assert done.result is not None
    assert bench.store.files[done.result["video_url"]] == whole


async def test_the_providers_own_damage_is_kept_as_it_came_and_told(bench: Bench) -> None:
    """The very same broken bytes up to the link's last hours: they are paid for, and all there is."""
    bench.provider.downloads = ["wrong_bytes"] * 500
    job = await bench.drive(await bench.submit(), State.STORING)
    await bench.let_pass(120)
    assert len(bench.provider.offsets) > 3
    assert (await bench.job(job)).state is State.STORING, "a later download may still be whole"
    await bench.clock.advance(19 * 3600)
    done = await bench.drive(job)
    assert done.state is State.SUCCEEDED
    assert done.result is not None
    assert [warning for warning in done.result["warnings"] if "damaged" in warning]


async def test_what_is_no_clip_at_all_is_fetched_again_and_again(bench: Bench) -> None:
    whole, bench.provider.data = bench.provider.data, b"<html>come back later</html>" * 10
    job = await bench.submit()
    await bench.drive(job, State.STORING)
    await bench.let_pass(60)
    assert (await bench.job(job)).state is State.STORING
    bench.provider.data = whole
    assert (await bench.drive(job)).state is State.SUCCEEDED


async def test_a_full_disk_is_waited_out(bench: Bench) -> None:
    job = await storing(bench)
    await bench.let_pass(1800)
    waiting = await bench.job(job)
    assert (waiting.state, waiting.note) == (State.STORING, "No space left on device.")
    assert waiting.store_tries > 5
    bench.store.full = False
    assert (await bench.drive(job)).state is State.SUCCEEDED
    assert len(bench.provider.offsets) > 1
    assert bench.provider.offsets[1] == len(bench.provider.data), (
        "the bytes that are there are not loaded anew"
    )


async def test_a_disk_that_is_full_during_the_download_is_waited_out(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came is kept, as far as it came, and nothing but the rest is loaded again."""
    settle, left = os.fsync, [OSError(errno.ENOSPC, "No space left on device")]

    def fsync(number: int) -> None:
        if left:
            raise left.pop()
        settle(number)

    monkeypatch.setattr("wanvideo.jobs.download.os.fsync", fsync)
    job = await bench.submit()
    await bench.drive(job, State.STORING)
    assert "No space left on device" in str((await bench.job(job)).note)
    done = await bench.drive(job)
    assert left == []
    assert done.result is not None
    assert bench.store.files[done.result["video_url"]] == bench.provider.data
    assert set(bench.provider.offsets) == {0, len(bench.provider.data)}


async def test_when_the_link_dies_soon_it_is_tried_more_often_and_told_once(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    job = await storing(bench)
    await bench.let_pass(900)

    async def tries_a_minute() -> int:
        before = (await bench.job(job)).store_tries
        await bench.let_pass(180)
        return ((await bench.job(job)).store_tries - before) // 3

    assert await tries_a_minute() == 1
    assert [record.levelname for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert "at_risk" not in await bench.history(job.id)
    await bench.clock.advance(18 * 3600)
    assert await tries_a_minute() >= 4
    assert (await bench.history(job.id)).count("at_risk") == 1
    assert "its link dies in" in [record.message for record in caplog.records if record.levelno >= 40][-1]
    bench.store.full = False
    assert (await bench.drive(job)).state is State.SUCCEEDED


async def test_a_rescued_clip_is_stored_as_it_came(bench: Bench) -> None:
    """Nobody knows what it was asked to be, so it is fitted to nothing."""
    bench.provider.data = clip_bytes(1, seconds=3, fps=10, side_px=320)
    job = await bench.drive(await bench.submit(fps=4), State.RUNNING)
    [lease] = await bench.ledger.claim(
        "w", states=(State.RUNNING,), only=[job.id], limit=1, lease_s=9, due=False
    )
    await bench.ledger.write(lease, {"evidence": {"rescued": True}}, release_in_s=60)
    done = await bench.drive(job)
    assert done.result is not None
    assert bench.store.files[done.result["video_url"]] == bench.provider.data
    assert (done.result["size"], done.result["fps"], done.result["duration"]) == ("320*320", 10, 3)


async def test_a_whole_file_of_a_killed_worker_is_taken_once_its_link_has_died(bench: Bench) -> None:
    job = await storing(bench)
    bench.new_worker()
    bench.store.full = False
    await bench.clock.advance(25 * 3600)
    done = await bench.drive(job)
    assert done.result is not None
    assert bench.store.files[done.result["video_url"]] == bench.provider.data
    assert len(bench.provider.sent) == 1


async def test_a_link_without_its_time_to_live_counts_a_day(bench: Bench) -> None:
    fetch = bench.provider.fetch

    async def without_time(task: TaskId) -> TaskReport:
        return replace(await fetch(task), expires_at=None)

    bench.provider.fetch = without_time  # type: ignore[method-assign]
    job = await storing(bench)
    now = await bench.job(job)
    assert now.expires_at is not None
    assert (now.expires_at - bench.clock.now()).total_seconds() == pytest.approx(86_400, abs=60)


async def test_six_hours_before_the_link_dies_every_face_can_shout(bench: Bench) -> None:
    job = await storing(bench)
    assert not (await bench.jobs.snapshot(await bench.job(job))).at_risk
    await bench.clock.advance(18 * 3600 + 60)
    assert (await bench.jobs.snapshot(await bench.job(job))).at_risk


async def test_a_dead_link_ends_the_job_with_the_reason(bench: Bench) -> None:
    job = await storing(bench)
    for part in bench.shop.work_dir.glob("*"):
        part.unlink()
    await bench.clock.advance(25 * 3600)
    done = await bench.drive(job)
    assert done.state is State.FAILED
    assert done.error is not None
    assert (done.error["code"], done.error["task_id"]) == ("result_expired", "task-1")
    assert done.cost_cny == "0.6", "it was billed all the same"


async def test_a_clip_that_is_here_outlives_its_link(bench: Bench) -> None:
    job = await storing(bench)
    await bench.clock.advance(25 * 3600)
    bench.store.full = False
    done = await bench.drive(job)
    assert done.state is State.SUCCEEDED
    assert done.cost_cny == "0.6"


async def test_a_link_that_the_server_calls_expired_ends_the_job(bench: Bench) -> None:
    bench.provider.downloads = ["expired"]
    done = await bench.drive(await bench.submit())
    assert done.error is not None
    assert done.error["code"] == "result_expired"


async def test_a_provider_that_cannot_be_asked_for_the_link_is_asked_again(bench: Bench) -> None:
    bench.die_at = "after_download"
    job = await bench.submit()
    await bench.drive(job, State.STORING)
    bench.provider.fetches = [ProviderUnavailable("503")] * 3
    assert (await bench.drive(job)).state is State.SUCCEEDED


async def test_a_clip_on_its_way_home_may_be_abandoned(bench: Bench) -> None:
    job = await storing(bench)
    await bench.jobs.cancel(job.id, abandon=True)
    done = await bench.drive(job)
    assert (done.state, done.cost_cny) == (State.CANCELLED, "0.6")
    assert list((bench.folder / "work").iterdir()) == []


async def test_a_plain_cancel_of_a_clip_on_its_way_home_keeps_it(bench: Bench) -> None:
    job = await storing(bench)
    await bench.jobs.cancel(job.id)
    bench.store.full = False
    assert (await bench.drive(job)).state is State.SUCCEEDED


async def test_another_clip_than_asked_for_is_made_to_fit(bench: Bench) -> None:
    bench.provider.data = clip_bytes(1, seconds=3, fps=10, side_px=320)
    done = await bench.drive(await bench.submit())
    assert done.result is not None
    assert (done.result["size"], done.result["fps"], done.result["duration"]) == ("240*240", 5, 2)


async def test_a_signed_link_is_never_written_down(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bench.provider.downloads = ["unavailable", "cut", "wrong_bytes", "RuntimeError"]
    bench.provider.fetches = [RuntimeError(f"https://fake.test/x.mp4?{SIGNATURE}")]
    done = await bench.drive(await bench.submit())
    assert done.state is State.SUCCEEDED
    files = [path for path in bench.folder.rglob("ledger.db*") if path.is_file()]
    assert files
    assert [path.name for path in files if b"SIGNEDSECRET" in path.read_bytes()] == []
    events = [event.data for event in await bench.ledger.events(done.id)]
    assert "SIGNEDSECRET" not in json.dumps([done.result, events], default=str)
    ours = [record.getMessage() for record in caplog.records]
    assert not [line for line in ours if "SIGNEDSECRET" in line]
