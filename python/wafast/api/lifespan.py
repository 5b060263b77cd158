"""What an API process opens when it starts and closes when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import TYPE_CHECKING, Any

from wafast.ai import endpoint_of
from wafast.answers.follow import keep_answered
from wafast.api.fetches import Fetches
from wafast.api.frames import FrameLoader
from wafast.api.idempotency import IdempotencyKeys
from wafast.api.services import Services
from wafast.campaigns.planner import keep_planned
from wafast.crashes import Crashes
from wafast.database.away import DATABASE_AWAY
from wafast.database.pool import API_CONNECTIONS, JOB_CONNECTIONS, open_pool
from wafast.devices import changes, lease
from wafast.distribution.runner import keep_distributing
from wafast.events.bus import subscribe
from wafast.events.calls import Caller
from wafast.events.hub import Hub
from wafast.inbox.chat_order import keep_order
from wafast.inbox.media_quota import keep_within
from wafast.inbox.media_store import MediaStore
from wafast.inbox.search_index import keep_indexed
from wafast.leads import imports, scorer
from wafast.leads.importer import keep_importing
from wafast.sequences.walk import keep_walking
from wafast.vitals import watch_loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    import asyncpg
    from litestar import Litestar

    from wafast.api.metrics import Metrics
    from wafast.settings import Settings

log = logging.getLogger("wafast.api")

LISTENING_SECONDS = 30.0  # until the listening connections must stand
#: A request waits so long for rows that something else, an import say, holds: its connection is one of a few.
LOCK_SECONDS = 2.0
SETTLING_SECONDS = 5.0  # what background work gets at the end
BURY_SECONDS = 10.0
DRAFTS_AT_ONCE = 8
FORGET_SECONDS = 3600.0  # between two looks for old idempotency keys and states


def running(
    settings: Settings, database_uri: str, metrics: Metrics
) -> Callable[[Litestar], contextlib.AbstractAsyncContextManager[None]]:
    """The lifespan of the application.

    Args:
        settings: of this start.
        database_uri: where PostgreSQL is; its migrations are done.
        metrics: where requests are counted.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with open_services(settings, database_uri, metrics) as services:
            app.state.services = services
            yield

    return lifespan


@contextlib.asynccontextmanager
async def open_services(settings: Settings, database_uri: str, metrics: Metrics) -> AsyncIterator[Services]:
    """The services of a process, with everything that runs beside requests."""
    pool = await open_pool(
        database_uri, size=API_CONNECTIONS, name="api", lock_seconds=LOCK_SECONDS, chat_days=settings.chat_days
    )
    jobs = await open_pool(database_uri, size=JOB_CONNECTIONS, name="api jobs")
    caller = Caller(pool, database_uri)
    loader = FrameLoader(pool, metrics.event_lag)
    hub = Hub(loader)
    loader.activity = hub.activity
    media = MediaStore(pool, settings.media_dir)
    services = Services(
        settings=settings,
        pool=pool,
        caller=caller,
        hub=hub,
        media=media,
        fetches=Fetches(caller, media),
        idempotency=IdempotencyKeys(pool),
        metrics=metrics,
        ai=endpoint_of(settings, at_once=DRAFTS_AT_ONCE),
    )
    scores = endpoint_of(settings, at_once=scorer.AT_ONCE)
    metrics.watch(hub)
    listening = asyncio.Event()
    beside = [
        asyncio.create_task(_kept_up("calls", caller.listener.run(listening))),
        asyncio.create_task(_kept_up("live", hub.run(subscribe(database_uri, "api events")))),
        asyncio.create_task(_kept_up("old rows", _forget_old(jobs, services.idempotency))),
        asyncio.create_task(_kept_up("leases", _bury_dead_workers(jobs, Crashes(settings.data_dir)))),
        asyncio.create_task(_kept_up("media", keep_within(jobs, services.media, settings.media_quota))),
        asyncio.create_task(_kept_up("search", keep_indexed(database_uri))),
        asyncio.create_task(_kept_up("answers", keep_answered(database_uri))),
        asyncio.create_task(_kept_up("sequences", keep_walking(database_uri))),
        asyncio.create_task(_kept_up("distribution", keep_distributing(database_uri))),
        asyncio.create_task(_kept_up("chat order", keep_order(database_uri))),
        asyncio.create_task(_kept_up("campaigns", keep_planned(database_uri, jobs, hears=settings.chat_storage))),
        asyncio.create_task(_kept_up("imports", keep_importing(database_uri))),
        asyncio.create_task(_kept_up("vitals", watch_loop(metrics.loop_late))),
    ]
    if scores is not None:
        beside.append(asyncio.create_task(_kept_up("scores", scorer.keep_scoring(database_uri, scores))))
    try:
        await asyncio.wait_for(listening.wait(), LISTENING_SECONDS)
        yield services
    finally:
        await services.settle(SETTLING_SECONDS)
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        for endpoint in (services.ai, scores):
            if endpoint is not None:
                await endpoint.close()
        await _close(jobs)
        await _close(pool)


async def _kept_up(what: str, work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        # a process without it would look alive and show nothing new
        log.critical("%s ended", what, exc_info=True)
        raise


async def _forget_old(pool: asyncpg.Pool, keys: IdempotencyKeys) -> None:
    while True:
        await asyncio.sleep(FORGET_SECONDS)
        try:
            await keys.forget_old()
            await changes.forget_old(pool)
            await imports.forget_old(pool)
        except Exception:
            log.warning("old rows stay for another hour", exc_info=True)


async def _bury_dead_workers(pool: asyncpg.Pool, crashes: Crashes) -> None:
    """Workers do it too; but where none is left, its devices must not look online."""
    burial = lease.Burial(pool, crashes)
    while True:
        await asyncio.sleep(BURY_SECONDS * random.uniform(0.8, 1.2))
        with contextlib.suppress(*DATABASE_AWAY):
            await burial.attempt()


async def _close(pool: asyncpg.Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), SETTLING_SECONDS)
    except TimeoutError:
        pool.terminate()
