"""Is the process alive, is the system ready."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from msgspec import Meta

from wafast.api.policy import Policy
from wafast.api.responses import problems
from wafast.api.services import Services


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
        """503 until the database answers and its migrations are done."""
        raise NotImplementedError
