"""`kill -9` at the worst moments: another process takes the job up, and nothing is paid twice."""

from __future__ import annotations

import time

import pytest

from wanvideo.jobs.failpoints import NAMES

from .desk import SIZE, Desk, job_id_in


@pytest.mark.parametrize("moment", NAMES)
def test_a_killed_job_is_taken_up_by_the_next_process_and_paid_once(wan: Desk, moment: str) -> None:
    killed = wan.generate(env={"WANVIDEO_FAILPOINT": moment})
    assert killed.code == -9
    assert killed.stdout == ""

    job_id = job_id_in(killed.stderr)
    watched = wan.run("jobs", "watch", job_id, "--json", env={"WANVIDEO_ABSENCE_GAP": "1"}).succeeded()

    assert len(wan.truth()["creates"]) == 1
    assert wan.paid_once()
    clip = watched.json
    assert (clip["job_id"], clip["size"], clip["fps"], clip["duration"]) == (job_id, SIZE, 24, 2)


@pytest.mark.parametrize("delay_s", [1.6, 2.4])
def test_a_kill_at_any_moment_pays_at_most_once(wan: Desk, delay_s: float) -> None:
    process = wan.start_generate()
    time.sleep(delay_s)
    process.kill()
    killed = wan.finish(process)
    for job in wan.jobs() or [None]:
        if job is None:  # it had not begun
            wan.make()
        else:
            assert killed.code == 0 or job.id in killed.stderr, "whoever was killed knows what to pick up"
            wan.watch(job.id, absence_gap_s=1.0)
    assert len(wan.truth()["creates"]) == 1
    assert wan.paid_once()
