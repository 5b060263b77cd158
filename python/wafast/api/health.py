"""Is the process alive, is the system ready."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import asyncpg
import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from msgspec import Meta

from wafast.api.metrics import CONTENT_TYPE, of_system, of_workers
from wafast.api.policy import Policy
from wafast.api.problems import Problem
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.database import migrations
from wafast.database.queries import load

q = load(__file__)
#: A load balancer asks again soon; a database that takes longer is not ready.
SECONDS = 3.0


class Health(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["ok"]


class Readiness(msgspec.Struct, frozen=True):
    """The database answers and has every migration."""

    status: Literal["ok"]
    migration: Annotated[int, Meta(description="Number of the newest migration.", examples=[5])]


class HealthController(Controller):
    """For load balancers and supervisors."""

    tags = ["Health"]

    @get("/healthz", opt={"policy": Policy.PUBLIC}, operation_id="healthz", summary="Is the process alive")
    async def alive(self) -> Health:
        """Says nothing of the database."""
        return Health("ok")

    @get(
        "/readyz",
        opt={"policy": Policy.PUBLIC},
        operation_id="readyz",
        summary="Is the system ready",
        responses=problems(503),
    )
    async def ready(self, services: NamedDependency[Services]) -> Readiness:
        """503 until the database answers and its migrations are done. A full disk does not change it: chats can be
        read, and no other process has more room; what would be stored is answered with 507."""
        wanted = len(await asyncio.to_thread(migrations.read))
        try:
            async with asyncio.timeout(SECONDS):
                done: int = await services.pool.fetchval(q.newest_migration) or 0
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise _not_ready(f"The database does not answer: {error or 'no answer in time'}") from None
        if done < wanted:
            raise _not_ready(f"The database has migration {done} of {wanted}: run 'wafast migrate'.")
        return Readiness("ok", done)

    @get("/metrics", opt={"policy": Policy.PUBLIC}, include_in_schema=False)
    async def figures(self, services: NamedDependency[Services]) -> Response[bytes]:
        """What this process and each worker count and what the whole system has, for Prometheus."""
        system, workers = await of_system(services.pool), await of_workers(services.pool)
        return Response(services.metrics.text(system, workers), media_type=CONTENT_TYPE)


def _not_ready(detail: str) -> Problem:
    return Problem(503, "not-ready", detail, headers={"Retry-After": "2"})
