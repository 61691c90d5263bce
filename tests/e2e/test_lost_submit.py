"""A submit whose answer was lost: the job finds its task, or proves that there is none. Never two."""

from __future__ import annotations

import pytest

from .conftest import OpenDesk
from .desk import Desk

LOST_BUT_MADE = ("submit:drop*1", "submit:reset*1", "submit:500-created*1", "submit:html502-created*1")
NEVER_MADE = ("submit:drop-before*1", "submit:503*1")


def ended_well(desk: Desk) -> list[str]:
    """The job's events; its clip is stored and was paid once."""
    job = desk.job()
    assert job["state"] == "succeeded"
    assert job["result"]["fps"] == 24
    assert desk.paid_once()
    return [event["event"] for event in job["history"]]


@pytest.mark.parametrize("fault", LOST_BUT_MADE)
def test_a_task_that_was_made_is_found_again_and_nothing_is_sent_twice(
    open_desk: OpenDesk, fault: str
) -> None:
    desk = open_desk(faults=(fault,))
    desk.generate().succeeded()
    assert len(desk.truth()["creates"]) == 1
    events = ended_well(desk)
    assert "lost" in events
    assert "found" in events


@pytest.mark.parametrize("fault", NEVER_MADE)
def test_a_task_that_was_never_made_is_proven_absent_and_then_made_once(
    open_desk: OpenDesk, fault: str
) -> None:
    desk = open_desk(faults=(fault,))
    desk.generate(env={"WANVIDEO_ABSENCE_GAP": "1"}).succeeded()
    truth = desk.truth()
    assert [create["task_id"] is not None for create in truth["creates"]] == [False, True]
    assert len(truth["tasks"]) == 1
    assert "proved_absent" in ended_well(desk)
