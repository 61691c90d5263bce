"""`motion_strength` reaches the model in words of the prompt's own language."""

from __future__ import annotations

import pytest

from wanvideo.providers.dashscope.phrase import with_motion


@pytest.mark.parametrize(
    ("prompt", "strength", "sent"),
    [
        ("light snow", 0, "light snow. The scene stays almost still."),
        ("light snow.", 0.2, "light snow. Gentle, slow motion."),
        ("light snow! ", 0.5, "light snow! Moderate, natural motion."),
        ("light snow", 1, "light snow. Strong, energetic motion."),
        ("小雪，镜头缓慢推近", 0.1, "小雪，镜头缓慢推近。动作轻柔缓慢。"),
        ("小雪。", 0.9, "小雪。动作幅度大，富有动感。"),
        ("雪が降る", 0.9, "雪が降る. Strong, energetic motion."),
    ],
)
def test_the_phrase_follows_strength_and_language(prompt: str, strength: float, sent: str) -> None:
    assert with_motion(prompt, strength) == sent


def test_a_long_prompt_goes_as_it_is_since_the_provider_would_cut_it() -> None:
    assert with_motion("a" * 1490, 0.5) == "a" * 1490
    assert len(with_motion("a" * 1473, 0.5)) <= 1500
    assert with_motion("a" * 1470, 0.5) != "a" * 1470
