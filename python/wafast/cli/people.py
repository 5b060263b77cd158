"""`wafast user`, `wafast tenant`, `wafast key`."""

from __future__ import annotations

from typing import Annotated

import asyncpg
import typer

from wafast.accounts import audit, keys, tenants
from wafast.accounts.principal import Role, Scope
from wafast.cli.database import with_pool
from wafast.cli.tables import show
from wafast.settings import Network

user = typer.Typer(help="People.", no_args_is_help=True)
tenant = typer.Typer(help="Workspaces.", no_args_is_help=True)
key = typer.Typer(help="API keys.", no_args_is_help=True)

TenantName = Annotated[
    str | None, typer.Option("--tenant", help="Workspace; the first one if not given.", metavar="NAME")
]


async def find_tenant(pool: asyncpg.Pool, name: str | None) -> int:
    """The id of the workspace of this name, of the first one without. Exits when there is none."""
    found = await tenants.find_tenant(pool, name)
    if found is None:
        raise typer.BadParameter(f"there is no workspace {name!r}; `wafast tenant list` shows them")
    return found


@user.command("create")
def create_user(
    email: str,
    role: Annotated[Role, typer.Option(help="What the person may do.")] = "agent",
    name: Annotated[str | None, typer.Option(help="Name shown; else the e-mail's first part.")] = None,
    tenant: TenantName = None,
) -> None:
    """Let a person into a workspace; a new one's password is printed once."""

    async def work(pool: asyncpg.Pool) -> tenants.Created:
        tenant_id = await find_tenant(pool, tenant)
        made = await tenants.create_user(pool, tenant_id, email, name or email.partition("@")[0], role, None)
        await audit.record(pool, tenant_id, "system", "user.create", f"user:{email.lower()}", role=role)
        return made

    if email.count("@") != 1 or not all(email.split("@")):
        raise typer.BadParameter(f"{email!r} is not an e-mail address")
    made = with_pool(work)
    typer.echo("added; the password stays as it was" if made.known else made.password)


@user.command("list")
def list_users() -> None:
    """Everybody, with workspace and role."""
    rows = with_pool(tenants.list_users)
    show(("e-mail", "name", "workspace", "role"), [(r["email"], r["name"], r["tenant"], r["role"]) for r in rows])


@user.command("reset-password")
def reset_password(email: str) -> None:
    """Make a new password and print it once; the person's browsers are signed out."""

    async def work(pool: asyncpg.Pool) -> str | None:
        return await tenants.reset_password(pool, email, None)

    try:
        typer.echo(with_pool(work))
    except KeyError:
        raise typer.BadParameter(f"there is no user {email!r}; `wafast user list` shows them") from None


@tenant.command("create")
def create_tenant(
    name: str, network: Annotated[Network, typer.Option(help="Network of its new devices.")] = "whatsapp"
) -> None:
    """Make a workspace; the administrators of the first one become its own."""
    if not name.strip():
        raise typer.BadParameter("a workspace needs a name")
    with_pool(lambda pool: tenants.create_tenant(pool, name.strip(), network))
    typer.echo(f"workspace {name.strip()!r} created")


@tenant.command("list")
def list_tenants() -> None:
    """Every workspace with its devices and members counted."""
    columns = ("name", "default_network", "devices", "members")
    show(columns, [[row[column] for column in columns] for row in with_pool(tenants.list_tenants)])


@key.command("create")
def create_key(
    scope: Annotated[Scope, typer.Option(help="What it may do; admin includes send, send includes read.")],
    name: Annotated[str, typer.Option(help="What it is for.")] = "command line",
    tenant: TenantName = None,
) -> None:
    """Make an API key and print it once."""

    async def work(pool: asyncpg.Pool) -> str:
        tenant_id = await find_tenant(pool, tenant)
        text, made = await keys.create_key(pool, tenant_id, name, scope)
        await audit.record(pool, tenant_id, "system", "key.create", f"key:{made.id}", name=name, scope=scope)
        return text

    typer.echo(with_pool(work))


@key.command("list")
def list_keys(tenant: TenantName = None) -> None:
    """Keys in use, newest first; their secrets are stored nowhere."""

    async def work(pool: asyncpg.Pool) -> list[keys.Key]:
        return await keys.list_keys(pool, await find_tenant(pool, tenant), limit=1000)

    found = with_pool(work)
    show(("prefix", "name", "scope", "last used"), [(k.prefix, k.name, k.scope, k.last_used_at) for k in found])


@key.command("revoke")
def revoke_key(prefix: str, tenant: TenantName = None) -> None:
    """Stop the key with this prefix (see `wafast key list`)."""

    async def work(pool: asyncpg.Pool) -> bool:
        tenant_id = await find_tenant(pool, tenant)
        for found in await keys.list_keys(pool, tenant_id, limit=1000):
            if found.prefix == prefix:
                await audit.record(pool, tenant_id, "system", "key.revoke", f"key:{found.id}")
                return await keys.revoke_key(pool, tenant_id, found.id)
        return False

    if not with_pool(work):
        raise typer.BadParameter(f"no key in use starts with {prefix!r}")
    typer.echo("revoked")
