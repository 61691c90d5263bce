"""`wanvideo generate` and `wanvideo estimate`: the contract, one kebab-case flag a field."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wanvideo.cli.printing import errors_told, out, out_json, say
from wanvideo.errors import RequestInvalid
from wanvideo.redact import redacted

if TYPE_CHECKING:
    from wanvideo.contract.terms import Terms
    from wanvideo.jobs.intake import Offer

Prompt = Annotated[
    str | None, typer.Argument(help="What should move, and how; any language.", show_default=False)
]
Image = Annotated[
    str | None,
    typer.Option(
        "--image", "-i", "--reference-image", help="Picture: file, http(s) URL, oss:// URL or data URI."
    ),
]
Negative = Annotated[str | None, typer.Option(help="What to avoid.")]
Duration = Annotated[str | None, typer.Option(help="Seconds, 2 to 15.  [default: 4]")]
Fps = Annotated[str | None, typer.Option(help="Frames per second, 1 to 60.  [default: 24]")]
Size = Annotated[str | None, typer.Option(help="W*H in pixels, even.  [default: 1280*720]")]
Seed = Annotated[str | None, typer.Option(help="Drawn and reported when left out.")]
Motion = Annotated[str | None, typer.Option(help="0 (still) to 1 (lively).")]
Fit = Annotated[str | None, typer.Option(help="cover (crop) or contain (pad).  [default: cover]")]
Model = Annotated[str | None, typer.Option(help="Only wan2.6-i2v-flash.")]
Resolution = Annotated[str | None, typer.Option(help="720P or 1080P; chosen from --size when left out.")]
Audio = Annotated[bool | None, typer.Option("--audio/--no-audio", help="Sound; a silent clip costs less.")]
AudioUrl = Annotated[str | None, typer.Option(help="http(s) URL of a wav or mp3 to use.")]
Extend = Annotated[
    bool | None, typer.Option("--prompt-extend/--no-prompt-extend", help="Let Wan enrich the prompt.")
]
ShotType = Annotated[str | None, typer.Option(help="single or multi.")]
Watermark = Annotated[bool | None, typer.Option("--watermark/--no-watermark", help="Wan's own mark.")]
Template = Annotated[str | None, typer.Option(help="Name of an effect of Wan; the prompt is then ignored.")]
Phrase = Annotated[
    bool | None,
    typer.Option("--motion-phrase/--no-motion-phrase", help="Say the motion strength in the prompt."),
]
Sound = Annotated[
    bool | None, typer.Option("--preview-sound/--no-preview-sound", help="Preview: a soft ambient bed.")
]
Draft = Annotated[
    bool | None, typer.Option("--preview-draft/--no-preview-draft", help="Preview: faster, larger file.")
]
Overscan = Annotated[
    bool | None,
    typer.Option("--preview-overscan/--no-preview-overscan", help="Preview: begin nearer, pan freely."),
]
Mask = Annotated[str | None, typer.Option(help="Preview: picture or ONNX file of the subject's mask.")]
Depth = Annotated[str | None, typer.Option(help="Preview: picture or ONNX file of the depth.")]
Request = Annotated[str | None, typer.Option(help="The whole request as JSON; flags win over it.")]
File = Annotated[Path | None, typer.Option("--file", "-f", help="The same from a file; - is standard input.")]
ProviderName = Annotated[str | None, typer.Option(help="dashscope or preview (free, local).")]
Json = Annotated[bool, typer.Option("--json", help="One object on stdout; progress stays on stderr.")]


def generate(
    prompt: Prompt = None,
    image: Image = None,
    negative_prompt: Negative = None,
    duration: Duration = None,
    fps: Fps = None,
    size: Size = None,
    seed: Seed = None,
    motion_strength: Motion = None,
    fit: Fit = None,
    model: Model = None,
    resolution: Resolution = None,
    audio: Audio = None,
    audio_url: AudioUrl = None,
    prompt_extend: Extend = None,
    shot_type: ShotType = None,
    watermark: Watermark = None,
    template: Template = None,
    motion_phrase: Phrase = None,
    preview_sound: Sound = None,
    preview_draft: Draft = None,
    preview_overscan: Overscan = None,
    preview_mask: Mask = None,
    preview_depth: Depth = None,
    request: Request = None,
    file: File = None,
    provider: ProviderName = None,
    cache: Annotated[str, typer.Option(help="use an earlier identical clip, refresh it, or off.")] = "use",
    max_cost: Annotated[str | None, typer.Option(help="Refuse above this many yuan.")] = None,
    priority: Annotated[int, typer.Option(help="Higher goes first where several wait for a place.")] = 0,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Leave the job to `worker` or `jobs watch`.")
    ] = True,
    timeout: Annotated[
        float | None, typer.Option(help="Stop waiting after seconds; the job goes on.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the request and cost; send nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a clip from a picture and a prompt. Prints the path of the mp4."""
    with errors_told(as_json=as_json):
        flags = {
            "prompt": prompt, "reference_image": image, "negative_prompt": negative_prompt,
            "duration": duration, "fps": fps, "size": size, "seed": seed,
            "motion_strength": motion_strength, "fit": fit, "model": model,
        }  # fmt: skip
        wan = {
            "resolution": resolution, "audio": audio, "audio_url": audio_url,
            "prompt_extend": prompt_extend, "shot_type": shot_type, "watermark": watermark,
            "template": template, "motion_phrase": motion_phrase,
        }  # fmt: skip
        preview = {
            "sound": preview_sound, "draft": preview_draft, "overscan": preview_overscan,
            "mask": preview_mask, "depth": preview_depth,
        }  # fmt: skip
        fields = _merged(_given(request, file), flags, wan=wan, preview=preview)
        import asyncio

        from wanvideo.contract.terms import read_terms

        terms = read_terms(provider=provider, cache=cache, max_cost=max_cost, timeout_s=timeout)
        asyncio.run(_generate(fields, terms, priority=priority, wait=wait, dry_run=dry_run, as_json=as_json))


async def _generate(
    fields: dict[str, Any], terms: Terms, *, priority: int, wait: bool, dry_run: bool, as_json: bool
) -> None:
    from wanvideo.app import open_app
    from wanvideo.cli.live import wait_for
    from wanvideo.cli.logs import set_up_logs
    from wanvideo.contract.request import parse_request
    from wanvideo.jobs.intake import Asked
    from wanvideo.settings import Settings

    checked = parse_request(fields)
    settings = Settings.read()
    set_up_logs(settings.log_level)
    async with open_app(settings) as app:
        name, why = app.choose_provider(terms.provider)
        if dry_run:
            _print_offer(await app.jobs.offer(checked, name), as_json=as_json)
            return
        taken = await app.jobs.submit(
            checked, name, Asked(terms.cache, terms.max_cost_cny, priority=priority)
        )
        job, cached = taken.job, taken.cached
        if taken.note:
            say(f"note: {taken.note}")
        if why and not cached:
            say(why)
        if wait or cached:
            await wait_for(app, job.id, as_json=as_json, cached=cached, timeout_s=terms.timeout_s)
        elif as_json:
            out_json({"job_id": job.id, "state": job.state.value})
        else:
            say(f"queued; start it with: wanvideo jobs watch {job.id}")
            out(job.id)


def estimate(
    duration: Duration = None,
    size: Size = None,
    resolution: Resolution = None,
    audio: Audio = None,
    fps: Fps = None,
    as_json: Json = False,
) -> None:
    """What a clip would cost, and how many seconds are billed. Sends nothing and needs no key."""
    with errors_told(as_json=as_json):
        from wanvideo.contract.price import cost_of, region_of
        from wanvideo.contract.request import parse_request
        from wanvideo.settings import Settings

        flags = {"prompt": "-", "reference_image": "-", "duration": duration, "size": size, "fps": fps}
        request = parse_request(_merged({}, flags, wan={"resolution": resolution, "audio": audio}))
        settings = Settings.read()
        region = region_of(settings.base_url, settings.region)
        cost = cost_of(region, request.resolution, request.wan.audio, request.billed_s)
        if as_json:
            out_json(
                {
                    **cost.as_json(),
                    "region": region,
                    "resolution": request.resolution,
                    "audio": request.wan.audio,
                }
            )
            return
        sound = "with sound" if request.wan.audio else "silent"
        say(
            f"{request.resolution}, {sound}, {region}; "
            f"{request.billed_s} s are billed when it succeeds, else nothing"
        )
        out(f"¥{cost.cny:.2f}")


def _given(request: str | None, file: Path | None) -> dict[str, Any]:
    """The request as JSON, from --request or --file."""
    if request is not None and file is not None:
        raise RequestInvalid("Give --request or --file, not both.", field="request")
    if request is None and file is None:
        return {}
    field = "request" if request is not None else "file"
    try:
        text = request if request is not None else _read(file)
        value = json.loads(text.removeprefix("\ufeff"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise RequestInvalid(f"{file} cannot be read: {reason}.", field=field) from None
    except json.JSONDecodeError as error:
        raise RequestInvalid(f"This is not JSON: {error}.", field=field) from None
    if not isinstance(value, dict):
        raise RequestInvalid("The request must be a JSON object of fields.", field=field)
    return value


def _read(file: Path | None) -> str:
    assert file is not None
    return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")


def _merged(given: dict[str, Any], flags: dict[str, Any], **groups: dict[str, Any]) -> dict[str, Any]:
    """Flags win over what the request says. `groups` are the options under `wan` and `preview`."""
    fields = {**given, **{name: value for name, value in flags.items() if value is not None}}
    for group, flagged in groups.items():
        options = {name: value for name, value in flagged.items() if value is not None}
        before = fields.get(group, {})
        if options:
            fields[group] = {**before, **options} if isinstance(before, dict) else before
    return fields


def _print_offer(offer: Offer, *, as_json: bool) -> None:
    if as_json:
        out_json(
            {
                "provider": offer.provider,
                "cost": offer.cost.as_json(),
                "cached": offer.cached,
                "warnings": list(offer.warnings),
                "body": redacted(offer.body),
            }
        )
        return
    for warning in offer.warnings:
        say(f"note: {warning}")
    say("an earlier clip would answer this, for nothing" if offer.cached else f"would cost: {offer.cost}")
    out_json(redacted(offer.body))
