"""`kill -9` at the worst moments: another process takes the job up, and nothing is paid twice."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from wanvideo import VideoResult
from wanvideo.jobs.failpoints import NAMES

from .desk import SIZE, Desk, job_id_in

BY_COMMAND = {"before_post", "after_post", "during_download", "before_stored"}
"""Taken up with `wanvideo jobs watch`; the other moments by a Python client, which starts quicker."""


@pytest.mark.parametrize("moment", NAMES)
def test_a_killed_job_is_taken_up_by_the_next_process_and_paid_once(wan: Desk, moment: str) -> None:
    killed = wan.generate(env={"WANVIDEO_FAILPOINT": moment})
    assert killed.code == -9
    assert killed.stdout == ""

    job_id = job_id_in(killed.stderr)
    if moment in BY_COMMAND:
        gap = {
            "WANVIDEO_ABSENCE_GAP": "1",
            "WANVIDEO_SUBMIT_TIMEOUT": "2",
            "WANVIDEO_CONNECT_TIMEOUT": "0.5",
        }
        clip = VideoResult(**wan.run("jobs", "watch", job_id, "--json", env=gap).succeeded().json)
    else:
        clip = wan.watch(job_id, absence_gap_s=1.0, submit_timeout_s=2, connect_timeout_s=0.5)

    assert len(wan.truth()["creates"]) == 1
    assert wan.paid_once()
    assert (clip.job_id, clip.size, clip.fps, clip.duration, clip.seed) == (job_id, SIZE, 24, 2, 7)
    assert hashlib.sha256(Path(clip.video_url).read_bytes()).hexdigest() == clip.sha256
    assert list((wan.output / "work").iterdir()) == []


@pytest.mark.parametrize("delay_s", [1.6, 2.4])
def test_a_kill_at_any_moment_pays_at_most_once(wan: Desk, delay_s: float) -> None:
    process = wan.start_generate()
    time.sleep(delay_s)
    process.kill()
    killed = wan.finish(process)
    begun = wan.jobs()
    for job in begun:
        assert killed.code == 0 or job.id in killed.stderr, "whoever was killed knows what to pick up"
        wan.watch(job.id, absence_gap_s=1.0, submit_timeout_s=2, connect_timeout_s=0.5)
    if not begun:
        wan.make()
    assert len(wan.truth()["creates"]) == 1
    assert wan.paid_once()
