"""`wanvideo doctor`, `schema` and `emulator`."""

from __future__ import annotations

from typing import Annotated

import typer

from wanvideo.cli.printing import errors_told, out, out_json


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


def emulator(context: typer.Context) -> None:
    """Run a DashScope-compatible server for development and tests (see its own --help)."""
    from wanvideo_emulator import main

    raise typer.Exit(main(context.args))
