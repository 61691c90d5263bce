"""A Wan clip from end to end: one create that says what was asked, one stored clip, nothing paid twice."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av

from .desk import SIZE, Desk


def measured(clip: Path) -> tuple[int, int, float, float]:
    """Width, height, frame rate and seconds, by the file's own word."""
    with av.open(str(clip)) as file:
        video = file.streams.video[0]
        assert video.average_rate is not None
        assert video.time_base is not None
        assert video.duration is not None
        return video.width, video.height, float(video.average_rate), float(video.duration * video.time_base)


def test_one_create_says_what_was_asked_and_the_clip_is_what_was_asked(wan: Desk) -> None:
    made = wan.generate("--negative-prompt", "blur, text", "--motion-strength", "0.2", "--json").succeeded()

    (create,) = wan.truth()["creates"]
    body = create["body"]
    assert body["model"] == "wan2.6-i2v-flash"
    assert body["input"].pop("img_url").startswith("oss://")
    prompt = body["input"].pop("prompt")
    assert prompt.startswith("slow push in")
    assert len(prompt) > len("slow push in"), "the motion strength is said in words too"
    assert body["input"] == {"negative_prompt": "blur, text"}
    assert body["parameters"] == {
        "resolution": "720P", "duration": 2, "prompt_extend": True, "audio": False, "watermark": False,
        "seed": 7, "size": SIZE, "fps": 24, "motion_strength": 0.2,
    }  # fmt: skip
    assert create["headers"]["x-dashscope-async"] == "enable"
    assert create["headers"]["x-dashscope-ossresourceresolve"] == "enable"

    clip = made.json
    assert list(clip)[:4] == ["video_url", "duration", "fps", "seed"]
    assert (clip["duration"], clip["fps"], clip["seed"]) == (2, 24, 7)
    assert clip["cost"] == {"cny": 0.3, "billed_s": 2, "basis": "usage"}
    stored, source = Path(clip["video_url"]), Path(clip["source_url"])
    assert measured(stored) == (320, 240, 24, 2)
    assert measured(source)[2] == 30, "the model makes 30 frames a second"
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == clip["sha256"]
    assert list((wan.output / "work").iterdir()) == []
    assert wan.paid_once()


def test_asking_twice_pays_once_and_the_same_picture_is_uploaded_once(wan: Desk) -> None:
    first = wan.generate("--json").succeeded().json
    again = wan.generate("--json").succeeded().json
    assert again == {**first, "cached": True}
    assert len(wan.truth()["creates"]) == 1

    other = wan.generate("--seed", "8", "--json").succeeded().json
    assert (other["seed"], other["cached"]) == (8, False)
    assert other["video_url"] != first["video_url"]
    truth = wan.truth()
    assert [create["body"]["parameters"]["seed"] for create in truth["creates"]] == [7, 8]
    assert (truth["policies"], len(truth["uploads"])) == (1, 1)


def test_a_dry_run_shows_the_body_and_the_cost_and_sends_nothing(wan: Desk) -> None:
    dry = wan.generate("--dry-run", "--json").succeeded().json

    assert dry["cost"] == {"cny": 0.3, "billed_s": 2, "basis": "estimate"}
    assert dry["body"]["parameters"]["seed"] == 7
    assert dry["body"]["input"]["img_url"].startswith("(uploaded when sent: ")
    assert wan.nothing_was_sent()
    assert wan.jobs() == []


def test_a_clip_above_the_limit_is_refused_before_anything_is_sent(wan: Desk) -> None:
    refused = wan.generate("--max-cost", "0.29", "--json")

    assert refused.code == 5
    assert refused.json["code"] == "cost_limit"
    assert "¥0.30" in refused.json["detail"]
    assert wan.generate(env={"WANVIDEO_MAX_COST": "0.29"}).code == 5
    assert wan.nothing_was_sent()


def test_a_request_may_come_as_json_and_flags_win_over_it(wan: Desk) -> None:
    asked = '{"prompt": "ignored", "size": "480x480", "wan": {"prompt_extend": false, "audio": true}}'

    dry = wan.generate("--request", asked, "--dry-run", "--json").succeeded().json

    assert dry["body"]["input"]["prompt"] == "slow push in"
    assert dry["body"]["parameters"]["size"] == SIZE
    assert dry["body"]["parameters"]["prompt_extend"] is False
    assert dry["body"]["parameters"]["audio"] is False

    (wan.folder / "wish.json").write_text('{"prompt": "pan left", "reference_image": "boat.png"}')
    from_file = wan.run("generate", "--file", "wish.json", "--dry-run", "--json").succeeded().json
    assert from_file["body"]["input"]["prompt"] == "pan left"


def test_wan_clips_and_previews_never_answer_for_each_other(wan: Desk) -> None:
    preview = wan.generate("--provider", "preview", "--json").succeeded().json
    assert preview["provider"] == "preview"
    dry = wan.generate("--dry-run", "--json").succeeded().json
    assert (dry["provider"], dry["cached"]) == ("dashscope", False)
    assert wan.nothing_was_sent()
