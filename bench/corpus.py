"""Events as neonize hands them over, about 1,100 bytes each, of many chats and devices; the same for the same seed."""

from __future__ import annotations

import random
from itertools import accumulate

from neonize.proto import Neonize_pb2 as pb
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    ContextInfo,
    ExtendedTextMessage,
    ImageMessage,
    Message,
    MessageContextInfo,
)

MESSAGE = 17
WORDS = "selamat pagi boleh saya tahu harga barang ini masih ada lagi terima kasih nanti datang ambil ya bos".split()


def _jid(user: str, server: str) -> pb.JID:
    return pb.JID(User=user, Server=server, RawAgent=0, Device=0, Integrator=0, IsEmpty=not user)


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(words))


def _content(chance: random.Random) -> Message:
    secret = MessageContextInfo(messageSecret=chance.randbytes(32), deviceListMetadataVersion=2)
    kind = chance.random()
    if kind < 0.6:
        return Message(conversation=_text(chance, chance.randint(2, 40)), messageContextInfo=secret)
    if kind < 0.85:
        context = ContextInfo(stanzaID=chance.randbytes(10).hex().upper(), participant="60123456789@s.whatsapp.net")
        text = ExtendedTextMessage(text=_text(chance, chance.randint(4, 60)), contextInfo=context)
        return Message(extendedTextMessage=text, messageContextInfo=secret)
    image = ImageMessage(
        mimetype="image/jpeg", caption=_text(chance, 6), fileSHA256=chance.randbytes(32), fileLength=90_000,
        height=1200, width=1600, mediaKey=chance.randbytes(32), fileEncSHA256=chance.randbytes(32),
        directPath="/v/t62.7118-24/" + chance.randbytes(20).hex(), JPEGThumbnail=chance.randbytes(700),
    )  # fmt: skip
    return Message(imageMessage=image, messageContextInfo=secret)


class Corpus:
    """Chats with a Zipf distribution over devices, and events of them.

    Args:
        devices: device numbers.
        chats: how many in all.
        first: number of the first event, so that two corpora can share ids or not.
    """

    def __init__(self, devices: list[int], chats: int, *, seed: int = 7, first: int = 0) -> None:
        self._chance = random.Random(seed)
        self._devices = devices
        self._weights = list(accumulate(1 / (rank + 10) for rank in range(chats)))
        self._ranks = range(chats)
        self._number = first

    def events(self, count: int, at: int, *, duplicates: float = 0.0) -> list[tuple[int, bytes]]:
        """(device, event) in the order they come; a share of them repeats an earlier one of this call."""
        chance = self._chance
        chosen = chance.choices(self._ranks, cum_weights=self._weights, k=count)
        events: list[tuple[int, bytes]] = []
        for rank in chosen:
            if duplicates and events and chance.random() < duplicates:
                events.append(chance.choice(events[-5000:]))
                continue
            self._number += 1
            events.append((self._devices[rank % len(self._devices)], self.event(rank, self._number, at)))
        return events

    def event(self, chat: int, number: int, at: int) -> bytes:
        """One event; neonize repeats the content as `Raw`."""
        content = _content(self._chance)
        person = _jid(str(60_100_000_000 + chat), "s.whatsapp.net")
        nobody = _jid("", "")
        source = pb.MessageSource(
            Chat=person, Sender=person, IsFromMe=False, IsGroup=False, AddressingMode=1, SenderAlt=nobody,
            RecipientAlt=nobody, BroadcastListOwner=nobody,
        )  # fmt: skip
        info = pb.MessageInfo(
            MessageSource=source, ID=f"3EB0{number:016X}", Type="text", Pushname=f"Pelanggan {chat}",
            Timestamp=(at + number // 200) * 1000, Category="", Multicast=False, MediaType="", Edit="", ServerID=0,
        )  # fmt: skip
        event = pb.Message(Info=info, Message=content, Raw=content)
        return bytes(event.SerializePartialToString())
