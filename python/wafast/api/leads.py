"""Leads: lists, counts, one by one, and many at once."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from wafast.accounts.principal import Principal
from wafast.api.authentication import reach_of, require_scope
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import number_of, uuid_of
from wafast.api.lead_filters import FilterParameter, TagParameter, acted_on, wanted_of
from wafast.api.paging import below_of, cursor, page_of
from wafast.api.parameters import After, IdempotencyKey, Limit, Search, phone_of
from wafast.api.policy import Policy
from wafast.api.problems import Problem, conflict, not_found, refused_field
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.api.skipped_leads import SkippedLead, named_leads, overfull
from wafast.leads import bulk, rows
from wafast.leads.filters import LeadFilter, Tags, TargetStatus
from wafast.leads.rows import Fields, Lead
from wafast.leads.tags import tags
from wafast.sequences import of_leads

Phone = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        description="As people write it; without a country code it is of the workspace's country.",
        examples=["012-345 6789"],
    ),
]
Name = Annotated[str, Meta(max_length=200, examples=["Siti binti Hassan"])]
OwnDevice = Annotated[str | None, Meta(description="The device that writes to it; null: none yet.", examples=[None])]


class CreateLead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number nobody else here has, and what is known of the person."""

    phone: Phone
    name: Name = ""
    tags: Annotated[Tags, Meta(examples=[["kl", "vip"]])] = []
    target_status: TargetStatus = "prospect"
    device_id: OwnDevice = None
    fields: Fields = {}


class ChangeLead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    phone: Phone | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    tags: Annotated[Tags, Meta(description="All it is to have.", examples=[["kl"]])] | UnsetType = UNSET
    target_status: TargetStatus | UnsetType = UNSET
    device_id: OwnDevice | UnsetType = UNSET
    fields: Fields | UnsetType = UNSET


class LeadCount(msgspec.Struct, frozen=True):
    """How many leads fit a filter."""

    count: Annotated[int, Meta(examples=[1234])]


class LeadTerms(msgspec.Struct, frozen=True):
    """What there is to filter by."""

    tags: Annotated[list[str], Meta(examples=[["kl", "vip"]])]
    fields: Annotated[list[str], Meta(examples=[["city"]])]


class ChangeLeads(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change, and the leads it is for: either `lead_ids` or `filter`."""

    action: Annotated[bulk.Action, Meta(examples=["add_tags"])]
    lead_ids: Annotated[list[str], Meta(min_length=1, max_length=bulk.AT_ONCE, examples=[["4711"]])] | UnsetType = UNSET
    filter: Annotated[LeadFilter, Meta(examples=[{"tags": ["kl"]}])] | UnsetType = UNSET
    after: Annotated[str | None, Meta(description="With `filter`: `next` of the answer before.", examples=[None])] = (
        None
    )
    tags: Annotated[Tags, Meta(description="For `add_tags` and `remove_tags`.", examples=[["vip"]])] | UnsetType = UNSET
    target_status: Annotated[TargetStatus, Meta(description="For `set_status`.")] | UnsetType = UNSET
    device_id: Annotated[str | None, Meta(description="For `set_device`.")] | UnsetType = UNSET


class Undo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A body for this route that takes a part of the change back."""

    action: bulk.Action
    lead_ids: list[str]
    tags: list[str] | UnsetType = UNSET
    target_status: str | UnsetType = UNSET
    device_id: str | UnsetType | None = UNSET


class ChangedLeads(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the leads."""

    changed: Annotated[int, Meta(examples=[1200])]
    unchanged: Annotated[int, Meta(description="Were so already.", examples=[34])]
    skipped: Annotated[list[SkippedLead], Meta(description="With which nothing was done.", examples=[[]])]
    undo: Annotated[list[Undo], Meta(description="What takes it back; empty for `delete`.", examples=[[]])]
    next: Annotated[str | None, Meta(description="More leads fit `filter`: give it as `after`.", examples=[None])]


class LeadController(Controller):
    """Persons to write to. Who reaches only some devices sees the leads of these, and those without a device."""

    path = "/leads"
    tags = ["Leads"]

    @get(opt={"policy": Policy.READ}, operation_id="list_leads", summary="Leads", responses=problems(400, 401))
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        filter: FilterParameter = None,
        search: Search = None,
        tag: TagParameter = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Lead]:
        """Those that fit, newest first."""
        wanted = await wanted_of(services.pool, principal, filter, search, tag)
        found = await rows.list_leads(
            services.pool,
            reach_of(principal),
            wanted,
            before=below_of(after),
            limit=limit + 1,
        )
        return page_of(found, limit, rows.lead_of, lambda row: int(row["id"]))

    @get(
        "/count",
        opt={"policy": Policy.READ},
        operation_id="count_leads",
        summary="How many leads fit",
        responses=problems(400, 401),
    )
    async def count(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        filter: FilterParameter = None,
        search: Search = None,
        tag: TagParameter = None,
    ) -> LeadCount:
        """Counted now, exactly."""
        wanted = await wanted_of(services.pool, principal, filter, search, tag)
        return LeadCount(await rows.count(services.pool, reach_of(principal), wanted))

    @get(
        "/terms",
        opt={"policy": Policy.READ},
        operation_id="list_lead_terms",
        summary="Tags and fields in use",
        responses=problems(401),
    )
    async def terms(self, principal: NamedDependency[Principal], services: NamedDependency[Services]) -> LeadTerms:
        """Every tag that a lead has, and the name of every field one had."""
        found = await rows.terms(services.pool, principal.tenant_id)
        return LeadTerms(found["tag"], found["field"])

    @post(
        opt={"policy": Policy.SEND, "idempotent": IN_ONE},
        operation_id="create_lead",
        summary="Add a lead",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def create(
        self,
        data: JSONBody[CreateLead],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Lead:
        """Each number is one lead of the workspace, and so are several that are known to be one person's."""
        draft = rows.Draft(
            phone=await phone_of(services.pool, principal.tenant_id, data.phone),
            name=data.name.strip(),
            tags=data.tags,
            target_status=data.target_status,
            device_no=await _device_no(services, principal, data.device_id),
            fields=data.fields,
        )
        try:
            lead_id = await rows.create(services.pool, principal, draft)
        except rows.Known as error:
            raise await _known(services, principal, draft.phone, error) from None
        return await find_lead(services, principal, str(lead_id))

    @get(
        "/{lead_id:str}",
        opt={"policy": Policy.READ},
        operation_id="get_lead",
        summary="A lead",
        responses=problems(401, 404),
    )
    async def show(
        self, lead_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Lead:
        """As it is now."""
        return await find_lead(services, principal, lead_id)

    @patch(
        "/{lead_id:str}",
        opt={"policy": Policy.SEND},
        operation_id="change_lead",
        summary="Change a lead",
        responses=problems(400, 401, 403, 404, 409),
    )
    async def change(
        self,
        lead_id: FromPath[str],
        data: JSONBody[ChangeLead],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Lead:
        """`tags` and `fields` are given whole. What waits in campaigns and sequences goes to another `phone`, and
        leaves from another device."""
        lead = await find_lead(services, principal, lead_id)
        changes: dict[str, Any] = {
            name: value for name in data.__struct_fields__ if (value := getattr(data, name)) is not UNSET
        }
        if data.phone is not UNSET:
            changes["phone"] = await phone_of(services.pool, principal.tenant_id, data.phone)
        if data.device_id is not UNSET:
            changes["device_id"] = await _device_no(services, principal, data.device_id)
        if data.name is not UNSET:
            changes["name"] = data.name.strip()
        try:
            found = await rows.change(services.pool, principal, int(lead.id), changes, of_leads)
        except rows.Known as error:
            raise await _known(services, principal, changes["phone"], error) from None
        if not found:
            raise not_found("lead", lead_id)
        return await find_lead(services, principal, lead_id)

    @delete(
        "/{lead_id:str}",
        opt={"policy": Policy.SEND},
        operation_id="delete_lead",
        summary="Delete a lead",
        responses=problems(401, 403, 404),
    )
    async def remove(
        self, lead_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> None:
        """What waits to be sent to it is cancelled; what was sent stays in the reports. A campaign that another number
        of its person was left out of for it goes there, as nobody had it. A sequence ends with the lead: it goes on for
        no other number, as nobody would know which steps the person has had; let that lead enter again."""
        lead = await find_lead(services, principal, lead_id)
        if not await rows.delete(services.pool, principal, int(lead.id), of_leads):
            raise not_found("lead", lead_id)

    @post(
        "/bulk",
        opt={"policy": Policy.SEND, "idempotent": True},
        status_code=200,
        operation_id="change_leads",
        summary="Change many leads at once",
        responses=problems(400, 401, 403, 404, 422),
    )
    async def change_many(
        self,
        data: JSONBody[ChangeLeads],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> ChangedLeads:
        """Up to 5,000 leads a request, by their ids or by a filter, newest first; each request is one transaction.
        `delete` needs scope `admin`. The bodies in `undo` take a change back. What campaigns and sequences have waiting
        for leads that get another device leaves from there."""
        if data.action == "delete":
            require_scope(principal, "admin")
        value = await _value(services, principal, data)
        skipped: list[SkippedLead] = []
        following = None
        if data.filter is not UNSET:
            wanted = await acted_on(services.pool, principal, data.filter)
            chosen, following = await bulk.fitting(services.pool, reach_of(principal), wanted, below_of(data.after))
        else:
            chosen, skipped = await named_leads(services.pool, principal, data.lead_ids or [])
        outcome = await bulk.act(services.pool, principal, data.action, chosen, value, of_leads)
        return ChangedLeads(
            changed=outcome.changed,
            unchanged=len(chosen) - outcome.changed - len(outcome.overfull),
            skipped=skipped + overfull(outcome.overfull),
            undo=[_undo(data.action, one) for one in outcome.undone],
            next=None if following is None else cursor(following),
        )


async def find_lead(services: Services, principal: Principal, lead_id: str) -> Lead:
    """A lead the caller sees.

    Raises:
        Problem: 404.
    """
    lead = await rows.get(services.pool, reach_of(principal), number_of("lead", lead_id))
    if lead is None:
        raise not_found("lead", lead_id)
    return lead


async def _device_no(services: Services, principal: Principal, device_id: str | None) -> int | None:
    if device_id is None:
        return None
    found = await rows.device_no(services.pool, reach_of(principal), uuid_of("device", device_id))
    if found is None:
        raise not_found("device", device_id)
    return found


async def _known(services: Services, principal: Principal, phone: str, error: rows.Known) -> Problem:
    lead = await rows.get(services.pool, reach_of(principal), error.lead_id)
    if lead is None:
        return conflict("phone-taken", f"{phone} is a lead already, of a device that you do not reach.")
    is_its = f"is lead {lead.id} already"
    if lead.phone != phone:
        is_its = f"is another number of lead {lead.id} ({lead.phone})"
    return conflict("phone-taken", f"{phone} {is_its}: change that one, or merge the two.")


WANTS: dict[bulk.Action, str] = {
    "add_tags": "tags",
    "remove_tags": "tags",
    "set_status": "target_status",
    "set_device": "device_id",
}


async def _value(services: Services, principal: Principal, data: ChangeLeads) -> Any:
    """What the action needs, when the fields of the request go together.

    Raises:
        Problem: 400, 404.
    """
    if (data.lead_ids is UNSET) == (data.filter is UNSET):
        raise refused_field("lead_ids", None, "either lead_ids or filter is wanted, and not both")
    if data.filter is UNSET and data.after is not None:
        raise refused_field("after", data.after[:100], "it goes on behind a filter; lead_ids are all named at once")
    needed = WANTS.get(data.action)
    for field in ("tags", "target_status", "device_id"):
        given = getattr(data, field)
        if field == needed and given is UNSET:
            raise refused_field(field, None, f"{data.action} wants {field}")
        if field != needed and given is not UNSET:
            raise refused_field(field, str(given)[:100], f"{data.action} takes no {field}")
    if needed == "tags":
        wanted = tags(data.tags or [])
        if not wanted:
            raise refused_field("tags", None, f"{data.action} wants at least one tag with a letter or digit")
        return wanted
    if needed == "device_id" and data.device_id is not UNSET:
        return await _device_no(services, principal, data.device_id)
    return data.target_status if needed else None


def _undo(action: bulk.Action, undone: bulk.Undone) -> Undo:
    ids = [str(one) for one in undone.lead_ids]
    match action:
        case "add_tags":
            return Undo(action="remove_tags", lead_ids=ids, tags=[one or "" for one in undone.was])
        case "remove_tags":
            return Undo(action="add_tags", lead_ids=ids, tags=[one or "" for one in undone.was])
        case "set_status":
            return Undo(action=action, lead_ids=ids, target_status=undone.was[0] or "")
        case _:
            return Undo(action=action, lead_ids=ids, device_id=undone.was[0])
