"""Shapes of content and what ingest makes of each: the kind, the words, the flags."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message as Protobuf
from neonize.proto.waAICommonDeprecated import WAAICommonDeprecated_pb2 as ai
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E import WAWebProtobufsE2E_pb2 as e2e
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import ContextInfo, FutureProofMessage, Message

from tests.integration.core.events import raw

DEFAULTS = {"is_ephemeral": False, "is_view_once": False, "is_forwarded": False, "is_pinned": False,
            "quoted_message_id": None, "reactions": None, "poll_votes": None, "edited_at": None, "deleted_at": None,
            "status": "received", "from_me": False}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """A content and the columns of its row; `kind` None: no row."""

    name: str
    content: Message
    kind: str | None
    text: str = ""
    columns: dict[str, Any] = field(default_factory=dict)

    @property
    def expected(self) -> dict[str, Any]:
        """All columns that the row must have."""
        return {**DEFAULTS, "message_type": self.kind, "message_text": self.text, **self.columns}


def wrapped(name: str, inner: Message) -> Message:
    """A message in one of the wrappers."""
    return Message(**{name: FutureProofMessage(message=inner)})


def nested(depth: int, inner: Message, name: str = "groupMentionedMessage") -> Message:
    """A message in so many wrappers."""
    for _ in range(depth):
        inner = wrapped(name, inner)
    return inner


def unknown(number: int, value: bytes, beside: Message | None = None) -> Message:
    """A message with a field that this protobuf does not have."""
    known = beside.SerializePartialToString() if beside is not None else b""
    return Message.FromString(known + raw(number, value))


def wrappers() -> list[str]:
    """Every field of type FutureProofMessage."""
    fields = Message.DESCRIPTOR.fields
    return [f.name for f in fields if f.message_type is not None and f.message_type.name == "FutureProofMessage"]


FLAGS_OF = {"ephemeralMessage": "is_ephemeral", "viewOnceMessage": "is_view_once", "viewOnceMessageV2": "is_view_once",
            "viewOnceMessageV2Extension": "is_view_once", "botForwardedMessage": "is_forwarded"}  # fmt: skip
#: Members that are neither a kind, nor a wrapper, nor nothing.
UNSUPPORTED = """
    chat sendPaymentMessage requestPaymentMessage declinePaymentRequestMessage cancelPaymentRequestMessage
    paymentInviteMessage stickerSyncRmrMessage requestPhoneNumberMessage scheduledCallEditMessage messageHistoryBundle
    encCommentMessage bcallMessage placeholderMessage statusNotificationMessage messageHistoryNotice
    statusQuestionAnswerMessage statusQuotedMessage statusStickerInteractionMessage conditionalRevealMessage
    pollAddOptionMessage groupRootKeyShare paymentReminderMessage splitPaymentMessage rootSecretDistributeMessage
    splitPaymentUpdateMessage musicMessage statusLinkPreviewMetadata
""".split()

HI = Message(conversation="hai")
BUTTON = e2e.ButtonsMessage.Button
ROW = e2e.ListMessage.Row


def _text(words: str, **context: Any) -> Message:
    return Message(extendedTextMessage=e2e.ExtendedTextMessage(text=words, contextInfo=ContextInfo(**context)))


def _member(name: str, value: Protobuf) -> Message:
    return Message(**{name: value})


def _present(name: str) -> Message:
    message = Message()
    getattr(message, name).SetInParent()
    return message


def _with_context(name: str) -> Message:
    message = Message()
    context = ContextInfo(stanzaID="Q1", isForwarded=True, expiration=86400)
    getattr(message, name).contextInfo.CopyFrom(context)
    return message


def _interactive() -> Message:
    kind = e2e.InteractiveMessage
    flow = kind.NativeFlowMessage(
        buttons=[kind.NativeFlowMessage.NativeFlowButton(name="quick_reply", buttonParamsJSON='{"display_text": "Ya"}')]
    )
    return Message(
        interactiveMessage=kind(
            header=kind.Header(title="Menu", subtitle="Hari ini"), body=kind.Body(text="Pilih"),
            footer=kind.Footer(text="Kedai"), nativeFlowMessage=flow,
            contextInfo=ContextInfo(isForwarded=True),
        )
    )  # fmt: skip


def _carousel() -> Message:
    kind = e2e.InteractiveMessage
    card = kind(header=kind.Header(title="Kad"), body=kind.Body(text="Satu"))
    cards = kind.CarouselMessage(cards=[card])
    return Message(interactiveMessage=kind(body=kind.Body(text="Lihat"), carouselMessage=cards))


def _native(*buttons: tuple[str, str]) -> Message:
    kind = e2e.InteractiveMessage
    flow = kind.NativeFlowMessage
    named = [flow.NativeFlowButton(name=name, buttonParamsJSON=parameters) for name, parameters in buttons]
    return Message(interactiveMessage=kind(body=kind.Body(text="Pilih"), nativeFlowMessage=flow(buttons=named)))


def _headed(body: str = "Pilih", **header: Any) -> Message:
    """An interactive message with something on top."""
    kind = e2e.InteractiveMessage
    return Message(interactiveMessage=kind(header=kind.Header(**header), body=kind.Body(text=body)))


def _hydrated(**title: Any) -> Message:
    return _template(hydratedTemplate=e2e.TemplateMessage.HydratedFourRowTemplate(
        hydratedContentText="Terima kasih", **title))  # fmt: skip


def _structured(words: str) -> e2e.HighlyStructuredMessage:
    return e2e.HighlyStructuredMessage(elementName="resit", params=[words])


def _four_rows() -> Message:
    button, label = e2e.TemplateButton, _structured
    return _template(fourRowTemplate=e2e.TemplateMessage.FourRowTemplate(
        highlyStructuredMessage=label("Resit"), content=label("Terima kasih"), footer=label("Kedai"), buttons=[
            button(quickReplyButton=button.QuickReplyButton(displayText=label("Ya"))),
            button(urlButton=button.URLButton(displayText=label("Buka"))),
            button(callButton=button.CallButton(displayText=label("Hubungi")))]))  # fmt: skip


def _unified(data: bytes) -> Message:
    answer = e2e.AIRichResponseMessage()
    answer.unifiedResponse.data = data
    return Message(richResponseMessage=answer)


PRICES = e2e.DocumentMessage(fileName="harga.pdf")
KLCC = e2e.LocationMessage(name="KLCC", address="Jalan Ampang")
PICTURE = e2e.ImageMessage(caption="Baju", mimetype="image/jpeg")
FILM = e2e.VideoMessage(caption="Klip", mimetype="video/mp4")


def _template(**forms: Any) -> Message:
    return Message(templateMessage=e2e.TemplateMessage(**forms))


HYDRATED = e2e.TemplateMessage.HydratedFourRowTemplate(
    hydratedTitleText="Resit", hydratedContentText="Terima kasih", hydratedFooterText="Kedai",
    hydratedButtons=[
        e2e.HydratedTemplateButton(
            urlButton=e2e.HydratedTemplateButton.HydratedURLButton(displayText="Buka", URL="https://kedai.example")
        )
    ],
)  # fmt: skip
POLL = e2e.PollCreationMessage(
    name="Makan apa?", options=[e2e.PollCreationMessage.Option(optionName=name) for name in ("Nasi", "Mee")]
)

KINDS = [
    Shape("conversation", HI, "text", "hai"),
    Shape("newlines and markup", Message(conversation="*satu*\n_dua_ https://x.my"), "text",
          "*satu*\n_dua_ https://x.my"),
    Shape("extended text", _text("selamat"), "text", "selamat"),
    Shape("quoting", _text("ya", stanzaID="Q1", participant="1@s.whatsapp.net"), "text", "ya",
          {"quoted_message_id": "Q1"}),
    Shape("forwarded", _text("baca", isForwarded=True, forwardingScore=4), "text", "baca", {"is_forwarded": True}),
    Shape("scored only", _text("baca", forwardingScore=4), "text", "baca"),
    Shape("expiring", _text("sekejap", expiration=86400), "text", "sekejap", {"is_ephemeral": True}),
    Shape("not expiring", _text("lama", expiration=0), "text", "lama"),
    Shape("image", Message(imageMessage=e2e.ImageMessage(mimetype="image/jpeg", caption="gambar")), "image", "gambar"),
    Shape("image without caption", Message(imageMessage=e2e.ImageMessage(mimetype="image/jpeg")), "image"),
    Shape("image with a blank caption", Message(imageMessage=e2e.ImageMessage(caption=" \u200e\n")), "image"),
    Shape("image once", Message(imageMessage=e2e.ImageMessage(viewOnce=True)), "image", "", {"is_view_once": True}),
    Shape("video", Message(videoMessage=e2e.VideoMessage(caption="klip", seconds=4)), "video", "klip"),
    Shape("video once", Message(videoMessage=e2e.VideoMessage(viewOnce=True)), "video", "", {"is_view_once": True}),
    Shape("gif", Message(videoMessage=e2e.VideoMessage(gifPlayback=True)), "video"),
    Shape("round video", Message(ptvMessage=e2e.VideoMessage(seconds=3)), "video"),
    Shape("audio", Message(audioMessage=e2e.AudioMessage(seconds=9, mimetype="audio/mp4")), "audio"),
    Shape("voice", Message(audioMessage=e2e.AudioMessage(PTT=True, seconds=2)), "voice"),
    Shape("voice once", Message(audioMessage=e2e.AudioMessage(PTT=True, viewOnce=True)), "voice", "",
          {"is_view_once": True}),
    Shape("document", Message(documentMessage=e2e.DocumentMessage(fileName="a.pdf", title="A")), "document", "a.pdf"),
    Shape("document with a title only", Message(documentMessage=e2e.DocumentMessage(title="Sebut harga")),
          "document", "Sebut harga"),
    *(Shape(f"document with a caption of {name}", Message(documentMessage=e2e.DocumentMessage(
        fileName="a.pdf", caption=blank)), "document", "a.pdf")
      for name, blank in (("blanks", " \n"), ("a zero-width space", "\u200b"))),
    Shape("document with a blank name", Message(documentMessage=e2e.DocumentMessage(fileName=" ", title="Harga")),
          "document", "Harga"),
    Shape("document with caption", wrapped("documentWithCaptionMessage", Message(
        documentMessage=e2e.DocumentMessage(fileName="a.pdf", caption="sebut harga"))), "document", "sebut harga"),
    Shape("sticker", Message(stickerMessage=e2e.StickerMessage(mimetype="image/webp", emojis="😀")), "sticker"),
    Shape("lottie", wrapped("lottieStickerMessage", Message(stickerMessage=e2e.StickerMessage(isLottie=True))),
          "sticker"),
    Shape("sticker pack", Message(stickerPackMessage=e2e.StickerPackMessage(name="Kucing", publisher="P")),
          "sticker", "Kucing"),
    Shape("place", Message(locationMessage=e2e.LocationMessage(
        degreesLatitude=3.1, degreesLongitude=101.6, name="KLCC", address="Jalan Ampang")),
        "location", "KLCC\nJalan Ampang"),
    Shape("place with a comment", Message(locationMessage=e2e.LocationMessage(
        degreesLatitude=3.1, name="KLCC", comment="jumpa sini", isLive=True)), "location", "KLCC\njumpa sini"),
    Shape("place without name", Message(locationMessage=e2e.LocationMessage(degreesLatitude=3.1)), "location"),
    Shape("live place", Message(liveLocationMessage=e2e.LiveLocationMessage(caption="sini")), "location", "sini"),
    Shape("contact", Message(contactMessage=e2e.ContactMessage(displayName="Ali", vcard="BEGIN:VCARD")),
          "contact", "Ali"),
    Shape("contact with a card only", Message(contactMessage=e2e.ContactMessage(
        vcard="BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ali bin Abu\r\nEND:VCARD")), "contact", "Ali bin Abu"),
    Shape("contact whose shown name can't be seen", Message(contactMessage=e2e.ContactMessage(
        displayName="\u200b", vcard="BEGIN:VCARD\nFN:Ali\nEND:VCARD")), "contact", "Ali"),
    Shape("contacts", Message(contactsArrayMessage=e2e.ContactsArrayMessage(displayName="2 contacts", contacts=[
        e2e.ContactMessage(displayName="Ali"), e2e.ContactMessage(displayName="Abu")])), "contact", "Ali\nAbu"),
    *(Shape(name, Message(**{name: POLL}), "poll", "Makan apa?") for name in (
        "pollCreationMessage", "pollCreationMessageV2", "pollCreationMessageV3", "pollCreationMessageV5",
        "pollCreationMessageV6")),
    Shape("wrapped poll", wrapped("pollCreationMessageV4", Message(pollCreationMessage=POLL)), "poll", "Makan apa?"),
    *(Shape(name, Message(**{name: e2e.PollResultSnapshotMessage(name="Makan apa?", pollVotes=[
        e2e.PollResultSnapshotMessage.PollVote(optionName="Nasi", optionVoteCount=2)])}), "poll", "Makan apa?")
      for name in ("pollResultSnapshotMessage", "pollResultSnapshotMessageV3")),
    Shape("event", Message(eventMessage=e2e.EventMessage(
        name="Gotong-royong", description="Bawa penyapu", location=e2e.LocationMessage(name="Surau"), joinLink="https://x.my")),
        "event", "Gotong-royong\nBawa penyapu\nSurau"),
    Shape("event with name only", Message(eventMessage=e2e.EventMessage(name="Jamuan")), "event", "Jamuan"),
    Shape("scheduled call", Message(scheduledCallCreationMessage=e2e.ScheduledCallCreationMessage(title="Mesyuarat")),
          "event", "Mesyuarat"),
    Shape("call", Message(call=e2e.Call(callKey=b"k", conversionSource="x")), "call"),
    Shape("call log", Message(callLogMesssage=e2e.CallLogMessage(isVideo=True, durationSecs=60)), "call"),
]  # fmt: skip

WORDS = [
    Shape("buttons", Message(buttonsMessage=e2e.ButtonsMessage(
        text="Menu", contentText="Pilih satu", footerText="Kedai",
        buttons=[BUTTON(buttonID="1", buttonText=BUTTON.ButtonText(displayText=name)) for name in ("Ya", "Tidak")])),
        "text", "Menu\nPilih satu\nKedai\nYa\nTidak"),
    *(Shape(f"buttons below a {name}", Message(buttonsMessage=e2e.ButtonsMessage(contentText="Pilih satu", **top)),
            "text", words) for name, top, words in (
        ("document", {"documentMessage": PRICES}, "harga.pdf\nPilih satu"),
        ("place", {"locationMessage": KLCC}, "KLCC\nJalan Ampang\nPilih satu"),
        ("picture", {"imageMessage": PICTURE}, "Baju\nPilih satu"),
        ("video", {"videoMessage": FILM}, "Klip\nPilih satu"),
        ("picture with the same words", {"imageMessage": e2e.ImageMessage(caption="Pilih satu")}, "Pilih satu"))),
    Shape("buttons below nothing but a picture", Message(buttonsMessage=e2e.ButtonsMessage(
        imageMessage=e2e.ImageMessage(mimetype="image/jpeg"))), "image"),
    Shape("chosen button", Message(buttonsResponseMessage=e2e.ButtonsResponseMessage(
        selectedButtonID="1", selectedDisplayText="Ya", contextInfo=ContextInfo(stanzaID="B1"))), "text", "Ya",
        {"quoted_message_id": "B1"}),
    Shape("list", Message(listMessage=e2e.ListMessage(
        title="Menu", description="Pilih satu", buttonText="Buka", footerText="Kedai",
        sections=[e2e.ListMessage.Section(title="Panas", rows=[ROW(title="Teh", rowID="t")])])),
        "text", "Menu\nPilih satu\nKedai\nBuka"),
    Shape("chosen row", Message(listResponseMessage=e2e.ListResponseMessage(
        title="Teh", description="panas",
        singleSelectReply=e2e.ListResponseMessage.SingleSelectReply(selectedRowID="t"))),
        "text", "Teh"),
    Shape("template", _template(hydratedTemplate=HYDRATED), "text", "Resit\nTerima kasih\nKedai\nBuka"),
    *(Shape(f"template below a {name}", _hydrated(**top), "text", words) for name, top, words in (
        ("document", {"documentMessage": PRICES}, "harga.pdf\nTerima kasih"),
        ("place", {"locationMessage": KLCC}, "KLCC\nJalan Ampang\nTerima kasih"),
        ("picture", {"imageMessage": PICTURE}, "Baju\nTerima kasih"),
        ("video", {"videoMessage": FILM}, "Klip\nTerima kasih"))),
    Shape("template by parameters", _four_rows(), "text", "Resit\nTerima kasih\nKedai\nYa\nBuka\nHubungi"),
    Shape("template with buttons of each kind", _template(hydratedTemplate=e2e.TemplateMessage.HydratedFourRowTemplate(
        hydratedContentText="Pilih", hydratedButtons=[
            e2e.HydratedTemplateButton(urlButton=e2e.HydratedTemplateButton.HydratedURLButton(displayText="Buka")),
            e2e.HydratedTemplateButton(callButton=e2e.HydratedTemplateButton.HydratedCallButton(displayText="Hubungi")),
            e2e.HydratedTemplateButton(
                quickReplyButton=e2e.HydratedTemplateButton.HydratedQuickReplyButton(displayText="Tidak"))])),
        "text", "Pilih\nBuka\nHubungi\nTidak"),
    Shape("template in both forms", _template(hydratedTemplate=HYDRATED, hydratedFourRowTemplate=HYDRATED),
          "text", "Resit\nTerima kasih\nKedai\nBuka"),
    Shape("chosen in template", Message(templateButtonReplyMessage=e2e.TemplateButtonReplyMessage(
        selectedID="1", selectedDisplayText="Buka")), "text", "Buka"),
    Shape("structured", Message(highlyStructuredMessage=e2e.HighlyStructuredMessage(
        elementName="resit", hydratedHsm=e2e.TemplateMessage(hydratedTemplate=HYDRATED))),
        "text", "Resit\nTerima kasih\nKedai\nBuka"),
    Shape("interactive", _interactive(), "text", "Menu\nHari ini\nPilih\nKedai\nYa", {"is_forwarded": True}),
    *(Shape(f"interactive below a {name}", _headed(**top), "text", words) for name, top, words in (
        ("document", {"title": "Harga", "documentMessage": PRICES}, "Harga\nharga.pdf\nPilih"),
        ("place", {"locationMessage": KLCC}, "KLCC\nJalan Ampang\nPilih"),
        ("picture", {"imageMessage": e2e.ImageMessage(mimetype="image/jpeg")}, "Pilih"),
        ("product", {"productMessage": e2e.ProductMessage(product=e2e.ProductMessage.ProductSnapshot(
            title="Baju", description="Biru"))}, "Baju\nPilih"))),
    Shape("interactive of a video only", _headed("", videoMessage=e2e.VideoMessage(seconds=3)), "video"),
    Shape("button that opens a list", _native(("single_select", '{"title": "Menu", "sections": [{"title": "Panas"}]}'),
          ("quick_reply", '{"display_text": "Tidak", "title": "x"}'),
          ("single_select", '{"display_text": "", "title": "Teh"}'),
          ("single_select", '{"display_text": null, "title": "Kopi"}')), "text", "Pilih\nMenu\nTidak\nTeh\nKopi"),
    Shape("button whose label is cut through a character", _native(("quick_reply", '{"display_text": "Ya \\ud83d"}')),
          "text", "Pilih\nYa \ufffd"),
    Shape("carousel", _carousel(), "text", "Lihat\nKad\nSatu"),
    Shape("chosen in interactive", Message(interactiveResponseMessage=e2e.InteractiveResponseMessage(
        body=e2e.InteractiveResponseMessage.Body(text="Ya"))), "text", "Ya"),
    Shape("product", Message(productMessage=e2e.ProductMessage(product=e2e.ProductMessage.ProductSnapshot(
        title="Baju", description="Biru"), body="Baru sampai", footer="Kedai")),
        "text", "Baju\nBiru\nBaru sampai\nKedai"),
    Shape("order", Message(orderMessage=e2e.OrderMessage(orderTitle="Pesanan", message="dua helai", itemCount=2)),
          "text", "Pesanan\ndua helai"),
    Shape("group invitation", Message(groupInviteMessage=e2e.GroupInviteMessage(
        groupName="Keluarga", caption="masuklah")), "text", "Keluarga\nmasuklah"),
    Shape("newsletter admin invitation", Message(newsletterAdminInviteMessage=e2e.NewsletterAdminInviteMessage(
        newsletterName="Berita", caption="jadi admin")), "text", "Berita\njadi admin"),
    Shape("newsletter follower invitation", Message(
        newsletterFollowerInviteMessageV2=e2e.NewsletterFollowerInviteMessage(newsletterName="Berita", caption="ikut")),
        "text", "Berita\nikut"),
    Shape("event invitation", Message(eventInviteMessage=e2e.EventInviteMessage(eventTitle="Jamuan", caption="datang")),
          "text", "Jamuan\ndatang"),
    Shape("AI answer", Message(richResponseMessage=e2e.AIRichResponseMessage(submessages=[
        ai.AIRichResponseSubMessage(messageText="Jawapan"), ai.AIRichResponseSubMessage(messageText="kedua")])),
        "text", "Jawapan\nkedua"),
    Shape("AI answer in one piece", _unified(
        b'{"sections": [{"view_model": {"primitive": {"text": "Jawapan", "__typename": "X"}}}, {"text": "kedua"}]}'),
        "text", "Jawapan\nkedua"),
    Shape("AI answer of words only", _unified(b"Ini jawapan"), "text", "Ini jawapan"),
    Shape("AI answer of bytes", _unified(b"\x00\xff\x01"), "unsupported", "richResponseMessage"),
    Shape("AI answer without words", _unified(b'{"sections": []}'), "unsupported", "richResponseMessage"),
    Shape("comment", Message(commentMessage=e2e.CommentMessage(
        message=Message(conversation="setuju"), targetMessageKey=MessageKey(ID="X"))), "text", "setuju"),
    Shape("comment of a caption", Message(commentMessage=e2e.CommentMessage(
        message=Message(imageMessage=e2e.ImageMessage(caption="lihat")))), "text", "lihat"),
    Shape("question response", Message(questionResponseMessage=e2e.QuestionResponseMessage(
        key=MessageKey(ID="X"), text="jawab")), "text", "jawab"),
]  # fmt: skip

WRAPPED = [
    *(Shape(name, wrapped(name, HI), "text", "hai", {FLAGS_OF[name]: True} if name in FLAGS_OF else {})
      for name in wrappers()),
    Shape("device sent", Message(deviceSentMessage=e2e.DeviceSentMessage(
        destinationJID="1@s.whatsapp.net", message=HI)), "text", "hai"),
    Shape("once in ephemeral", wrapped("ephemeralMessage", wrapped("viewOnceMessageV2", Message(
        imageMessage=e2e.ImageMessage(caption="x")))), "image", "x", {"is_ephemeral": True, "is_view_once": True}),
    Shape("sixteen wrappers", nested(16, HI), "text", "hai"),
    Shape("seventeen wrappers", nested(16, wrapped("spoilerMessage", HI)), "unsupported", "spoilerMessage"),
    Shape("the seventeenth names itself", wrapped("spoilerMessage", nested(15, wrapped("statusAddYours", wrapped(
        "botTaskMessage", HI)))), "unsupported", "statusAddYours"),
    Shape("too deep, and opened on the way", nested(16, wrapped("spoilerMessage", HI), "ephemeralMessage"),
          "unsupported", "spoilerMessage", {"is_ephemeral": True}),
    Shape("unknown field in a wrapper", wrapped("viewOnceMessageV2", unknown(999, b"\x12\x03abc")),
          "unsupported", "field_999", {"is_view_once": True}),
    Shape("wrapper of nothing", _present("ephemeralMessage"), None),
    Shape("wrapper of an empty message", wrapped("ephemeralMessage", Message()), None),
    Shape("wrapper of keys", wrapped("ephemeralMessage", Message(messageContextInfo=e2e.MessageContextInfo(
        messageSecret=b"s" * 32))), None),
    Shape("unsupported in a wrapper", wrapped("ephemeralMessage", _present("placeholderMessage")),
          "unsupported", "placeholderMessage", {"is_ephemeral": True}),
    Shape("unknown wrapper", unknown(999, raw(1, HI.SerializeToString())), "text", "hai"),
    Shape("unknown wrapper of a wrapper", unknown(999, raw(1, wrapped("ephemeralMessage", HI).SerializeToString())),
          "text", "hai", {"is_ephemeral": True}),
    Shape("unknown in unknown", unknown(999, raw(1, raw(998, raw(1, HI.SerializeToString())))), "text", "hai"),
    Shape("unknown in a wrapper", wrapped("ephemeralMessage", unknown(999, raw(1, HI.SerializeToString()))),
          "text", "hai", {"is_ephemeral": True}),
]  # fmt: skip

UNKNOWN = [
    *(Shape(name, _present(name), "unsupported", name) for name in UNSUPPORTED),
    *(Shape(f"{name} with a context", _with_context(name), "unsupported", name,
            {"is_ephemeral": True, "is_forwarded": True, "quoted_message_id": "Q1"}) for name in (
        "requestPhoneNumberMessage", "messageHistoryBundle", "messageHistoryNotice", "splitPaymentMessage",
        "musicMessage")),
    Shape("unknown field", unknown(999, b"\x12\x03abc"), "unsupported", "field_999"),
    Shape("unknown field with text in field 1", unknown(999, raw(1, b"hello there")), "unsupported", "field_999"),
    Shape("unknown field with two bytes in field 1", unknown(999, raw(1, b"hi")), "unsupported", "field_999"),
    Shape("unknown field with more than field 1", unknown(999, raw(1, HI.SerializeToString()) + raw(2, b"x")),
          "unsupported", "field_999"),
    Shape("unknown field of unknown content", unknown(999, raw(1, raw(998, b"\x10\x01"))), "unsupported", "field_999"),
    Shape("unknown field of keys", unknown(999, raw(1, Message(messageContextInfo=e2e.MessageContextInfo(
        messageSecret=b"s" * 32)).SerializeToString())), "unsupported", "field_999"),
    Shape("unknown group", Message.FromString(b"\xe3\x08\x08\x01\xe4\x08"), "unsupported", "field_140"),
    Shape("empty unknown field", unknown(999, b""), "unsupported", "field_999"),
    Shape("text beside an unknown field", unknown(999, b"\x08\x01", HI), "text", "hai"),
    Shape("unknown field below known content", unknown(17, b"\x12\x01a", Message(stickerMessage=e2e.StickerMessage())),
          "unsupported", "field_17"),
    Shape("empty text", Message(conversation=""), "unsupported", "conversation"),
    Shape("blank text", Message(conversation=" \n "), "unsupported", "conversation"),
    *(Shape(f"text of U+{ord(one):04X} only", Message(conversation=one * 3), "unsupported", "conversation")
      for one in "\u200b\u2060\ufeff\u3164\u2800\ufe0f"),
    Shape("extended text without anything to see", _text("\u200e \u200b"), "unsupported", "extendedTextMessage"),
    Shape("buttons without anything to see", Message(buttonsMessage=e2e.ButtonsMessage(contentText="\u200b")),
          "unsupported", "buttonsMessage"),
    Shape("empty extended text", _present("extendedTextMessage"), "unsupported", "extendedTextMessage"),
    *(Shape(f"empty {name}", _present(name), "unsupported", name) for name in (
        "buttonsMessage", "listMessage", "templateMessage", "interactiveMessage", "productMessage", "orderMessage",
        "groupInviteMessage", "richResponseMessage", "commentMessage", "questionResponseMessage", "listResponseMessage",
        "invoiceMessage", "highlyStructuredMessage")),
]  # fmt: skip

SECRET = e2e.MessageContextInfo(messageSecret=b"s" * 32)


def _associated(kind: int) -> e2e.MessageContextInfo:
    return e2e.MessageContextInfo(messageAssociation=e2e.MessageAssociation(associationType=kind))


def _protocol(kind: str, **fields: Any) -> Message:
    types = e2e.ProtocolMessage.Type
    return Message(protocolMessage=e2e.ProtocolMessage(type=types.Value(kind), **fields))


NOTHING = [
    Shape("empty message", Message(), None),
    Shape("key only", Message(messageContextInfo=SECRET), None),
    Shape("key distribution", Message(senderKeyDistributionMessage=e2e.SenderKeyDistributionMessage(
        groupID="1@g.us", axolotlSenderKeyDistributionMessage=b"k")), None),
    Shape("fast key distribution", _present("fastRatchetKeySenderKeyDistributionMessage"), None),
    *(Shape(kind.name, _protocol(kind.name), None) for kind in e2e.ProtocolMessage.Type.DESCRIPTOR.values
      if kind.name not in ("REVOKE", "MESSAGE_EDIT")),
    Shape("timer change", _protocol("EPHEMERAL_SETTING", ephemeralExpiration=86400, key=MessageKey(ID="T")), None),
    Shape("album", Message(albumMessage=e2e.AlbumMessage(expectedImageCount=2)), None),
    Shape("keep in chat", Message(keepInChatMessage=e2e.KeepInChatMessage(key=MessageKey(ID="T"))), None),
    Shape("sealed change", Message(secretEncryptedMessage=e2e.SecretEncryptedMessage(encPayload=b"x")), None),
    Shape("sealed reaction", Message(encReactionMessage=e2e.EncReactionMessage(encPayload=b"x")), None),
    Shape("event answer", Message(encEventResponseMessage=e2e.EncEventResponseMessage(encPayload=b"x")), None),
    *(Shape(f"HD twin {twin}", wrapped("associatedChildMessage", Message(imageMessage=e2e.ImageMessage(
        caption="x", contextInfo=ContextInfo(pairedMediaType=twin)))), None) for twin in (2, 4)),
    *(Shape(f"HD twin by association {kind}", Message(
        associatedChildMessage=FutureProofMessage(message=Message(imageMessage=e2e.ImageMessage(caption="x"))),
        messageContextInfo=_associated(kind)), None) for kind in (5, 10)),
    Shape("HD twin whose secret stands further in", Message(
        messageContextInfo=_associated(5), associatedChildMessage=FutureProofMessage(message=Message(
            imageMessage=e2e.ImageMessage(caption="x"), messageContextInfo=SECRET))), None),
    Shape("what stands further in is no twin", Message(
        messageContextInfo=_associated(5), associatedChildMessage=FutureProofMessage(message=Message(
            imageMessage=e2e.ImageMessage(caption="x"), messageContextInfo=_associated(1)))), "image", "x"),
    *(Shape(f"parent of a twin {parent}", Message(imageMessage=e2e.ImageMessage(
        caption="x", contextInfo=ContextInfo(pairedMediaType=parent))), "image", "x") for parent in (0, 1, 3)),
    Shape("picture of an album", Message(imageMessage=e2e.ImageMessage(caption="x"), messageContextInfo=_associated(1)),
          "image", "x"),
]  # fmt: skip

TWO = [
    Shape("text with its keys", Message(conversation="hai", messageContextInfo=SECRET), "text", "hai"),
    Shape("text with key distribution", Message(conversation="hai", senderKeyDistributionMessage=(
        e2e.SenderKeyDistributionMessage(groupID="1@g.us"))), "text", "hai"),
    Shape("picture and text", Message(imageMessage=e2e.ImageMessage(caption="a"), extendedTextMessage=(
        e2e.ExtendedTextMessage(text="b"))), "image", "a"),
    Shape("document and sticker", Message(documentMessage=e2e.DocumentMessage(fileName="a.pdf"), stickerMessage=(
        e2e.StickerMessage())), "document", "a.pdf"),
    Shape("poll and event", Message(pollCreationMessageV3=POLL, eventMessage=e2e.EventMessage(name="x")),
          "poll", "Makan apa?"),
]  # fmt: skip

BAD, REPAIRED = "~bad~", "a\ufffd\ufffdb"
TEXTS = [
    Shape("zero in a text", Message(conversation="a\0b"), "text", "ab"),
    Shape("zero alone", Message(conversation="\0"), "unsupported", "conversation"),
    Shape("bad text", Message(conversation=BAD), "text", REPAIRED),
    Shape("zero in a caption", Message(imageMessage=e2e.ImageMessage(caption="a\0b")), "image", "ab"),
    Shape("bad file name", Message(documentMessage=e2e.DocumentMessage(fileName=BAD)), "document", REPAIRED),
    Shape("bad mime", Message(imageMessage=e2e.ImageMessage(mimetype=BAD + "\0", directPath=BAD + "\0")), "image"),
    Shape("bad quoted", _text("x", stanzaID=BAD + "\0"), "text", "x", {"quoted_message_id": REPAIRED}),
    Shape("bad contact", Message(contactMessage=e2e.ContactMessage(displayName=BAD + "\0")), "contact", REPAIRED),
    Shape("bad poll", Message(pollCreationMessage=e2e.PollCreationMessage(name=BAD, options=[
        e2e.PollCreationMessage.Option(optionName=BAD + "\0")])), "poll", REPAIRED),
    Shape("every script", Message(conversation="你好 مرحبا 👩‍👩‍👧 𝔘"), "text", "你好 مرحبا 👩‍👩‍👧 𝔘"),
]  # fmt: skip

SHAPES = [*KINDS, *WORDS, *WRAPPED, *UNKNOWN, *NOTHING, *TWO, *TEXTS]
