"""Polls: their options, who voted for which, and what came of one whose results were sent on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    import asyncpg


class PollVote(msgspec.Struct, frozen=True):
    """One person's current vote."""

    sender_jid: Annotated[str, Meta(examples=["60198765432@s.whatsapp.net"])]
    options: Annotated[list[str], Meta(examples=[["Friday"]])]
    at: Annotated[int, Meta(description="Unix seconds.", examples=[1795502469])]


class Poll(msgspec.Struct, frozen=True):
    """What may be chosen: its options, and how many of them (0: any number; None: not known). `counts` are the votes
    where only these came."""

    options: list[str]
    choices: int | None = None
    counts: list[int] | None = None


def poll_of(poll: dict[str, Any] | None, carried: dict[str, Any] | None) -> Poll:
    """Of a row's ``poll`` and ``media``; without options where it is none."""
    if carried is not None and carried.get("type") == "results":
        outcomes = carried["options"]
        return Poll([one["name"] for one in outcomes], counts=[one["votes"] for one in outcomes])
    return Poll([]) if poll is None else Poll([one["name"] for one in poll["options"]], poll.get("choices"))


def votes_of(row: asyncpg.Record) -> list[PollVote]:
    """The votes in a row of ``list_messages`` or ``get_messages``."""
    return msgspec.convert(row["poll_votes"] or [], list[PollVote])
