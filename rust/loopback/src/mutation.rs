//! What a phone sets in its app state: the collection, the index in it, and the value (whatsmeow `appstate/encode.go`).

use wafast_protocol::node::Jid;
use wafast_schema::sync_action::{
    ArchiveChatAction, ContactAction, MuteAction, PinAction, PushNameSetting, SyncActionValue,
};

/// The collection that holds the push name; whatsmeow takes it from nowhere else (`appstate.go`).
pub const NAME_COLLECTION: &str = "critical_block";

/// One value to set.
pub struct Mutation {
    pub collection: &'static str,
    /// JSON, as `["mute","60123456789@s.whatsapp.net"]`.
    pub index: String,
    pub value: SyncActionValue,
}

/// What the owner sets of a chat on the phone; None leaves it.
#[derive(Default)]
pub struct ChatSettings {
    /// Unix seconds; 0 ends it, -1 is for ever.
    pub muted_until: Option<i64>,
    pub pinned: Option<bool>,
    pub archived: Option<bool>,
    /// What the person is called in the phone's address book.
    pub name: Option<String>,
}

impl Mutation {
    /// The line's own name.
    pub fn push_name(name: &str) -> Self {
        let push_name_setting = Some(PushNameSetting { name: Some(name.to_owned()) });
        let value = SyncActionValue { push_name_setting, ..Default::default() };
        Self { collection: NAME_COLLECTION, index: r#"["setting_pushName"]"#.to_owned(), value }
    }

    fn of_chat(collection: &'static str, kind: &str, chat: &Jid, value: SyncActionValue) -> Self {
        Self { collection, index: format!(r#"["{kind}","{chat}"]"#), value }
    }
}

impl ChatSettings {
    /// A mutation for each.
    pub fn mutations(self, chat: &Jid) -> Vec<Mutation> {
        let value = SyncActionValue::default;
        let mute = self.muted_until.map(|until| {
            let end = (until > 0).then(|| until * 1000).or((until < 0).then_some(-1));
            let action = MuteAction { muted: Some(until != 0), mute_end_timestamp: end, ..Default::default() };
            Mutation::of_chat("regular_high", "mute", chat, SyncActionValue { mute_action: Some(action), ..value() })
        });
        let pin = self.pinned.map(|pinned| {
            let action = PinAction { pinned: Some(pinned) };
            Mutation::of_chat("regular_low", "pin_v1", chat, SyncActionValue { pin_action: Some(action), ..value() })
        });
        let archive = self.archived.map(|archived| {
            let action = ArchiveChatAction { archived: Some(archived), message_range: None };
            let value = SyncActionValue { archive_chat_action: Some(action), ..value() };
            Mutation::of_chat("regular_low", "archive", chat, value)
        });
        let contact = self.name.map(|name| {
            let first_name = name.split_whitespace().next().map(str::to_owned);
            let action = ContactAction { full_name: Some(name), first_name, ..Default::default() };
            let value = SyncActionValue { contact_action: Some(action), ..value() };
            Mutation::of_chat("critical_unblock_low", "contact", chat, value)
        });
        [mute, pin, archive, contact].into_iter().flatten().collect()
    }
}
