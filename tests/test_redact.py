"""No text that leaves the program carries a key or a signed link."""

from __future__ import annotations

import pytest

from wanvideo.redact import redact

SIGNED = "https://dashscope-a717.oss-accelerate.aliyuncs.com/1d/1e/a.mp4?Expires=1795&OSSAccessKeyId=LTAI5tAbCdEf&Signature=ab%2Bc%3D"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Invalid key sk-0123456789abcdef.", "Invalid key sk-***"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer ***"),
        (
            f"see {SIGNED}, please",
            "see https://dashscope-a717.oss-accelerate.aliyuncs.com/1d/1e/a.mp4?*** please",
        ),
        (
            f'{{"video_url": "{SIGNED}"}}',
            '{"video_url": "https://dashscope-a717.oss-accelerate.aliyuncs.com/1d/1e/a.mp4?***"}',
        ),
        ("/x.mp4?Expires=1&Signature=abc&x=1", "/x.mp4?Expires=1&Signature=***&x=1"),
        ("x-oss-signature=0a1b x-oss-security-token=abc", "x-oss-signature=*** x-oss-security-token=***"),
        ("http://user:secret@proxy:8080/x", "http://***@proxy:8080/x"),
        ("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA", "data:image/png;base64,***"),
    ],
)
def test_secrets_are_masked(text: str, safe: str) -> None:
    assert redact(text) == safe


@pytest.mark.parametrize(
    "text",
    [
        "Basic motion, a risk-free task-list; bearer of news",
        "https://example.org/harbour.png is answered with HTTP 404.",
        "Field required: input.img_url",
        "oss://dashscope-instant/abc/2026-01-01/x.png",
        "画面几乎静止。",
        "",
    ],
)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_a_key_of_any_shape_is_masked_when_it_is_known() -> None:
    assert redact("the key my.odd-key was refused", ["my.odd-key", ""]) == "the key *** was refused"
