"""Signing in and out, switching workspaces, changing the password."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, Meta, UnsetType

from wafast.accounts import audit, logins
from wafast.accounts.logins import Language
from wafast.accounts.principal import Principal, Role
from wafast.api.authentication import COOKIE, token_of
from wafast.api.client_address import address_of, is_secure
from wafast.api.ids import MAX_INT4, number_of
from wafast.api.policy import Policy
from wafast.api.problems import Problem, not_found, refused_field
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.settings import Network, Settings

#: As long as a browser keeps a cookie. When a login ends that is not used is for the database to know: a cookie written
#: anew at each use put back who was signed in before, where the answer to that came late.
COOKIE_SECONDS = 400 * 86_400


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
    time_zone_default: Annotated[
        str, Meta(description="The zone for whoever has chosen none.", examples=["Asia/Kuala_Lumpur"])
    ]
    language: Annotated[Language | None, Meta(description="Null: what the browser asks for.", examples=["ms"])]
    single_keys: Annotated[bool, Meta(description="Whether keys as `/` do something by themselves beside the fields.")]
    loopback: Annotated[bool, Meta(description="Whether simulated lines can be added here.")]
    network_default: Annotated[Network, Meta(description="Network of a new device that names none.")]
    chat_days: Annotated[int, Meta(description="Chats without a message for longer are in no list.", examples=[30])]
    ai: Annotated[bool, Meta(description="Whether replies can be drafted and leads scored.", examples=[False])]


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """E-mail and password."""

    email: Annotated[str, Meta(min_length=1, max_length=320, examples=["admin@example.com"])]
    password: Annotated[str, Meta(min_length=1, max_length=1024, examples=["correct horse battery staple"])]


class ChangeSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    tenant_id: Annotated[str | UnsetType, Meta(description="The workspace to look at.", examples=["2"])] = UNSET
    time_zone: Annotated[
        str | UnsetType | None,
        Meta(description="IANA zone of this person's times; null: the server's.", examples=["Europe/London"]),
    ] = UNSET
    language: Annotated[
        Language | UnsetType | None, Meta(description="Of the app; null: what the browser asks for.", examples=["ms"])
    ] = UNSET
    single_keys: Annotated[
        bool | UnsetType, Meta(description="Whether keys as `/` do something by themselves beside the fields.")
    ] = UNSET


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
    async def sign_in(
        self, request: Request[Any, Any, Any], data: JSONBody[SignIn], services: NamedDependency[Services]
    ) -> Response[Session]:
        """Checks the password and sets the cookie `wafast`."""
        try:
            token, session = await logins.login(services.pool, data.email, data.password, address_of(request))
        except logins.WrongPassword:
            raise Problem(401, "wrong-password", "The e-mail or the password is wrong.") from None
        except logins.Throttled as error:
            raise _throttled(error) from None
        return Response(_shown(session, services.settings), cookies=[_cookie(request, token, COOKIE_SECONDS)])

    @get(opt={"policy": Policy.USER}, operation_id="get_session", summary="Who is signed in", responses=problems(401))
    async def show(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Session:
        """The person, the workspace, and the workspaces to switch to."""
        return _shown(await logins.session_of(services.pool, principal), services.settings)

    @patch(
        opt={"policy": Policy.USER},
        operation_id="change_session",
        summary="Switch workspace, zone, language or single keys",
        responses=problems(400, 401, 404),
    )
    async def change(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[ChangeSession],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Session:
        """From now on this browser sees the other workspace; the rest is the person's in every browser."""
        assert principal.user_id is not None
        if data.time_zone is not UNSET and data.time_zone is not None:
            _check_zone(data.time_zone)
        tenant_id = principal.tenant_id
        if data.tenant_id is not UNSET:
            tenant_id = number_of("workspace", data.tenant_id, MAX_INT4)
            try:
                await logins.switch_tenant(services.pool, token_of(request.headers) or "", principal.user_id, tenant_id)
            except logins.NotMember:
                raise not_found("workspace", data.tenant_id) from None
        if any(one is not UNSET for one in (data.time_zone, data.language, data.single_keys)):
            await logins.set_habits(
                services.pool,
                principal.user_id,
                time_zone=data.time_zone,
                language=data.language,
                single_keys=data.single_keys,
            )
        session = await logins.session_of(services.pool, msgspec.structs.replace(principal, tenant_id=tenant_id))
        return _shown(session, services.settings)

    @delete(opt={"policy": Policy.USER}, operation_id="sign_out", summary="Sign out", responses=problems(401))
    async def sign_out(self, request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[None]:
        """Ends this browser's login; its sockets close."""
        await logins.logout(services.pool, token_of(request.headers) or "")
        return Response(None, status_code=204, cookies=[_cookie(request, "", 0)])

    @post(
        "/password",
        opt={"policy": Policy.USER},
        status_code=204,
        operation_id="change_password",
        summary="Change the password",
        responses=problems(400, 401, 429),
    )
    async def change_password(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[ChangePassword],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> None:
        """Every other login of this person ends."""
        assert principal.user_id is not None
        token = token_of(request.headers) or ""
        try:
            await logins.change_password(services.pool, principal.user_id, data.current, data.new, token)
        except logins.WrongPassword:
            raise Problem(401, "wrong-password", "The current password is wrong.") from None
        except logins.Throttled as error:
            raise _throttled(error) from None
        await audit.record(services.pool, principal.tenant_id, principal.actor, "password.change", principal.actor)


def _cookie(request: Request[Any, Any, Any], token: str, seconds: int) -> Cookie:
    return Cookie(
        key=COOKIE, value=token, max_age=seconds, path="/", httponly=True, samesite="lax", secure=is_secure(request)
    )


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise refused_field("time_zone", zone[:100], "an IANA zone is wanted, as Asia/Kuala_Lumpur") from None


def _throttled(error: logins.Throttled) -> Problem:
    return Problem(
        429,
        "too-many-attempts",
        f"Too many wrong passwords: try again in {error.seconds} seconds.",
        headers={"Retry-After": str(error.seconds)},
    )


def _shown(session: logins.Session, settings: Settings) -> Session:
    workspace = session.workspace
    return Session(
        user=SessionUser(id=str(session.user_id), name=session.name, email=session.email, role=workspace.role),
        tenant=SessionTenant(str(workspace.id), workspace.name),
        tenants=[Workspace(str(one.id), one.name, one.role) for one in session.workspaces],
        time_zone=session.time_zone or settings.time_zone,
        time_zone_default=settings.time_zone,
        language=session.language,
        single_keys=session.single_keys,
        loopback=settings.demo or settings.loopback is not None,
        network_default=msgspec.convert(workspace.default_network, Network),
        chat_days=settings.chat_days,
        ai=settings.ai_url is not None,
    )
