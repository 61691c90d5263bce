"""`wanvideo audit`, `rescue` and `spend`: where the money went, and the clips that nobody collected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wanvideo.cli.opening import with_app
from wanvideo.cli.printing import out, out_json, say, yuan
from wanvideo.errors import CredentialsMissing, RequestInvalid, WanvideoError

if TYPE_CHECKING:
    from wanvideo.app import App
    from wanvideo.contract.job import Job
    from wanvideo.jobs.rescue import Orphan
    from wanvideo.ports import Provider

Json = Annotated[bool, typer.Option("--json", help="One object on stdout; progress stays on stderr.")]


def audit(
    hours: Annotated[int, typer.Option(min=1, max=24, help="How far to look back.")] = 24,
    as_json: Json = False,
) -> None:
    """Compare every approved create with the account's task list and bills. Exit code 9 when they differ."""

    async def work(app: App) -> None:
        from wanvideo.cli.tables import print_audit
        from wanvideo.jobs.audit import audit as compare

        provider = _provider(app)
        with _waiting() as told:
            found = await compare(app.shop, provider, hours=hours, told=told)
        failure = found.failure()
        if as_json:
            out_json(found.as_json())
            raise typer.Exit(failure.exit_code if failure else 0)
        print_audit(found)
        if failure:
            raise failure
        say("every create and every bill is accounted for")

    with_app(work, as_json=as_json)


def rescue(
    adopt: Annotated[
        list[str] | None,
        typer.Option(metavar="TASK", help="Bring this task's clip home; may be repeated."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Bring every clip of the list home.")] = False,
    as_json: Json = False,
) -> None:
    """Find finished clips of the last 24 hours that no job here owns, and bring them home if you say so."""

    async def work(app: App) -> None:
        from wanvideo.cli.tables import print_orphans
        from wanvideo.jobs.rescue import adopt_all, orphans

        if adopt and everything:
            raise RequestInvalid("Give --adopt or --all, not both.", field="--all")
        provider = _provider(app)
        with _waiting() as told:
            found = await orphans(app.shop, provider, hours=24, told=told)
        if adopt or everything:
            jobs, trouble = await adopt_all(app.shop, provider, found, adopt or None)
            trouble = await _brought_home(app, jobs, as_json=as_json) or trouble
        else:
            jobs, trouble = [], None
        if as_json:
            out_json(_rescue_view(app, found, [await app.jobs.job(job.id) for job in jobs], trouble))
            raise typer.Exit(trouble.exit_code if trouble else 0)
        if trouble:
            raise trouble
        if not adopt and not everything:
            print_orphans(found, app.clock.now())
        elif not jobs:
            say("there is nothing to bring home")

    with_app(work, as_json=as_json)


async def _brought_home(app: App, jobs: list[Job], *, as_json: bool) -> WanvideoError | None:
    """Drive the jobs to their ends and tell of each; the first error, if one did not make it."""
    from wanvideo.contract.view import state_in_words
    from wanvideo.jobs.rescue import EXPECTED

    trouble: WanvideoError | None = None
    ids = [job.id for job in jobs]
    async with app.running(lambda: ids):
        for job in jobs:
            words = ""
            async for snapshot in app.jobs.follow(job.id):
                now = state_in_words(snapshot.job) + (f" ({snapshot.job.note})" if snapshot.job.note else "")
                if now != words:
                    say(f"{job.id}: {now}")
                    words = now
            try:
                result = await app.jobs.result(await app.jobs.job(job.id))
            except WanvideoError as error:
                trouble = trouble or error
                continue
            if not as_json:
                for warning in result.warnings:
                    if warning not in EXPECTED:
                        say(f"note: {warning}")
                say(
                    f"{result.duration:g} s, {result.size}, {yuan(result.cost['cny'])}, task {result.task_id}"
                )
                out(result.video_url)
    return trouble


def _rescue_view(
    app: App, found: list[Orphan], jobs: list[Job], trouble: WanvideoError | None
) -> dict[str, Any]:
    from wanvideo.contract.problem import problem

    return {
        "orphans": [orphan.as_json(app.clock.now()) for orphan in found],
        "billed_s": sum(orphan.report.billed_s or 0 for orphan in found),
        "cost_cny": float(sum(orphan.cost_cny or 0 for orphan in found)),
        "adopted": [
            {
                "task_id": job.task_id,
                "job_id": job.id,
                "state": job.state.value,
                "video_url": job.result and job.result["video_url"],
                "cost_cny": None if job.cost_cny is None else float(job.cost_cny),
                "error": job.error,
            }
            for job in jobs
        ],
        "error": problem(trouble) if trouble else None,
    }


def spend(as_json: Json = False) -> None:
    """What was spent today and in the last 7 days, by whom, and what is left of the day's budget."""

    async def work(app: App) -> None:
        from wanvideo.cli.tables import print_spending
        from wanvideo.jobs.spending import spending

        report = await spending(app.shop, app.settings.daily_budget_cny)
        if as_json:
            out_json(report.as_json())
        else:
            print_spending(report)

    with_app(work, as_json=as_json)


def _provider(app: App) -> Provider:
    """The provider whose account is looked at: a preview costs nothing. Raises: CredentialsMissing."""
    if app.credentials is None:
        raise CredentialsMissing(
            "Neither DASHSCOPE_API_KEY nor ~/.alibabacloud/credentials holds a key.",
            hint="The account is asked with its key: set DASHSCOPE_API_KEY. Previews cost nothing.",
        )
    return app.shop.provider("dashscope")


@contextmanager
def _waiting() -> Iterator[Callable[[str], None]]:
    """A line that says what is being asked: live on a terminal, line by line in a log."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield say
        return
    with console.status("") as status:
        yield status.update
