"""Words for people on stderr, one object for programs on stdout, and errors with their way out."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any, TextIO

import typer

from wanvideo.errors import WanvideoError

# Our own messages write a command in backticks or after a colon; "my wanvideo jobs" in a path is left alone.
_COMMANDS = "jobs|generate|doctor|schema|estimate|emulator|audit|rescue|spend|worker|preview-sheet"
_CALL = re.compile(rf"(^|`|: +)wanvideo(?= (?:{_COMMANDS})\b)", re.MULTILINE)


def prepare_streams() -> None:
    """Make stdout and stderr take every character, and be there at all. Once, before the first word."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller (`>&-`): a file we open must not take its number
            setattr(sys, name, io.TextIOWrapper(io.FileIO(os.devnull, "w"), encoding="utf-8"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def release(stream: TextIO) -> OSError | None:
    """Flush for the last time; what cannot be written goes nowhere, or Python's own last flush complains."""
    try:
        stream.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        return error
    return None


def as_called(text: str) -> str:
    """The text with our commands spelt as this user calls them: `./wanvideo jobs list` in a clone."""
    if not _CALL.search(text):
        return text
    from wanvideo.settings import command_name  # not for `--help`: it costs 100 ms

    name = command_name()
    return _CALL.sub(lambda found: found[1] + name, text)


def out(text: str) -> None:
    """The answer itself: what a script reads."""
    _write(as_called(text))


def out_json(value: Any) -> None:
    """The answer as one object, word for word: commands in it stay `wanvideo ...`."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    _write(text)


def _write(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError as error:  # of the same kind (a BrokenPipeError stays one), but with a name
        raise OSError(error.errno, error.strerror, "standard output") from None


def say(text: str) -> None:
    """Anything around the answer. Nobody has to be there to read it: a clip is not given up for that."""
    with suppress(OSError):
        sys.stderr.write(as_called(text) + "\n")
        sys.stderr.flush()


@contextmanager
def errors_told(*, as_json: bool) -> Iterator[None]:
    """Every error becomes one message and its exit code: never a traceback."""
    try:
        yield
    except WanvideoError as error:
        if as_json:
            from wanvideo.contract.problem import problem

            out_json(problem(error))
        else:
            tell(error)
        raise typer.Exit(error.exit_code) from None
    except BrokenPipeError:
        raise typer.Exit(1) from None


def tell(error: WanvideoError) -> None:
    """`error: field: what is wrong`, then what to do."""
    where = f"{error.field}: " if error.field else ""
    say(f"error: {where}{error.detail}")
    if error.hint:
        say(f"  {error.hint}")
    known = {"job": error.job_id, "task": error.task_id, "request": error.request_id}
    ids = ", ".join(f"{name} {value}" for name, value in known.items() if value)
    say(f"  [{error.code}{'; ' + ids if ids else ''}]")


def out_table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Collection[str] = ()) -> None:
    """Aligned columns; `right` names those that hold numbers. The last one may be of any length."""
    lines = [tuple(head), *map(tuple, rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    for line in lines:
        cells = [
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(head, line, widths, strict=True)
        ]
        out("  ".join(cells).rstrip())


def yuan(value: float | Decimal) -> str:
    """¥1.20."""
    return f"¥{value:.2f}"


def seconds(value: float) -> str:
    """12 s, 3 min 05 s, 2 h 10 min."""
    whole = int(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
