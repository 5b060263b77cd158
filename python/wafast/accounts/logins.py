"""Signing in: throttled, by cookie, for thirty days after the last use."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from wafast.accounts import passwords
from wafast.accounts.principal import ROLE_SCOPE, Principal, Role
from wafast.database.queries import load

q = load(__file__)

#: Languages the app speaks.
Language = Literal["en", "ms"]
#: Failures within the window, per e-mail and per address, before signing in has to wait.
MAX_FAILURES = 10
WINDOW_SECONDS = 900


class WrongPassword(Exception):
    """E-mail or password is wrong; which of them is not said."""


class Throttled(Exception):
    """Too many failures; `seconds` until the next try."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many failed sign-ins; try again in {seconds} seconds")
        self.seconds = seconds


class NotMember(Exception):
    """The person does not belong to that workspace."""


class Workspace(msgspec.Struct, frozen=True):
    """A tenant a person belongs to."""

    id: int
    name: str
    role: Role
    default_network: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in browser: the person, the workspace it looks at, the ones it may switch to."""

    user_id: int
    email: str
    name: str
    time_zone: str | None
    language: Language | None
    single_keys: bool
    tenant_id: int
    workspaces: list[Workspace]

    @property
    def workspace(self) -> Workspace:
        """The workspace it looks at."""
        return next(workspace for workspace in self.workspaces if workspace.id == self.tenant_id)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def login(pool: asyncpg.Pool, email: str, password: str, address: str) -> tuple[str, Session]:
    """Check a password; returns the cookie's token (256 bits, only its hash is stored) and the session.

    `address` is the caller's network address, for throttling.
    Raises WrongPassword, Throttled.
    """
    email = email.strip().lower()
    by_email, by_address = f"email:{email}", f"address:{address}"
    marks = await _count_attempt(pool, [by_email, by_address])
    user = await pool.fetchrow(q.user_by_email, email)
    right = await passwords.is_right(password, None if user is None else user["password_hash"])
    if user is None or not right:
        raise WrongPassword
    await pool.execute(q.forget_failures, by_email, by_address, marks)
    token = secrets.token_urlsafe(32)
    tenant_id = await pool.fetchval(q.start_login, _digest(token), user["id"])
    if tenant_id is None:
        raise WrongPassword
    session = await _session(pool, user["id"], tenant_id)
    return token, session


async def authenticate_cookie(pool: asyncpg.Pool, token: str) -> Principal | None:
    """Who holds this token; None when it is unknown, expired, or of somebody who may no longer come in."""
    row = await pool.fetchrow(q.principal_of_login, _digest(token))
    if row is None:
        return None
    devices: list[UUID] | None = row["device_ids"]
    return Principal(
        tenant_id=row["tenant_id"],
        scope=ROLE_SCOPE[row["role"]],
        user_id=row["user_id"],
        device_ids=None if devices is None else frozenset(devices),
    )


async def session_of(pool: asyncpg.Pool, principal: Principal) -> Session:
    """The session of a signed-in person."""
    assert principal.user_id is not None
    return await _session(pool, principal.user_id, principal.tenant_id)


async def switch_tenant(pool: asyncpg.Pool, token: str, user_id: int, tenant_id: int) -> None:
    """Let this browser look at another workspace. Raises NotMember."""
    if await pool.fetchval(q.switch_login, _digest(token), user_id, tenant_id) is None:
        raise NotMember


async def set_habits(
    pool: asyncpg.Pool,
    user_id: int,
    *,
    time_zone: str | msgspec.UnsetType | None = msgspec.UNSET,
    language: Language | msgspec.UnsetType | None = msgspec.UNSET,
    single_keys: bool | msgspec.UnsetType = msgspec.UNSET,
) -> None:
    """How a person uses the app, in every browser. What is not given stays.

    Args:
        time_zone: in which times are read; None is no wish.
        language: of the app; None is no wish.
        single_keys: whether keys do something by themselves beside the fields.
    """
    zone, word, keys = (None if one is msgspec.UNSET else one for one in (time_zone, language, single_keys))
    changes = time_zone is not msgspec.UNSET, language is not msgspec.UNSET
    await pool.execute(q.set_habits, user_id, changes[0], zone, changes[1], word, keys)


async def logout(pool: asyncpg.Pool, token: str) -> None:
    """End this browser's login."""
    await pool.execute(q.end_login, _digest(token))


async def change_password(pool: asyncpg.Pool, user_id: int, current: str, new: str, keep_token: str) -> None:
    """Change a password; every other login of the person ends. Raises WrongPassword, Throttled."""
    user = await _person(pool, user_id)
    by_email = f"email:{user['email']}"
    marks = await _count_attempt(pool, [by_email])
    if not await passwords.is_right(current, user["password_hash"]):
        raise WrongPassword
    await pool.execute(q.forget_failures, by_email, None, marks)
    stored = await passwords.hash_password(new)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(q.set_password, user_id, stored)
        await connection.execute(q.end_other_logins, user_id, _digest(keep_token))


async def _count_attempt(pool: asyncpg.Pool, subjects: list[str]) -> list[datetime]:
    """Count an attempt as failed until its password proves right; gives the marks it made. Raises Throttled.

    Under a lock for each subject, so that of a burst of parallel guesses only as many as are allowed get through.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(q.lock_subjects, subjects)
        wait = await connection.fetchval(q.login_wait, subjects, WINDOW_SECONDS, MAX_FAILURES)
        if wait is not None:
            raise Throttled(max(1, int(wait)))
        return [row["failed_at"] for row in await connection.fetch(q.count_failure, subjects)]


async def _person(pool: asyncpg.Pool, user_id: int) -> asyncpg.Record:
    row = await pool.fetchrow(q.user_by_id, user_id)
    assert row is not None, "people are disabled, never deleted"
    return row


async def _session(pool: asyncpg.Pool, user_id: int, tenant_id: int) -> Session:
    user = await _person(pool, user_id)
    rows = await pool.fetch(q.workspaces_of, user_id)
    return Session(
        user_id=user_id,
        email=user["email"],
        name=user["name"],
        time_zone=user["time_zone"],
        language=user["language"],
        single_keys=user["single_keys"],
        tenant_id=tenant_id,
        workspaces=[Workspace(row["id"], row["name"], row["role"], row["default_network"]) for row in rows],
    )
