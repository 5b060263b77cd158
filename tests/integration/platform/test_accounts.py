"""Signing in and people, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.database import Database
from wafast.accounts import logins, passwords, tenants
from wafast.accounts.passwords import is_right
from wafast.database.pool import open_pool

EMAIL, PASSWORD = "admin@example.com", "correct horse battery"


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[asyncpg.Pool]:
    """The first workspace with its administrator."""
    pool = await open_pool(database.uri, size=20, name="test")
    await tenants.bootstrap(pool, EMAIL, PASSWORD)
    yield pool
    await pool.close()


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Passwords that were really compared with the stored hash."""
    compared: list[str] = []

    async def count(password: str, stored: str | None) -> bool:
        compared.append(password)
        await asyncio.sleep(0.01)
        return password == PASSWORD and stored is not None

    monkeypatch.setattr(passwords, "is_right", count)
    return compared


async def test_of_a_parallel_burst_only_the_allowed_number_of_guesses_is_checked(
    pool: asyncpg.Pool, checks: list[str]
) -> None:
    tries = [logins.login(pool, EMAIL, f"guess number {n}", "203.0.113.5") for n in range(40)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert len(checks) == logins.MAX_FAILURES
    assert sum(isinstance(outcome, logins.Throttled) for outcome in outcomes) == 40 - logins.MAX_FAILURES


async def test_people_behind_one_address_may_sign_in_again_and_again(pool: asyncpg.Pool, checks: list[str]) -> None:
    for _ in range(3 * logins.MAX_FAILURES):
        await logins.login(pool, EMAIL, PASSWORD, "203.0.113.5")


async def test_a_burst_of_password_changes_is_held_back_too(pool: asyncpg.Pool, checks: list[str]) -> None:
    token, session = await logins.login(pool, EMAIL, PASSWORD, "203.0.113.5")
    checks.clear()
    tries = [logins.change_password(pool, session.user_id, f"guess {n}", "n" * 12, token) for n in range(40)]
    await asyncio.gather(*tries, return_exceptions=True)
    assert len(checks) == logins.MAX_FAILURES


async def test_a_right_password_change_leaves_no_mark(pool: asyncpg.Pool, checks: list[str]) -> None:
    token, session = await logins.login(pool, EMAIL, PASSWORD, "203.0.113.5")
    for _ in range(logins.MAX_FAILURES + 1):
        await logins.change_password(pool, session.user_id, PASSWORD, "another password", token)


async def test_a_person_joins_a_second_workspace_and_keeps_his_password(pool: asyncpg.Pool) -> None:
    first = await tenants.find_tenant(pool, None)
    second = await tenants.create_tenant(pool, "Second")
    assert first is not None
    made = await tenants.create_user(pool, first, "Siti@example.com", "Siti", "agent", "her own password")
    joined = await tenants.create_user(pool, second, "siti@example.com", "Siti", "viewer", "somebody else's")
    assert (made.known, joined.known, joined.password) == (False, True, None)
    roles = {row["tenant"]: row["role"] for row in await tenants.list_users(pool) if row["email"] == "siti@example.com"}
    assert roles == {tenants.FIRST_TENANT: "agent", "Second": "viewer"}
    stored = await pool.fetchval("SELECT password_hash FROM users WHERE email = 'siti@example.com'")
    assert await is_right("her own password", stored)
    with pytest.raises(tenants.AlreadyThere):
        await tenants.create_user(pool, second, "siti@example.com", "Siti", "agent", None)


async def test_starters_at_the_same_time_make_one_administrator(database: Database) -> None:
    pool = await open_pool(database.uri, size=8, name="test")
    made = await asyncio.gather(*(tenants.bootstrap(pool, EMAIL, None) for _ in range(4)))
    assert sum(password is not None for password in made) == 1
    assert [row["name"] for row in await tenants.list_tenants(pool)] == ["Main"]
    await pool.close()
