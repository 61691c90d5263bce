"""The composition root: Settings become working objects. The only module that names adapters."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

from wanvideo.clock import Clock, SystemClock
from wanvideo.contract.job import JobId
from wanvideo.contract.model_card import limit
from wanvideo.errors import CredentialsMissing
from wanvideo.jobs.accepting import Pictures
from wanvideo.jobs.failpoints import dies_at, never
from wanvideo.jobs.runner import Runner
from wanvideo.jobs.service import Jobs
from wanvideo.jobs.worker import this_worker
from wanvideo.jobs.workshop import Rules, Workshop
from wanvideo.ledger.engine import sqlite_url
from wanvideo.ledger.sql import SqlLedger
from wanvideo.ports import Provider
from wanvideo.providers.dashscope.adapter import DashScopeProvider
from wanvideo.providers.dashscope.credentials import Credentials, find
from wanvideo.providers.links import decode_data_uri, fetch_picture
from wanvideo.providers.preview import PreviewProvider
from wanvideo.settings import Settings
from wanvideo.storage.opening import open_store


@dataclass(frozen=True)
class App:
    """Everything a face needs. `credentials` is None when no key was found."""

    settings: Settings
    clock: Clock
    shop: Workshop
    jobs: Jobs
    runner: Runner
    credentials: Credentials | None

    def choose_provider(self, asked: str | None) -> tuple[str, str]:
        """The provider's name, and one line that says so when nobody asked for it.

        Raises: CredentialsMissing when dashscope was asked for and there is no key.
        """
        name = asked or self.settings.provider
        if name == "dashscope" and self.credentials is None:
            raise CredentialsMissing("Neither DASHSCOPE_API_KEY nor ~/.alibabacloud/credentials holds a key.")
        if name:
            return name, ""
        if self.credentials is not None:
            return "dashscope", ""
        return "preview", "No DashScope key found: making a free local preview, not a Wan clip."

    @asynccontextmanager
    async def running(self, only: Callable[[], Collection[JobId] | None]) -> AsyncIterator[None]:
        """Drive jobs in the background while the block runs; what is in hand is put down in good order."""
        task = asyncio.create_task(self.runner.run(only))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def open_app(settings: Settings, clock: Clock | None = None) -> AsyncIterator[App]:
    """Build the app, and close what it opened. Raises: SettingsInvalid, StorageFailed."""
    clock = clock or SystemClock()
    credentials = find(settings)
    folder = settings.app_dir.absolute()
    ledger = await SqlLedger.open(settings.database_url or sqlite_url(folder / "ledger.db"), clock)
    # A ledger beside the previews knows no others; one that machines share must tell theirs apart.
    place = f"{socket.gethostname()}:{folder}".replace("|", "_") if settings.database_url else "local"
    previews = PreviewProvider(folder / "previews", clock, place=place)
    providers: dict[str, Provider] = {"preview": previews}
    if credentials is not None:
        providers["dashscope"] = DashScopeProvider.from_settings(credentials, settings, clock)
    worker = this_worker()
    shop = Workshop(
        ledger=ledger,
        providers=providers,
        store=open_store(
            settings.storage_url,
            folder,
            public_url=settings.public_url,
            link_ttl_s=settings.link_ttl_s,
            access_key=settings.access_key,
            connect_timeout_s=settings.connect_timeout_s,
            silence_s=settings.transfer_timeout_s,
        ),
        clock=clock,
        work_dir=folder / "work",
        rules=Rules(
            lease_s=settings.lease_s,
            keep_source=settings.keep_source,
            absence_gap_s=settings.absence_gap_s,
            submit_reach_s=settings.submit_timeout_s + 3 * settings.connect_timeout_s,
            max_cost_cny=settings.max_cost_cny,
            daily_budget_cny=settings.daily_budget_cny,
        ),
        failpoint=dies_at(settings.failpoint) if settings.failpoint else never,
    )
    runner = Runner(shop, worker)

    pictures = Pictures(lambda url: _fetch(url, settings))
    try:
        yield App(settings, clock, shop, Jobs(shop, pictures, worker.name, runner.wake), runner, credentials)
    finally:
        for provider in providers.values():
            await provider.close()
        await shop.store.close()
        await ledger.close()


async def _fetch(url: str, settings: Settings) -> bytes:
    if url.startswith("data:"):
        return decode_data_uri(url)
    return await fetch_picture(url, max_bytes=limit("image_max_bytes"), timeout_s=settings.transfer_timeout_s)
