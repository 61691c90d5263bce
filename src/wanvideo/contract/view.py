"""A job as JSON, the same from every face."""

from __future__ import annotations

from typing import Any

from wanvideo.contract.job import Job, JobEvent, State

_BUSY = {
    State.QUEUED: "waiting to be sent",
    State.SUBMITTING: "sending",
    State.UNCERTAIN: "sent, but never answered: looking for the task",
    State.RUNNING: "being made",
    State.STORING: "made; being stored",
    State.SUCCEEDED: "stored",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}


def state_in_words(job: Job) -> str:
    """The state as a person would say it."""
    if job.state is State.RUNNING and job.provider != "preview" and job.seen_status != "running":
        return "waiting at the provider" if job.seen_status == "pending" else "taken by the provider"
    return _BUSY[job.state]


def job_view(job: Job, *, elapsed_s: float, outlook: str, at_risk: bool) -> dict[str, Any]:
    """The fields that everybody may see: no lease, no fence, no body."""
    return {
        "job_id": job.id,
        "state": job.state.value,
        "provider": job.provider,
        "prompt": job.request["prompt"],
        "duration": job.request["duration"],
        "fps": job.request["fps"],
        "size": job.request["size"],
        "seed": job.seed,
        "task_id": job.task_id,
        "attempt": job.attempt,
        "created_at": job.created_at.isoformat(),
        "updated_at": job.updated_at.isoformat(),
        "elapsed_s": round(elapsed_s, 1),
        "outlook": outlook,
        "note": job.note,
        "progress": job.progress,
        "at_risk": at_risk,
        "expires_at": job.expires_at.isoformat() if job.expires_at else None,
        "estimate_cny": float(job.estimate_cny),
        "cost_cny": None if job.cost_cny is None else float(job.cost_cny),
        "warnings": list(job.warnings),
        "error": job.error,
        "result": job.result,
    }


def event_view(event: JobEvent) -> dict[str, Any]:
    """One line of a job's history."""
    return {
        "seq": event.seq,
        "at": event.at.isoformat(),
        "event": event.event,
        "state": event.state.value,
        "data": event.data,
    }
