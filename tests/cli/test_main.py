"""The table of commands."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from wanvideo import __version__
from wanvideo.cli.main import app


def test_help_lists_the_commands_and_tells_where_to_start() -> None:
    told = CliRunner().invoke(app, ["--help"]).stdout
    assert 'wanvideo generate "slow push in" --image photo.jpg' in told
    for command in ("generate", "estimate", "jobs", "doctor", "schema", "emulator"):
        assert f"\n  {command} " in told


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"wanvideo {__version__}\n"


def test_a_misspelt_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(app, ["genrate"])
    assert result.exit_code == 2
    assert "generate" in result.stderr


def test_the_schema_is_json_schema_with_the_defaults_in_it() -> None:
    schema = json.loads(CliRunner().invoke(app, ["schema"]).stdout)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["additionalProperties"] is False
    fields = schema["properties"]
    assert (fields["duration"]["default"], fields["fps"]["default"], fields["size"]["default"]) == (
        4,
        24,
        "1280*720",
    )
    result = json.loads(CliRunner().invoke(app, ["schema", "--result"]).stdout)
    assert list(result["properties"])[:4] == ["video_url", "duration", "fps", "seed"]


def test_the_emulator_has_its_own_help() -> None:
    result = CliRunner().invoke(app, ["emulator", "--help"])
    assert result.exit_code == 0
