"""`motion_strength` as words: the model has no such parameter, but it reads the prompt."""

from __future__ import annotations

import re
from typing import Final

from wanvideo.contract.model_card import limit

# (up to this strength, English, Chinese)
_GRADES: Final[tuple[tuple[float, str, str], ...]] = (
    (0.05, "The scene stays almost still.", "画面几乎静止。"),
    (0.35, "Gentle, slow motion.", "动作轻柔缓慢。"),
    (0.65, "Moderate, natural motion.", "动作幅度适中、自然。"),
    (1.0, "Strong, energetic motion.", "动作幅度大，富有动感。"),
)
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_ENDS = ".!?…。！？"


def with_motion(prompt: str, strength: float) -> str:
    """`prompt` with a short phrase for `strength` (0..1) in its own language, Chinese or English.

    The prompt comes back unchanged when the phrase would make it longer than the provider reads.
    """
    english, chinese = next((en, zh) for up_to, en, zh in _GRADES if strength <= up_to or up_to == 1.0)
    text = prompt.rstrip()
    if _HAN.search(text) and not _KANA_OR_HANGUL.search(text):
        joined = text + ("" if text[-1:] in _ENDS else "。") + chinese
    else:
        joined = text + (" " if text[-1:] in _ENDS else ". ") + english
    return joined if len(joined) <= limit("prompt_max_chars") else prompt
