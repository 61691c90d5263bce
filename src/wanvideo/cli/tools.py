"""`wanvideo doctor`, `schema`, `preview-sheet` and `emulator`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wanvideo.cli.printing import errors_told, out, out_json

_GIVE_PNG = "Give the name of a PNG file with `--output`."


def doctor(as_json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False) -> None:
    """Check key, region, endpoint, disk, encoder, ledger and clock, and say what to do. Costs nothing."""
    with errors_told(as_json=as_json):
        import asyncio

        from wanvideo.cli.logs import set_up_logs
        from wanvideo.doctor import examine
        from wanvideo.settings import Settings

        settings = Settings.read()
        set_up_logs(settings.log_level)
        findings = asyncio.run(examine(settings))
        healthy = all(finding.state != "bad" for finding in findings)
        if as_json:
            out_json({"healthy": healthy, "checks": [finding.as_json() for finding in findings]})
        else:
            for finding in findings:
                mark = {"good": "ok ", "note": "-  ", "bad": "BAD"}[finding.state]
                out(f"{mark} {finding.name:<9} {finding.text}")
                if finding.todo:
                    out(f"              {finding.todo}")
        raise typer.Exit(0 if healthy else 1)


def schema(
    result: Annotated[bool, typer.Option("--result", help="The result's schema instead.")] = False,
) -> None:
    """Print the contract of video.generate as JSON Schema."""
    from wanvideo.contract.request import VideoRequest
    from wanvideo.contract.result import VideoResult

    if result:
        described = VideoResult.model_json_schema(mode="serialization")
    else:
        described = VideoRequest.model_json_schema()
    out_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **described})


def preview_sheet(
    file: Annotated[Path, typer.Argument(help="A clip: any mp4, also one of Wan.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The PNG.  [default: FILE with .png]")
    ] = None,
    columns: Annotated[int, typer.Option(min=1, max=20, help="Frames in a row.")] = 4,
    rows: Annotated[int, typer.Option(min=1, max=20, help="Rows.")] = 2,
    width: Annotated[int, typer.Option(min=64, max=1280, help="Width of each frame in pixels.")] = 320,
    as_json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Write a contact sheet of a clip: frames from the first to the last in one PNG. Prints its path."""
    with errors_told(as_json=as_json):
        from wanvideo.errors import ClipInvalid, RequestInvalid
        from wanvideo.media.sheet import contact_sheet

        if not file.is_file():
            trouble = "is a folder" if file.is_dir() else "is not there"
            raise RequestInvalid(f"{file} {trouble}.", field="file", hint="Give the path of an mp4.")
        path = output or file.with_suffix(".png")
        if path.is_dir():
            raise RequestInvalid(f"{path} is a folder.", field="output", hint=_GIVE_PNG)
        if path.exists() and path.samefile(file):
            raise RequestInvalid(f"{path} is the clip itself.", field="output", hint=_GIVE_PNG)
        if path.suffix.lower() != ".png":
            raise RequestInvalid(f"{path} does not end in .png.", field="output", hint=_GIVE_PNG)
        try:
            sheet = contact_sheet(file, columns=columns, rows=rows, cell_width_px=width)
        except ClipInvalid as error:
            raise RequestInvalid(error.detail, field="file", hint="Give the path of an mp4.") from None
        beside = path.with_name(f".{path.name}.part")
        try:
            beside.write_bytes(sheet)
            beside.replace(path)
        except OSError as error:
            raise RequestInvalid(
                f"{path} cannot be written: {error.strerror}.", field="output", hint=_GIVE_PNG
            ) from None
        finally:
            beside.unlink(missing_ok=True)
        if as_json:
            out_json({"sheet": str(path), "clip": str(file)})
        else:
            out(str(path))


def emulator(context: typer.Context) -> None:
    """Run a DashScope-compatible server for development and tests (see its own --help)."""
    from wanvideo_emulator import main

    raise typer.Exit(main(context.args))
