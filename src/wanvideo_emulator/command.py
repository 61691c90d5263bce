"""The command line: `python -m wanvideo_emulator`, and `wanvideo emulator` with the same flags."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import difflib
import signal
import sys
from pathlib import Path
from typing import NoReturn

from wanvideo_emulator.faults import GRAMMAR, BadFault, parse
from wanvideo_emulator.options import Options
from wanvideo_emulator.server import Emulator

DEFAULTS = Options()
PORT_MAX = 65_535
EPILOG = f"""\
Give the printed URL to the official SDK (DASHSCOPE_HTTP_BASE_URL) together with any key that starts with sk-.
Nothing is ever sent to Alibaba Cloud and nothing is billed.

faults
{GRAMMAR}
words
  A prompt with "forbidden" or "违禁" fails as DataInspectionFailed (input) as soon as it is scheduled,
  one with "indecent" or "不雅" after its run (output).

control, below the same host and port, no key needed
  GET  /emulator/truth     every create received, every task, upload and download, what it would have billed
  GET  /emulator/faults    POST {{"spec": "submit:drop*1"}} arms one more, DELETE removes all
  POST /emulator/advance   {{"seconds": 86400}} jumps the clock: links and tasks expire, running tasks end
  POST /emulator/reset     forgets everything
"""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without a page of usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message.removeprefix('argument ').rstrip('.')}; {self._way_out(message)}\n")

    def _way_out(self, message: str) -> str:
        unknown = message.removeprefix("unrecognized arguments: ")
        if unknown != message:
            flags = [flag for action in self._actions for flag in action.option_strings]
            near = difflib.get_close_matches(unknown.partition("=")[0].split()[0], flags, n=1)
            if near:
                return f"did you mean {near[0]}?"
        return f"`{self.prog} --help` lists every flag"


def _span(text: str) -> tuple[float, float]:
    """`60` or `55-90`, seconds."""
    low, _, high = text.partition("-")
    try:
        return float(low), float(high or low)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: write 60 or 55-90, seconds") from None


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: write 0 (any free one) to {PORT_MAX}")
    return int(text)


def _fault(text: str) -> str:
    try:
        parse(text)
    except BadFault as trouble:
        raise argparse.ArgumentTypeError(str(trouble)) from trouble
    return text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one flag for each option."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    add = parser.add_argument
    add("--host", default=DEFAULTS.host, help="address to listen on (default %(default)s)")
    add("--port", type=_port, default=DEFAULTS.port, help="0 takes a free port (default %(default)s)")
    add(
        "--speed",
        type=float,
        default=DEFAULTS.speed,
        help="60: a task of 60 s takes 1 s (default %(default)s)",
    )
    add(
        "--api-key",
        dest="api_keys",
        action="append",
        metavar="KEY[=ACCOUNT]",
        help="accept only these keys (repeatable); default: any key that starts with sk-",
    )
    add("--run-s", type=_span, metavar="S[-S]", help="how long tasks run, before the speed factor")
    add("--pending-s", type=_span, metavar="S[-S]", help="how long tasks queue, before the speed factor")
    add(
        "--max-running",
        type=int,
        default=DEFAULTS.max_running,
        help="tasks running at once (default %(default)s)",
    )
    add(
        "--over-concurrency",
        choices=("queue", "429"),
        default=DEFAULTS.over_concurrency,
        help="what a create beyond --max-running gets (default %(default)s)",
    )
    add(
        "--submit-per-s",
        type=int,
        default=DEFAULTS.submit_per_s,
        help="creates a second (default %(default)s)",
    )
    add(
        "--query-per-s", type=int, default=DEFAULTS.query_per_s, help="queries a second (default %(default)s)"
    )
    add(
        "--size-multiple",
        type=int,
        choices=(2, 16),
        default=DEFAULTS.size_multiple,
        help="sides of clips are floored to this (default %(default)s)",
    )
    add(
        "--missing-field",
        choices=("deferred", "sync"),
        default=DEFAULTS.missing_field,
        help="refuse bad fields as a FAILED task, or with 400 on the create (default %(default)s)",
    )
    add(
        "--unknown-parameter",
        choices=("ignore", "refuse"),
        default=DEFAULTS.unknown_parameter,
        help="what an undocumented key in parameters gets (default %(default)s)",
    )
    add(
        "--unknown-model",
        choices=("404", "400"),
        default=DEFAULTS.unknown_model,
        help="status for a wrong model name (default %(default)s)",
    )
    add("--fault", dest="faults", action="append", type=_fault, metavar="SPEC", help="see below (repeatable)")
    add(
        "--list-page-max",
        type=int,
        default=DEFAULTS.list_page_max,
        help="larger pages are cut to this (default %(default)s)",
    )
    add("--list-lag-s", type=float, default=DEFAULTS.list_lag_s, help="new tasks are listed this late")
    add(
        "--link-ttl-s",
        type=float,
        default=DEFAULTS.link_ttl_s,
        help="life of a result link (default %(default)s)",
    )
    add(
        "--task-ttl-s",
        type=float,
        default=DEFAULTS.task_ttl_s,
        help="life of a task id (default %(default)s)",
    )
    add("--fetch-timeout-s", type=float, default=DEFAULTS.fetch_timeout_s, help="for downloading img_url")
    add("--clips-folder", type=Path, metavar="FOLDER", help="keep rendered clips here and reuse them")
    add("--seed", type=int, default=DEFAULTS.seed, help="of all draws")


def options_from(arguments: argparse.Namespace) -> Options:
    """The options that the flags of `add_arguments` say. Raises ValueError for values that make no sense."""
    given = {field.name: getattr(arguments, field.name) for field in dataclasses.fields(Options)}
    for name in ("api_keys", "faults"):
        given[name] = tuple(given[name] or ())
    return Options(**given)


async def _serve(options: Options) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with Emulator(options) as emulator:
        sys.stdout.write(f"DashScope emulator listening on {emulator.base_url}\n")
        sys.stdout.flush()
        await stop.wait()


def serve(options: Options) -> None:
    """Run until SIGINT or SIGTERM. Prints one line with the base URL once it listens."""
    asyncio.run(_serve(options))


def main(argv: list[str]) -> int:
    """Run the emulator as a command. Returns 0 after a stop by signal, 1 when it cannot listen."""
    parser = Parser(
        prog="wanvideo emulator",
        description="A local stand-in for DashScope video synthesis (wan2.6-i2v-flash).",
    )
    add_arguments(parser)
    arguments = parser.parse_args(argv)
    try:
        serve(options_from(arguments))
    except ValueError as trouble:
        parser.error(str(trouble))
    except OSError as trouble:
        sys.stderr.write(f"error: cannot listen on {arguments.host}:{arguments.port}: {trouble}\n")
        return 1
    return 0
