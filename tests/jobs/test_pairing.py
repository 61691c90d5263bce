"""A task is given to a submit only where nothing else is possible."""

from __future__ import annotations

from tests.jobs.unanswered import FOG, HARBOUR, sent, task

from wanvideo.jobs.pairing import MOST, pair
from wanvideo.jobs.unanswered import Sent, Task


def made(made_s: float, name: str = "task-1") -> Task:
    return task(made_s, name, facts=HARBOUR)


def twins(*started_s: float) -> list[Sent]:
    """Submits of the very same body."""
    return [sent(start, name=f"j_{n}", body_sha256="same") for n, start in enumerate(started_s, 1)]


def test_one_task_and_one_submit() -> None:
    assert pair([sent()], [made(0.5)]) == {"task-1": "j_1"}


def test_two_tasks_and_one_submit_are_one_too_many() -> None:
    assert pair([sent()], [made(0.5), made(0.6, "task-2")]) == {}


def test_the_same_bodies_are_served_in_order_of_time() -> None:
    tasks = [made(2.5, "task-b"), made(0.5, "task-a")]
    assert pair(twins(0, 2), tasks) == {"task-a": "j_1", "task-b": "j_2"}


def test_of_the_same_bodies_the_first_gets_the_only_task() -> None:
    assert pair(twins(0, 2), [made(2.5)]) == {"task-1": "j_1"}


def test_the_same_bodies_get_what_their_time_allows() -> None:
    """Too late for the first, it is the second's; but two that only the first can have made are nobody's."""
    assert pair(twins(0, 600), [made(600.5)]) == {"task-1": "j_2"}
    assert pair(twins(0, 600), [made(0.5, "task-a"), made(1, "task-b")]) == {}


def test_whose_time_is_over_first_is_served_first_so_that_both_get_one() -> None:
    assert pair(twins(0, 80), [made(79, "task-a"), made(81, "task-b")]) == {"task-a": "j_1", "task-b": "j_2"}


def test_between_other_bodies_of_the_same_words_and_time_nothing_is_chosen() -> None:
    assert pair([sent(0), sent(2, name="j_2")], [made(0.5), made(2.5, "task-2")]) == {}
    assert pair([sent(0), sent(2, name="j_2")], [made(2.5)]) == {}


def test_between_other_bodies_time_decides_when_a_minute_more_or_less_changes_nothing() -> None:
    submits = [sent(0), sent(300, name="j_2")]
    assert pair(submits, [made(0.5, "task-a"), made(300.5, "task-b")]) == {"task-a": "j_1", "task-b": "j_2"}
    assert pair(submits, [made(300.5, "task-b")]) == {"task-b": "j_2"}


def test_a_clock_that_is_a_minute_off_must_not_choose() -> None:
    """By the letter the task is too late for the first and right for the second."""
    submits = [sent(0), sent(100, name="j_2")]
    assert [one.fits(made(101)) for one in submits] == [False, True]
    assert pair(submits, [made(101)]) == {}


def test_a_task_that_only_one_can_have_made_leaves_the_other_task_to_the_other() -> None:
    """The second task fits both by its time; but the first can be none but the first's."""
    submits = [sent(0), sent(120, name="j_2")]
    tasks = [made(1, "task-a"), made(121, "task-b")]
    assert [one.fits(tasks[1]) for one in submits] == [False, True]
    assert pair(submits, tasks) == {"task-a": "j_1", "task-b": "j_2"}


def test_what_is_sure_is_given_though_the_rest_is_not() -> None:
    submits = [sent(0), sent(300, name="j_2"), sent(302, name="j_3")]
    tasks = [made(1, "task-a"), made(301, "task-b"), made(303, "task-c")]
    assert pair(submits, tasks) == {"task-a": "j_1"}


def test_two_of_the_same_body_beside_another_one() -> None:
    """Three tasks of the same words: which of them the other body made, nobody knows."""
    submits = [*twins(0, 1), sent(2, name="j_3")]
    tasks = [made(0.5, "task-a"), made(1.5, "task-b"), made(2.5, "task-c")]
    assert pair(submits, tasks) == {}
    assert pair(twins(0, 1, 2), tasks) == {"task-a": "j_1", "task-b": "j_2", "task-c": "j_3"}


def test_other_words_are_never_paired() -> None:
    assert pair([sent(facts=FOG), sent(2, name="j_2")], [made(0.5)]) == {"task-1": "j_2"}


def test_too_many_to_tell() -> None:
    crowd = [sent(n / 10, name=f"j_{n}", body_sha256="same") for n in range(MOST + 1)]
    assert pair(crowd, [made(1)]) == {}
    assert pair(crowd[:MOST], [made(1)]) != {}


def test_many_of_the_same_words_are_sorted_out_in_no_time() -> None:
    crowd = [sent(n / 10, name=f"j_{n:03}") for n in range(MOST)]
    assert pair(crowd, [made(n / 10 + 0.5, f"task-{n}") for n in range(MOST)]) == {}
    far = [sent(n * 300, name=f"j_{n:03}") for n in range(MOST)]
    assert len(pair(far, [made(n * 300 + 1, f"task-{n}") for n in range(MOST)])) == MOST
