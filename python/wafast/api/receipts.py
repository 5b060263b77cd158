"""How far a message got."""

from __future__ import annotations

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from wafast.accounts.principal import Principal
from wafast.api.authentication import reach_of
from wafast.api.ids import message_place
from wafast.api.policy import Policy
from wafast.api.problems import not_found
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.inbox.receipts import MessageReceipts, receipts_of


class ReceiptController(Controller):
    """Receipts of messages."""

    tags = ["Messages"]

    @get(
        "/messages/{message_id:str}/receipts",
        opt={"policy": Policy.READ},
        operation_id="get_message_receipts",
        summary="Who got and read a message",
        responses=problems(401, 404),
    )
    async def show(
        self, message_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> MessageReceipts:
        """Of a message of ours; 404 for one of somebody else's, which has no receipts."""
        place = message_place(message_id)
        receipts = None if place is None else await receipts_of(services.pool, reach_of(principal), *place)
        if receipts is None:
            raise not_found("message", message_id)
        return receipts
