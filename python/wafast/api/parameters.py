"""Query and header parameters that many routes share."""

from __future__ import annotations

from typing import Annotated

from litestar.params import HeaderParameter, QueryParameter

Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=200, description="How many at most.", required=False)]
#: A page of devices may be longer: three thousand come in three requests.
MAX_DEVICES = 1_000
DeviceLimit = Annotated[
    int, QueryParameter(name="limit", ge=1, le=MAX_DEVICES, description="How many at most.", required=False)
]
After = Annotated[str | None, QueryParameter(name="after", description="`next` of the page before.", required=False)]
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
