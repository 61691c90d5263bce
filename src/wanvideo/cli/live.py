"""Waiting for a job on a terminal: a live line, Ctrl-C, and the job's end."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import typer
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from wanvideo.app import App
from wanvideo.cli.printing import out, out_json, say, seconds
from wanvideo.contract.job import Job, JobId, State
from wanvideo.contract.view import state_in_words
from wanvideo.errors import CancelRefused, JobConflict
from wanvideo.jobs.machine import FINAL
from wanvideo.jobs.service import Snapshot, still_waiting

INTERRUPTED = 130
"""The exit code of Ctrl-C, as shells know it."""


async def wait_for(
    app: App, job_id: JobId, *, as_json: bool, cached: bool = False, timeout_s: float | None = None
) -> None:
    """Drive one job to its end, show how it goes, and print the result.

    Raises: the error that ended the job; WaitTimeout; typer.Exit(130) after Ctrl-C.
    """
    interrupted = asyncio.Event()
    presses = _on_interrupt(interrupted, job_id)
    try:
        async with asyncio.timeout(timeout_s), app.running(lambda: [job_id]):
            await _until_over(app, job_id, interrupted)
    except TimeoutError:
        raise still_waiting(await app.jobs.job(job_id), timeout_s) from None
    finally:
        presses()
    job = await app.jobs.job(job_id)
    if interrupted.is_set() and job.state is not State.SUCCEEDED:
        _tell_left(job)
        if as_json:
            out_json({"job_id": job.id, "state": job.state.value})
        raise typer.Exit(INTERRUPTED)
    result = await app.jobs.result(job, cached=cached)
    if as_json:
        out_json(result.model_dump(mode="json"))
        return
    for warning in result.warnings:
        say(f"note: {warning}")
    cost = "free" if result.cost["basis"] == "free" else f"¥{result.cost['cny']:.2f}"
    say(
        f"{result.duration:g} s, {result.fps:g} fps, {result.size}, seed {result.seed}, "
        f"{'an earlier clip, nothing billed' if cached else cost}, {result.model}, job {job_id}"
    )
    out(result.video_url)


async def _until_over(app: App, job_id: JobId, interrupted: asyncio.Event) -> None:
    console = Console(stderr=True)
    if console.is_terminal:
        spinner = Spinner("dots", text="")
        with Live(spinner, console=console, transient=True, refresh_per_second=8):
            async for snapshot in app.jobs.follow(job_id):
                # a provider's words may hold [brackets], and be longer than the line
                spinner.update(text=Text(line(snapshot), no_wrap=True, overflow="ellipsis"))
                if await _leave(app, snapshot.job, interrupted):
                    return
        return
    told = ""
    async for snapshot in app.jobs.follow(job_id):
        words = _plain(snapshot)
        if words != told:
            say(words)
            told = words
        if await _leave(app, snapshot.job, interrupted):
            return


def line(snapshot: Snapshot) -> str:
    """state, elapsed time, outlook, cost; and loudly why it waits."""
    job = snapshot.job
    parts = [state_in_words(job), seconds(snapshot.elapsed_s)]
    if job.progress is not None:
        parts.append(f"{job.progress:.0%} rendered")
    elif snapshot.outlook:
        parts.append(snapshot.outlook)
    if job.provider != "preview":
        parts.append(f"¥{float(job.cost_cny or job.estimate_cny):.2f}")
    if snapshot.at_risk:
        parts.append("AT RISK: the link dies soon")
    if job.note:
        parts.append(job.note)
    return " · ".join(parts)


def _plain(snapshot: Snapshot) -> str:
    """For a log: what changes seldom, so that each line says something new."""
    job = snapshot.job
    note = f" ({job.note})" if job.note else ""
    risk = ", AT RISK: the link dies soon" if snapshot.at_risk else ""
    return f"{job.id}: {state_in_words(job)}{note}{risk}"


def _on_interrupt(interrupted: asyncio.Event, job_id: JobId) -> Any:
    """Once: put things down in good order. Twice: leave at once; the ledger knows what was sent."""
    loop = asyncio.get_running_loop()

    def pressed() -> None:
        if interrupted.is_set():
            say(f"\nleft at once. Pick it up: wanvideo jobs watch {job_id}")
            os._exit(INTERRUPTED)
        interrupted.set()

    loop.add_signal_handler(signal.SIGINT, pressed)
    return lambda: loop.remove_signal_handler(signal.SIGINT)


async def _leave(app: App, job: Job, interrupted: asyncio.Event) -> bool:
    """After Ctrl-C: cancel what costs nothing, leave what is paid for. True when it is time to go."""
    if not interrupted.is_set() or job.state in FINAL:
        return False
    if job.state is State.SUBMITTING:  # the answer to the POST is money: it is worth the moment
        return False
    if job.state is State.QUEUED or job.provider == "preview":
        if job.cancel is None:
            try:
                await app.jobs.cancel(job.id)
            except JobConflict:
                return True
        return False
    return True


async def cancel_and_tell(app: App, job_id: JobId, *, abandon: bool, as_json: bool) -> None:
    """Cancel, wait until the wish was honoured or refused, and say what it costs.

    Raises: JobConflict when the job is over, CancelRefused when the task runs on and will be billed.
    """
    await app.jobs.cancel(job_id, abandon=abandon)
    async with app.running(lambda: [job_id]):
        job = await app.jobs.answered(job_id)
    if job.state is not State.CANCELLED:
        raise CancelRefused(
            "The task already runs; it will be billed, and the clip is kept.",
            job_id=job.id,
            task_id=job.task_id,
            hint=f"Wait for it with `wanvideo jobs watch {job.id}`, or leave it with --abandon.",
        )
    if as_json:
        out_json({"job_id": job.id, "state": job.state.value, "cost_cny": float(job.cost_cny or 0)})
    elif job.cost_cny:
        say(f"abandoned; the provider will bill about ¥{float(job.cost_cny):.2f}")
        out(job.id)
    else:
        say("cancelled; nothing was billed")
        out(job.id)


def _tell_left(job: Job) -> None:
    if job.state is State.CANCELLED:
        say(f"cancelled; nothing was billed. Make it after all: wanvideo jobs retry {job.id}")
        return
    if job.state is State.FAILED:
        say(f"the job had failed. See: wanvideo jobs show {job.id}")
        return
    if job.state is State.UNCERTAIN:
        say(f"left; the submit was never answered, so it may be billed (¥{float(job.estimate_cny):.2f}).")
        say(f"  look for its task: wanvideo jobs watch {job.id}")
        say(f"  decide yourself:   wanvideo jobs resolve {job.id}")
        return
    say(f"left; the clip goes on at the provider and will be billed (¥{float(job.estimate_cny):.2f}).")
    say(f"  pick it up within 24 hours: wanvideo jobs watch {job.id}")
    if job.seen_status == "pending":
        say(f"  cancel it while it waits:   wanvideo jobs cancel {job.id}")
