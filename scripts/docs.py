"""Keeps the generated parts of the documentation true to the code.

python scripts/docs.py           writes every part between `<!-- begin: NAME -->` and `<!-- end -->` anew
python scripts/docs.py --check   only names the parts that are out of date, and fails when there are any
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PART = re.compile(r"(<!-- begin: (?P<name>[a-z -]+) -->\n).*?(<!-- end -->)", re.DOTALL)
WIDTH = 88  # columns of `--help`, so that it is the same on every terminal


def pages() -> list[Path]:
    return sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; `|` inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def code(text: object) -> str:
    return f"`{text}`" if str(text) else ""


# --- settings ---


def settings_table() -> str:
    from wanvideo.settings import Settings

    rows = [
        (code(field.validation_alias), _default(field.default), _bounds(field), field.description)
        for field in Settings.model_fields.values()
    ]
    return table(("variable", "default", "allowed", "meaning"), rows)


def _default(value: Any) -> str:
    if value is None or value == "" or not isinstance(value, str | int | float | Path):
        return ""
    return code(str(value).lower() if isinstance(value, bool) else value)


def _bounds(field: Any) -> str:
    """What a value may be, in a few words: from the annotation and its limits."""
    choices = re.findall(r"'([\w*]+)'", str(field.annotation)) if "Literal" in str(field.annotation) else []
    if choices:
        return ", ".join(map(code, choices))
    if field.annotation is bool:
        return "`true`, `false`"
    limits = {
        name: getattr(rule, name)
        for rule in _rules(field)
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length")
        if hasattr(rule, name)
    }
    low, high = limits.get("ge", limits.get("min_length")), limits.get("le", limits.get("max_length"))
    unit = " characters" if "max_length" in limits else ""
    if low is not None and high is not None:
        return f"{low} to {high}{unit}"
    told = [f"above {limits['gt']}"] if "gt" in limits else []
    told += [f"at least {low}{unit}"] if low is not None else []
    told += [f"at most {high}{unit}"] if high is not None else []
    return ", ".join(told)


def _rules(field: Any) -> list[Any]:
    """Limits of the field, and those written inside an optional type (`Annotated[...] | None`)."""
    inner = [
        rule
        for option in getattr(field.annotation, "__args__", ())
        for part in getattr(option, "__metadata__", ())
        for rule in (part, *getattr(part, "metadata", ()))
    ]
    return [*field.metadata, *inner]


# --- the contract ---


def request_table(name: str = "VideoRequest") -> str:
    from wanvideo.contract import request

    model = getattr(request, name)
    described = model.model_json_schema()["properties"]
    rows = []
    for field_name, field in model.model_fields.items():
        schema = described[field_name]
        default = "**required**" if field.is_required() else _default(field.default)
        rule = "" if "const" in schema else _bounds(field)
        rows.append((code(field_name), _type(schema), default, rule, schema.get("description", "")))
    return table(("field", "type", "default", "allowed", "meaning"), rows)


def wan_table() -> str:
    return request_table("WanOptions")


def preview_table() -> str:
    return request_table("PreviewOptions")


def result_table() -> str:
    from wanvideo.contract.result import VideoResult

    described = VideoResult.model_json_schema(mode="serialization")["properties"]
    return table(
        ("field", "type", "meaning"),
        [(code(name), _type(schema), schema.get("description", "")) for name, schema in described.items()],
    )


def _type(schema: dict[str, Any]) -> str:
    kinds = [one.get("type", "object") for one in schema.get("anyOf", [schema])]
    words = [kind for kind in kinds if kind != "null" and (kind != "integer" or "number" not in kinds)]
    return " or ".join(dict.fromkeys(words)) + (" or null" if "null" in kinds else "")


def limits_table() -> str:
    from wanvideo.contract.model_card import CARD

    rows = []
    for name, fact in CARD.items():
        value = ", ".join(fact.value) if isinstance(fact.value, tuple) else fact.value
        source = "our own rule" if fact.source == "wanvideo" else fact.source
        rows.append((code(name), value, source, fact.read_on, fact.note))
    return table(("fact", "value", "source", "read on", "note"), rows)


def sizes_table() -> str:
    from wanvideo.contract.model_card import COMMON_SIZES

    return table(
        ("tier", "sizes that fill it"),
        [(tier, ", ".join(map(code, sizes))) for tier, sizes in COMMON_SIZES.items()],
    )


def prices_table() -> str:
    from wanvideo.contract.price import PRICE_CNY_PER_S

    rows = [
        (region, resolution, "sound" if sound else "silent", f"¥{price}", f"¥{price * 4:.2f}")
        for (region, resolution, sound), price in PRICE_CNY_PER_S.items()
    ]
    return table(("region", "resolution", "sound", "a second", "4 seconds"), rows)


# --- errors ---


def errors_table() -> str:
    from wanvideo.errors import all_errors

    rows = [
        (code(error.code), error.__name__, error.title, error.exit_code, error.status, _yes(error.retryable))
        for error in all_errors()
    ]
    return table(("code", "class", "title", "exit code", "HTTP status", "retryable"), rows)


def exit_codes_table() -> str:
    from wanvideo.errors import all_errors

    codes: dict[int, list[str]] = {}
    for error in all_errors():
        codes.setdefault(error.exit_code, []).append(code(error.code))
    return table(
        ("exit code", "error codes"), [(number, ", ".join(codes[number])) for number in sorted(codes)]
    )


def vendor_codes_table() -> str:
    from wanvideo.providers.dashscope.faults import FAULTS

    return table(
        ("DashScope's code", "our code", "a new create may work"),
        [(code(name), code(fault.error.code), _yes(fault.passing)) for name, fault in FAULTS.items()],
    )


def _yes(value: bool) -> str:
    return "yes" if value else "no"


# --- the engine ---


def moves_table() -> str:
    from wanvideo.jobs.machine import FINAL, MOVES

    rows = [(code(state), code(event), code(then)) for (state, event), then in MOVES.items()]
    final = ", ".join(code(state) for state in sorted(FINAL))
    return table(("state", "event", "next state"), rows) + f"\n\nFinal states: {final}."


# --- the command line and the emulator ---


def help_block(path: str) -> str:
    """What `wanvideo PATH --help` prints."""
    from typer.testing import CliRunner

    from wanvideo.cli.main import app

    ran = CliRunner().invoke(
        app, [*path.split(), "--help"], prog_name="wanvideo", env={"COLUMNS": str(WIDTH), "NO_COLOR": "1"}
    )
    if ran.exit_code:
        raise SystemExit(f"wanvideo {path} --help failed: {ran.output}")
    return f"```text\n{_plain(ran.output)}\n```"


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def emulator_flags() -> str:
    import argparse

    from wanvideo_emulator import add_arguments

    parser = argparse.ArgumentParser(prog="wanvideo emulator")
    add_arguments(parser)
    rows = []
    for action in (one for one in parser._actions if one.dest != "help"):
        value = action.metavar or "|".join(map(str, action.choices or ())) or "VALUE"
        rows.append((f"`{action.option_strings[0]} {value}`", (action.help or "") % vars(action)))
    return table(("flag", "meaning"), rows)


def emulator_faults() -> str:
    from wanvideo_emulator.faults import GRAMMAR

    return f"```text\n{_plain(GRAMMAR)}\n```"


def preview_shown() -> str:
    """Every move, effect and light: its words in both languages, and a strip of the sample picture."""
    import runpy

    from wanvideo.preview.plan import EFFECTS, LIGHTS, MOVES

    shown = runpy.run_path(str(ROOT / "scripts/preview_sheets.py"))["SHOWN"]
    lines = []
    for title, names in (("Moves", MOVES), ("Effects", EFFECTS), ("Light", LIGHTS)):
        lines += [f"### {title}", ""]
        for name in names:
            english, chinese = shown[name]
            words = name.replace("_", " ")
            lines += [f"**{words}**: “{english}”, “{chinese}”", "", f"![{words}](preview/{name}.jpg)", ""]
    return "\n".join(lines[:-1])


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings_table,
    "request": request_table,
    "wan options": wan_table,
    "preview options": preview_table,
    "result": result_table,
    "limits": limits_table,
    "sizes": sizes_table,
    "prices": prices_table,
    "errors": errors_table,
    "exit codes": exit_codes_table,
    "vendor codes": vendor_codes_table,
    "moves": moves_table,
    "preview shown": preview_shown,
    "emulator flags": emulator_flags,
    "emulator faults": emulator_faults,
}


def part(name: str) -> str:
    """The text of one generated part; `help generate` is what `wanvideo generate --help` prints."""
    if name == "help" or name.startswith("help "):
        return help_block(name.removeprefix("help").strip())
    if name not in PARTS:
        raise SystemExit(
            f"There is no part called {name!r}; the parts are: {', '.join(PARTS)}, help COMMAND."
        )
    return PARTS[name]()


def renewed(text: str) -> str:
    """A page with its generated parts as the code has them now."""
    return PART.sub(lambda found: f"{found[1]}{part(found['name'])}\n{found[3]}", text)


def main(arguments: Sequence[str]) -> int:
    os.environ["COLUMNS"] = str(WIDTH)
    stale = []
    for path in pages():
        text = path.read_text(encoding="utf-8")
        new = renewed(text)
        if new == text:
            continue
        stale.append(path.relative_to(ROOT).as_posix())
        if "--check" not in arguments:
            path.write_text(new, encoding="utf-8")
    if "--check" in arguments and stale:
        sys.stdout.write(f"Out of date: {', '.join(stale)}. Run: .venv/bin/python scripts/docs.py\n")
        return 1
    if stale:
        sys.stdout.write(f"Written: {', '.join(stale)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
