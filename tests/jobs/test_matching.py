"""What one look means for a submit: it is adopted, waited for, as good as absent, or a person is asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st
from tests.jobs.unanswered import FOG, HARBOUR, at, sent, task

from wanvideo.contract.job import JobId, TaskId
from wanvideo.jobs.likeness import Facts, Likeness, compare
from wanvideo.jobs.matching import Adopt, Ask, Nothing, Verdict, Wait, judge
from wanvideo.jobs.unanswered import Sent, Task

OTHER = JobId("j_2")


def why(verdict: Verdict) -> str:
    assert isinstance(verdict, Wait | Ask), verdict
    return verdict.why


# --- one submit ---


def test_nothing_near_is_as_good_as_an_empty_list() -> None:
    assert judge(sent(), [], []) == Nothing()
    assert judge(sent(), [], [task(-2000), task(2000, "task-2")]) == Nothing()


def test_the_only_task_of_its_time_is_taken_while_it_runs() -> None:
    assert judge(sent(), [], [task(0.5)]) == Adopt(TaskId("task-1"))


def test_a_running_task_some_minutes_off_is_waited_for() -> None:
    verdict = judge(sent(), [], [task(300)])
    assert "the task task-1 of that moment still runs" in why(verdict)
    assert isinstance(verdict, Wait)
    assert verdict.tasks == (task(300),)


def test_other_words_and_tasks_that_failed_are_no_candidates() -> None:
    beside = [task(0.5, facts=FOG), task(0.6, "task-2", free=True)]
    assert judge(sent(), [], beside) == Nothing()
    assert judge(sent(), [], [*beside, task(0.7, "task-3")]) == Adopt(TaskId("task-3"))


def test_of_several_tasks_the_one_with_our_words_is_taken_when_all_have_told() -> None:
    ours, another = task(0.5, facts=HARBOUR), task(0.6, "task-2", facts=FOG)
    running = [task(0.5), task(0.6, "task-2")]
    assert judge(sent(), [], running) == Wait(
        "2 tasks of that moment still run; their ends tell whose they are", tuple(running)
    )
    assert isinstance(judge(sent(), [], [ours, task(0.6, "task-2")]), Wait), "it may have the same words"
    assert judge(sent(), [], [ours, another]) == Adopt(ours.task_id)


def test_a_task_that_will_never_tell_is_not_waited_for() -> None:
    ours, stuck = task(0.5, facts=HARBOUR), task(0.6, "task-2", silent=True)
    assert judge(sent(), [], [ours, stuck]) == Adopt(ours.task_id)
    assert judge(sent(), [], [task(0.4, "task-0", silent=True), stuck]) == Ask(
        "2 tasks of the account could be this one: task-0, task-2"
    )


def test_two_tasks_of_our_words_and_time_take_a_person() -> None:
    both = [task(0.5, facts=HARBOUR), task(0.6, "task-2", facts=HARBOUR)]
    assert judge(sent(), [], both) == Ask("2 tasks of the account could be this one: task-1, task-2")


def test_a_task_of_our_words_a_moment_before_takes_a_person_unless_ours_is_there_too() -> None:
    before = task(-5, facts=HARBOUR, ended_at=at(-1))
    assert isinstance(judge(sent(), [], [before]), Ask)
    ours = task(0.5, "task-2", facts=HARBOUR)
    assert judge(sent(), [], [before, ours]) == Adopt(ours.task_id)
    assert judge(sent(), [], [before, task(0.5, "task-2")]) == Adopt(ours.task_id)


def test_a_task_that_a_gateway_made_late_is_taken_once_it_has_told() -> None:
    assert isinstance(judge(sent(), [], [task(40)]), Wait)
    assert isinstance(judge(sent(), [], [task(0.5, "task-0"), task(40)]), Wait), "it may be either"
    assert judge(sent(), [], [task(40, facts=HARBOUR)]) == Adopt(TaskId("task-1"))


def test_our_words_for_another_clip_take_a_person_who_is_told_the_difference() -> None:
    odd = task(0.5, facts=replace(HARBOUR, billed_s=5))
    assert why(judge(sent(), [], [odd])).endswith("could be this one: task-1 (5 s instead of 2 s)")


def test_what_was_let_go_is_not_taken_again() -> None:
    one = sent(let_go=frozenset({TaskId("task-1")}))
    odd = task(0.5, facts=replace(HARBOUR, billed_s=5))
    assert isinstance(judge(one, [], [odd]), Ask)
    assert judge(one, [], [odd, task(0.6, "task-2")]) == Adopt(TaskId("task-2"))
    assert isinstance(judge(one, [], [task(0.5)]), Wait), "the list may be late to tell that it failed"


def test_the_request_that_the_error_named_is_proof_enough() -> None:
    mine, theirs = sent(request_id="r-1"), sent(0.1, name=OTHER, request_id="r-2")
    tasks = [task(0.5, request_id="r-2"), task(0.6, "task-2", request_id="r-1")]
    assert judge(mine, [theirs], tasks) == Adopt(TaskId("task-2"))
    assert judge(theirs, [mine], tasks) == Adopt(TaskId("task-1"))
    assert judge(mine, [theirs], tasks[:1]) == Nothing()


# --- several submits ---


def test_a_running_task_that_two_may_own_is_waited_for() -> None:
    rival = sent(2, name=OTHER, facts=FOG)
    assert isinstance(judge(sent(), [rival], [task(0.5)]), Wait)
    assert isinstance(judge(rival, [sent()], [task(0.5)]), Wait)
    told = [task(0.5, facts=HARBOUR)]
    assert judge(sent(), [rival], told) == Adopt(TaskId("task-1"))
    assert judge(rival, [sent()], told) == Nothing()


def test_a_task_that_a_submit_still_out_may_own_waits_for_its_answer() -> None:
    out = sent(2, name=OTHER, out=True)
    for candidate in (task(0.5), task(0.5, facts=HARBOUR)):
        assert why(judge(sent(), [out], [candidate])) == (
            "a task was made, but the job j_2 may own it, whose submit is still out"
        )
    told_of_another = sent(2, name=OTHER, facts=FOG, out=True)
    assert judge(sent(), [told_of_another], [task(0.5, facts=HARBOUR)]) == Adopt(TaskId("task-1"))


def test_the_same_body_twice_is_served_in_order_and_the_other_waits_for_what_is_left() -> None:
    first, second = sent(body_sha256="b"), sent(2, name=OTHER, body_sha256="b")
    one = [task(0.5, facts=HARBOUR)]
    assert judge(first, [second], one) == Adopt(TaskId("task-1"))
    assert why(judge(second, [first], one)) == (
        "the task task-1 is left to the job j_1, which was asked for the same and comes first"
    )
    both = [*one, task(2.5, "task-2", facts=HARBOUR)]
    assert judge(second, [first], both) == Adopt(TaskId("task-2"))


def test_the_same_words_for_another_picture_take_a_person_who_is_told_of_all() -> None:
    both = [task(0.5, facts=HARBOUR), task(2.5, "task-2", facts=HARBOUR)]
    assert judge(sent(), [sent(2, name=OTHER)], both) == Ask(
        "2 tasks of the account could be this one, or that of the job j_2: task-1, task-2"
    )


def test_the_same_words_for_another_picture_minutes_later_are_told_apart_by_time() -> None:
    first, second = sent(), sent(300, name=OTHER)
    tasks = [task(0.5, facts=HARBOUR), task(301, "task-2", facts=HARBOUR)]
    assert judge(first, [second], tasks) == Adopt(TaskId("task-1"))
    assert judge(second, [first], tasks) == Adopt(TaskId("task-2"))


def test_the_same_words_for_another_length_are_told_apart_by_what_was_billed() -> None:
    """The other's clip looks odd, but it is the other's: it is waited for until that job has it."""
    short, long = sent(), sent(2, name=OTHER, facts=replace(HARBOUR, billed_s=5))
    made = [task(2.5, facts=replace(HARBOUR, billed_s=5))]
    assert judge(long, [short], made) == Adopt(TaskId("task-1"))
    assert why(judge(short, [long], made)) == (
        "the task task-1 is left to the job j_2, which was sent just these words"
    )


def test_a_task_that_is_tied_to_another_job_is_waited_for_until_that_is_proved() -> None:
    """Its end may tell that it was ours all along."""
    held = task(0.5, holder=OTHER)
    assert isinstance(judge(sent(), [], [held]), Wait)
    told = replace(held, facts=HARBOUR)
    assert why(judge(sent(), [], [told])) == (
        "the task task-1 is tied to the job j_2; its end will tell whether rightly"
    )
    assert judge(sent(), [], [held, task(0.6, "task-2")]) == Adopt(TaskId("task-2"))
    assert judge(sent(facts=FOG), [], [told]) == Nothing()


def test_a_crowd_is_named_in_part() -> None:
    crowd = [task(n / 10, f"task-{n}", facts=HARBOUR) for n in range(9)]
    assert why(judge(sent(), [], crowd)).endswith("task-0, task-1, task-2, task-3 and 5 more")


# --- whatever was sent, made, and ended, in whatever order it is looked at ---

WORDS = (HARBOUR, FOG, replace(HARBOUR, billed_s=5), Facts("一只猫在墙上慢慢地走，镜头推近", 2, "720P", True))


@dataclass
class Made:
    """A task as the provider knows it, and the submit it came from; None: another program's."""

    id: TaskId
    made_s: float
    facts: Facts
    by: JobId | None
    succeeds: bool
    over: bool = False

    def as_seen(self, holder: JobId | None) -> Task:
        facts = self.facts if self.over and self.succeeds else None
        free = self.over and not self.succeeds
        return Task(self.id, at(self.made_s), facts=facts, free=free, holder=holder)


@dataclass
class World:
    """Looks that follow each other, each seeing what the former ones left."""

    open: dict[JobId, Sent]
    made: list[Made]
    tied: dict[TaskId, Sent] = field(default_factory=dict)
    owned: dict[TaskId, Sent] = field(default_factory=dict)
    absent: list[Sent] = field(default_factory=list)

    def seen(self) -> list[Task]:
        return [
            one.as_seen(self.tied[one.id].job_id if one.id in self.tied else None)
            for one in self.made
            if one.id not in self.owned
        ]

    def look(self, me: Sent) -> Verdict:
        others = [one for one in self.open.values() if one.job_id != me.job_id]
        verdict = judge(me, others, self.seen())
        if isinstance(verdict, Adopt):
            assert verdict.task_id not in self.owned
            assert verdict.task_id not in self.tied
            self.tied[verdict.task_id] = self.open.pop(me.job_id)
            self.judge_again()
        elif isinstance(verdict, Nothing):
            self.check_absent(me)
            self.absent.append(self.open.pop(me.job_id))
        return verdict

    def end(self, one: Made) -> None:
        one.over = True
        self.judge_again()

    def judge_again(self) -> None:
        """What poll does when a task that was adopted has ended."""
        for one in self.made:
            if one.over and one.id in self.tied:
                me = self.tied.pop(one.id)
                if one.succeeds and compare(me.facts, one.facts) is Likeness.SAME:
                    self.owned[one.id] = me
                else:
                    self.open[me.job_id] = replace(me, let_go=me.let_go | {one.id})

    def check_absent(self, me: Sent) -> None:
        """What it made costs nothing, or is surely owned by a job that asked for the same: then that one,
        too, pays once and not again.
        """
        for one in self.made:
            if one.by == me.job_id:
                owner = self.owned.get(one.id)
                assert (one.over and not one.succeeds) or (owner and owner.facts == me.facts)

    def check(self) -> None:
        for task_id, owner in self.owned.items():
            (one,) = [made for made in self.made if made.id == task_id]
            assert one.facts == owner.facts, "never another prompt's"
        assert len({owner.job_id for owner in self.owned.values()}) == len(self.owned)
        paid = sum(one.by is not None and one.succeeds for one in self.made)
        submits = len(self.open) + len(self.tied) + len(self.owned) + len(self.absent)
        assert paid + len(self.absent) <= submits, "somebody would pay twice"
        for one in self.made:
            if one.by and one.over and one.succeeds and one.id not in self.owned:
                waiting = [*self.open.values(), *self.tied.values()]
                assert any(job.may_own(one.as_seen(None)) for job in waiting), "lost"


@st.composite
def worlds(draw: st.DrawFn, words: st.SearchStrategy[Facts] | None = None) -> World:
    seconds = st.integers(0, 400).map(lambda tenths: tenths * 1.0)
    submits, made = dict[JobId, Sent](), list[Made]()
    for number in range(draw(st.integers(1, 5))):
        name, start = f"j_{number}", draw(seconds)
        facts = draw(words) if words is not None else draw(st.sampled_from(WORDS))
        body = f"{facts}{draw(st.integers(0, 1))}"
        one = sent(start, start + draw(st.sampled_from([0.2, 30, 60])), name, facts=facts, body_sha256=body)
        submits[one.job_id] = one
        if draw(st.booleans()):
            delay = draw(st.sampled_from([0.1, 5, 40, 70]))
            succeeds = draw(st.integers(0, 4)) > 0
            made.append(Made(TaskId(f"task-{number}"), start + delay, facts, one.job_id, succeeds))
    for number in range(draw(st.integers(0, 3))):
        facts = draw(st.sampled_from(WORDS[:2]))
        made.append(Made(TaskId(f"other-{number}"), draw(seconds), facts, None, draw(st.booleans())))
    return World(submits, draw(st.permutations(made)))


@given(worlds(), st.data())
def test_whatever_happens_nobody_pays_twice_and_no_clip_is_lost(world: World, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(0, 12))):
        running = [one for one in world.made if not one.over]
        if world.open and (not running or data.draw(st.booleans())):
            world.look(world.open[data.draw(st.sampled_from(sorted(world.open)))])
        elif running:
            world.end(data.draw(st.sampled_from(running)))
        world.check()
    for one in world.made:
        world.end(one)
    for _ in range(3):
        for job_id in sorted(world.open):
            verdict = world.look(world.open[job_id])
            assert not isinstance(verdict, Wait) or "is left to" in verdict.why, "nothing more will tell"
            world.check()


@given(st.data())
def test_distinct_prompts_are_all_told_apart(data: st.DataObject) -> None:
    """Each gets its own task, and each without one is absent, whoever looks first."""
    numbers = iter(data.draw(st.permutations(range(5))))
    distinct = st.builds(lambda: Facts(f"{next(numbers)}" * 8, 2, "720P", True))
    world = data.draw(worlds(words=distinct))
    for one in world.made:
        world.end(one)
    own = {one.by: one.id for one in world.made if one.by and one.succeeds}
    for job_id in data.draw(st.permutations(sorted(world.open))):
        world.look(world.open[job_id])
    assert {owner.job_id: task_id for task_id, owner in world.owned.items()} == own
    assert not world.open
    world.check()


@given(st.lists(st.tuples(st.integers(0, 300), st.booleans()), min_size=1, max_size=6), st.data())
def test_of_the_same_body_all_are_served(plan: list[tuple[int, bool]], data: st.DataObject) -> None:
    """As many clips come home as were made, and the rest is made once."""
    submits = {
        JobId(f"j_{n}"): sent(start, name=f"j_{n}", body_sha256="b") for n, (start, _) in enumerate(plan)
    }
    made = [
        Made(TaskId(f"task-{n}"), start + 0.5, HARBOUR, JobId(f"j_{n}"), True, over=True)
        for n, (start, was_made) in enumerate(plan)
        if was_made
    ]
    world = World(submits, made)
    for _ in plan:
        for job_id in data.draw(st.permutations(sorted(world.open))):
            if job_id in world.open:
                world.look(world.open[job_id])
        world.check()
    assert len(world.owned) == len(made)
    assert len(world.absent) == len(plan) - len(made)
