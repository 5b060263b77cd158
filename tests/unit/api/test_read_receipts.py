"""Read receipts fit the notifications they travel in."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as some

from wafast.api.read_receipts import in_calls
from wafast.events.bus import MAX_PAYLOAD
from wafast.inbox.chats import Unread

unread = some.lists(
    some.builds(
        Unread,
        sender_jid=some.from_regex(r"60[0-9]{9}@s\.whatsapp\.net", fullmatch=True),
        message_ids=some.lists(
            some.text(alphabet="ABCDEF0123456789", min_size=1, max_size=40), min_size=1, max_size=99
        ),
    ),
    max_size=8,
)


@given(unread)
def test_every_id_is_told_once_and_each_call_fits(unread: list[Unread]) -> None:
    calls = list(in_calls(unread))
    told = [(one["sender"], message_id) for call in calls for one in call for message_id in one["ids"]]
    assert told == [(one.sender_jid, message_id) for one in unread for message_id in one.message_ids]
    for call in calls:
        assert len(msgspec.json.encode(call)) < MAX_PAYLOAD - 1500
