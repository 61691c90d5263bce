"""The life of a job as one table. Nothing else decides which state follows which.

queued --claim--> submitting --accepted--> running --provider_succeeded--> storing --stored--> succeeded
  ^                  |  |  |                  |                               |
  |---not_delivered--|  |  |--refused-->failed|--provider_failed--> failed    |--result_expired--> failed
  |                     |--lost--> uncertain  |--task_cancelled--> cancelled
  |------proved_absent------------|  |--found--> running
queued --cancel--> cancelled         |--given_up--> failed
"""

from __future__ import annotations

from typing import Final

from wanvideo.contract.job import Event, State

E, S = Event, State  # the table reads better in single letters

MOVES: Final[dict[tuple[State, Event], State]] = {
    (S.QUEUED, E.CLAIM): S.SUBMITTING,
    (S.QUEUED, E.REFUSED): S.FAILED,  # refused before the POST: the upload, the key
    (S.QUEUED, E.CANCEL): S.CANCELLED,
    (S.SUBMITTING, E.ACCEPTED): S.RUNNING,
    (S.SUBMITTING, E.NOT_DELIVERED): S.QUEUED,
    (S.SUBMITTING, E.THROTTLED): S.QUEUED,
    (S.SUBMITTING, E.PARAMETER_DROPPED): S.QUEUED,
    (S.SUBMITTING, E.REFUSED): S.FAILED,
    (S.SUBMITTING, E.LOST): S.UNCERTAIN,  # may be billed: left only by proof
    (S.UNCERTAIN, E.FOUND): S.RUNNING,
    (S.UNCERTAIN, E.PROVED_ABSENT): S.QUEUED,
    (S.UNCERTAIN, E.GIVEN_UP): S.FAILED,
    (S.RUNNING, E.PROVIDER_SUCCEEDED): S.STORING,
    (S.RUNNING, E.PROVIDER_FAILED): S.FAILED,
    (S.RUNNING, E.PROVIDER_TROUBLE): S.QUEUED,  # a failed task is free
    (S.RUNNING, E.PARAMETER_DROPPED): S.QUEUED,  # a refused task is free
    (S.RUNNING, E.TASK_EXPIRED): S.FAILED,
    (S.RUNNING, E.TASK_CANCELLED): S.CANCELLED,
    (S.RUNNING, E.ABANDON): S.CANCELLED,
    (S.RUNNING, E.LET_GO): S.UNCERTAIN,  # the adopted task was somebody else's
    (S.STORING, E.STORED): S.SUCCEEDED,
    (S.STORING, E.RESULT_EXPIRED): S.FAILED,
    (S.STORING, E.ABANDON): S.CANCELLED,
    (S.FAILED, E.RETRY): S.QUEUED,
    (S.CANCELLED, E.RETRY): S.QUEUED,
}

FINAL: Final = frozenset({S.SUCCEEDED, S.FAILED, S.CANCELLED})
"""A job here does nothing by itself any more."""

OPEN: Final = tuple(state for state in S if state not in FINAL)
"""States that a worker takes up."""


def after(state: State, event: Event) -> State:
    """The state that `event` leads to. Raises ValueError for a move the table does not have."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise ValueError(f"a job that is {state} cannot take {event}") from None
