"""The same words prove one thing, quite other words another, and what lies between proves nothing."""

from __future__ import annotations

import pytest
from tests.fakes.bench import PICTURE
from tests.fakes.bench import asked as request_asked

from wanvideo.clock import FakeClock
from wanvideo.contract.job import Attempt, Job, JobId, State
from wanvideo.jobs.likeness import Facts, Likeness, asked, compare, differences, facts_of, told
from wanvideo.ports import TaskReport, TaskStatus

SENT = Facts("a harbour at dawn, slow push in", 5, "720P", True)
AT = FakeClock().now()


def seen(prompt: str | None, *, sent: str = "a harbour at dawn, slow push in") -> Likeness:
    return compare(Facts(sent), Facts(prompt))


@pytest.mark.parametrize(
    "prompt",
    [
        "a harbour at dawn, slow push in",
        "  a harbour at dawn,\n slow  push in ",
        "a harbour at dawn\N{FULLWIDTH COMMA} slow push in",
        None,  # not told
    ],
)
def test_blanks_and_widths_of_letters_make_no_difference(prompt: str | None) -> None:
    assert seen(prompt) is Likeness.SAME


@pytest.mark.parametrize(
    "prompt",
    [
        "a harbour at dawn",  # cut
        "a harbour at dawn, slow push in, highly detailed, 4K",  # continued
        "A Harbour at dawn: slow push in!",
        "a harbor at dawn, slow push in",
        "!!!",
    ],
)
def test_a_prompt_that_may_have_been_changed_on_the_way_proves_nothing(prompt: str) -> None:
    assert seen(prompt) is Likeness.UNSURE


def test_letters_that_were_spelt_for_a_web_page_prove_nothing() -> None:
    escaped = "Tom &amp; Jerry say &quot;hi&quot; &amp; run &lt;fast&gt;"
    assert seen(escaped, sent='Tom & Jerry say "hi" & run <fast>') is Likeness.UNSURE


@pytest.mark.parametrize(
    ("sent", "other"),
    [
        ("a harbour", "a mountain in the fog"),
        ("one", "two"),
        ("一只猫在墙上慢慢地走，镜头推近", "城市夜景，霓虹灯闪烁，航拍"),
        (
            "Shot 1: a woman opens the door. 35mm, film grain",
            "Shot 2: a man walks off in the rain. 35mm, film grain",
        ),
    ],
)
def test_other_words_are_another_programs(sent: str, other: str) -> None:
    assert seen(other, sent=sent) is seen(sent, sent=other) is Likeness.OTHER


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (Facts(SENT.prompt, 10, "720P", True), ["10 s instead of 5 s"]),
        (Facts(SENT.prompt, 5, "1080P", True), ["1080P instead of 720P"]),
        (Facts(SENT.prompt, 5, "720P", False), ["without sound"]),
        (Facts(None, 10, "1080P", False), ["10 s instead of 5 s", "1080P instead of 720P", "without sound"]),
    ],
)
def test_the_same_words_for_another_clip_prove_nothing(facts: Facts, words: list[str]) -> None:
    """What was billed may be odd for once: only words make a task another program's."""
    assert compare(SENT, facts) is Likeness.UNSURE
    assert differences(SENT, facts) == words


def test_what_the_provider_does_not_tell_is_no_difference() -> None:
    assert compare(SENT, Facts()) is Likeness.SAME
    assert compare(SENT, Facts(SENT.prompt, 5.007)) is Likeness.SAME
    assert differences(SENT, Facts()) == []


def test_with_a_template_other_words_prove_nothing() -> None:
    """The provider ignores the prompt then, and may tell the template's own."""
    assert compare(Facts("a harbour", loose=True), Facts("squish it")) is Likeness.UNSURE


def test_a_long_prompt_is_compared_in_no_time() -> None:
    left, right = "the quick brown fox " * 75, "a slow move over mountains " * 55
    assert seen(left, sent=right) is Likeness.OTHER


def test_facts_come_back_as_they_were_written_down() -> None:
    assert facts_of(SENT.as_json()) == SENT


def test_what_was_sent_and_what_is_told_are_read_alike() -> None:
    """The record of a submit is redacted, the prompt that the provider gives back is not."""
    linked = "as on https://x.test/a.png?Signature=abc, slowly"
    report = TaskReport(TaskStatus.SUCCEEDED, prompt_seen=linked, billed_s=2, resolution="720P", sound=True)
    masked = "as on https://x.test/a.png?*** slowly"
    facts = asked(job(), attempt({"input": {"prompt": masked}}))
    assert told(report).prompt == masked
    assert compare(facts, told(report)) is Likeness.SAME


def test_a_template_is_noticed() -> None:
    assert asked(job(wan={"template": "squish"}), attempt({"input": {"prompt": "a harbour"}})).loose
    assert not asked(job(), attempt({})).loose


def job(**fields: object) -> Job:
    request = request_asked(**fields)
    return Job(
        id=JobId("j_1"),
        state=State.UNCERTAIN,
        provider="dashscope",
        request=request.model_dump(mode="json"),
        picture=PICTURE,
        cache_key="k",
        seed=1,
        estimate_cny="0.6",
        account="a",
        resolution=request.resolution,
        billed_s=request.billed_s,
        created_at=AT,
        updated_at=AT,
        due_at=AT,
    )


def attempt(body: dict[str, object]) -> Attempt:
    return Attempt(JobId("j_1"), 1, 1, "https://x.test", "key", "sha", body, AT)
