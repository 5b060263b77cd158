"""Nothing is sent to many where nobody's STOP would be heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.api.problems import conflict
from wafast.outbox.claim import NOT_HEARD

if TYPE_CHECKING:
    from wafast.api.services import Services


def require_hearing(services: Services) -> None:
    """Refuses to let something send to many while no message is stored: then no answer ends a sequence, and no opt-out
    is seen.

    Raises:
        Problem: 409.
    """
    if not services.settings.chat_storage:
        raise conflict(
            "answers-not-heard",
            f"Nobody could opt out by a STOP: {NOT_HEARD}",
        )
