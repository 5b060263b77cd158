"""`wafast export`: the same files as the API's, and messages."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.database import Database, value_of
from tests.system import run
from wafast.inbox import exports

MESSAGE = (
    "INSERT INTO messages (chat_id, key, created_at, device_no, tenant_id, kind, flags, status, message_id, body,"
    " reactions) VALUES ($1, $2::int8 << 32, now(), $3, $4, 0, $5, 0, 'M', $6, $7)"
)
REACTION = '[{"sender_jid": "60@s.whatsapp.net", "emoji": "👍", "at": 1795502469}]'


class Shop:
    """A workspace with a line, two chats, a lead and a campaign, and `wafast export` on its database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.uri, self.folder = database.uri, folder
        self.tenant = self.sql("INSERT INTO tenants (name) VALUES ('Shop') RETURNING id")
        line = "INSERT INTO devices (tenant_id, name, network) VALUES ($1, 'Sales', 'loopback') RETURNING no"
        self.line = self.sql(line, self.tenant)
        self.chats = [self.chat(f"6012345678{number}@s.whatsapp.net") for number in range(2)]

    def chat(self, jid: str) -> int:
        """A chat of the line."""
        made = "INSERT INTO chats (tenant_id, device_no, jid) VALUES ($1, $2, $3) RETURNING id"
        return int(self.sql(made, self.tenant, self.line, jid))

    def message(self, chat: int, at: int, text: str, *, reactions: str | None = None) -> None:
        """A message of the line's own."""
        self.sql(MESSAGE, chat, at, self.line, self.tenant, 1, text, reactions)

    def export(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command; its exit code must be as said."""
        done = run(self.folder, "export", *arguments, "--tenant", "Shop", check=False, DB_URI=self.uri)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def sql(self, query: str, *arguments: object) -> Any:
        """One value of a statement."""
        return value_of(self.uri, query, *arguments)


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Shop:
    """The workspace."""
    return Shop(database, tmp_path)


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_messages_of_a_line_and_of_a_chat(shop: Shop) -> None:
    first, second = shop.chats
    shop.message(first, 20, "=HYPERLINK(1)", reactions=REACTION)
    shop.message(first, 10, "Hello,\n“you”")
    shop.message(second, 15, "Other")
    other = shop.sql(
        "INSERT INTO devices (tenant_id, name, network) VALUES ($1, 'B', 'loopback') RETURNING no", shop.tenant
    )
    shop.line = other
    shop.message(shop.chat("60999@s.whatsapp.net"), 5, "Of another line")
    done = shop.export("messages", "Sales")
    shown = _rows(done.stdout)
    assert list(shown[0]) == list(exports.COLUMNS)
    assert [one["message_text"] for one in shown] == ["Hello,\n“you”", "'=HYPERLINK(1)", "Other"]
    assert (shown[0]["from_me"], shown[0]["timestamp"], shown[0]["deleted_at"]) == ("true", "10", "")
    assert json.loads(shown[1]["reactions"]) == json.loads(REACTION)
    assert re.fullmatch(r"messages: \d+ bytes\n", done.stderr)
    for chat in (str(first), "60123456780@s.whatsapp.net"):
        lines = shop.export("messages", "Sales", "--chat", chat, "--format", "jsonl").stdout.splitlines()
        told = [json.loads(line) for line in lines]
        assert [one["message_text"] for one in told] == ["Hello,\n“you”", "=HYPERLINK(1)"]
        assert told[1]["reactions"] == json.loads(REACTION)
    assert "has no chat" in shop.export("messages", "Sales", "--chat", "60999@s.whatsapp.net", code=2).stderr
    shop.sql("UPDATE chats SET floor_key = 10::int8 << 32 WHERE id = $1", first)
    assert len(_rows(shop.export("messages", "Sales").stdout)) == 2, "what is trimmed is not shown"


def test_pages_of_messages_leave_none_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        chat = shop.chat(f"60{number}@s.whatsapp.net")
        for at in range(1, 4):
            shop.message(chat, at, f"{number}-{at}")
    monkeypatch.setattr(exports, "CHATS", 2)
    monkeypatch.setattr(exports, "PIECE", 2)

    async def told() -> list[str]:
        async with asyncpg.create_pool(shop.uri, min_size=1, max_size=1) as pool:
            pieces = [piece async for piece in exports.as_json(pool, shop.tenant, shop.line)]
        assert len(pieces) > 5
        return [json.loads(line)["message_text"] for line in b"".join(pieces).splitlines()]

    assert asyncio.run(told()) == [f"{number}-{at}" for number in range(5) for at in range(1, 4)]


def test_leads_suppressions_and_a_campaign(shop: Shop) -> None:
    lead = "INSERT INTO leads (tenant_id, phone, name, zone, tags) VALUES ($1, $2, $3, 'UTC', $4)"
    shop.sql(lead, shop.tenant, "+60123456781", "Siti", ["kl"])
    shop.sql(lead, shop.tenant, "+60123456782", "Aina", [])
    shop.sql(
        "INSERT INTO suppressions (tenant_id, phone, reason, created_by) VALUES ($1, '+60123456783', 'STOP', 'lead')",
        shop.tenant,
    )
    assert shop.export("leads").stdout.splitlines() == [
        "name,phone,niche,target_status,trigger", "Aina,+60123456782,,prospect,", "Siti,+60123456781,kl,prospect,"
    ]  # fmt: skip
    assert [one["name"] for one in _rows(shop.export("leads", "--tag", "KL").stdout)] == ["Siti"]
    assert [one["name"] for one in _rows(shop.export("leads", "--search", "ain").stdout)] == ["Aina"]
    assert [one["phone"] for one in _rows(shop.export("suppressions").stdout)] == ["+60123456783"]
    source = shop.sql(
        "INSERT INTO sources (tenant_id, kind, template) VALUES ($1, 'text', 'Hi') RETURNING id", shop.tenant
    )
    campaign = (
        "INSERT INTO campaigns (tenant_id, source_id, name, audience, created_by)"
        " VALUES ($1, $2, 'Raya', '{}', 'user:1') RETURNING id"
    )
    made = shop.sql(campaign, shop.tenant, source)
    for which in ("Raya", str(made)):
        assert shop.export("campaign", which).stdout.startswith("phone,name,device,status,")
    assert "there is no campaign" in shop.export("campaign", "Eid", code=2).stderr


def test_a_file_is_there_when_it_is_whole(shop: Shop) -> None:
    file = shop.folder / "leads.csv"
    file.write_text("yesterday's")
    done = shop.export("leads", "-o", str(file))
    assert (done.stdout, file.read_text().splitlines()) == ("", ["name,phone,niche,target_status,trigger"])
    assert shop.export("messages", "Nobody", "-o", str(shop.folder / "none.csv"), code=2).stdout == ""
    assert sorted(one.name for one in shop.folder.iterdir() if one.suffix in (".csv", ".part")) == ["leads.csv"]
