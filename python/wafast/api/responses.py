"""What handlers declare about their answers, for the OpenAPI document."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from wafast.api.problems import MEDIA_TYPE, ProblemDetails

Item = TypeVar("Item")


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """One page of a list, newest first."""

    items: list[Item]
    next: str | None
    """Give it as ``after`` to get the next page; null on the last."""


DESCRIPTIONS = {
    400: "A field is missing or wrong, or a parameter is not known here; `errors` names it.",
    401: "Not signed in, or the key is not valid.",
    403: "Signed in, but the role or the key's scope does not allow this.",
    404: "No such object here; somebody else's looks the same.",
    409: "The state of the thing forbids it; `detail` tells the way out.",
    410: "WhatsApp does not keep the file any more; the phone may still have it.",
    413: "The body is larger than allowed.",
    415: "Not a media type this route takes.",
    416: "The range lies outside the file.",
    422: "The Idempotency-Key was used with another body, or what the request names is not there; `detail` says which.",
    429: "Too many attempts; `Retry-After` tells when to come back.",
    502: "The device could not do it; `detail` says why.",
    503: "Not ready.",
    504: "The device did not answer in time.",
    507: "The disk is full, or can't be written; `detail` says what helps.",
}


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problem answers of a route.

    Args:
        statuses: HTTP statuses of DESCRIPTIONS. 400 goes without saying: any route may be asked with a parameter that
            it does not know.
    """
    return {
        status: ResponseSpec(
            data_container=ProblemDetails,
            generate_examples=False,
            description=DESCRIPTIONS[status],
            media_type=MEDIA_TYPE,
        )
        for status in sorted({400, *statuses})
    }
