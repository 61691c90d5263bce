"""Every command, flag and variable that the documentation names exists."""

from __future__ import annotations

import argparse
import itertools
import re
import shlex
from pathlib import Path
from typing import Any, NoReturn

import pytest
import typer
import typer.main
from tests.postgres import NAMED

from wanvideo.cli.main import app
from wanvideo.settings import Settings
from wanvideo_emulator import add_arguments, options_from

from .pages import PAGES, Call, calls, name_of, spans, text_of

ROOT_COMMAND: Any = typer.main.get_command(app)
USAGE_ERROR: Any = typer.BadParameter.__mro__[1]  # its base: what every refusal of words is
VARIABLE = re.compile(r"\b(?:WANVIDEO|DASHSCOPE|ALIBABA_CLOUD|OUTPUT)_[A-Z_]+\b")


class EmulatorParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def emulator_parser() -> argparse.ArgumentParser:
    parser = EmulatorParser(prog="wanvideo emulator")
    add_arguments(parser)
    return parser


def refusal(words: list[str], *, whole: bool) -> str:
    """Why the command line would not take these words; empty when it would. Nothing is run.

    A mention (`whole` is False) may leave out what a command needs: `wanvideo jobs retry`.
    """
    command, path = ROOT_COMMAND, list[str]()
    while words and not words[0].startswith("-") and getattr(command, "commands", None):
        word, *words = words
        if word not in command.commands:
            return f"there is no command {word}"
        command, path = command.commands[word], [*path, word]
    try:
        if path == ["emulator"]:
            options_from(emulator_parser().parse_args(words))
        elif words or not getattr(command, "commands", None):
            command.make_context(" ".join(path), words)
    except typer.Exit:  # `--help`
        return ""
    except (USAGE_ERROR, ValueError) as error:
        return "" if type(error).__name__ == "MissingParameter" and not whole else repr(error)
    return ""


def alternatives(arguments: str) -> list[list[str]]:
    """`jobs list|show` is two commands."""
    words = [[word] if '"' in arguments else word.split("|") for word in shlex.split(arguments)]
    return [list(chosen) for chosen in itertools.product(*words)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_can_be_typed(page: Path) -> None:
    for call in calls(page):
        for words in alternatives(call.arguments.rstrip(".")):
            assert refusal(words, whole=call.whole) == "", f"wanvideo {call.arguments}"


def test_the_pages_do_name_commands() -> None:
    """Guards the test above against reading nothing."""
    found = [call for page in PAGES for call in calls(page)]
    assert len([call for call in found if call.whole]) > 25
    assert Call("README.md", "jobs watch ID", whole=False) in found


@pytest.mark.parametrize(
    "arguments", ["serve", "generate --refresh x", "jobs retry", "jobs list --frobnicate", "emulator --turbo"]
)
def test_a_command_that_does_not_exist_would_be_noticed(arguments: str) -> None:
    assert refusal(arguments.split(), whole=True)


def flags(command: Any) -> set[str]:
    below = getattr(command, "commands", {})
    own = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    return own.union(*(flags(one) for one in below.values()))


def test_every_flag_exists() -> None:
    known = flags(ROOT_COMMAND) | {"--help"}
    known |= {name for action in emulator_parser()._actions for name in action.option_strings}
    for page in PAGES:
        told = {span.split()[0].partition("=")[0] for span in spans(page) if span.startswith("--")}
        assert told <= known, f"{name_of(page)}: {told - known}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_variable_exists(page: Path) -> None:
    known = {str(field.validation_alias) for field in Settings.model_fields.values()} | {NAMED}
    assert set(VARIABLE.findall(text_of(page))) <= known
