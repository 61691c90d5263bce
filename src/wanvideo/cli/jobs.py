"""`wanvideo jobs ...`: look at jobs, pick them up again, cancel, retry, decide."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wanvideo.cli.opening import with_app
from wanvideo.cli.printing import out, out_json, say, seconds
from wanvideo.errors import RequestInvalid

if TYPE_CHECKING:
    from wanvideo.app import App
    from wanvideo.contract.job import State

app = typer.Typer(help="Look at jobs, pick them up, cancel and retry them.", no_args_is_help=True)

JobIdArgument = Annotated[str, typer.Argument(metavar="ID", help="The job's id, or the end of it.")]
Json = Annotated[bool, typer.Option("--json", help="One object on stdout; progress stays on stderr.")]


@app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 20,
    state: Annotated[list[str] | None, typer.Option(help="Only jobs in this state; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """The jobs of this OUTPUT_DIR, newest first."""

    async def work(app_: App) -> None:
        found = await app_.jobs.jobs(limit=limit, states=_states(state))
        views = [_view(await app_.jobs.snapshot(job)) for job in found]
        if as_json:
            out_json({"jobs": views})
            return
        if not views:
            say('no jobs yet. Make one: wanvideo generate "slow push in" --image photo.jpg')
        for view in views:
            made = view["created_at"][:16].replace("T", " ")
            mark = "  AT RISK" if view["at_risk"] else ""
            out(
                f"{view['job_id']}  {view['state']:<10} {view['provider']:<9} {view['duration']:>4g} s "
                f"{_money(view):>6}  {made}  {_short(view['prompt'])}{mark}"
            )

    with_app(work, as_json=as_json)


@app.command()
def show(job_id: JobIdArgument, as_json: Json = False) -> None:
    """Everything about one job: state, cost, warnings, history, what was sent."""

    async def work(app_: App) -> None:
        from wanvideo.contract.view import event_view, state_in_words

        job = await app_.jobs.job(job_id)
        snapshot = await app_.jobs.snapshot(job)
        history = [event_view(event) for event in await app_.jobs.events(job.id)]
        sent = [
            {"attempt": attempt.number, "endpoint": attempt.endpoint, "outcome": attempt.outcome,
             "task_id": attempt.task_id, "body": attempt.body}
            for attempt in await app_.jobs.attempts(job.id)
        ]  # fmt: skip
        if as_json:
            out_json({**_view(snapshot), "history": history, "attempts": sent})
            return
        out(f"{job.id}  {state_in_words(job)}")
        rows: list[tuple[str, Any]] = [
            ("prompt", job.request["prompt"]), ("provider", job.provider), ("task", job.task_id),
            ("size", job.request["size"]), ("seed", job.seed), ("elapsed", seconds(snapshot.elapsed_s)),
            ("estimate", f"¥{float(job.estimate_cny):.2f}"),
            ("cost", f"¥{float(job.cost_cny):.2f}" if job.cost_cny else None), ("note", job.note),
            ("outlook", snapshot.outlook), ("clip", job.result and job.result["video_url"]),
            ("source", job.result and job.result["source_url"]),
            ("error", job.error and f"{job.error['detail']} {job.error['hint']} [{job.error['code']}]"),
        ]  # fmt: skip
        for name, value in rows:
            if value not in (None, ""):
                out(f"  {name:<9} {value}")
        for warning in job.warnings:
            out(f"  warning   {warning}")
        for event in history:
            out(f"  {event['at'][:19].replace('T', ' ')}  {event['event']} -> {event['state']}")

    with_app(work, as_json=as_json)


@app.command()
def watch(
    job_id: JobIdArgument,
    timeout: Annotated[
        float | None, typer.Option(help="Stop waiting after seconds; the job goes on.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Pick a job up where it is, drive it to its end, and print the clip's path."""

    async def work(app_: App) -> None:
        from wanvideo.cli.live import wait_for
        from wanvideo.contract.terms import read_terms

        terms = read_terms(timeout_s=timeout)
        job = await app_.jobs.reachable(job_id)
        await wait_for(app_, job.id, as_json=as_json, timeout_s=terms.timeout_s)

    with_app(work, as_json=as_json)


@app.command()
def cancel(
    job_id: JobIdArgument,
    abandon: Annotated[
        bool,
        typer.Option("--abandon", help="Leave a running task at the provider; it is billed all the same."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Cancel what can be cancelled, and say truthfully what will be billed."""

    async def work(app_: App) -> None:
        from wanvideo.cli.live import cancel_and_tell

        job = await app_.jobs.reachable(job_id)
        await cancel_and_tell(app_, job.id, abandon=abandon, as_json=as_json)

    with_app(work, as_json=as_json)


@app.command()
def retry(
    job_id: JobIdArgument,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change a field of the request; may be repeated."),
    ] = None,
    as_it_is: Annotated[
        bool, typer.Option("--as-it-is", help="Send a refused request once more without a change.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Leave the job to `jobs watch`.")] = True,
    as_json: Json = False,
) -> None:
    """A new attempt of a failed or cancelled job, under the same id. It may be billed like any clip."""

    async def work(app_: App) -> None:
        from wanvideo.cli.live import wait_for

        found = await app_.jobs.reachable(job_id)
        job = await app_.jobs.retry(found.id, _changes(changes), as_it_is=as_it_is)
        if wait:
            await wait_for(app_, job.id, as_json=as_json)
        elif as_json:
            out_json({"job_id": job.id, "state": job.state.value})
        else:
            out(job.id)

    with_app(work, as_json=as_json)


@app.command()
def resolve(
    job_id: JobIdArgument,
    adopt: Annotated[
        str | None, typer.Option(metavar="TASK", help="This task of the provider is it.")
    ] = None,
    resubmit: Annotated[
        bool, typer.Option("--resubmit", help="Send it again; it may be paid twice.")
    ] = False,
    give_up: Annotated[bool, typer.Option("--give-up", help="End it without knowing.")] = False,
    as_json: Json = False,
) -> None:
    """Your word on a job whose submit was never answered and that proof could not settle."""

    async def work(app_: App) -> None:
        if (adopt is not None) + resubmit + give_up != 1:
            raise RequestInvalid("Choose one of --adopt TASK, --resubmit and --give-up.", field="resolve")
        how = "adopt" if adopt else "resubmit" if resubmit else "give_up"
        job = await app_.jobs.resolve((await app_.jobs.job(job_id)).id, how, adopt)
        if as_json:
            out_json({"job_id": job.id, "state": job.state.value})
        else:
            out(f"{job.id}  {job.state.value}")

    with_app(work, as_json=as_json)


def _changes(given: list[str] | None) -> dict[str, Any]:
    """`prompt=a calm sea`, `wan.audio=false`: the value is JSON where it can be read so, else text."""
    changes: dict[str, Any] = {}
    for word in given or ():
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise RequestInvalid(
                f"{word!r} is not FIELD=VALUE.", field="--set", hint='Write --set prompt="a calm sea", say.'
            )
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        outer, dot, inner = name.partition(".")
        if dot:
            changes.setdefault(outer, {})[inner] = value
        else:
            changes[name] = value
    return changes


def _states(names: list[str] | None) -> tuple[State, ...]:
    from wanvideo.contract.job import State

    try:
        return tuple(State(name) for name in names or ())
    except ValueError:
        known = ", ".join(State)
        raise RequestInvalid("There is no such state.", field="state", hint=f"One of: {known}.") from None


def _view(snapshot: Any) -> dict[str, Any]:
    from wanvideo.contract.view import job_view

    return job_view(
        snapshot.job, elapsed_s=snapshot.elapsed_s, outlook=snapshot.outlook, at_risk=snapshot.at_risk
    )


def _money(view: dict[str, Any]) -> str:
    """What it cost; ~ for what it is expected to cost; - when it came to nothing and cost nothing."""
    if view["cost_cny"] is not None:
        return f"¥{view['cost_cny']:.2f}" if view["cost_cny"] else "free"
    if view["state"] in ("failed", "cancelled"):
        return "-"
    return f"~¥{view['estimate_cny']:.2f}" if view["estimate_cny"] else "free"


def _short(prompt: str) -> str:
    line = " ".join(prompt.split())
    return line if len(line) <= 48 else line[:47] + "…"
