//! One batch, one transaction: the order of the steps.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
};

use serde_json::json;
use tokio_postgres::Error;

use super::{
    changes::{self, Wanted},
    counts::Counts,
    known::{Known, Owner},
    lids,
    messages::{self, Batch, Row},
    people, placeholders,
};
use crate::{
    announce::{self, News},
    batch::Item,
    connection::Database,
    jid::Jid,
    pipeline::Shared,
    record::{self, ChatInfo, Message, Record, Status, flag},
    stats::{self, Stats},
};

/// Stores a batch. `announce_known`: say of messages that are there already that they are new, because nobody may have.
///
/// # Errors
/// PostgreSQL refuses something, or is away; nothing is stored then, and nothing is known any more.
pub async fn run(
    database: &Database,
    shared: &Shared,
    known: &Cell<Known>,
    batch: &[Item],
    announce_known: bool,
) -> Result<News, Error> {
    let (mut taken, counted) = (known.take(), Stats::default());
    database.run("BEGIN").await?;
    match steps(database, shared, &mut taken, &counted, batch, announce_known).await {
        Ok(news) => {
            database.run("COMMIT").await?;
            shared.stats.take_in(&counted);
            known.set(taken);
            Ok(news)
        }
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
    known: &mut Known,
    counted: &Stats,
    batch: &[Item],
    announce_known: bool,
) -> Result<News, Error> {
    let devices: BTreeSet<i32> = batch.iter().map(|item| item.device.no).collect();
    known.open(database, &devices).await?;
    let (messages, others) = sort_out(batch, announce_known);
    let mut step = Step {
        database,
        shared,
        known,
        counted,
        news: News::default(),
        chats: HashMap::new(),
        came_after_all: Vec::new(),
    };
    step.learn(&others).await?;
    let chats = step.load_chats(&messages, &others).await?;
    let mut rows = step.new_messages(&messages, &chats).await?;
    let gone = step.unwanted_placeholders(&others);
    step.insert(&mut rows).await?;
    step.replace_placeholders(&gone).await?;
    let came = rows.rows().chain(&step.came_after_all);
    let mut wanted = changes::take_waiting(database, step.known, came).await?;
    wanted.extend(step.wanted_changes(&others));
    step.apply(&wanted).await?;
    step.tell_of_people(&others).await?;
    step.fleeting(&others);
    Ok(step.news)
}

/// New messages, and everything else: nearly all is messages, and most steps need not look at them.
fn sort_out(batch: &[Item], announce_known: bool) -> (Vec<Said<'_>>, Vec<Said<'_>>) {
    let said = batch.iter().flat_map(|item| {
        let is_old = item.is_replay || announce_known;
        item.records.iter().map(move |record| Said { device_no: item.device.no, is_old, record })
    });
    said.partition(|said| matches!(said.record, Record::Message(_)))
}

/// A record and where it comes from.
#[derive(Clone, Copy)]
struct Said<'a> {
    device_no: i32,
    /// Browsers may not have heard of it although it is stored.
    is_old: bool,
    record: &'a Record,
}

struct Step<'a> {
    database: &'a Database,
    shared: &'a Shared,
    known: &'a mut Known,
    /// What counts once it is committed.
    counted: &'a Stats,
    news: News,
    /// Each chat of the batch, for the news.
    chats: HashMap<i64, announce::Chat>,
    /// Messages that take the place of what stands there for them.
    came_after_all: Vec<Row<'a>>,
}

impl<'a> Step<'a> {
    fn keep(&self) -> usize {
        usize::try_from(self.shared.options.messages_per_chat).unwrap_or(0)
    }

    /// Takes in whose LID has which number; the chats that moved by it are news.
    async fn learn(&mut self, records: &[Said<'_>]) -> Result<(), Error> {
        let told = records.iter().filter_map(|said| match said.record {
            Record::Lid { lid, number } => Some(((said.device_no, *lid), *number)),
            _ => None,
        });
        for moved in lids::learn(self.database, self.known, told.collect(), self.keep()).await? {
            let (t, d) = (moved.tenant_id, moved.device_no);
            self.news.chats.entry((t, d)).or_default().insert(moved.chat_id);
            if moved.is_merged {
                self.news.fleeting.push(json!({"k": "gone", "t": t, "d": d}));
            }
        }
        Ok(())
    }

    /// Loads the chats the batch is about; messages, changes and descriptions make those that are not there. Gives the
    /// chat of each message that was known before.
    async fn load_chats(&mut self, messages: &[Said<'_>], others: &[Said<'_>]) -> Result<Vec<Option<i64>>, Error> {
        let (mut needed, mut useful) = (HashSet::new(), HashSet::new());
        let mut chats = Vec::with_capacity(messages.len());
        for said in messages.iter().chain(others) {
            let (jid, wanted) = match said.record {
                Record::Message(message) => (&message.chat, &mut needed),
                Record::Change(target) => (&target.chat, &mut needed),
                Record::Chat(info) => (&info.chat, &mut needed),
                Record::Name { jid, .. } if jid.is_group() => (jid, &mut needed),
                Record::Name { jid, .. } => (jid, &mut useful),
                Record::Rowless { chat, .. } | Record::ReadByUs { chat, .. } | Record::Typing { chat, .. } => {
                    (chat, &mut useful)
                }
                Record::Lid { .. } | Record::Presence { .. } => continue,
            };
            let chat = self.known.owner(said.device_no).map(|owner| (said.device_no, self.known.resolve(owner, jid)));
            let found = chat.as_ref().and_then(|chat| self.known.find(chat));
            if chats.len() < messages.len() {
                chats.push(found);
            }
            if found.is_none() {
                wanted.extend(chat);
            }
        }
        self.known.load_chats(self.database, &needed, true).await?;
        self.known.load_chats(self.database, &useful, false).await?;
        Ok(chats)
    }

    /// The chat of a device that is there.
    fn chat_of(&mut self, device_no: i32, jid: &Jid) -> Option<i64> {
        let owner = self.known.owner(device_no)?;
        let id = self.known.find(&(device_no, self.known.resolve(owner, jid)))?;
        self.note(device_no, id)
    }

    /// Notes a chat for the news.
    fn note(&mut self, device_no: i32, id: i64) -> Option<i64> {
        let tenant_id = self.known.owner(device_no)?.tenant_id;
        self.chats.entry(id).or_insert(announce::Chat { tenant_id, device_no, id });
        Some(id)
    }

    async fn new_messages(&mut self, records: &[Said<'a>], chats: &[Option<i64>]) -> Result<Batch<'a>, Error> {
        let (mut batch, mut unsure, mut named) = (Batch::default(), BTreeSet::new(), HashMap::new());
        for (said, chat) in records.iter().zip(chats) {
            let Record::Message(message) = said.record else { continue };
            let chat_id = match *chat {
                Some(id) => self.note(said.device_no, id),
                None => self.chat_of(said.device_no, &message.chat),
            };
            let Some(chat_id) = chat_id else { continue };
            let Some(row) = self.row(said.device_no, chat_id, message) else { continue };
            let Some(chat) = self.known.chat(chat_id) else { continue };
            let is_waiting = message.content.is_waiting();
            let place = if is_waiting { None } else { chat.unreadable.remove(&message.id) };
            let row = Row { key: place.unwrap_or(row.key), ..row };
            if row.key <= chat.floor_key {
                stats::add(&self.counted.trimmed, 1);
                continue;
            }
            if place.is_some() {
                named.insert((chat_id, message.id.as_str()), row.key);
                self.came_after_all.push(row);
                continue;
            }
            let is_there = chat.keys.binary_search(&row.key).is_ok();
            stats::add(&self.counted.repaired, usize::from(message.was_repaired));
            if message.was_repaired || is_waiting || (!is_there && chat.may_have(row.key)) {
                unsure.insert((chat_id, message.id.clone()));
            }
            let first = *named.entry((chat_id, message.id.as_str())).or_insert(row.key);
            if first != row.key {
                // The same id with another time; the first stays.
                batch.duplicates += 1;
                continue;
            }
            if is_waiting {
                chat.unreadable.insert(message.id.clone(), row.key);
            }
            if said.is_old && is_there {
                self.news.messages.entry(self.chats[&chat_id]).or_default().push(row.key);
            }
            batch.add(row, is_there);
        }
        batch.drop_known(self.database, &unsure).await?;
        Ok(batch)
    }

    fn row(&mut self, device_no: i32, chat_id: i64, message: &'a Message) -> Option<Row<'a>> {
        let created_at = self.known.tick();
        let owner: &Owner = self.known.owner(device_no)?;
        let sender = message.sender.as_ref();
        // Of what could not be read it may not have been said.
        let is_own = |jid: &Jid| owner.jid.as_ref() == Some(jid) || owner.lid.as_ref() == Some(jid);
        let from_me = message.from_me || (message.content.is_waiting() && sender.is_some_and(is_own));
        let sender = if from_me { owner.jid.as_ref().or(sender) } else { sender };
        let status = if from_me == message.from_me { message.status } else { Status::Sent };
        Some(Row {
            chat_id,
            key: record::key(message.timestamp, &message.id),
            created_at,
            sender: sender.map_or(0, |jid| self.known.resolve(owner, jid).packed()),
            device_no,
            tenant_id: owner.tenant_id,
            flags: message.content.flags | if from_me { flag::FROM_ME } else { 0 },
            status,
            message,
        })
    }

    async fn insert(&mut self, batch: &mut Batch<'a>) -> Result<(), Error> {
        let staged = batch.insert(self.database).await?;
        messages::insert_thumbnails(self.database, batch.rows()).await?;
        let stats = self.counted;
        stats::add(&stats.staged, usize::from(staged));
        stats::add(&stats.duplicates, batch.duplicates);
        let mut counts = Counts::default();
        for row in batch.rows() {
            stats::add(&stats.stored, 1);
            stats::add(&stats.undecryptable, usize::from(row.message.content.is_waiting()));
            counts.add(row);
            if let Some(chat) = self.known.chat(row.chat_id) {
                let place = chat.keys.partition_point(|key| *key < row.key);
                chat.keys.insert(place, row.key);
            }
            self.news.messages.entry(self.chats[&row.chat_id]).or_default().push(row.key);
        }
        counts.save(self.database, self.known, self.keep()).await?;
        if staged {
            // Somebody else wrote into these chats: what is known of them is not all.
            self.known.doubt_chats(counts.chats());
        }
        self.changed(counts.chats());
        Ok(())
    }

    fn changed(&mut self, chats: impl Iterator<Item = i64>) {
        for id in chats {
            if let Some(chat) = self.chats.get(&id) {
                self.news.chats.entry((chat.tenant_id, chat.device_no)).or_default().insert(id);
            }
        }
    }

    /// Placeholders of messages that turned out to make no row: their chat and id.
    fn unwanted_placeholders(&mut self, records: &[Said<'a>]) -> Vec<(i64, &'a str)> {
        let mut gone = Vec::new();
        for said in records {
            let Record::Rowless { chat, message_id } = said.record else { continue };
            let Some(chat_id) = self.chat_of(said.device_no, chat) else { continue };
            let is_shown = self.known.chat(chat_id).is_some_and(|chat| chat.unreadable.remove(message_id).is_some());
            gone.extend(is_shown.then_some((chat_id, message_id.as_str())));
        }
        gone
    }

    /// What came after all takes its placeholder's place; `gone` leaves none.
    async fn replace_placeholders(&mut self, gone: &[(i64, &str)]) -> Result<(), Error> {
        placeholders::fill(self.database, &self.came_after_all).await?;
        placeholders::remove(self.database, gone).await?;
        for row in &self.came_after_all {
            self.news.changed.entry(self.chats[&row.chat_id]).or_default().push(row.key);
        }
        self.known.doubt_chats(gone.iter().map(|(chat_id, _)| *chat_id));
        for chat in gone.iter().filter_map(|(chat_id, _)| self.chats.get(chat_id)) {
            self.news.fleeting.push(json!({"k": "gone", "t": chat.tenant_id, "d": chat.device_no}));
        }
        let filled = self.came_after_all.iter().map(|row| row.chat_id);
        let chats: Vec<i64> = filled.chain(gone.iter().map(|(chat_id, _)| *chat_id)).collect();
        self.changed(chats.into_iter());
        Ok(())
    }

    fn wanted_changes(&mut self, records: &[Said<'_>]) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for said in records {
            let Record::Change(target) = said.record else { continue };
            let Some(chat_id) = self.chat_of(said.device_no, &target.chat) else { continue };
            let Some(owner) = self.known.owner(said.device_no) else { continue };
            wanted.push(Wanted {
                device_no: said.device_no,
                chat_id,
                message_id: target.message_id.clone(),
                by: target.by.as_ref().map(|by| self.known.resolve(owner, by)),
                change: target.change.clone(),
            });
        }
        wanted
    }

    async fn apply(&mut self, wanted: &[Wanted]) -> Result<(), Error> {
        let applied = changes::apply(self.database, self.known, wanted).await?;
        stats::add(&self.counted.changed, applied.messages.len());
        stats::add(&self.counted.waiting, applied.waiting);
        for (chat_id, key) in applied.messages {
            self.news.changed.entry(self.chats[&chat_id]).or_default().push(key);
        }
        for (tenant, device, id) in applied.outbox {
            self.news.outbox.entry((tenant, device)).or_default().push(id);
        }
        self.changed(applied.chats.into_iter());
        Ok(())
    }

    /// What the phone says of its chats.
    async fn tell_of_people<'r>(&mut self, records: &[Said<'r>]) -> Result<(), Error> {
        let mut described: BTreeMap<i64, &'r ChatInfo> = BTreeMap::new();
        let mut names: BTreeMap<i64, &'r str> = BTreeMap::new();
        let mut read: Vec<(i64, &'r str)> = Vec::new();
        for said in records {
            match said.record {
                Record::Chat(info) => {
                    described.extend(self.chat_of(said.device_no, &info.chat).map(|id| (id, info)));
                }
                Record::Name { jid, name } => {
                    names.extend(self.chat_of(said.device_no, jid).map(|id| (id, name.as_str())));
                }
                Record::ReadByUs { chat, message_ids } => {
                    if let Some(id) = self.chat_of(said.device_no, chat) {
                        read.extend(message_ids.iter().map(|message_id| (id, message_id.as_str())));
                    }
                }
                _ => {}
            }
        }
        let mut changed = people::describe(self.database, &described).await?;
        changed.extend(people::name(self.database, &names).await?);
        changed.extend(people::read(self.database, &read).await?);
        self.changed(changed.into_iter());
        Ok(())
    }

    /// Typing and presence: told, never stored.
    fn fleeting(&mut self, records: &[Said<'_>]) {
        for said in records.iter().filter(|said| !said.is_old) {
            let d = said.device_no;
            let Some(t) = self.known.owner(d).map(|owner| owner.tenant_id) else { continue };
            let event = match said.record {
                Record::Typing { chat, sender, state } => {
                    let (Some(c), Some(owner)) = (self.chat_of(d, chat), self.known.owner(d)) else { continue };
                    let j = self.known.resolve(owner, sender).to_string();
                    json!({"k": "typing", "t": t, "d": d, "c": c, "j": j, "s": state})
                }
                Record::Presence { jid, available } => {
                    let Some(owner) = self.known.owner(d) else { continue };
                    let j = self.known.resolve(owner, jid).to_string();
                    json!({"k": "presence", "t": t, "d": d, "j": j, "a": available})
                }
                _ => continue,
            };
            self.news.fleeting.push(event);
        }
    }
}
