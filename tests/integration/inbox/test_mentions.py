"""Whom a page names is asked for at once."""

from __future__ import annotations

from typing import Any, cast

import asyncpg
import pytest

from tests.integration.inbox.conftest import Shelf
from wafast.inbox.mentions import mentions_in


@pytest.mark.parametrize(
    ("texts", "queries"), [(["Hello", "me@home"], 0), (["@600000001"], 2), (["@60000000%d"] * 200, 2)]
)
async def test_a_page_costs_two_queries_and_one_without_mentions_none(
    shelf: Shelf, texts: list[str], queries: int
) -> None:
    chat_id = await shelf.pool.fetchval(
        "INSERT INTO chats (tenant_id, device_no, jid, is_group) VALUES ($1, $2, '120363000000000009@g.us', true)"
        " RETURNING id",
        shelf.tenant, shelf.device_no,
    )  # fmt: skip
    asked: list[Any] = []
    async with shelf.pool.acquire() as connection:
        # of a type seen for the first time asyncpg asks what it is
        await mentions_in(cast(asyncpg.Pool, connection), [(chat_id, "text", "@600000000")])
        with connection.query_logger(asked.append):
            page = [(chat_id, "text", text % number if "%" in text else text) for number, text in enumerate(texts)]
            found = await mentions_in(cast(asyncpg.Pool, connection), page)
    assert (len(asked), found) == (queries, [[] for _ in texts])
