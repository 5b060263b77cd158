"""What was sent in a chat and on a device, by kind, newest first, a page at a time."""

from __future__ import annotations

import time
from typing import Any

from tests.integration.api.world import Chat, Tenant
from wafast.inbox import gallery

NOW = int(time.time())
PICTURE = {"mime": "image/jpeg", "ext": "jpg"}


def picture(tenant: Tenant, chat: Chat, at: int, text: str = "", message_id: str | None = None) -> str:
    key = tenant.message(chat, text, at=at, kind="image", media=PICTURE, message_id=message_id)
    return f"{chat.id}-{key}"


def pages(tenant: Tenant, path: str, kind: str, limit: int) -> list[list[str]]:
    """All pages of a gallery; each must lead on."""
    found, after = [], None
    while True:
        query: dict[str, Any] = {"kind": kind, "limit": limit} | ({"after": after} if after else {})
        answer = tenant.client("read").get(f"/api/v1/{path}/media", params=query)
        assert answer.status_code == 200, answer.text
        found.append([message["id"] for message in answer.json()["items"]])
        assert answer.json()["next"] != after or after is None
        after = answer.json()["next"]
        if after is None:
            return found


def all_of(tenant: Tenant, path: str, kind: str, limit: int = 60) -> list[str]:
    return [one for page in pages(tenant, path, kind, limit) for one in page]


def test_each_kind_has_its_own(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    image = picture(tenant, chat, NOW - 50, "see https://example.com")
    video = tenant.message(chat, "", at=NOW - 40, kind="video", media={"mime": "video/mp4", "ext": "mp4"})
    document = tenant.message(
        chat, "a.pdf", at=NOW - 30, kind="document", media={"mime": "application/pdf", "ext": "pdf"}
    )
    link = tenant.message(chat, "look: WWW.example.com/x", at=NOW - 20)
    tenant.message(chat, "no link, http or other", at=NOW - 10)
    path = f"chats/{chat.id}"
    assert all_of(tenant, path, "image") == [image]
    assert all_of(tenant, path, "video") == [f"{chat.id}-{video}"]
    assert all_of(tenant, path, "document") == [f"{chat.id}-{document}"]
    assert all_of(tenant, path, "link") == [f"{chat.id}-{link}", image]


def test_what_is_deleted_or_trimmed_is_not_shown(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    trimmed, deleted, kept = (picture(tenant, chat, NOW - age) for age in (30, 20, 10))
    key = int(deleted.partition("-")[2])
    tenant.world.sql("UPDATE messages SET kind = 14 WHERE chat_id = $1 AND key = $2", chat.id, key)
    tenant.world.sql("UPDATE chats SET floor_key = $2 WHERE id = $1", chat.id, int(trimmed.partition("-")[2]))
    assert all_of(tenant, f"chats/{chat.id}", "image") == [kept]


def test_a_device_shows_all_its_chats_by_time(tenant: Tenant) -> None:
    device, other = tenant.device(), tenant.device()
    chats = [tenant.chat(device) for _ in range(3)]
    shown = [picture(tenant, chats[number % 3], NOW - 1000 + number) for number in range(10)]
    # one broadcast: two chats, one key
    shown += [picture(tenant, chat, NOW, message_id="BROADCAST") for chat in chats[:2]]
    picture(tenant, tenant.chat(other), NOW)
    for limit in (1, 3, 60):
        found = pages(tenant, f"devices/{device.id}", "image", limit)
        assert [one for page in found for one in page] == shown[::-1]
        assert all(len(page) <= limit for page in found)


def test_more_chats_than_one_page_looks_at_are_all_found(tenant: Tenant) -> None:
    device = tenant.device()
    old = tenant.chat(device)
    expected = [picture(tenant, old, NOW - 5000)]
    tenant.world.sql(
        "INSERT INTO chats (tenant_id, device_no, jid, last_key)"
        " SELECT $1, $2, n || '@s.whatsapp.net', ($3::int8 + n / 10) << 32 FROM generate_series(1, 650) n RETURNING id",
        tenant.id, device.no, NOW - 4000,
    )  # fmt: skip
    busy = tenant.chat(device)
    expected.append(picture(tenant, busy, NOW - 4500))
    expected.append(picture(tenant, busy, NOW))
    found = pages(tenant, f"devices/{device.id}", "image", 60)
    assert [one for page in found for one in page] == expected[::-1]
    assert len(found) > 1


def test_a_long_chat_is_looked_through_in_parts(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    oldest = picture(tenant, chat, NOW - 90_000)
    rows = gallery.ROWS_OF_ONE_CHAT + 10
    tenant.world.sql(
        "INSERT INTO messages (chat_id, key, created_at, device_no, tenant_id, kind, flags, status, message_id)"
        " SELECT $1, ($2::int8 + n) << 32, now(), $3, $4, 0, 0, 0, 'N' || n FROM generate_series(1, $5::int) n",
        chat.id, NOW - 80_000, chat.device.no, tenant.id, rows,
    )  # fmt: skip
    newest = picture(tenant, chat, NOW)
    assert pages(tenant, f"chats/{chat.id}", "image", 60) == [[newest], [oldest]]


def test_an_unknown_kind_is_refused(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    answer = tenant.client("read").get(f"/api/v1/chats/{chat.id}/media", params={"kind": "poem"})
    assert answer.status_code == 400
    assert "poem" in answer.text
