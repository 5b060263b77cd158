"""A real neonize client in a process of its own, driven by lines of JSON: orders on stdin, events on stdout.

It refuses to start without a loopback proxy in its environment, and trusts only the Noise root of the profile it was
started for: a client without them would dial the real service.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

if not os.environ.get("HTTPS_PROXY", "").startswith("http://127.0.0.1:"):
    sys.exit("HTTPS_PROXY must be a loopback proxy")

import pylibmagic  # noqa: F401  (neonize needs libmagic found first)
from google.protobuf.json_format import MessageToDict
from neonize.aioze import client as neonize_client
from neonize.aioze import events as ev
from neonize.events import EVENT_TO_INT, UndecryptableMessageEv
from neonize.proto import Neonize_pb2 as pb
from neonize.utils.enum import ChatPresence, ChatPresenceMedia, Presence, ReceiptType
from neonize.utils.jid import build_jid

from wafast.devices import loopback_trust


def say(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def jid_text(jid: pb.JID) -> str:
    return f"{jid.User}@{jid.Server}" if jid.User else jid.Server


def to_jid(text: str) -> pb.JID:
    user, _, server = text.partition("@")
    return build_jid(user, server or "s.whatsapp.net")


class Line:
    def __init__(self, store: str) -> None:
        name = f"{store}?_foreign_keys=on&_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=5000&x="
        self.factory = neonize_client.ClientFactory(name)
        self.client = self.factory.new_client(uuid=os.path.basename(store))
        self.images: dict[str, Any] = {}
        for kind in EVENT_TO_INT:
            if kind is not ev.QREv:
                self.factory.event(kind)(self.on_event)
        self.client.event.qr(self.on_qr)

    async def on_qr(self, _client: Any, data: bytes) -> None:
        say(event="QR", qr=data.decode())

    async def on_event(self, _client: Any, event: Any) -> None:
        name = type(event).__name__
        if isinstance(event, ev.MessageEv):
            self.on_message(event)
        elif isinstance(event, ev.ReceiptEv):
            source = event.MessageSource
            say(
                event="Receipt",
                ids=list(event.MessageIDs),
                type=int(event.Type),
                chat=jid_text(source.Chat),
                sender=jid_text(source.Sender),
            )
        elif isinstance(event, ev.HistorySyncEv):
            ids = [m.message.key.ID for c in event.Data.conversations for m in c.messages]
            say(
                event="HistorySync",
                ids=ids,
                chats=[c.ID for c in event.Data.conversations],
                chunk=event.Data.chunkOrder,
                progress=event.Data.progress,
            )
        elif isinstance(event, UndecryptableMessageEv):
            say(event="Undecryptable", id=event.Info.ID)
        else:
            say(event=name, data=MessageToDict(event))

    def on_message(self, event: Any) -> None:
        info, message = event.Info, event.Message
        kind = message.ListFields()[0][0].name if message.ListFields() else "nothing"
        text = message.conversation or message.extendedTextMessage.text or message.imageMessage.caption
        if message.HasField("imageMessage"):
            kind = "imageMessage"
            self.images[info.ID] = message
        source = info.MessageSource
        say(
            event="Message",
            id=info.ID,
            kind=kind,
            text=text,
            chat=jid_text(source.Chat),
            sender=jid_text(source.Sender),
            alt=jid_text(source.SenderAlt),
            from_me=source.IsFromMe,
            group=source.IsGroup,
            name=info.Pushname,
            quoted=message.extendedTextMessage.contextInfo.stanzaID,
        )

    async def order(self, order: dict[str, Any]) -> Any:
        client, do = self.client, order["do"]
        match do:
            case "connect":
                await client.connect()
            case "pair_phone":
                return await client.PairPhone(order["phone"], True)
            case "text":
                return (await client.send_message(to_jid(order["to"]), order["text"])).ID
            case "image":
                data = base64.b64decode(order["data"])
                return (await client.send_image(to_jid(order["to"]), data, caption=order.get("caption"))).ID
            case "download":
                data = await client.download_any(self.images[order["id"]])
                return hashlib.sha256(data).hexdigest()
            case "read":
                chat = to_jid(order["chat"])
                sender = to_jid(order.get("sender", order["chat"]))
                await client.mark_read(*order["ids"], chat=chat, sender=sender, receipt=ReceiptType.READ)
            case "presence":
                await client.send_presence(Presence[order["state"].upper()])
            case "subscribe":
                await client.subscribe_presence(to_jid(order["to"]))
            case "typing":
                media = ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT
                state = getattr(ChatPresence, f"CHAT_PRESENCE_{order['state'].upper()}")
                await client.send_chat_presence(to_jid(order["to"]), state, media)
            case "on_whatsapp":
                answers = await client.is_on_whatsapp(*order["phones"])
                return [[answer.Query, jid_text(answer.JID), answer.IsIn] for answer in answers]
            case "groups":
                return [
                    [jid_text(g.JID), g.GroupName.Name, len(g.Participants)] for g in await client.get_joined_groups()
                ]
            case "active_receipts":
                await client.set_force_activate_delivery_receipts(True)
            case "me":
                me = await client.get_me()
                return {"jid": jid_text(me.JID), "device": me.JID.Device, "name": me.PushName}
            case "app_state":
                await client.send_app_state(pb.PatchInfo.FromString(base64.b64decode(order["patch"])))
            case "profile_name":
                await client.set_profile_name(order["name"])
            case "logout":
                await client.logout()
            case "stop":
                await client.stop()
            case _:
                raise ValueError(f"unknown order {do}")
        return None


async def serve(store: str) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(16))
    line = Line(store)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def run(order: dict[str, Any]) -> None:
        try:
            say(answer=order["n"], result=await line.order(order))
        except Exception as error:
            say(answer=order["n"], error=f"{type(error).__name__}: {error}")

    tasks = set()
    while text := await reader.readline():
        task = asyncio.create_task(run(json.loads(text)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    os._exit(0)


if __name__ == "__main__":
    loopback_trust.patch(Path(os.environ[loopback_trust.MARK]))
    asyncio.run(serve(sys.argv[1]))
