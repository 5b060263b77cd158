//! One batch, one transaction: the order of the steps.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::json;
use tokio_postgres::Error;

use super::{
    changes::{self, Wanted},
    chats::{self, Chats, Owner},
    lids::{self, Known, Map},
    messages::{Batch, Row},
};
use crate::{
    announce::{self, News},
    batch::Item,
    connection::Database,
    jid::Jid,
    pipeline::Shared,
    record::{self, ChatInfo, Message, Record},
    stats,
};

/// Reading a chat on the phone: up to the newest of these messages.
const READ_UP_TO: &str = "\
    SELECT t.chat_id, max(m.key) FROM messages m JOIN unnest($1::int8[], $2::text[]) t (chat_id, message_id) \
    ON m.chat_id = t.chat_id AND m.message_id = t.message_id GROUP BY t.chat_id";
const STILL_UNREAD: &str = "\
    SELECT t.chat_id, count(m.key)::int4 FROM unnest($1::int8[], $2::int8[]) t (chat_id, key) \
    LEFT JOIN messages m ON m.chat_id = t.chat_id AND m.key > t.key AND m.flags & 1 = 0 GROUP BY t.chat_id";

/// What a committed transaction did.
pub struct Done {
    pub news: News,
    pub lids: lids::Loaded,
}

/// Stores a batch. `announce_known`: say of messages that are there already that they are new, because nobody may have.
///
/// # Errors
/// PostgreSQL refuses something, or is away; nothing is stored then.
pub async fn run(
    database: &Database,
    shared: &Shared,
    known: &Known,
    batch: &[Item],
    announce_known: bool,
) -> Result<Done, Error> {
    database.run("BEGIN").await?;
    let done = steps(database, shared, known, batch, announce_known).await;
    match done {
        Ok(done) => database.run("COMMIT").await.map(|()| done),
        Err(error) => {
            // A connection that is gone has rolled back by itself.
            let _ = database.run("ROLLBACK").await;
            Err(error)
        }
    }
}

async fn steps(
    database: &Database,
    shared: &Shared,
    known: &Known,
    batch: &[Item],
    announce_known: bool,
) -> Result<Done, Error> {
    let devices: BTreeSet<i32> = batch.iter().map(|item| item.device.no).collect();
    let owners = chats::owners(database, &devices).await?;
    let records = || {
        let of_item = |item: &Item| (item.device.no, item.is_replay || announce_known);
        let living = batch.iter().filter(|item| owners.contains_key(&item.device.no));
        living.flat_map(move |item| item.records.iter().map(move |record| (of_item(item), record)))
    };
    let told = lids::told(records().filter_map(|((no, _), record)| match record {
        Record::Lid { lid, number } => Some((no, *lid, *number)),
        _ => None,
    }));
    let (map, renamed) = Map::open(database, known, &owners, told).await?;
    let chats = Chats::lock(database, &owners, &wanted_chats(records(), &owners, &map)).await?;
    let mut step = Step { database, shared, owners: &owners, map: &map, chats, news: News::default() };
    let New { batch: mut messages, repaired, again } = step.new_messages(records());
    messages.drop_known(database, &repaired).await?;
    step.insert(&mut messages, again).await?;
    let mut wanted = changes::take_waiting(database, &messages).await?;
    wanted.extend(step.wanted_changes(records()));
    step.apply(wanted).await?;
    step.read_by_us(records()).await?;
    step.describe(records()).await?;
    step.chats.save(database, shared.options.messages_per_chat).await?;
    step.announce(records(), &renamed);
    let news = step.news;
    Ok(Done { news, lids: map.into_loaded() })
}

type Origin = (i32, bool);

/// The chats a batch is about, and whether each must be made when it is not there.
fn wanted_chats<'a>(
    records: impl Iterator<Item = (Origin, &'a Record)>,
    owners: &HashMap<i32, Owner>,
    map: &Map<'_>,
) -> BTreeMap<(i32, String), bool> {
    let mut wanted = BTreeMap::new();
    for ((no, _), record) in records {
        let (jid, is_needed) = match record {
            Record::Message(message) => (&message.chat, true),
            Record::Change(target) => (&target.chat, true),
            Record::Chat(info) => (&info.chat, true),
            Record::Name { jid, .. } => (jid, jid.is_group()),
            Record::ReadByUs { chat, .. } | Record::Typing { chat, .. } => (chat, false),
            Record::Lid { .. } | Record::Presence { .. } => continue,
        };
        *wanted.entry((no, map.resolve(&owners[&no], jid).to_string())).or_insert(false) |= is_needed;
    }
    wanted
}

/// The messages of a batch.
#[derive(Default)]
struct New {
    batch: Batch,
    /// (chat, message id) of those whose time was repaired.
    repaired: BTreeSet<(i64, String)>,
    /// To announce even if they are there already.
    again: Vec<(announce::Chat, i64)>,
}

struct Step<'a> {
    database: &'a Database,
    shared: &'a Shared,
    owners: &'a HashMap<i32, Owner>,
    map: &'a Map<'a>,
    chats: Chats,
    news: News,
}

impl Step<'_> {
    fn chat_of(&self, device_no: i32, jid: &Jid) -> Option<i64> {
        self.chats.find(device_no, &self.map.resolve(&self.owners[&device_no], jid))
    }

    fn new_messages<'r>(&mut self, records: impl Iterator<Item = (Origin, &'r Record)>) -> New {
        let created_at =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros().try_into().unwrap_or(0));
        let mut new = New::default();
        for ((no, announce_known), record) in records {
            let Record::Message(message) = record else { continue };
            let Some(chat_id) = self.chat_of(no, &message.chat) else { continue };
            let row = self.row(no, chat_id, message, created_at);
            if self.chats.get(chat_id).is_some_and(|chat| row.key <= chat.floor_key) {
                stats::add(&self.shared.stats.trimmed, 1);
                continue;
            }
            if message.was_repaired {
                stats::add(&self.shared.stats.repaired, 1);
                new.repaired.insert((chat_id, row.message_id.clone()));
            }
            if announce_known {
                new.again.push((changes::place(self.owners, no, chat_id), row.key));
            }
            new.batch.add(row);
        }
        new
    }

    fn row(&self, device_no: i32, chat_id: i64, message: &Message, created_at: i64) -> Row {
        let owner = &self.owners[&device_no];
        let content = &message.content;
        let sender =
            if message.from_me { owner.jid.as_ref().or(message.sender.as_ref()) } else { message.sender.as_ref() };
        Row {
            chat_id,
            key: record::key(message.timestamp, &message.id),
            created_at,
            sender: sender.map_or(0, |jid| self.map.resolve(owner, jid).packed()),
            device_no,
            tenant_id: owner.tenant_id,
            kind: content.kind as i16,
            flags: content.flags,
            status: message.status as i16,
            message_id: message.id.clone(),
            sender_name: message.sender_name.clone(),
            body: content.body.clone(),
            media: content.media.clone(),
            quoted: content.quoted.clone(),
            thumbnail: content.thumbnail.clone(),
            is_history: message.is_history,
        }
    }

    async fn insert(&mut self, messages: &mut Batch, again: Vec<(announce::Chat, i64)>) -> Result<(), Error> {
        let staged = messages.insert(self.database).await?;
        messages.insert_thumbnails(self.database).await?;
        let stats = &self.shared.stats;
        stats::add(&stats.staged, usize::from(staged));
        stats::add(&stats.duplicates, messages.duplicates);
        for row in messages.rows() {
            stats::add(&stats.stored, 1);
            if let Some(chat) = self.chats.get(row.chat_id) {
                chat.count(row);
            }
            let place = changes::place(self.owners, row.device_no, row.chat_id);
            self.news.messages.entry(place).or_default().push(row.key);
        }
        for (place, key) in again {
            let keys = self.news.messages.entry(place).or_default();
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        Ok(())
    }

    fn wanted_changes<'r>(&self, records: impl Iterator<Item = (Origin, &'r Record)>) -> Vec<Wanted> {
        let wanted = records.filter_map(|((no, _), record)| match record {
            Record::Change(target) => Some(Wanted {
                device_no: no,
                chat_id: self.chat_of(no, &target.chat)?,
                message_id: target.message_id.clone(),
                by: target.by.as_ref().map(|by| self.map.resolve(&self.owners[&no], by)),
                change: target.change.clone(),
            }),
            _ => None,
        });
        wanted.collect()
    }

    async fn apply(&mut self, wanted: Vec<Wanted>) -> Result<(), Error> {
        let devices: HashMap<i64, i32> = wanted.iter().map(|one| (one.chat_id, one.device_no)).collect();
        let applied = changes::apply(self.database, self.owners, &mut self.chats, wanted).await?;
        stats::add(&self.shared.stats.changed, applied.messages.len());
        stats::add(&self.shared.stats.waiting, applied.waiting);
        for (chat_id, key) in applied.messages {
            let place = changes::place(self.owners, devices[&chat_id], chat_id);
            self.news.changed.entry(place).or_default().push(key);
        }
        for (tenant, device, id) in applied.outbox {
            self.news.outbox.entry((tenant, device)).or_default().push(id);
        }
        Ok(())
    }

    async fn read_by_us(&mut self, records: impl Iterator<Item = (Origin, &Record)>) -> Result<(), Error> {
        let mut named: Vec<(i64, &str)> = Vec::new();
        for ((no, _), record) in records {
            let Record::ReadByUs { chat, message_ids } = record else { continue };
            if let Some(chat_id) = self.chat_of(no, chat) {
                named.extend(message_ids.iter().map(|id| (chat_id, id.as_str())));
            }
        }
        if named.is_empty() {
            return Ok(());
        }
        let (chats, ids): (Vec<i64>, Vec<&str>) = named.into_iter().unzip();
        let rows = self.database.query(READ_UP_TO, &[&chats, &ids]).await?;
        let (mut moved, mut keys) = (Vec::new(), Vec::new());
        for row in rows {
            let (chat_id, key): (i64, i64) = (row.get(0), row.get(1));
            if let Some(chat) = self.chats.get(chat_id).filter(|chat| chat.read_key.is_none_or(|read| key > read)) {
                chat.read_key = Some(key);
                moved.push(chat_id);
                keys.push(key);
            }
        }
        if moved.is_empty() {
            return Ok(());
        }
        for row in self.database.query(STILL_UNREAD, &[&moved, &keys]).await? {
            if let Some(chat) = self.chats.get(row.get(0)) {
                // What came with the history was never counted, and is not now.
                chat.unread = chat.unread.min(row.get(1));
                chat.is_changed = true;
            }
        }
        Ok(())
    }

    /// Names and settings as the phone has them.
    async fn describe(&mut self, records: impl Iterator<Item = (Origin, &Record)>) -> Result<(), Error> {
        let mut settings: BTreeMap<i64, &ChatInfo> = BTreeMap::new();
        for ((no, _), record) in records {
            match record {
                Record::Chat(info) => {
                    let Some(id) = self.chat_of(no, &info.chat) else { continue };
                    settings.insert(id, info);
                    if let Some(chat) = self.chats.get(id) {
                        if let Some(name) = &info.name {
                            chat.rename(name);
                        }
                        // Only of a chat nobody has read here: later the count is ours.
                        if chat.read_key.is_none() && chat.unread == 0 {
                            chat.unread = info.unread.max(0);
                        }
                        chat.is_changed = true;
                    }
                }
                Record::Name { jid, name } => {
                    let Some(id) = self.chat_of(no, jid) else { continue };
                    if let Some(chat) = self.chats.get(id).filter(|chat| jid.is_group() || chat.name.is_none()) {
                        chat.rename(name);
                    }
                }
                _ => {}
            }
        }
        let settings: Vec<(i64, &ChatInfo)> = settings.into_iter().collect();
        chats::save_settings(self.database, &settings).await
    }

    fn announce<'r>(&mut self, records: impl Iterator<Item = (Origin, &'r Record)>, renamed: &[(i32, i32, i64)]) {
        let changed =
            self.chats.changed().map(|chat| (self.owners[&chat.device_no].tenant_id, chat.device_no, chat.id));
        for (tenant, device, id) in changed.chain(renamed.iter().copied()) {
            self.news.chats.entry((tenant, device)).or_default().push(id);
        }
        for ((no, is_old), record) in records {
            let owner = &self.owners[&no];
            let (t, d) = (owner.tenant_id, no);
            match record {
                Record::Typing { chat, sender, state } if !is_old => {
                    if let Some(c) = self.chat_of(no, chat) {
                        let j = self.map.resolve(owner, sender).to_string();
                        self.news.fleeting.push(json!({"k": "typing", "t": t, "d": d, "c": c, "j": j, "s": state}));
                    }
                }
                Record::Presence { jid, available } if !is_old => {
                    let j = self.map.resolve(owner, jid).to_string();
                    self.news.fleeting.push(json!({"k": "presence", "t": t, "d": d, "j": j, "a": available}));
                }
                _ => {}
            }
        }
    }
}
