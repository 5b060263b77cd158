//! Every member of `waE2E.Message` (neonize 0.5.2) and what becomes of it: the one table of decoding.

use crate::{
    ai_answer, media, place,
    record::{Kind, flag},
    shown::{self, Shown as Parts},
    words::Path,
};

/// What becomes of a member. Paths are field numbers from the member inwards; the texts they lead to are joined by newline.
#[derive(Clone, Copy)]
pub enum Rule {
    /// The member itself is the text.
    Conversation,
    /// A text, and the card of a link in it.
    Linked,
    /// Texts at these paths, and where the `contextInfo` is (0: none). What has to have words and has none is stored
    /// with its name as text.
    Words(Kind, &'static [Path], u32),
    /// A text of parts that this finds, the file on top of it, and where the `contextInfo` is (0: none).
    Shown(fn(&[u8]) -> Parts<'_>, u32),
    /// A question with options; votes need more of it than its text.
    Poll,
    /// The question of a poll, and what came of it.
    Results,
    Media(Kind, &'static media::Layout),
    /// Audio, or a voice note when it says so.
    Audio,
    /// A place: texts at these paths, where it is, and a thumbnail.
    Place(&'static [Path], &'static place::Layout),
    /// Contact cards: those in this field, or itself (0).
    Cards(u32),
    /// Known by its kind alone.
    Bare(Kind),
    /// A message inside field 1 (`FutureProofMessage`), which gets these flags.
    Wrapper(i16),
    /// A message inside this field.
    Inside(u32),
    /// The text of the message inside field 1.
    Comment,
    Protocol,
    Reaction,
    Vote,
    Pin,
    /// It makes no row: keys, sealed changes, announcements of what comes by itself.
    Nothing,
    /// Stored with its name as text.
    Unsupported,
}

/// One member.
pub struct Member {
    pub number: u32,
    pub name: &'static str,
    pub rule: Rule,
}

const fn member(number: u32, name: &'static str, rule: Rule) -> Member {
    Member { number, name, rule }
}

/// The member with this number, if it is known.
#[must_use]
pub fn find(number: u32) -> Option<&'static Member> {
    let place = *PLACES.get(number as usize)?;
    MEMBERS.get(usize::from(place))
}

/// Where in [`MEMBERS`] each number is; [`NOWHERE`] for those that are none.
static PLACES: [u8; 256] = {
    let mut places = [NOWHERE; 256];
    let mut place = 0;
    while place < MEMBERS.len() {
        places[MEMBERS[place].number as usize] = place as u8;
        place += 1;
    }
    places
};
const NOWHERE: u8 = u8::MAX;

use Rule::{
    Audio, Bare, Cards, Comment, Conversation, Inside, Linked, Media, Nothing, Pin, Place, Poll, Protocol, Reaction,
    Results, Shown, Unsupported, Vote, Words, Wrapper,
};

/// In the order of their numbers, which are below 256.
pub const MEMBERS: &[Member] = &[
    member(1, "conversation", Conversation),
    member(2, "senderKeyDistributionMessage", Nothing),
    member(3, "imageMessage", Media(Kind::Image, &media::IMAGE)),
    member(4, "contactMessage", Cards(0)),
    member(5, "locationMessage", Place(&[&[3], &[4], &[11]], &place::LOCATION)),
    member(6, "extendedTextMessage", Linked),
    member(7, "documentMessage", Media(Kind::Document, &media::DOCUMENT)),
    member(8, "audioMessage", Audio),
    member(9, "videoMessage", Media(Kind::Video, &media::VIDEO)),
    member(10, "call", Words(Kind::Call, &[], 7)),
    member(11, "chat", Unsupported),
    member(12, "protocolMessage", Protocol),
    member(13, "contactsArrayMessage", Cards(2)),
    member(14, "highlyStructuredMessage", Shown(shown::of_structured, 0)),
    member(15, "fastRatchetKeySenderKeyDistributionMessage", Nothing),
    member(16, "sendPaymentMessage", Unsupported),
    member(18, "liveLocationMessage", Place(&[&[6]], &place::LIVE_LOCATION)),
    member(22, "requestPaymentMessage", Unsupported),
    member(23, "declinePaymentRequestMessage", Unsupported),
    member(24, "cancelPaymentRequestMessage", Unsupported),
    member(25, "templateMessage", Shown(shown::of_template, 3)),
    member(26, "stickerMessage", Media(Kind::Sticker, &media::STICKER)),
    member(28, "groupInviteMessage", Words(Kind::Text, &[&[4], &[6]], 7)),
    member(29, "templateButtonReplyMessage", Words(Kind::Text, &[&[2]], 3)),
    member(30, "productMessage", Shown(shown::of_product, 17)),
    member(31, "deviceSentMessage", Inside(2)),
    member(35, "messageContextInfo", Nothing),
    member(36, "listMessage", Words(Kind::Text, &[&[1], &[2], &[7], &[3]], 8)),
    member(37, "viewOnceMessage", Wrapper(flag::VIEW_ONCE)),
    member(38, "orderMessage", Words(Kind::Text, &[&[7], &[6]], 17)),
    member(39, "listResponseMessage", Words(Kind::Text, &[&[1]], 4)),
    member(40, "ephemeralMessage", Wrapper(flag::EPHEMERAL)),
    member(41, "invoiceMessage", Words(Kind::Text, &[&[1]], 0)),
    member(42, "buttonsMessage", Shown(shown::of_buttons, 8)),
    member(43, "buttonsResponseMessage", Words(Kind::Text, &[&[2]], 3)),
    member(44, "paymentInviteMessage", Unsupported),
    member(45, "interactiveMessage", Shown(shown::of_interactive, 15)),
    member(46, "reactionMessage", Reaction),
    member(47, "stickerSyncRmrMessage", Unsupported),
    member(48, "interactiveResponseMessage", Words(Kind::Text, &[&[1, 1]], 15)),
    member(49, "pollCreationMessage", Poll),
    member(50, "pollUpdateMessage", Vote),
    member(51, "keepInChatMessage", Nothing),
    member(53, "documentWithCaptionMessage", Wrapper(0)),
    member(54, "requestPhoneNumberMessage", Words(Kind::Unsupported, &[], 1)),
    member(55, "viewOnceMessageV2", Wrapper(flag::VIEW_ONCE)),
    member(56, "encReactionMessage", Nothing),
    member(58, "editedMessage", Wrapper(0)),
    member(59, "viewOnceMessageV2Extension", Wrapper(flag::VIEW_ONCE)),
    member(60, "pollCreationMessageV2", Poll),
    member(61, "scheduledCallCreationMessage", Words(Kind::Event, &[&[3]], 0)),
    member(62, "groupMentionedMessage", Wrapper(0)),
    member(63, "pinInChatMessage", Pin),
    member(64, "pollCreationMessageV3", Poll),
    member(65, "scheduledCallEditMessage", Unsupported),
    member(66, "ptvMessage", Media(Kind::Video, &media::VIDEO)),
    member(67, "botInvokeMessage", Wrapper(0)),
    member(69, "callLogMesssage", Bare(Kind::Call)),
    member(70, "messageHistoryBundle", Words(Kind::Unsupported, &[], 7)),
    member(71, "encCommentMessage", Unsupported),
    member(72, "bcallMessage", Unsupported),
    member(74, "lottieStickerMessage", Wrapper(0)),
    member(75, "eventMessage", Words(Kind::Event, &[&[3], &[4], &[5, 3]], 1)),
    member(76, "encEventResponseMessage", Nothing),
    member(77, "commentMessage", Comment),
    member(78, "newsletterAdminInviteMessage", Words(Kind::Text, &[&[2], &[4]], 6)),
    member(80, "placeholderMessage", Unsupported),
    member(82, "secretEncryptedMessage", Nothing),
    member(83, "albumMessage", Nothing),
    member(85, "eventCoverImage", Wrapper(0)),
    member(86, "stickerPackMessage", Words(Kind::Sticker, &[&[2]], 11)),
    member(87, "statusMentionMessage", Wrapper(0)),
    member(88, "pollResultSnapshotMessage", Results),
    member(90, "pollCreationOptionImageMessage", Wrapper(0)),
    member(91, "associatedChildMessage", Wrapper(0)),
    member(92, "groupStatusMentionMessage", Wrapper(0)),
    member(93, "pollCreationMessageV4", Wrapper(0)),
    member(95, "statusAddYours", Wrapper(0)),
    member(96, "groupStatusMessage", Wrapper(0)),
    member(97, "richResponseMessage", Shown(ai_answer::of_answer, 4)),
    member(98, "statusNotificationMessage", Unsupported),
    member(99, "limitSharingMessage", Wrapper(0)),
    member(100, "botTaskMessage", Wrapper(0)),
    member(101, "questionMessage", Wrapper(0)),
    member(102, "messageHistoryNotice", Words(Kind::Unsupported, &[], 1)),
    member(103, "groupStatusMessageV2", Wrapper(0)),
    member(104, "botForwardedMessage", Wrapper(flag::FORWARDED)),
    member(105, "statusQuestionAnswerMessage", Unsupported),
    member(106, "questionReplyMessage", Wrapper(0)),
    member(107, "questionResponseMessage", Words(Kind::Text, &[&[2]], 0)),
    member(109, "statusQuotedMessage", Unsupported),
    member(110, "statusStickerInteractionMessage", Unsupported),
    member(111, "pollCreationMessageV5", Poll),
    member(113, "newsletterFollowerInviteMessageV2", Words(Kind::Text, &[&[2], &[4]], 5)),
    member(115, "pollResultSnapshotMessageV3", Results),
    member(116, "newsletterAdminProfileMessage", Wrapper(0)),
    member(118, "spoilerMessage", Wrapper(0)),
    member(119, "pollCreationMessageV6", Poll),
    member(120, "conditionalRevealMessage", Unsupported),
    member(121, "pollAddOptionMessage", Unsupported),
    member(122, "eventInviteMessage", Words(Kind::Text, &[&[3], &[6]], 1)),
    member(123, "groupRootKeyShare", Unsupported),
    member(124, "paymentReminderMessage", Unsupported),
    member(125, "splitPaymentMessage", Words(Kind::Unsupported, &[], 17)),
    member(126, "newsletterAdminProfileStatusMessage", Wrapper(0)),
    member(127, "rootSecretDistributeMessage", Unsupported),
    member(128, "splitPaymentUpdateMessage", Unsupported),
    member(129, "musicMessage", Words(Kind::Unsupported, &[], 5)),
    member(130, "statusLinkPreviewMetadata", Unsupported),
    member(131, "botPlatformRegistrationSuccessMessage", Wrapper(0)),
    member(132, "newsletterScheduledMessage", Wrapper(0)),
    member(133, "acp2SettingMessage", Wrapper(0)),
    member(134, "audioStickerMessage", Wrapper(0)),
];
