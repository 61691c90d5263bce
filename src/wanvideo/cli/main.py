"""`wanvideo`: the table of commands. Importing this module must stay cheap: `--help` answers at once."""

from __future__ import annotations

from typing import Annotated

import typer

from wanvideo import __version__
from wanvideo.cli import generate, jobs, tools
from wanvideo.cli.printing import out

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
app.command("doctor")(tools.doctor)
app.command("schema")(tools.schema)
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
    """The console script."""
    app()
