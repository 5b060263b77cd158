"""People of the workspace, for its administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from wafast.accounts import audit, people, tenants
from wafast.accounts.keys import UnknownDevice
from wafast.accounts.people import Person
from wafast.accounts.principal import Principal, Role
from wafast.api.authentication import require_whole_tenant
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import number_of, uuids_of
from wafast.api.paging import before_of, page_of
from wafast.api.parameters import After, IdempotencyKey, Limit, name_of
from wafast.api.policy import Policy
from wafast.api.problems import Problem, conflict, not_found, refused_field
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.database.together import together
from wafast.inbox import work

Name = Annotated[str, Meta(min_length=1, max_length=100, examples=["Aina"])]
Devices = Annotated[
    list[str], Meta(max_length=5000, description="The only devices this person sees; null: every device.")
]
Email = Annotated[str, Meta(min_length=3, max_length=320, pattern=r"^[^@\s]+@[^@\s]+$", examples=["aina@example.com"])]


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the workspace."""

    id: Annotated[str, Meta(examples=["7"])]
    name: Annotated[str, Meta(examples=["Aina"])]
    email: Annotated[str, Meta(examples=["aina@example.com"])]
    role: Annotated[
        Role,
        Meta(
            description="`viewer` reads, `agent` also writes and works on chats, `admin` does everything.",
            examples=["agent"],
        ),
    ]
    device_ids: Annotated[list[str] | None, Meta(description="The only devices this person sees; null: every device.")]
    created_at: datetime
    seen_at: Annotated[datetime | None, Meta(description="Last seen signed in here, to the minute.")]


class NewUser(User, frozen=True, kw_only=True):
    """A person just added: the only time the password is shown."""

    password: Annotated[
        str | None,
        Meta(description="To sign in with; null for a person of another workspace, who keeps his own."),
    ]


class NewPassword(msgspec.Struct, frozen=True):
    """The only time the password is shown."""

    password: Annotated[str, Meta(examples=["gkZ4s9Wq…"])]


class CreateUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to come in, and what for."""

    name: Name
    email: Email
    role: Annotated[Role, Meta(examples=["agent"])] = "agent"
    device_ids: Devices | None = None


class ChangeUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    name: Name | UnsetType = UNSET
    role: Annotated[Role, Meta(examples=["viewer"])] | UnsetType = UNSET
    device_ids: Devices | UnsetType | None = UNSET


class UserController(Controller):
    """People of the workspace."""

    path = "/users"
    tags = ["People"]

    @get(opt={"policy": Policy.ADMIN}, operation_id="list_users", summary="People", responses=problems(400, 401, 403))
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[User]:
        """Members of the workspace, the last added first."""
        require_whole_tenant(principal)
        rows = await people.list_people(services.pool, principal.tenant_id, limit + 1, before_of(after))
        return page_of(rows, limit, _shown, lambda row: row.id)

    @post(
        opt={"policy": Policy.ADMIN, "idempotent": IN_ONE, "secret": True},
        operation_id="create_user",
        summary="Add a person",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def create(
        self,
        data: JSONBody[CreateUser],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> NewUser:
        """The answer holds a random password; it is not shown again."""
        require_whole_tenant(principal)
        name, devices = name_of(data.name), _devices(data.device_ids)
        tenant_id = principal.tenant_id
        async with together(services.pool) as pool:
            try:
                await people.require_devices(pool, tenant_id, data.role, devices)
                made = await tenants.create_user(pool, tenant_id, data.email, name, data.role, None, devices)
            except tenants.AlreadyThere as error:
                raise conflict("already-there", f"{str(error)[0].upper()}{str(error)[1:]}.") from None
            except UnknownDevice as error:
                raise not_found("device", error.device_id) from None
            except people.SeesEverything:
                raise _sees_everything(data.device_ids) from None
            person = await people.get_person(pool, tenant_id, made.user_id)
            assert person is not None
            await _note(pool, principal, "user.create", made.user_id, email=person.email, role=person.role)
        return NewUser(**msgspec.structs.asdict(_shown(person)), password=made.password)

    @patch(
        "/{user_id:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="change_user",
        summary="Change a person",
        responses=problems(400, 401, 403, 404, 409),
    )
    async def change(
        self,
        user_id: FromPath[str],
        data: JSONBody[ChangeUser],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> User:
        """It holds at once, on open sockets too. Chats the person no longer sees are taken from him."""
        person = await _find(services.pool, principal, user_id)
        role = person.role if data.role is UNSET else data.role
        devices = person.device_ids
        if data.device_ids is not UNSET:
            devices = _devices(data.device_ids)
        elif role == "admin":
            devices = None
        if role != person.role:
            _require_other(principal, person)
        wanted_name = person.name if data.name is UNSET else name_of(data.name)
        async with together(services.pool) as pool:
            try:
                await people.change_person(pool, principal, person, name=wanted_name, role=role, device_ids=devices)
            except people.LastAdministrator:
                raise _last_administrator() from None
            except people.ElsewhereToo:
                raise _elsewhere_too(person) from None
            except people.SeesEverything:
                raise _sees_everything(data.device_ids) from None
            except UnknownDevice as error:
                raise not_found("device", error.device_id) from None
            if role == "viewer":
                await work.release(pool, principal.tenant_id, person.id, None)
            elif devices is not None:
                await work.release(pool, principal.tenant_id, person.id, devices)
            shown = _shown(await _find(pool, principal, user_id))
            detail = {"name": shown.name, "role": role, "device_ids": shown.device_ids}
            await _note(pool, principal, "user.change", person.id, **detail)
        return shown

    @post(
        "/{user_id:str}/password",
        opt={"policy": Policy.ADMIN},
        status_code=200,
        operation_id="reset_password",
        summary="Give a new password",
        responses=problems(401, 403, 404, 409),
    )
    async def password(
        self, user_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> NewPassword:
        """A random one, shown once; every login of the person ends."""
        person = await _find(services.pool, principal, user_id)
        async with together(services.pool) as pool:
            try:
                password = await people.give_password(pool, principal, person.id)
            except people.ElsewhereToo:
                raise _elsewhere_too(person) from None
            await _note(pool, principal, "user.password", person.id)
        return NewPassword(password)

    @delete(
        "/{user_id:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="remove_user",
        summary="Remove a person",
        responses=problems(401, 403, 404, 409),
    )
    async def remove(
        self, user_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> None:
        """The person's logins here end and assigned chats are nobody's; what was written stays."""
        person = await _find(services.pool, principal, user_id)
        _require_other(principal, person)
        async with together(services.pool) as pool:
            try:
                await people.remove_person(pool, principal.tenant_id, person.id)
            except people.LastAdministrator:
                raise _last_administrator() from None
            await work.release(pool, principal.tenant_id, person.id, None)
            await _note(pool, principal, "user.remove", person.id, email=person.email)


async def _find(pool: asyncpg.Pool, principal: Principal, user_id: str) -> Person:
    require_whole_tenant(principal)
    person = await people.get_person(pool, principal.tenant_id, number_of("user", user_id))
    if person is None:
        raise not_found("user", user_id)
    return person


async def _note(pool: asyncpg.Pool, principal: Principal, action: str, user_id: int, **detail: object) -> None:
    await audit.record(pool, principal.tenant_id, principal.actor, action, f"user:{user_id}", **detail)


def _shown(person: Person) -> User:
    return User(
        id=str(person.id),
        name=person.name,
        email=person.email,
        role=person.role,
        device_ids=None if person.device_ids is None else [str(device_id) for device_id in person.device_ids],
        created_at=person.created_at,
        seen_at=person.seen_at,
    )


def _devices(texts: list[str] | None) -> list[UUID] | None:
    return None if texts is None else sorted(uuids_of("device", texts))


def _require_other(principal: Principal, person: Person) -> None:
    if principal.user_id == person.id:
        raise conflict("yourself", "You can't take your own rights away; another administrator can.")


def _last_administrator() -> Problem:
    return conflict("last-administrator", "Nobody else administers this workspace; make somebody an admin first.")


def _elsewhere_too(person: Person) -> Problem:
    return conflict(
        "elsewhere-too",
        f"{person.email} also belongs to a workspace you don't administer, and changes name and password himself.",
    )


def _sees_everything(device_ids: object) -> Problem:
    return refused_field("device_ids", device_ids, "an admin sees every device; take the role agent or viewer")
