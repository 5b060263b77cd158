"""Numbers that campaigns and sequences leave alone, and the words by which people ask for that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast import phones
from wafast.accounts.principal import Principal
from wafast.api.authentication import require_whole_tenant
from wafast.api.idempotency import IN_ONE
from wafast.api.paging import cursor, place_of
from wafast.api.parameters import After, IdempotencyKey, Limit, Search, phone_of
from wafast.api.policy import Policy
from wafast.api.problems import not_found, refused_field
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.leads import rows, suppressions
from wafast.leads.suppressions import OptOut, Suppression
from wafast.leads.tags import tags

#: The other answer of adding a number.
STANDS = ResponseSpec(
    data_container=Suppression,
    generate_examples=False,
    description="The number was there already, and stays as it is.",
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class AddSuppression(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number, and why."""

    phone: Annotated[str, Meta(min_length=1, max_length=40, examples=["012-345 6789"])]
    reason: Annotated[str, Meta(min_length=1, max_length=200, examples=["asked on the phone"])] = "by a person"


class ChangeOptOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    words: (
        Annotated[
            list[Annotated[str, Meta(min_length=1, max_length=60)]],
            Meta(
                min_length=1,
                max_length=50,
                description="A message that is one of these, whatever its case, and nothing else.",
                examples=[["stop", "berhenti"]],
            ),
        ]
        | None
    ) = None
    answer: Annotated[str, Meta(max_length=1000, description="Sent once; empty: nothing is.")] | None = None


class SuppressionController(Controller):
    """Replies of a person in the inbox still reach them."""

    path = "/suppressions"
    tags = ["Leads"]

    @get(
        opt={"policy": Policy.READ},
        operation_id="list_suppressions",
        summary="Numbers to leave alone",
        responses=problems(400, 401, 403),
    )
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        search: Search = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Suppression]:
        """Newest first; `search` is what the number begins with."""
        require_whole_tenant(principal)
        region, _ = await rows.region(services.pool, principal.tenant_id)
        begins = None
        if search and search.strip():
            begins = "+" + "".join(one for one in phones.beginning(search.strip(), region) if one.isdigit())
        place = place_of(after, 2)
        found = await suppressions.list_suppressions(
            services.pool,
            principal.tenant_id,
            after=None if place is None else (EPOCH + place[0] * MICROSECOND, f"+{place[1]}"),
            begins=begins,
            limit=limit + 1,
        )
        page = found[:limit]
        following = None
        if len(found) > limit:
            following = cursor((page[-1]["created_at"] - EPOCH) // MICROSECOND, int(page[-1]["phone"][1:]))
        return Page([suppressions.suppression_of(row) for row in page], following)

    @post(
        opt={"policy": Policy.SEND, "idempotent": IN_ONE},
        operation_id="add_suppression",
        summary="Leave a number alone",
        responses={200: STANDS, **problems(400, 401, 403, 422)},
    )
    async def add(
        self,
        data: JSONBody[AddSuppression],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[Suppression]:
        """At once: what waits for it in campaigns and sequences does not leave. One that is there stays as it is, with
        its first reason, and the answer is 200."""
        phone = await phone_of(services.pool, principal.tenant_id, data.phone)
        stands, is_new = await suppressions.add(services.pool, principal, phone, data.reason.strip() or "by a person")
        return Response(stands, status_code=201 if is_new else 200)

    @delete(
        "/{phone:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="remove_suppression",
        summary="Let campaigns write to a number again",
        responses=problems(401, 403, 404),
    )
    async def remove(
        self, phone: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> None:
        """Do it when the person asks for it."""
        require_whole_tenant(principal)
        region, _ = await rows.region(services.pool, principal.tenant_id)
        try:
            number = phones.parse(phone, region)
        except phones.PhoneError:
            number = phone  # WhatsApp has numbers that nobody can dial, and who has one can opt out
        if not await suppressions.remove(services.pool, principal, number):
            raise not_found("suppression", phone)


class OptOutController(Controller):
    """Opting out by a message."""

    path = "/opt-out"
    tags = ["Leads"]

    @get(
        opt={"policy": Policy.READ},
        operation_id="get_opt_out",
        summary="Words that opt out, and the answer",
        responses=problems(401),
    )
    async def show(self, principal: NamedDependency[Principal], services: NamedDependency[Services]) -> OptOut:
        """Of the workspace."""
        return await suppressions.opt_out(services.pool, principal.tenant_id)

    @patch(
        opt={"policy": Policy.ADMIN},
        operation_id="change_opt_out",
        summary="Change the words that opt out, or the answer",
        responses=problems(400, 401, 403),
    )
    async def change(
        self,
        data: JSONBody[ChangeOptOut],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> OptOut:
        """For what comes from now on."""
        require_whole_tenant(principal)
        words = None if data.words is None else tags(data.words)
        if words == []:
            raise refused_field("words", data.words, "at least one word is wanted")
        answer = None if data.answer is None else data.answer.strip()
        return await suppressions.change_opt_out(services.pool, principal, words, answer)
