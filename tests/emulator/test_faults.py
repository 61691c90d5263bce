"""Faults are written in one line, counted, and refused with the reason when they mean nothing."""

from __future__ import annotations

import random

import pytest

from wanvideo_emulator.faults import BadFault, FaultPlan, parse


def plan(*specs: str) -> FaultPlan:
    return FaultPlan(specs, random.Random(1))


def test_times_are_counted_and_then_it_is_quiet() -> None:
    faults = plan("submit:drop*2")
    assert [fault is not None for fault in (faults.take("submit") for _ in range(4))] == [
        True,
        True,
        False,
        False,
    ]
    assert faults.report() == [{"spec": "submit:drop*2", "met": 2}]


def test_skip_lets_the_first_ones_pass() -> None:
    faults = plan("poll:503+2*1")
    assert [faults.take("poll") is not None for _ in range(4)] == [False, False, True, False]


def test_chance_hits_about_as_often_as_asked() -> None:
    faults = plan("poll:500@0.25")
    assert 400 < sum(faults.take("poll") is not None for _ in range(2000)) < 600


def test_a_fault_strikes_only_where_it_was_put() -> None:
    faults = plan("download:truncate")
    assert faults.take("submit") is None
    assert faults.take("download") is not None


def test_the_next_fault_takes_over_when_the_first_is_used_up() -> None:
    faults = plan("submit:500*1", "submit:drop*1")
    met = [faults.take("submit") for _ in range(3)]
    assert [fault.action if fault else None for fault in met] == ["500", "drop", None]


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ("submit", "WHERE:WHAT"),
        ("nowhere:drop", "no place 'nowhere'"),
        ("submit:explode", "cannot 'explode'"),
        ("poll:500-created", "cannot '500-created'"),
        ("upload:badjson", "cannot 'badjson'"),
        ("task:fail=Nonsense", "unknown code 'Nonsense'"),
        ("submit:slow=soon", "needs seconds"),
        ("submit:drop*x", "WHERE:WHAT"),
    ],
)
def test_a_senseless_fault_says_what_is_wrong(spec: str, word: str) -> None:
    with pytest.raises(BadFault, match=word.replace("*", r"\*")):
        parse(spec)
