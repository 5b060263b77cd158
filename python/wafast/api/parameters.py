"""Query and header parameters that many routes share, and fields that many bodies have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import asyncpg
from litestar.params import HeaderParameter, QueryParameter
from msgspec import Meta

from wafast import phones
from wafast.api.problems import FieldError, Problem, refused_field
from wafast.leads import rows as leads
from wafast.visible import is_visible, one_line

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection
    from litestar.handlers import BaseRouteHandler

Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=200, description="How many at most.", required=False)]
#: A page of devices may be longer: three thousand come in three requests.
MAX_DEVICES = 1_000
DeviceLimit = Annotated[
    int, QueryParameter(name="limit", ge=1, le=MAX_DEVICES, description="How many at most.", required=False)
]
After = Annotated[str | None, QueryParameter(name="after", description="`next` of the page before.", required=False)]
ForExcel = Annotated[
    bool,
    QueryParameter(
        name="excel",
        required=False,
        description="Begins with the mark by which Excel knows UTF-8: without it, other letters than Latin ones "
        "are shown wrongly.",
    ),
]
Search = Annotated[
    str | None, QueryParameter(name="search", description="What to look for.", required=False, max_length=200)
]
IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        required=False,
        min_length=1,
        max_length=200,
        description="Repeating a request with the same key within 24 hours gives the first answer again and does "
        "nothing a second time.",
    ),
]

Receiver = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        description="A phone number in any usual form, or a JID.",
        examples=["012-345 6789"],
    ),
]


def require_known(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of routes: whoever misspells a parameter hears of it, and gets no answer to another question.

    Raises:
        Problem: 400 when the query has a parameter that the route does not know.
    """
    if not connection.query_params or connection.scope.get("method") == "OPTIONS":
        return
    known = [
        one.kwarg_definition.name or one.name
        for one in handler.parsed_fn_signature.parameters.values()
        if isinstance(one.kwarg_definition, QueryParameter)
    ]
    for name in connection.query_params:
        if name not in known:
            told = f"there is no such parameter here; known are: {', '.join(known) or 'none'}"
            raise Problem(400, "invalid-request", f"{name}: {told}", errors=[FieldError(field=name, message=told)])


def name_of(text: str) -> str:
    """The field `name`, on one line and without spaces around it.

    Raises:
        Problem: 400 when nothing is left.
    """
    name = one_line(text)
    if not name:
        raise refused_field("name", text, "a name with at least one letter or digit is wanted")
    return name


def check_visible(text: str) -> None:
    """Whether the field `text` shows something.

    Raises:
        Problem: 400.
    """
    if not is_visible(text):
        raise refused_field("text", text, "a text must have at least one visible character")


async def phone_of(pool: asyncpg.Pool, tenant_id: int, text: str, field: str = "phone") -> str:
    """A field in E.164; without a country code it is of the workspace's country.

    Raises:
        Problem: 400 when it is no number.
    """
    region, _ = await leads.region(pool, tenant_id)
    try:
        return phones.parse(text, region)
    except phones.PhoneError as error:
        raise refused_field(field, text, str(error)) from None


async def jid_of(pool: asyncpg.Pool, tenant_id: int, text: str) -> str:
    """The field `to` as a JID: it is one, or a number as `phone_of` takes it.

    Raises:
        Problem: 400 when it is neither.
    """
    region, _ = await leads.region(pool, tenant_id)
    try:
        return phones.to_jid(text, region)
    except phones.PhoneError as error:
        raise refused_field("to", text, str(error)) from None
