"""`wanvideo`: the table of commands, and what happens to words it cannot read.

Importing this module must stay cheap: `--help` answers at once.
"""

from __future__ import annotations

import difflib
import errno
import re
import signal
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
import typer.main

from wanvideo import __version__
from wanvideo.cli import generate, jobs, money, tools, worker
from wanvideo.cli.printing import errors_told, out, prepare_streams, release, say
from wanvideo.errors import RequestInvalid

EXAMPLE = '`wanvideo generate "slow push in" --image photo.jpg`'
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
INTERRUPTED = 130
"""The exit code of Ctrl-C, as shells know it."""

_EXTRA = re.compile(r"unexpected extra argument\(s\) \((.*)\)$", re.DOTALL)

app = typer.Typer(
    name="wanvideo",
    help="The money-safe way to make video with Alibaba's Wan model (wan2.6-i2v-flash).",
    epilog='Start here: wanvideo generate "slow push in" --image photo.jpg',
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("generate")(generate.generate)
app.command("estimate")(generate.estimate)
app.add_typer(jobs.app, name="jobs")
app.command("audit")(money.audit)
app.command("rescue")(money.rescue)
app.command("spend")(money.spend)
app.command("worker")(worker.worker)
app.command("doctor")(tools.doctor)
app.command("schema")(tools.schema)
app.command("preview-sheet")(tools.preview_sheet)
app.command(
    "emulator",
    context_settings={
        "allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []
    },
)(tools.emulator)  # fmt: skip


def _tell_version(asked: bool) -> None:
    if asked:
        out(f"wanvideo {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=_tell_version),
    ] = False,
) -> None:
    """The money-safe way to make video with Alibaba's Wan model (wan2.6-i2v-flash)."""


def main() -> None:
    """The console script: whatever happens ends in a message and an exit code, not in a traceback."""
    prepare_streams()
    trouble: OSError | None = None
    try:
        code = run(sys.argv[1:])
    except (KeyboardInterrupt, typer.Abort):
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # pressed again, it just ends
        code = INTERRUPTED
        _tell_left()
    except OSError as error:
        code, trouble = 1, error
    trouble = release(sys.stdout) or trouble
    if trouble:
        code = code or 1
        if trouble.errno != errno.EPIPE:  # `| head` has read enough
            where = f"{trouble.filename}: " if trouble.filename else ""
            say(f"error: {where}{trouble.strerror or trouble}")
    release(sys.stderr)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. Words it cannot read are an error like any other."""
    command = typer.main.get_command(app)
    try:
        with errors_told(as_json="--json" in arguments):
            try:
                with command.make_context("wanvideo", list(arguments)) as context:
                    command.invoke(context)
            except typer.TyperException as error:
                if type(error).__name__ == "NoArgsIsHelpError":  # `wanvideo jobs`: the message is its help
                    typer.echo(error.format_message(), err=True)
                    return error.exit_code
                raise _refusal(error, command, arguments) from None
    except typer.Exit as left:
        return left.exit_code
    return 0


def _tell_left() -> None:
    if sys.stderr.isatty():
        say("")  # the terminal has written ^C on this line
    # All that reaches the provider goes through the vendor's SDK, and that is loaded with the first request.
    if "dashscope" in sys.modules:
        say("left; what was begun goes on: `wanvideo jobs list` shows it")
    else:
        say("left; nothing was sent")


def _refusal(error: typer.TyperException, command: Any, arguments: Sequence[str]) -> RequestInvalid:
    """What is wrong with the words of a command line, and the nearest right ones.

    Typer's exceptions are told apart by what they carry: their classes are private to it.
    """
    words = list(arguments)
    path = ["wanvideo"]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words[0]]
        path.append(words.pop(0))
    called = " ".join(path)
    told = error.format_message()
    listed = f"`{called} --help` lists what it takes."
    if hasattr(error, "possibilities"):
        typed = _as_typed(str(getattr(error, "option_name", "")), words)
        hint = _hint_for(typed, path, command) or listed
        return RequestInvalid("There is no such option.", field=typed, hint=hint)
    if option := getattr(error, "option_name", None):
        detail = "It needs a value." if "requires" in told else "It takes no value."
        return RequestInvalid(detail, field=option, hint=listed)
    if param := getattr(error, "param", None):
        detail = error.message.rstrip(".") or "It is missing"
        return RequestInvalid(f"{detail[:1].upper()}{detail[1:]}.", field=_spelt(param), hint=listed)
    if extra := _EXTRA.search(told):
        return _too_many(extra[1], path, listed)
    if words and "No such command" in told:
        close = difflib.get_close_matches(words[0].lower(), command.commands, n=1)
        if close:
            listed = f"Did you mean `{called} {close[0]}`?"
        elif " " in words[0]:
            listed = f"To make a clip: {EXAMPLE}."
        return RequestInvalid(f"There is no command {words[0]!r}.", hint=listed)
    return RequestInvalid(told, hint=listed)


def _as_typed(option: str, words: Iterable[str]) -> str:
    """`-d` was cut out of `-duration`."""
    whole = (word.partition("=")[0] for word in words)
    return next((word for word in whole if word.startswith(option) and word[:2] != "--"), option)


def _hint_for(typed: str, path: list[str], command: Any) -> str:
    if typed == "--prompt" and path[1:] == ["generate"]:
        return f"The prompt is the first argument: {EXAMPLE}."
    known = {"--help"}.union(*((*param.opts, *param.secondary_opts) for param in command.params))
    plain = {name.lstrip("-"): name for name in sorted(known) if name.startswith("--")}
    word = typed.lstrip("-").lower()
    close = difflib.get_close_matches(word, plain, n=1)
    begun = [name for name in plain if name.startswith(word)]
    if near := [plain[name] for name in dict.fromkeys([*close, *begun])][:3]:
        return f"Did you mean {' or '.join(near)}?"
    if getattr(command, "commands", None):
        return f"Options stand behind the command; `{' '.join(path)} --help` lists the commands."
    return ""


def _too_many(extra: str, path: list[str], listed: str) -> RequestInvalid:
    if path[1:] != ["generate"]:
        return RequestInvalid(f"There are more words than it takes: {extra!r}.", hint=listed)
    if extra.lower().endswith(PICTURES) and " " not in extra:
        return RequestInvalid(
            f"{extra!r} stands alone.",
            field="--image",
            hint=f'Name a picture so: `wanvideo generate "slow push in" --image {extra}`.',
        )
    return RequestInvalid(
        f"There are words after the prompt: {extra!r}.",
        field="prompt",
        hint=f"Put the prompt in quotes: {EXAMPLE}.",
    )


def _spelt(param: Any) -> str:
    """The option as it is typed; an argument as the help calls it."""
    return next((name for name in param.opts if name.startswith("--")), None) or str(
        param.metavar or param.name
    )
