"""Signing in and out, switching workspaces, changing the password."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from wafast.api.authentication import Principal
from wafast.api.policy import Policy
from wafast.api.responses import problems
from wafast.api.services import Services

Role = Literal["admin", "agent", "viewer"]


class SessionUser(msgspec.Struct, frozen=True):
    """Who is signed in."""

    id: Annotated[str, Meta(examples=["7"])]
    name: Annotated[str, Meta(examples=["Aisyah"])]
    email: Annotated[str, Meta(examples=["aisyah@example.com"])]
    role: Annotated[Role, Meta(description="Role in the current workspace.", examples=["admin"])]


class SessionTenant(msgspec.Struct, frozen=True):
    """The workspace the session looks at."""

    id: Annotated[str, Meta(examples=["1"])]
    name: Annotated[str, Meta(examples=["Main"])]


class Workspace(msgspec.Struct, frozen=True):
    """A workspace this person belongs to."""

    id: Annotated[str, Meta(examples=["2"])]
    name: Annotated[str, Meta(examples=["Demo"])]
    role: Role


class Session(msgspec.Struct, frozen=True):
    """A signed-in browser."""

    user: SessionUser
    tenant: SessionTenant
    tenants: list[Workspace]
    time_zone: Annotated[str, Meta(description="IANA zone times are shown in.", examples=["Asia/Kuala_Lumpur"])]
    loopback: Annotated[bool, Meta(description="Whether simulated lines can be added here.")]
    network_default: Annotated[
        Literal["whatsapp", "loopback"], Meta(description="Network of a new device that names none.")
    ]


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """E-mail and password."""

    email: Annotated[str, Meta(min_length=1, max_length=320, examples=["admin@example.com"])]
    password: Annotated[str, Meta(min_length=1, max_length=1024, examples=["correct horse battery staple"])]


class SwitchWorkspace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The workspace to look at from now on."""

    tenant_id: Annotated[str, Meta(examples=["2"])]


class ChangePassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password now and the one to have."""

    current: Annotated[str, Meta(min_length=1, max_length=1024)]
    new: Annotated[str, Meta(min_length=10, max_length=1024, description="At least 10 characters.")]


class SessionController(Controller):
    """The browser's own login."""

    path = "/session"
    tags = ["Session"]

    @post(
        opt={"policy": Policy.PUBLIC},
        status_code=200,
        operation_id="sign_in",
        summary="Sign in",
        responses=problems(400, 401, 429),
    )
    async def sign_in(self, request: Request, data: JSONBody[SignIn], services: NamedDependency[Services]) -> Response[Session]:
        """Checks the password and sets the cookie `wafast`."""
        raise NotImplementedError

    @get(opt={"policy": Policy.USER}, operation_id="get_session", summary="Who is signed in", responses=problems(401))
    async def show(self, principal: NamedDependency[Principal], services: NamedDependency[Services]) -> Session:
        """The person, the workspace, and the workspaces to switch to."""
        raise NotImplementedError

    @patch(
        opt={"policy": Policy.USER},
        operation_id="switch_workspace",
        summary="Switch workspace",
        responses=problems(400, 401, 404),
    )
    async def switch(
        self, data: JSONBody[SwitchWorkspace], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Session:
        """From now on this browser sees the other workspace."""
        raise NotImplementedError

    @delete(opt={"policy": Policy.USER}, operation_id="sign_out", summary="Sign out", responses=problems(401))
    async def sign_out(
        self, request: Request, principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> None:
        """Ends this browser's login; its sockets close within a minute."""
        raise NotImplementedError

    @post(
        "/password",
        opt={"policy": Policy.USER},
        status_code=204,
        operation_id="change_password",
        summary="Change the password",
        responses=problems(400, 401, 429),
    )
    async def change_password(
        self, data: JSONBody[ChangePassword], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> None:
        """Every other login of this person ends."""
        raise NotImplementedError
