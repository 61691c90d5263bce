"""Turns at a gate: evenly apart, slower after a 429, and never stuck behind a clock that was set back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from wanvideo.ledger.pace import FURTHEST_S, Gate

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_turns_are_evenly_apart() -> None:
    gate, waits_s = Gate(NOW), []
    for _ in range(4):
        gate, wait_s = gate.turn(NOW, 5)
        waits_s.append(wait_s)
    assert waits_s == pytest.approx([0, 0.2, 0.4, 0.6])


def test_a_gate_opens_gently_after_it_was_shut() -> None:
    gate, pause_s = Gate(NOW).shut(NOW)
    assert pause_s == 2
    apart_s = []
    for _ in range(12):
        at = gate.next_at
        gate, _ = gate.turn(at, 5)
        apart_s.append((gate.next_at - at).total_seconds())
    assert apart_s[0] == pytest.approx(0.4)
    assert apart_s == sorted(apart_s, reverse=True)
    assert apart_s[-1] == pytest.approx(0.2)


def test_a_clock_that_was_set_back_does_not_shut_the_gate_for_hours() -> None:
    gate = Gate(NOW + timedelta(hours=2))
    after, wait_s = gate.turn(NOW, 5)
    assert wait_s == 0
    assert after.next_at - NOW < timedelta(seconds=1)
    _, wait_s = Gate(NOW + timedelta(seconds=FURTHEST_S)).turn(NOW, 5)
    assert wait_s == FURTHEST_S, "as long as that it may really be"
