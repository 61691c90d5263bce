"""The table of moves is the only place that says which state follows which."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

import wanvideo.jobs
from wanvideo.contract.job import Event, State
from wanvideo.jobs import machine
from wanvideo.jobs.machine import FINAL, MOVES, OPEN, after

SOURCE = Path(wanvideo.jobs.__file__).parent.parent

COMPARISONS = {  # module: how often it asks for one state, at most. Make these smaller.
    "contract/view.py": 1,  # which fields a face shows
    "jobs/cache.py": 1,  # only a stored clip answers a later request
    "jobs/gathering.py": 2,  # which submits are still open
    "jobs/intake.py": 1,  # a key that came again is answered by what it made
    "jobs/runner.py": 4,  # the queue is taken from by place; a stopped worker keeps the lease of a POST
    "jobs/service.py": 10,  # what a face may show or ask for in this state
    "ledger/statements/leases.py": 5,  # who holds a place, and who waits for one
    "ledger/statements/tasks.py": 2,  # what the watch looks after
}


@pytest.mark.parametrize(("move", "leads_to"), MOVES.items(), ids=lambda value: str(value))
def test_each_move_leads_where_the_table_says(move: tuple[State, Event], leads_to: State) -> None:
    assert after(*move) is leads_to


def test_any_other_move_is_refused() -> None:
    for state in State:
        for event in Event:
            if (state, event) not in MOVES:
                with pytest.raises(ValueError, match=f"{state} cannot take {event}"):
                    after(state, event)


def reachable(start: State) -> set[State]:
    found = {start}
    while True:
        more = {end for (begin, _), end in MOVES.items() if begin in found} - found
        if not more:
            return found
        found |= more


@pytest.mark.parametrize("state", State)
def test_each_state_is_reached_and_can_still_end(state: State) -> None:
    assert state in reachable(State.QUEUED)
    assert reachable(state) & FINAL


@pytest.mark.parametrize("state", OPEN)
def test_each_open_state_can_end_without_a_retry(state: State) -> None:
    seen, front = {state}, {state}
    while front:
        front = {end for (begin, event), end in MOVES.items() if begin in front and event is not Event.RETRY}
        front -= seen
        seen |= front
    assert seen & FINAL


def test_every_event_is_a_move_but_for_the_one_that_only_warns() -> None:
    assert {event for _, event in MOVES} == set(Event) - {Event.AT_RISK}


def test_what_is_final_is_left_only_by_a_retry() -> None:
    assert {event for state, event in MOVES if state in FINAL} == {Event.RETRY}
    assert not any(state is State.SUCCEEDED for state, _ in MOVES)
    assert set(OPEN) | FINAL == set(State)


def test_only_one_event_leads_into_submitting_and_a_lost_submit_never_leads_back_by_itself() -> None:
    assert [move for move, end in MOVES.items() if end is State.SUBMITTING] == [(State.QUEUED, Event.CLAIM)]
    assert [
        event for (state, event), end in MOVES.items() if (state, end) == (State.UNCERTAIN, State.QUEUED)
    ] == [Event.PROVED_ABSENT]


def test_the_picture_in_the_docstring_names_every_state() -> None:
    assert machine.__doc__ is not None
    assert [state for state in State if state not in machine.__doc__] == []


def state_comparisons(tree: ast.AST) -> int:
    """`x is State.Y`, `x == S.Y`, `x in (State.Y, ...)`: members compared, however they are spelt."""

    def names_a_state(node: ast.AST) -> bool:
        return any(
            isinstance(part, ast.Attribute)
            and isinstance(part.value, ast.Name)
            and part.value.id in ("State", "S")
            and part.attr in State.__members__
            for part in ast.walk(node)
        )

    return sum(
        isinstance(node, ast.Compare) and any(names_a_state(side) for side in (node.left, *node.comparators))
        for node in ast.walk(tree)
    )


def test_nobody_else_decides_by_comparing_states() -> None:
    found: Counter[str] = Counter()
    for path in SOURCE.rglob("*.py"):
        name = path.relative_to(SOURCE).as_posix()
        if name != "jobs/machine.py" and name.startswith(("jobs/", "ledger/", "contract/", "storage/")):
            found[name] += state_comparisons(ast.parse(path.read_text(encoding="utf-8")))
    assert {name: count for name, count in found.items() if count > COMPARISONS.get(name, 0)} == {}
