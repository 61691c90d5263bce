"""A submit whose answer was lost: the job finds its task, or proves that there is none. Never two."""

from __future__ import annotations

import asyncio
import re

import pytest

from wanvideo.errors import WaitTimeout

from .conftest import OpenDesk
from .desk import Desk

LOST_BUT_MADE = ("submit:reset*1", "submit:500-created*1", "submit:html502-created*1", "submit:empty*1")
NEVER_MADE = ("submit:503*1", "submit:html502*1")


def found_again(desk: Desk) -> None:
    assert len(desk.truth()["creates"]) == 1
    assert desk.paid_once()
    events = desk.events()
    assert events.index("lost") < events.index("found") < events.index("stored")


def made_after_all(desk: Desk) -> None:
    truth = desk.truth()
    assert [create["task_id"] is not None for create in truth["creates"]] == [False, True]
    assert len(truth["tasks"]) == 1
    assert desk.paid_once()
    events = desk.events()
    assert events.index("lost") < events.index("proved_absent") < events.index("stored")


def test_a_connection_that_drops_after_the_body_was_read_makes_one_clip(open_desk: OpenDesk) -> None:
    desk = open_desk(faults=("submit:drop*1",))
    made = desk.generate("--json").succeeded()
    assert (made.json["fps"], made.json["size"]) == (24, "320*240")
    found_again(desk)


def test_a_connection_that_drops_before_the_task_was_made_makes_one_clip(open_desk: OpenDesk) -> None:
    desk = open_desk(faults=("submit:drop-before*1",))
    made = desk.generate(
        env={
            "WANVIDEO_ABSENCE_GAP": "1",
            "WANVIDEO_SUBMIT_TIMEOUT": "2",
            "WANVIDEO_CONNECT_TIMEOUT": "0.5",
        }
    ).succeeded()
    assert re.search(r"looking once more in [1-4] s to be sure", made.stderr)
    made_after_all(desk)


def test_whatever_answers_instead_of_the_provider_a_task_that_was_made_is_found(open_desk: OpenDesk) -> None:
    desks = [open_desk(faults=(fault,)) for fault in LOST_BUT_MADE]

    async def together() -> None:
        await asyncio.gather(*(desk.making() for desk in desks))

    asyncio.run(together())
    for desk in desks:
        found_again(desk)


def test_whatever_answers_instead_of_the_provider_a_task_that_was_not_made_is_made_once(
    open_desk: OpenDesk,
) -> None:
    desks = [open_desk(faults=(fault,)) for fault in NEVER_MADE]

    async def together() -> None:
        await asyncio.gather(
            *(
                desk.making(
                    settings=desk.settings(absence_gap_s=1.0, submit_timeout_s=2, connect_timeout_s=0.5)
                )
                for desk in desks
            )
        )

    asyncio.run(together())
    for desk in desks:
        made_after_all(desk)


def test_a_person_who_names_a_task_that_failed_is_believed(open_desk: OpenDesk) -> None:
    """It cost nothing, and the job goes on; it is not asked about again and again."""
    desk = open_desk(faults=("submit:drop*1", "task:fail=InternalError.Algo*1"))
    with pytest.raises(WaitTimeout):
        desk.make(settings=desk.settings(absence_gap_s=600), timeout_s=3)
    waiting = desk.job()
    (failed,) = desk.truth()["tasks"]
    assert (waiting.state, failed["status"]) == ("uncertain", "FAILED")
    desk.run("jobs", "resolve", waiting.id, "--adopt", failed["task_id"]).succeeded()
    desk.watch(waiting.id, absence_gap_s=600)
    assert len(desk.truth()["creates"]) == 2
    assert desk.paid_once()


def test_the_clip_of_another_folder_is_not_taken_for_the_lost_one(open_desk: OpenDesk) -> None:
    """The same account and words, a moment before: nothing is adopted, nothing sent; a person decides."""
    desk = open_desk()
    desk.make(settings=desk.settings(output_dir=desk.folder / "other"))
    assert desk.emulator is not None
    desk.emulator.add_fault("submit:drop-before*1")
    with pytest.raises(WaitTimeout):
        desk.make(settings=desk.settings(absence_gap_s=0.5), timeout_s=3)
    waiting = desk.job()
    assert (waiting.state, waiting.task_id) == ("uncertain", None)
    assert f"wanvideo jobs resolve {waiting.id}" in (waiting.note or "")
    assert len(desk.truth()["tasks"]) == 1
