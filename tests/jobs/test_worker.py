"""Who is dead: only what can be known for sure on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from wanvideo.jobs.worker import Worker, dead, this_worker

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def here() -> Worker:
    return this_worker()


def test_a_worker_knows_itself(here: Worker) -> None:
    assert here == this_worker()
    assert here.pid == os.getpid()
    assert dead({here.name}, here) == set()


def test_a_killed_process_is_dead_and_a_living_one_is_not(here: Worker) -> None:
    show = "from wanvideo.jobs.worker import this_worker; print(this_worker().name, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", show], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        name = child.stdout.readline().strip()
        assert dead({name}, here) == set()
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert dead({name}, here) == {name}, "a zombie does nothing any more"
    assert dead({name}, here) == {name}


def test_a_pid_that_was_given_to_a_newer_process_does_not_keep_a_lease_alive(here: Worker) -> None:
    former = replace(here, born="1")
    assert dead({former.name}, here) == {former.name}


def test_of_another_boot_container_or_machine_nothing_can_be_said(here: Worker) -> None:
    elsewhere = Worker("0000/1", 1, "1")
    assert dead({elsewhere.name}, here) == set()


@pytest.mark.parametrize("name", ["", "nonsense", "a:b", ":1:2", "::", "place:-1:0"])
def test_a_name_that_is_no_workers_is_left_alone(here: Worker, name: str) -> None:
    assert dead({name}, here) == set()


def test_where_there_is_no_proc_nobody_is_called_dead(here: Worker) -> None:
    blind = replace(here, place="")
    assert dead({Worker("", 999_999, "5").name}, blind) == set()
