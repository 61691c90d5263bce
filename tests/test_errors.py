"""The error tree is drawn as it is, and every error says what to do."""

from __future__ import annotations

import re

import pytest

from wanvideo import errors
from wanvideo.errors import JobNotFound, RequestInvalid, WanvideoError, all_errors, by_code

DRAWN = re.compile(r"^([│ ]*)[├└]─ (\w+)(?: +(\w+) {2,}\S.*)?$", re.MULTILINE)


def drawn() -> list[tuple[int, str, str | None]]:
    """Depth, class and code of each line of the picture."""
    assert errors.__doc__ is not None
    return [(len(bars) // 3 + 1, name, code) for bars, name, code in DRAWN.findall(errors.__doc__)]


def real(root: type[WanvideoError] = WanvideoError, depth: int = 1) -> list[tuple[int, str, str]]:
    found = []
    for child in root.__subclasses__():
        found += [(depth, child.__name__, child.code), *real(child, depth + 1)]
    return found


def test_the_picture_is_the_tree() -> None:
    assert [(depth, name) for depth, name, _ in drawn()] == [(depth, name) for depth, name, _ in real()]


def test_the_picture_names_the_codes() -> None:
    codes = {name: code for _, name, code in real()}
    assert {name: code for _, name, code in drawn() if code} == {
        name: code
        for name, code in codes.items()
        if name != "ProviderError"  # only a branch
    }


def test_codes_are_unique_and_lead_back() -> None:
    codes = [cls.code for cls in all_errors()]
    assert len(codes) == len(set(codes))
    assert all(by_code(cls.code) is cls for cls in all_errors())
    assert by_code("unheard_of") is WanvideoError


@pytest.mark.parametrize("cls", all_errors(), ids=lambda cls: cls.__name__)
def test_every_error_says_what_it_is_and_what_to_do(cls: type[WanvideoError]) -> None:
    error = cls("This happened.")
    assert cls.title
    assert cls.default_hint.endswith((".", "`"))
    assert 400 <= cls.status <= 599
    assert 1 <= cls.exit_code <= 9
    assert str(error) == f"This happened. {cls.default_hint}"


def test_exit_codes_group_what_a_script_treats_alike() -> None:
    assert {cls.exit_code for cls in all_errors(RequestInvalid)} == {2}
    by_exit = {code: {c.code for c in all_errors() if c.exit_code == code} for code in range(3, 10)}
    assert by_exit[3] == {
        "credentials_missing", "credentials_rejected", "access_denied", "account_blocked", "model_not_found",
    }  # fmt: skip
    assert (by_exit[5], by_exit[6]) == ({"cost_limit"}, {"submit_uncertain"})
    assert (by_exit[7], by_exit[8]) == ({"cancelled"}, {"wait_timeout"})
    assert by_exit[9] == {"audit_failed"}


def test_a_field_and_an_own_hint_are_told() -> None:
    assert str(RequestInvalid("Too long.", field="prompt", hint="Cut it.")) == "prompt: Too long. Cut it."
    assert "wanvideo jobs list" in str(JobNotFound("No."))


def test_what_may_cost_money_twice_is_never_called_retryable() -> None:
    retryable = {cls.code for cls in all_errors() if cls.retryable}
    assert not retryable & {"submit_uncertain", "result_expired", "task_expired", "content_rejected"}
