//! One batch, one transaction: the order of the steps.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
};

use rustc_hash::FxHashMap;
use serde_json::json;
use tokio_postgres::{Error, error::SqlState};

use super::{
    calls::{self, Call, Settled},
    changes::{self, Wanted},
    counts::Counts,
    known::{Chat, Known, Owner},
    lids,
    messages::{Inserts, Row},
    notices,
    people::{self, Described, Fresh},
    placeholders, removal,
    said::{Batch, Said},
};
use crate::{
    announce::{self, News},
    connection::Database,
    jid::Jid,
    pipeline::Shared,
    record::{self, Kind, Message, Other, Status, flag},
    stats,
};

/// Stores a batch. `announce_known`: say of messages that are there already that they are new, because nobody may have.
///
/// # Errors
/// PostgreSQL refuses something, or is away; nothing is stored then, and nothing is known any more.
pub async fn run(
    database: &Database,
    shared: &Shared,
    known: &Cell<Known>,
    batch: &Batch<'_>,
    announce_known: bool,
) -> Result<News, Error> {
    let mut is_staged = false;
    loop {
        match attempt(database, shared, known, batch, announce_known, is_staged).await {
            Ok(Some(news)) => return Ok(news),
            // Another process has made one chat of two: again, with nothing known of before.
            Ok(None) => {}
            // Somebody else has written some of the messages: again, through the staging table.
            Err(error) if !is_staged && error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                stats::add(&shared.stats.staged, 1);
                is_staged = true;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn attempt(
    database: &Database,
    shared: &Shared,
    known: &Cell<Known>,
    batch: &Batch<'_>,
    announce_known: bool,
    is_staged: bool,
) -> Result<Option<News>, Error> {
    let mut taken = known.take();
    database.run("BEGIN").await?;
    match steps(database, shared, &mut taken, batch, announce_known, is_staged).await {
        Ok(Some(done)) => {
            database.run("COMMIT").await?;
            known.set(taken);
            done.count(shared);
            Ok(Some(done.news))
        }
        undone => {
            // A connection that is gone has rolled back by itself.
            let _ = database.run("ROLLBACK").await;
            undone.map(|_| None)
        }
    }
}

/// What a transaction did.
#[derive(Default)]
struct Done {
    news: News,
    stored: usize,
    duplicates: usize,
    trimmed: usize,
    repaired: usize,
    undecryptable: usize,
    changed: usize,
    waiting: usize,
}

impl Done {
    /// Counted once it is committed: a transaction that is tried again counts once.
    fn count(&self, shared: &Shared) {
        let stats = &shared.stats;
        for (counter, count) in [
            (&stats.stored, self.stored),
            (&stats.duplicates, self.duplicates),
            (&stats.trimmed, self.trimmed),
            (&stats.repaired, self.repaired),
            (&stats.undecryptable, self.undecryptable),
            (&stats.changed, self.changed),
            (&stats.waiting, self.waiting),
        ] {
            stats::add(counter, count);
        }
    }
}

/// None when what was known of a chat is not true any more: nothing of it may stay.
async fn steps(
    database: &Database,
    shared: &Shared,
    known: &mut Known,
    batch: &Batch<'_>,
    announce_known: bool,
    is_staged: bool,
) -> Result<Option<Done>, Error> {
    let mut devices: Vec<i32> = batch.devices().collect();
    devices.sort_unstable();
    devices.dedup();
    let keep = usize::try_from(shared.options.messages_per_chat).unwrap_or(0);
    known.open(database, &devices, keep).await?;
    let others: Vec<_> = batch.others(announce_known).collect();
    let mut step =
        Step { database, keep, known, done: Done::default(), chats: FxHashMap::default(), merged: HashMap::new() };
    step.learn(&others).await?;
    step.load_chats(batch, &others).await?;
    let calls = step.settle_calls(batch).await?;
    let inserts = step.insert(batch, &calls, announce_known, is_staged).await?;
    calls.note(database).await?;
    if shared.options.eager_media {
        step.done.news.files = inserts.want_files(database).await?;
    }
    if !step.count(inserts.rows(), is_staged).await? {
        return Ok(None);
    }
    notices::of_new(database, inserts.rows().iter()).await?;
    step.remove(&calls.gone).await?;
    step.tell_of_filled(inserts.fills());
    step.remove_placeholders(&others).await?;
    let mut wanted = changes::take_waiting(database, step.known, inserts.all()).await?;
    wanted.extend(changes::take_merged(database, step.known, &step.merged).await?);
    wanted.extend(step.wanted_changes(&others));
    let Some(read) = step.apply(&wanted).await? else { return Ok(None) };
    step.tell_of_people(&others, inserts.rows(), &read).await?;
    step.fleeting(&others);
    step.tell_again(&others);
    Ok(Some(step.done))
}

struct Step<'a> {
    database: &'a Database,
    /// Messages kept of a chat; 0: all.
    keep: usize,
    known: &'a mut Known,
    done: Done,
    /// Each chat that is told of.
    chats: FxHashMap<i64, announce::Chat>,
    /// Chats that others have become part of, with their devices.
    merged: HashMap<i64, i32>,
}

impl Step<'_> {
    /// Takes in whose LID has which number; the chats that moved by it are news.
    async fn learn(&mut self, others: &[Said<'_, Other<'_>>]) -> Result<(), Error> {
        let told = others.iter().filter_map(|said| match said.what {
            Other::Lid { lid, number } => Some(((said.device_no, *lid), *number)),
            _ => None,
        });
        let learned = lids::learn(self.database, self.known, told.collect(), self.keep).await?;
        for (chat, key) in learned.notices {
            self.chats.insert(chat.id, chat);
            self.done.news.changed.entry(chat).or_default().push(key);
            self.changed([chat.id].into_iter());
        }
        for moved in learned.moved {
            let (t, d) = (moved.tenant_id, moved.device_no);
            self.done.news.chats.entry((t, d)).or_default().insert(moved.chat_id);
            if let Some(gone) = moved.merged {
                self.merged.insert(moved.chat_id, d);
                self.chats.insert(moved.chat_id, announce::Chat { tenant_id: t, device_no: d, id: moved.chat_id });
                self.done.news.fleeting.push(json!({"k": "merged", "t": t, "d": d, "c": gone, "b": moved.chat_id}));
            }
        }
        Ok(())
    }

    /// Loads the chats the batch is about; messages, changes and the phone's list make those that are not there.
    async fn load_chats(&mut self, batch: &Batch<'_>, others: &[Said<'_, Other<'_>>]) -> Result<(), Error> {
        let (mut needed, mut useful) = (HashSet::new(), HashSet::new());
        let messages = batch.messages(false).map(|said| (said.device_no, &said.what.chat, true));
        let others = others.iter().filter_map(|said| {
            let (jid, is_needed) = match said.what {
                Other::Change(target) => (&target.chat, true),
                Other::Chat(info) => (&info.chat, info.is_listed),
                Other::Name { jid, .. } => (jid, jid.is_group()),
                Other::Rowless { chat, .. } | Other::Typing { chat, .. } => (chat, false),
                Other::Lid { .. } => return None,
            };
            Some((said.device_no, jid, is_needed))
        });
        for (device_no, jid, is_needed) in messages.chain(others) {
            let Some(owner) = self.known.owner(device_no) else { continue };
            let chat = (device_no, self.known.resolve(owner, jid));
            if self.known.find(&chat).is_none() {
                if is_needed { &mut needed } else { &mut useful }.insert(chat);
            }
        }
        self.known.load_chats(self.database, &needed, true).await?;
        self.known.load_chats(self.database, &useful, false).await
    }

    /// The chat of a device that is there.
    fn chat_of(&mut self, device_no: i32, jid: &Jid) -> Option<i64> {
        let owner = self.known.owner(device_no)?;
        let (tenant_id, id) = (owner.tenant_id, self.known.find(&(device_no, self.known.resolve(owner, jid)))?);
        self.chats.insert(id, announce::Chat { tenant_id, device_no, id });
        Some(id)
    }

    /// Finds which calls have come already, under another id.
    async fn settle_calls(&mut self, batch: &Batch<'_>) -> Result<Settled, Error> {
        let calls = batch.messages(false).filter(|said| said.what.content.kind == Kind::Call);
        let calls = calls.filter_map(|said| Some(Call::of(self.chat_of(said.device_no, &said.what.chat)?, said.what)));
        let calls: Vec<Call> = calls.collect();
        let merged: Vec<i64> = self.merged.keys().copied().collect();
        calls::settle(self.database, calls, &merged).await
    }

    /// Inserts the messages that are not there yet.
    async fn insert<'r>(
        &mut self,
        batch: &'r Batch<'_>,
        calls: &Settled,
        announce_known: bool,
        is_staged: bool,
    ) -> Result<Inserts<'r>, Error> {
        let mut inserts = Inserts::with_capacity(batch.records());
        for said in batch.messages(announce_known) {
            let Some(row) = self.row(said) else { continue };
            if row.message.content.kind == Kind::Call
                && calls.told_before.contains(&(row.chat_id, row.message.id.to_string()))
            {
                self.done.duplicates += 1;
                continue;
            }
            let is_past = |chat: &mut Chat| chat.is_past(row.key, self.keep) && !chat.may_have(row.key);
            if self.known.chat(row.chat_id).is_none_or(is_past) {
                self.done.trimmed += 1;
                continue;
            }
            self.done.repaired += usize::from(row.message.was_repaired);
            inserts.add(row, self.known);
        }
        for row in inserts.settle(self.database, self.known).await? {
            self.done.news.messages.entry(row.chat()).or_default().push(row.key);
        }
        if is_staged {
            inserts.merge(self.database).await?;
        } else {
            inserts.insert(self.database).await?;
        }
        inserts.insert_thumbnails(self.database).await?;
        self.done.duplicates += inserts.duplicates;
        Ok(inserts)
    }

    /// A message's row.
    fn row<'r>(&mut self, said: Said<'r, Message<'r>>) -> Option<Row<'r>> {
        let Said { device_no, event, is_old, what: message } = said;
        let created_at = self.known.tick();
        let owner: &Owner = self.known.owner(device_no)?;
        let chat_id = self.known.find(&(device_no, self.known.resolve(owner, &message.chat)))?;
        let sender = message.sender.as_ref();
        // Changes of groups and calls don't say it; of what could not be read it may not have been said.
        let is_own = |jid: &Jid| owner.jid.as_ref() == Some(jid) || owner.lid.as_ref() == Some(jid);
        let is_silent = message.content.is_waiting() || matches!(message.content.kind, Kind::System | Kind::Call);
        let is_found_own = !message.from_me && is_silent && sender.is_some_and(is_own);
        let from_me = message.from_me || is_found_own;
        let sender = if from_me { owner.jid.as_ref().or(sender) } else { sender };
        let flags = message.content.flags
            | if from_me { flag::FROM_ME } else { 0 }
            | if message.is_history || message.content.kind == Kind::System { flag::CAME_READ } else { 0 };
        Some(Row {
            chat_id,
            key: record::key(message.timestamp, &message.id),
            created_at,
            sender: sender.map_or(0, |jid| self.known.resolve(owner, jid).packed()),
            device_no,
            tenant_id: owner.tenant_id,
            event,
            flags,
            status: if is_found_own { Status::Sent } else { message.status },
            is_old,
            message,
        })
    }

    /// Brings the chats of inserted messages up to date, and tells of both. Gives false when one is not there any more.
    async fn count(&mut self, rows: &[Row<'_>], is_staged: bool) -> Result<bool, Error> {
        self.done.stored += rows.len();
        self.done.undecryptable += rows.iter().filter(|row| row.message.content.is_waiting()).count();
        for of_chat in rows.chunk_by(|one, next| one.chat_id == next.chat_id) {
            let chat = of_chat[0].chat();
            self.chats.insert(chat.id, chat);
            self.done.news.messages.entry(chat).or_default().extend(of_chat.iter().map(|row| row.key));
        }
        let mut counts = Counts::of(rows);
        let is_saved = counts.save(self.database, self.known, self.keep).await?;
        if is_staged {
            // Somebody else wrote into these chats: what is known of them is not all.
            self.known.doubt_chats(counts.chats());
        }
        Ok(is_saved)
    }

    fn tell_of_filled(&mut self, fills: &[Row<'_>]) {
        for row in fills {
            self.chats.insert(row.chat_id, row.chat());
            self.done.news.changed.entry(row.chat()).or_default().push(row.key);
        }
        self.changed(fills.iter().map(|row| row.chat_id));
    }

    /// Placeholders of messages that turned out to make no row go.
    async fn remove_placeholders(&mut self, others: &[Said<'_, Other<'_>>]) -> Result<(), Error> {
        let mut named = Vec::new();
        for said in others {
            let Other::Rowless { chat, message_id } = said.what else { continue };
            let Some(chat_id) = self.chat_of(said.device_no, chat) else { continue };
            let chat = self.known.chat(chat_id);
            // Whatever its time was.
            if chat.is_some_and(|chat| chat.may_have(record::key(0, message_id))) {
                named.push((chat_id, message_id.as_ref()));
            }
        }
        let placeholders = placeholders::named(self.database, &named).await?;
        self.remove(&placeholders).await
    }

    /// Takes messages, (chat, key) each, out of their chats.
    async fn remove(&mut self, messages: &[(i64, i64)]) -> Result<(), Error> {
        let removed = removal::remove(self.database, messages).await?;
        self.known.doubt_chats(removed.keys().copied());
        self.changed(removed.keys().copied());
        for (id, keys) in removed {
            self.done.news.removed.entry(self.chats[&id]).or_default().extend(keys);
        }
        Ok(())
    }

    fn changed(&mut self, chats: impl Iterator<Item = i64>) {
        for id in chats {
            if let Some(chat) = self.chats.get(&id) {
                self.done.news.chats.entry((chat.tenant_id, chat.device_no)).or_default().insert(id);
            }
        }
    }

    fn wanted_changes(&mut self, others: &[Said<'_, Other<'_>>]) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for said in others {
            let Other::Change(target) = said.what else { continue };
            let Some(chat_id) = self.chat_of(said.device_no, &target.chat) else { continue };
            let Some(owner) = self.known.owner(said.device_no) else { continue };
            wanted.push(Wanted {
                device_no: said.device_no,
                event: Some(said.event),
                chat_id,
                message_id: target.message_id.to_string(),
                by: target.by.as_ref().map(|by| self.known.resolve(owner, by)),
                change: target.change.clone(),
            });
        }
        wanted
    }

    /// Gives what we have read; None when a chat is not there any more.
    async fn apply<'w>(&mut self, wanted: &'w [Wanted]) -> Result<Option<Vec<&'w Wanted>>, Error> {
        let Some(applied) = changes::apply(self.database, self.known, wanted).await? else { return Ok(None) };
        self.done.changed += applied.messages.len();
        self.done.waiting += applied.waiting;
        for (chat_id, key) in applied.messages {
            self.done.news.changed.entry(self.chats[&chat_id]).or_default().push(key);
        }
        for (tenant, device, id) in applied.outbox {
            self.done.news.outbox.entry((tenant, device)).or_default().push(id);
        }
        self.changed(applied.chats.into_iter());
        for id in applied.groups_read {
            self.done.news.groups_read.entry(self.chats[&id].device_no).or_default().push(id);
        }
        Ok(Some(applied.read))
    }

    /// What the phone says of its chats. `rows`: the new messages, by chat; `read`: what we have read of chats.
    async fn tell_of_people<'r>(
        &mut self,
        others: &[Said<'r, Other<'r>>],
        rows: &[Row<'_>],
        read: &[&Wanted],
    ) -> Result<(), Error> {
        let mut described: BTreeMap<i64, Described<'r>> = BTreeMap::new();
        let mut names: BTreeMap<i64, (&'r str, i64)> = BTreeMap::new();
        for said in others {
            match said.what {
                Other::Chat(info) => {
                    let Some(id) = self.chat_of(said.device_no, &info.chat) else { continue };
                    let mut info = info.clone();
                    // Once somebody has read it the count is ours.
                    let is_ours = read.iter().any(|one| one.chat_id == id && one.event < Some(said.event));
                    info.unread = info.unread.filter(|_| !is_ours);
                    let one = Described { fresh: fresh(rows, id, said.event), info };
                    described.entry(id).and_modify(|known| known.add(&one)).or_insert(one);
                }
                Other::Name { jid, name, at } => {
                    names.extend(self.chat_of(said.device_no, jid).map(|id| (id, (name.as_ref(), *at))));
                }
                _ => {}
            }
        }
        let mut changed = people::describe(self.database, &described).await?;
        changed.extend(people::name(self.database, &names).await?);
        let read: Vec<_> = read.iter().map(|one| (one.chat_id, one.message_id.as_str())).collect();
        changed.extend(people::read(self.database, &read).await?);
        self.changed(changed.into_iter());
        Ok(())
    }

    /// What was done of these before finds nothing left to do, and may never have been told: browsers fetch again.
    fn tell_again(&mut self, others: &[Said<'_, Other<'_>>]) {
        let is_stored = |said: &&Said<'_, Other<'_>>| !matches!(said.what, Other::Typing { .. });
        let devices: BTreeSet<i32> =
            others.iter().filter(|said| said.is_old).filter(is_stored).map(|said| said.device_no).collect();
        let owners = devices.iter().filter_map(|no| self.known.owner(*no));
        // It reaches the tenant, whichever of its devices is named.
        let tenants: BTreeMap<i32, i32> = owners.map(|owner| (owner.tenant_id, owner.device_no)).collect();
        let gone = |(t, d)| json!({"k": "gone", "t": t, "d": d});
        self.done.news.fleeting.extend(tenants.into_iter().map(gone));
    }

    /// Typing: told, never stored.
    fn fleeting(&mut self, others: &[Said<'_, Other<'_>>]) {
        for said in others.iter().filter(|said| !said.is_old) {
            let Other::Typing { chat, sender, state } = said.what else { continue };
            let d = said.device_no;
            let (Some(c), Some(owner)) = (self.chat_of(d, chat), self.known.owner(d)) else { continue };
            let (t, j) = (owner.tenant_id, self.known.resolve(owner, sender).to_string());
            self.done.news.fleeting.push(json!({"k": "typing", "t": t, "d": d, "c": c, "j": j, "s": state}));
        }
    }
}

/// What came to a chat after this event of the batch.
fn fresh(rows: &[Row<'_>], chat_id: i64, event: usize) -> Fresh {
    let first = rows.partition_point(|row| row.chat_id < chat_id);
    let of_chat = rows[first..].iter().take_while(|row| row.chat_id == chat_id);
    let after = of_chat.filter(|row| row.event > event);
    let unread = after.clone().filter(|row| row.is_unread()).count();
    Fresh { unread: i32::try_from(unread).unwrap_or(i32::MAX), since: after.map(|row| row.created_at).min() }
}
