"""Python's face: `video`, `Client` and `AsyncClient`. The synchronous ones are thin shells.

A client drives the jobs it has submitted or picked up, in the background, for as long as it is open. A job
that is left behind stays in the ledger; `video.job(job_id)` in another process goes on where it was.
"""

from wanvideo.client.asynchronous import AsyncClient, AsyncJob
from wanvideo.client.synchronous import Client, ClipJob, video

__all__ = ["AsyncClient", "AsyncJob", "Client", "ClipJob", "video"]
