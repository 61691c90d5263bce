"""A provider in trouble: the job waits, asks again, and ends well."""

from __future__ import annotations

import pytest

from .conftest import OpenDesk


@pytest.mark.parametrize(
    "faults",
    [("poll:429*1", "poll:html502*1"), ("poll:500*1", "poll:reset*1"), ("poll:badjson*1", "poll:503*1")],
    ids=" ".join,
)
def test_no_trouble_with_a_poll_ends_a_job(open_desk: OpenDesk, faults: tuple[str, ...]) -> None:
    desk = open_desk(faults=faults)
    desk.make()
    assert [fault["met"] for fault in desk.truth()["faults"]] == [1, 1]
    assert desk.paid_once()


def test_a_create_that_is_throttled_goes_back_to_the_queue_and_a_slow_answer_is_waited_for(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk(faults=("submit:429*1", "submit:slow=3*1"))
    desk.make()
    truth = desk.truth()
    assert [create["task_id"] is not None for create in truth["creates"]] == [False, True]
    assert desk.paid_once()
    assert "lost" not in desk.events()


def test_a_download_that_breaks_off_goes_on_where_it_was(open_desk: OpenDesk) -> None:
    desk = open_desk(faults=("download:truncate*1", "download:reset*1"))
    desk.make()
    first, *others = desk.truth()["downloads"]
    assert first["range"] is None
    assert others[0]["range"] == f"bytes={first['sent_bytes']}-"
    assert desk.paid_once()


def test_a_corrupt_clip_is_fetched_again(open_desk: OpenDesk) -> None:
    desk = open_desk(faults=("download:corrupt*1",))
    desk.make()
    assert len(desk.truth()["downloads"]) == 2
    assert desk.paid_once()


def test_a_task_that_fails_by_the_providers_own_trouble_is_made_again_for_nothing(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk(faults=("task:fail=InternalError.Algo*1",))
    desk.make()
    assert [task["status"] for task in desk.truth()["tasks"]] == ["FAILED", "SUCCEEDED"]
    assert desk.paid_once()
    assert desk.events().count("provider_trouble") == 1


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


def test_a_link_that_does_not_work_yet_is_asked_for_again(open_desk: OpenDesk) -> None:
    desk = open_desk(faults=("download:403*1", "download:500*1"))
    desk.make()
    assert desk.paid_once()


def test_an_upload_that_fails_is_tried_again_before_anything_is_sent(open_desk: OpenDesk) -> None:
    desk = open_desk(faults=("policy:503*1", "upload:reset*1"))
    desk.make()
    assert len(desk.truth()["creates"]) == 1
    assert desk.paid_once()


@pytest.mark.parametrize("fault", ["task:fail=InternalError.Algo"])
def test_trouble_that_does_not_pass_ends_the_job_after_two_more_tries(
    open_desk: OpenDesk, fault: str
) -> None:
    desk = open_desk(faults=(fault,))
    ended = desk.generate("--json")
    assert ended.code == 4
    assert (ended.json["code"], ended.json["provider_code"]) == ("provider_failed", "InternalError.Algo")
    assert ended.json["task_id"]
    truth = desk.truth()
    assert len(truth["creates"]) == 3
    assert truth["billed_s"] == 0
