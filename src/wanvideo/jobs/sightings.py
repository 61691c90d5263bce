"""What the watch has told of each task: only what is new in a look is written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wanvideo.contract.job import TaskId
from wanvideo.ports import Ledger, RunningTask, Sighting, TaskStatus


class Sightings:
    """The latest word and note of each task, and their way into the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._words: dict[TaskId, str | None] = {}
        self._notes: dict[TaskId, str] = {}

    def follow(self, tasks: Sequence[RunningTask]) -> None:
        """These run now. What was told of others is forgotten."""
        self._words = {task.task_id: self._words.get(task.task_id) or task.seen_status for task in tasks}
        self._notes = {task_id: note for task_id, note in self._notes.items() if task_id in self._words}

    async def tell(self, seen: Sequence[Sighting]) -> list[Sighting]:
        """Write down what is new in it; that is returned."""
        told = [self._over_former(one) for one in seen]
        news = [one for one in told if self._is_new(one)]
        await self._ledger.sight(news)
        for one in news:
            if not _knows_nothing(one):
                self._words[one.task_id] = one.status.value
            if one.note is not None:
                self._notes[one.task_id] = one.note
        return news

    def _over_former(self, one: Sighting) -> Sighting:
        """A look that told something takes back the note of one that did not."""
        if one.note is None and self._notes.get(one.task_id):
            return replace(one, note="")
        return one

    def _is_new(self, one: Sighting) -> bool:
        if one.ended or one.progress is not None:
            return True
        if one.note is not None and one.note != self._notes.get(one.task_id, ""):
            return True
        return not _knows_nothing(one) and one.status.value != self._words.get(one.task_id)


def _knows_nothing(one: Sighting) -> bool:
    return one.status is TaskStatus.UNKNOWN and not one.ended
