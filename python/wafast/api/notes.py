"""Private notes of a chat."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.api.authentication import reach_of
from wafast.api.chats import find_chat
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import number_of, uuid_of
from wafast.api.paging import below_of, page_of
from wafast.api.parameters import After, IdempotencyKey, Limit, check_visible
from wafast.api.policy import Policy
from wafast.api.problems import Problem, not_found
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.inbox import chats, notes
from wafast.inbox.notes import Note


class WriteNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the team is to know."""

    text: Annotated[str, Meta(min_length=1, max_length=10_000, examples=["Wants the blue one; call back on Friday."])]


class NoteController(Controller):
    """Notes are for the team; nothing of them is ever sent."""

    path = "/chats/{chat_id:str}/notes"
    tags = ["Shared work"]

    @get(
        opt={"policy": Policy.READ},
        operation_id="list_notes",
        summary="Private notes of a chat",
        responses=problems(400, 401, 404),
    )
    async def index(
        self,
        chat_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Note]:
        """Newest first."""
        await find_chat(services.pool, principal, chat_id)
        rows = await notes.list_notes(
            services.pool,
            principal.tenant_id,
            int(chat_id),
            before=below_of(after),
            limit=limit + 1,
        )
        return page_of(rows, limit, notes.note_of, lambda row: int(row["id"]))

    @post(
        opt={"policy": Policy.SEND, "idempotent": IN_ONE},
        operation_id="create_note",
        summary="Write a private note",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def create(
        self,
        chat_id: FromPath[str],
        data: JSONBody[WriteNote],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Note:
        """Everybody who sees the chat sees it at once."""
        device_no = await _device_no(services, principal, chat_id)
        return await notes.create_note(services.pool, principal, device_no, int(chat_id), _words(data.text))

    @patch(
        "/{note_id:str}",
        opt={"policy": Policy.SEND},
        operation_id="edit_note",
        summary="Change your own note",
        responses=problems(400, 401, 403, 404),
    )
    async def edit(
        self,
        chat_id: FromPath[str],
        note_id: FromPath[str],
        data: JSONBody[WriteNote],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Note:
        """Only who wrote it can."""
        device_no = await _device_no(services, principal, chat_id)
        number = number_of("note", note_id)
        try:
            note = await notes.edit_note(services.pool, principal, device_no, int(chat_id), number, _words(data.text))
        except notes.NotAuthor as error:
            raise _not_author(error) from None
        if note is None:
            raise not_found("note", note_id)
        return note

    @delete(
        "/{note_id:str}",
        opt={"policy": Policy.SEND},
        operation_id="delete_note",
        summary="Delete your own note",
        responses=problems(401, 403, 404),
    )
    async def remove(
        self,
        chat_id: FromPath[str],
        note_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> None:
        """Only who wrote it can."""
        device_no = await _device_no(services, principal, chat_id)
        number = number_of("note", note_id)
        try:
            found = await notes.delete_note(services.pool, principal, device_no, int(chat_id), number)
        except notes.NotAuthor as error:
            raise _not_author(error) from None
        if not found:
            raise not_found("note", note_id)


async def _device_no(services: Services, principal: Principal, chat_id: str) -> int:
    chat = await find_chat(services.pool, principal, chat_id)
    device_no = await chats.device_no(services.pool, reach_of(principal), uuid_of("device", chat.device_id))
    if device_no is None:
        raise not_found("chat", chat_id)
    return device_no


def _words(text: str) -> str:
    check_visible(text)
    return text.strip()


def _not_author(error: notes.NotAuthor) -> Problem:
    return Problem(403, "not-author", f"Only who wrote a note can change it, and this one is by {error.author}.")
