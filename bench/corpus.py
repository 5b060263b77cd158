"""Events as neonize hands them over, about 1,100 bytes each, of many chats and devices; the same for the same seed.

Contents are made once; a message is one of them with its chat, id and time filled in, which takes a few microseconds
where the protobuf classes take thirty.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

from wafast.devices.neonize_package import e2e, pb

MESSAGE = 17
WORDS = "selamat pagi boleh saya tahu harga barang ini masih ada lagi terima kasih nanti datang ambil ya bos".split()
FIRST_NUMBER = 60_100_000_000
"""Phone number of the first chat's person."""
CONTENTS = 2_000
EACH_SECOND = 200
"""Messages sent within one second of the corpus' own time."""

# What stands in a content's place for chat, id and time until they are filled in; each as long as what comes there.
_CHAT, _NUMBER, _MILLISECONDS = 999_999, 0xFEDC_BA98_7654_3210, 3_210_987_654_321


class Drawn(NamedTuple):
    """A message of the corpus: a content, and what is filled in."""

    content: int
    chat: int
    number: int
    at: int  # Unix seconds

    @property
    def id(self) -> str:
        """WhatsApp's id of it."""
        return f"3EB0{self.number:016X}"


def weights(chats: int) -> list[float]:
    """How often each chat gets a message, relative to the others (Zipf)."""
    return [1 / (rank + 10) for rank in range(chats)]


class Corpus:
    """Chats with a Zipf distribution over devices, and messages in them.

    Args:
        devices: device numbers; chat n belongs to the nth of them, round and round.
        chats: how many in all, at most a million.
        first: number of the first message, so that two corpora can share ids or not.
    """

    def __init__(self, devices: list[int], chats: int, *, seed: int = 7, first: int = 0) -> None:
        self._chance = random.Random(seed)
        self._devices = devices
        self._weights = list(accumulate(weights(chats)))
        self._ranks = range(chats)
        self._number = first
        self.contents = [_event(_content(self._chance)) for _ in range(CONTENTS)]
        self._blanks = [_with_blanks(event) for event in self.contents]

    @property
    def size(self) -> float:
        """Bytes of an event, on average."""
        return sum(map(len, self.contents)) / CONTENTS

    def draw(self, count: int, at: int, *, duplicates: float = 0.0) -> Iterator[Drawn]:
        """Messages in the order they come; `at` is the time of message 0. A share repeats one of the last 5,000."""
        chance = self._chance
        recent: list[Drawn] = []
        for rank in chance.choices(self._ranks, cum_weights=self._weights, k=count):
            if recent and chance.random() < duplicates:
                yield recent[int(chance.random() * len(recent))]
                continue
            number = self._number = self._number + 1
            drawn = Drawn(int(chance.random() * CONTENTS), rank, number, at + number // EACH_SECOND)
            if duplicates and len(recent) < 5000:
                recent.append(drawn)
            elif duplicates:
                recent[number % 5000] = drawn
            yield drawn

    def each_chat(self, at: int) -> Iterator[Drawn]:
        """A message in every chat."""
        for chat in self._ranks:
            number = self._number = self._number + 1
            yield Drawn(number % CONTENTS, chat, number, at + number // EACH_SECOND)

    def device(self, drawn: Drawn) -> int:
        """The device a message comes to."""
        return self._devices[drawn.chat % len(self._devices)]

    def event(self, drawn: Drawn) -> bytes:
        """The message as neonize's event."""
        return self._blanks[drawn.content] % {
            b"chat": b"%d" % (FIRST_NUMBER + drawn.chat),
            b"name": b"%06d" % drawn.chat,
            b"id": b"%016X" % drawn.number,
            b"at": _varint(drawn.at * 1000),
        }

    def events(self, messages: Iterable[Drawn]) -> list[tuple[int, bytes]]:
        """(device, event) of each message."""
        return [(self.device(drawn), self.event(drawn)) for drawn in messages]


def _jid(user: str, server: str) -> pb.JID:
    return pb.JID(User=user, Server=server, RawAgent=0, Device=0, Integrator=0, IsEmpty=not user)


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(words))


def _content(chance: random.Random) -> e2e.Message:
    secret = e2e.MessageContextInfo(messageSecret=chance.randbytes(32), deviceListMetadataVersion=2)
    kind = chance.random()
    if kind < 0.6:
        return e2e.Message(conversation=_text(chance, chance.randint(2, 40)), messageContextInfo=secret)
    if kind < 0.85:
        context = e2e.ContextInfo(stanzaID=chance.randbytes(10).hex().upper(), participant="60123456789@s.whatsapp.net")
        text = e2e.ExtendedTextMessage(text=_text(chance, chance.randint(4, 60)), contextInfo=context)
        return e2e.Message(extendedTextMessage=text, messageContextInfo=secret)
    image = e2e.ImageMessage(
        mimetype="image/jpeg", caption=_text(chance, 6), fileSHA256=chance.randbytes(32), fileLength=90_000,
        height=1200, width=1600, mediaKey=chance.randbytes(32), fileEncSHA256=chance.randbytes(32),
        directPath="/v/t62.7118-24/" + chance.randbytes(20).hex(), JPEGThumbnail=chance.randbytes(1600),
    )  # fmt: skip
    return e2e.Message(imageMessage=image, messageContextInfo=secret)


def _event(content: e2e.Message) -> bytes:
    """The event of a content; neonize repeats the content as `Raw`."""
    person, nobody = _jid(str(FIRST_NUMBER + _CHAT), "s.whatsapp.net"), _jid("", "")
    source = pb.MessageSource(
        Chat=person, Sender=person, IsFromMe=False, IsGroup=False, AddressingMode=1, SenderAlt=nobody,
        RecipientAlt=nobody, BroadcastListOwner=nobody,
    )  # fmt: skip
    info = pb.MessageInfo(
        MessageSource=source, ID=f"3EB0{_NUMBER:016X}", Type="text", Pushname=f"Pelanggan {_CHAT:06}",
        Timestamp=_MILLISECONDS, Category="", Multicast=False, MediaType="", Edit="", ServerID=0,
    )  # fmt: skip
    event: Any = pb.Message(Info=info, Message=content, Raw=content)
    return bytes(event.SerializePartialToString())


def _with_blanks(event: bytes) -> bytes:
    blanks = [
        (b"%d" % (FIRST_NUMBER + _CHAT), b"%(chat)b"),
        (b"Pelanggan %06d" % _CHAT, b"Pelanggan %(name)b"),
        (b"%016X" % _NUMBER, b"%(id)b"),
        (_varint(_MILLISECONDS), b"%(at)b"),
    ]
    event = event.replace(b"%", b"%%")
    for there, blank in blanks:
        event = event.replace(there, blank)
    return event


@lru_cache(maxsize=8)
def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])
