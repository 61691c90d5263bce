"""Scripts that use `wanvideo` as a library: they end promptly and cleanly, with every warning an error."""

from __future__ import annotations

import time
from pathlib import Path

from .conftest import OpenDesk
from .desk import Desk

GENERATE = """\
import sys
from wanvideo import video

seen = []
clip = video.generate(
    {"prompt": "slow push in", "reference_image": "boat.png", "duration": 2, "fps": 24, "size": "320*240",
     "seed": 7, "wan": {"audio": False}},
    on_progress=lambda snapshot: seen.append(snapshot.job.state.value),
)
print(clip.video_url)
print(clip.duration, clip.fps, clip.seed, clip.provider, clip.cached)
print(*dict.fromkeys(seen))
"""


def test_five_lines_make_a_clip_and_the_process_ends_at_once(wan: Desk) -> None:
    lines = wan.script(GENERATE + "import time; print(time.time())").succeeded().stdout.splitlines()
    ended_s = time.time()
    assert Path(lines[0]).exists()
    assert lines[1] == "2.0 24.0 7 dashscope False"
    assert lines[2].split()[-1] == "succeeded"
    assert {"running", "succeeded"} <= set(lines[2].split())
    assert ended_s - float(lines[3]) < 2, "no thread keeps the process alive"
    assert wan.paid_once()


SUBMIT = """\
from pathlib import Path
from wanvideo import video

job = video.submit(prompt="slow push in", reference_image=Path("boat.png"), duration=2, size="320*240",
                   seed=7, wan={"audio": False})
while job.status().job.state.value in ("queued", "submitting"):
    pass
print(job.id)
"""

PICK_UP = """\
import sys
from wanvideo import video

print(video.job(sys.argv[1]).wait().video_url)
"""


def test_a_job_is_picked_up_in_another_process_by_its_id(open_desk: OpenDesk) -> None:
    desk = open_desk(run_s=(4_000, 4_000))
    job_id = desk.script(SUBMIT).succeeded().stdout.strip()
    assert desk.truth()["tasks"][0]["status"] == "RUNNING"
    clip = desk.script(PICK_UP, job_id).succeeded().stdout.strip()
    assert Path(clip).exists()
    assert len(desk.truth()["creates"]) == 1
    assert desk.paid_once()


IMPATIENT = """\
from wanvideo import WanvideoError, video

fields = dict(prompt="slow push in", duration=2, size="320*240", seed=7, wan={"audio": False})
try:
    with open("boat.png", "rb") as picture:
        video.generate(reference_image=picture, timeout_s=4, **fields)
except WanvideoError as error:
    print(error.code, error.retryable, error.job_id)
try:
    video.generate(reference_image="boat.png", size="321*240", prompt="x")
except WanvideoError as error:
    print(error.code, error.field)
try:
    video.generate(reference_image="boat.png", promt="x")
except WanvideoError as error:
    print(error.code, error.field)
"""


def test_a_script_that_stops_waiting_is_told_and_the_job_goes_on(open_desk: OpenDesk) -> None:
    desk = open_desk(run_s=(6_000, 6_000))
    lines = desk.script(IMPATIENT).succeeded().stdout.splitlines()
    code, retryable, job_id = lines[0].split()
    assert (code, retryable) == ("wait_timeout", "True")
    assert lines[1] == "invalid_request size"
    assert lines[2] == "invalid_request promt" or lines[2] == "invalid_request prompt"
    desk.run("jobs", "watch", job_id).succeeded()
    assert desk.paid_once()


ASYNC_TWO = """\
import asyncio
from wanvideo import AsyncClient, Settings

async def main():
    shared = dict(reference_image="boat.png", duration=2, size="320*240", wan={"audio": False})
    here = Settings.read()
    there = here.model_copy(update={"output_dir": here.output_dir / "other"})
    async with AsyncClient() as one, AsyncClient(there) as two:
        clips = await asyncio.gather(
            one.generate(prompt="slow push in", seed=7, **shared),
            two.generate(prompt="slow push in", seed=7, **shared),
        )
    print(len({clip.video_url for clip in clips}))

asyncio.run(main())
"""


def test_two_async_clients_work_side_by_side(wan: Desk) -> None:
    assert wan.script(ASYNC_TWO).succeeded().stdout == "2\n"
    assert wan.truth()["billed_s"] == 4, "two ledgers that know nothing of each other"


LEFT_OPEN = """\
from wanvideo import Client

client = Client()
print(client.submit(prompt="slow push in", reference_image="boat.png", size="320*240", duration=2).id)
raise SystemExit(3)
"""


def test_a_client_that_nobody_closed_does_not_keep_the_process(desk: Desk) -> None:
    ran = desk.script(LEFT_OPEN)
    assert ran.code == 3
    assert desk.run("jobs", "watch", ran.stdout.strip()).succeeded().path.exists()
