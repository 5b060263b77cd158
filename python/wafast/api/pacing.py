"""How fast devices write, as the API shows it and lets it be changed."""

from __future__ import annotations

import functools
from typing import Annotated, Any

import msgspec
from litestar import Controller, get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, Meta, UnsetType

from wafast.accounts import audit
from wafast.accounts.principal import Principal
from wafast.api.authentication import require_whole_tenant
from wafast.api.policy import Policy
from wafast.api.problems import refused_field
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.devices import pacing
from wafast.devices.pacing import PacingRow

ClockTime = Annotated[
    str,
    Meta(
        pattern="^([01][0-9]|2[0-3]):[0-5][0-9](:00)?$",
        description="`21:00` or `21:00:00`; null with the other: no quiet hours. Answers have no seconds.",
        examples=["21:00"],
    ),
]


class Pacing(msgspec.Struct, frozen=True, kw_only=True):
    """How fast a device writes, for everything that is not a reply."""

    min_seconds: Annotated[float, Meta(ge=0, le=86_400, description="Shortest gap between two sends.", examples=[5])]
    max_seconds: Annotated[float, Meta(ge=0, le=86_400, description="Longest gap between two sends.", examples=[15])]
    per_hour: Annotated[int, Meta(ge=1, le=100_000, examples=[80])]
    per_day: Annotated[int, Meta(ge=1, le=1_000_000, examples=[800])]
    typing: Annotated[bool, Meta(description="Show typing before a message, longer for longer texts.")]
    ramp: Annotated[
        bool, Meta(description="Start slower after pairing: 20 on the first day, growing to `per_day` in 14 days.")
    ]
    quiet_from: Annotated[
        str | None,
        Meta(description="From then until `quiet_until` nothing leaves, where the person lives.", examples=["21:00"]),
    ]
    quiet_until: Annotated[str | None, Meta(examples=["08:00"])]


class PacingChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change of the pacing; what is left out stays."""

    min_seconds: Annotated[float, Meta(ge=0, le=86_400)] | UnsetType = UNSET
    max_seconds: Annotated[float, Meta(ge=0, le=86_400)] | UnsetType = UNSET
    per_hour: Annotated[int, Meta(ge=1, le=100_000)] | UnsetType = UNSET
    per_day: Annotated[int, Meta(ge=1, le=1_000_000)] | UnsetType = UNSET
    typing: bool | UnsetType = UNSET
    ramp: bool | UnsetType = UNSET
    quiet_from: ClockTime | UnsetType | None = UNSET
    quiet_until: ClockTime | UnsetType | None = UNSET


class DefaultPacingController(Controller):
    """The pace of lines that will be added."""

    path = "/devices/pacing"
    tags = ["Devices"]

    @get(
        opt={"policy": Policy.READ},
        operation_id="get_default_pacing",
        summary="The pace of new devices",
        responses=problems(401),
    )
    async def show(self, principal: NamedDependency[Principal], services: NamedDependency[Services]) -> Pacing:
        """What a device begins with when it is added."""
        return pacing_of(await pacing.default_pacing(services.pool, principal.tenant_id))

    @patch(
        opt={"policy": Policy.ADMIN},
        operation_id="change_default_pacing",
        summary="Change the pace of new devices",
        responses=problems(400, 401, 403),
    )
    async def change(
        self, data: JSONBody[PacingChange], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Pacing:
        """Devices that are there keep theirs; `set_pacing` of `POST /devices/bulk` changes them."""
        require_whole_tenant(principal)
        changes = changes_of(data)
        checked = functools.partial(check, changes, within="")
        row = await pacing.change_default_pacing(services.pool, principal.tenant_id, changes, checked)
        subject = f"tenant:{principal.tenant_id}"
        await audit.record(
            services.pool, principal.tenant_id, principal.actor, "device.default_pacing", subject, **changes
        )
        return pacing_of(row)


def pacing_of(row: PacingRow) -> Pacing:
    """A pace as the API shows it."""
    return Pacing(
        # stored as real: 0.1 comes back as 0.10000000149
        min_seconds=round(row.min_seconds, 3),
        max_seconds=round(row.max_seconds, 3),
        per_hour=row.per_hour,
        per_day=row.per_day,
        typing=row.typing,
        ramp=row.ramp,
        quiet_from=None if row.quiet_from is None else f"{row.quiet_from:%H:%M}",
        quiet_until=None if row.quiet_until is None else f"{row.quiet_until:%H:%M}",
    )


def changes_of(data: PacingChange) -> dict[str, Any]:
    """The columns that were named: gaps to the millisecond, times as they are answered."""
    named = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not UNSET}
    return {name: _to_store(name, value) for name, value in named.items()}


GAPS = ("min_seconds", "max_seconds")
QUIET = ("quiet_from", "quiet_until")
#: They make sense together only.
PAIRS = (GAPS, QUIET)


def _to_store(name: str, value: Any) -> Any:
    if name in GAPS:
        return round(value, 3)
    return value[: len("21:00")] if name in QUIET and value is not None else value


def check(changes: dict[str, Any], now: PacingRow, within: str = "pacing.") -> None:
    """Whether the pace makes sense once it is changed.

    Args:
        changes: of `changes_of`.
        now: the pace until then.
        within: what stands before the names of the members, as the caller wrote them.

    Raises:
        Problem: 400, naming the value.
    """
    _check_pairs(msgspec.to_builtins(pacing_of(now)) | changes, within)


def check_by_itself(changes: dict[str, Any]) -> None:
    """Whether any pace makes sense once it is changed.

    Raises:
        Problem: 400, naming the value.
    """
    for one, other in (*PAIRS, *((other, one) for one, other in PAIRS)):
        if one in changes and other not in changes:
            raise refused_field(f"pacing.{other}", None, f"it goes together with {one}: give both")
    _check_pairs(changes, "pacing.")


def _check_pairs(wished: dict[str, Any], within: str) -> None:
    shortest, longest = wished.get("min_seconds", 0), wished.get("max_seconds", 0)
    if longest < shortest:
        raise refused_field(f"{within}max_seconds", longest, f"it must be at least min_seconds, which is {shortest:g}")
    begin, end = wished.get("quiet_from"), wished.get("quiet_until")
    if (begin is None) != (end is None) or (begin is not None and begin == end):
        reason = "quiet_from and quiet_until are two different times, or both null"
        raise refused_field(f"{within}quiet_until", end, reason)
