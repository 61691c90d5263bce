"""The record of a job: values that cannot be changed, and words that stay."""

from __future__ import annotations

import dataclasses

import pytest

from wanvideo.contract.job import Attempt, Event, Job, JobEvent, Picture, State


def test_states_and_events_are_stable_words() -> None:
    """They stand in ledgers and scripts: a renamed word breaks both."""
    assert [str(state) for state in State] == [
        "queued", "submitting", "uncertain", "running", "storing", "succeeded", "failed", "cancelled",
    ]  # fmt: skip
    assert len({str(event) for event in Event}) == len(Event) == 22


@pytest.mark.parametrize("cls", [Job, Attempt, JobEvent, Picture])
def test_records_are_frozen(cls: type) -> None:
    assert dataclasses.is_dataclass(cls)
    assert cls.__dataclass_params__.frozen  # type: ignore[attr-defined]


def test_the_record_has_no_place_for_a_signed_link() -> None:
    names = {field.name for cls in (Job, Attempt) for field in dataclasses.fields(cls)}
    assert {name for name in names if "url" in name} == set()
