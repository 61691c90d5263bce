"""Words for people on stderr, one object for programs on stdout, and errors with their way out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from wanvideo.errors import WanvideoError


def out(text: str) -> None:
    """The answer itself: what a script reads."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Anything around the answer."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def out_json(value: Any) -> None:
    out(json.dumps(value, ensure_ascii=False, indent=2))


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


def seconds(value: float) -> str:
    """12 s, 3 min 05 s, 2 h 10 min."""
    whole = int(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
