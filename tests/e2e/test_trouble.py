"""A provider in trouble: the job waits, asks again, and ends well.

The waits between the tries are real, so the cases of one test run side by side, each with its own provider.
"""

from __future__ import annotations

import asyncio

from .conftest import OpenDesk
from .desk import Desk


def all_make(open_desk: OpenDesk, faults: list[str]) -> dict[str, Desk]:
    """A clip for each set of faults, all at once: every one is stored, and paid once."""
    desks = {words: open_desk(faults=tuple(words.split())) for words in faults}

    async def together() -> None:
        await asyncio.gather(*(desk.making() for desk in desks.values()))

    asyncio.run(together())
    for words, desk in desks.items():
        truth = desk.truth()
        assert {fault["met"] for fault in truth["faults"]} == {1}, words
        assert desk.paid_once(), words
        assert desk.job().state == "succeeded", words
    return desks


def test_no_trouble_with_a_poll_ends_a_job(open_desk: OpenDesk) -> None:
    desks = all_make(
        open_desk,
        [
            "poll:429*1 poll:html502*1",
            "poll:500*1 poll:reset*1",
            "poll:badjson*1 poll:503*1",
            "poll:unknown*1",
        ],
    )
    assert all(len(desk.truth()["creates"]) == 1 for desk in desks.values())


def test_trouble_around_the_create_never_makes_a_second_task(open_desk: OpenDesk) -> None:
    desks = all_make(
        open_desk, ["submit:429*1", "submit:slow=3*1", "policy:503*1 upload:reset*1", "upload:500*1"]
    )
    assert [len(desk.truth()["creates"]) for desk in desks.values()] == [2, 1, 1, 1]
    assert all("lost" not in desk.events() for desk in desks.values())
    assert all(len(desk.truth()["tasks"]) == 1 for desk in desks.values())


def test_a_clip_is_brought_home_whatever_the_download_does(open_desk: OpenDesk) -> None:
    broken = "download:truncate*1 download:reset*1"
    desks = all_make(open_desk, [broken, "download:corrupt*1", "download:403*1 download:500*1"])
    first, second, third = desks[broken].truth()["downloads"]
    assert first["range"] is None
    assert second["range"] == f"bytes={first['sent_bytes']}-", "it goes on where it was"
    assert third["range"] is not None


def test_a_task_that_fails_by_the_providers_own_trouble_is_made_again_for_nothing_and_at_most_twice(
    open_desk: OpenDesk,
) -> None:
    passing, lasting = (open_desk(faults=(f"task:fail=InternalError.Algo{times}",)) for times in ("*1", ""))

    async def together() -> BaseException | None:
        made, failed = await asyncio.gather(passing.making(), lasting.making(), return_exceptions=True)
        assert not isinstance(made, BaseException)
        return failed if isinstance(failed, BaseException) else None

    error = asyncio.run(together())

    assert [task["status"] for task in passing.truth()["tasks"]] == ["FAILED", "SUCCEEDED"]
    assert passing.paid_once()
    assert passing.events().count("provider_trouble") == 1
    assert [task["status"] for task in lasting.truth()["tasks"]] == ["FAILED"] * 3
    assert lasting.truth()["billed_s"] == 0
    assert getattr(error, "code", None) == "provider_failed"
    assert getattr(error, "provider_code", None) == "InternalError.Algo"


def test_a_refused_parameter_is_left_out_told_and_remembered(open_desk: OpenDesk) -> None:
    desk = open_desk(unknown_parameter="refuse")
    made = desk.make(motion_strength=0.8)
    told = [warning for warning in made.warnings if "refuses the parameter" in warning]
    assert len(told) == 3
    assert (made.size, made.fps) == ("320*240", 24), "made true locally"
    assert desk.truth()["billed_s"] == 2, "refused tasks are free"
    creates = len(desk.truth()["creates"])

    desk.make(motion_strength=0.8, seed=8)

    after = desk.truth()["creates"][creates:]
    assert len(after) == 1, "the next job knows from the start"
    assert not {"size", "fps", "motion_strength"} & set(after[0]["body"]["parameters"])
