//! Receipts, edits, deletions, reactions, votes and pins: applied to the message they name, or kept for it until it comes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio_postgres::Error;

use super::{
    known::{Known, Owner},
    messages::Row,
    receipts::Receipts,
};
use crate::{
    connection::Database,
    jid::Jid,
    link::Card,
    poll::{Ballot, Poll},
    record::{Change, Kind, Status, flag},
};

/// A receipt that comes first waits so long for its message.
const FORGET: &str = "DELETE FROM pending_changes WHERE created_at < now() - interval '24 hours'";
const TAKE_WAITING: &str = "\
    DELETE FROM pending_changes p USING unnest($1::int8[], $2::text[]) t (chat_id, message_id) \
    WHERE p.chat_id = t.chat_id AND p.message_id = t.message_id RETURNING p.id, p.chat_id, p.message_id, p.change";
/// What waited in a chat that is part of another one now, which may have the message.
const TAKE_MERGED: &str = "\
    DELETE FROM pending_changes p USING messages m \
    WHERE p.chat_id = ANY ($1) AND m.chat_id = p.chat_id AND m.message_id = p.message_id AND left(m.message_id, 500) = left(p.message_id, 500) \
    RETURNING p.id, p.chat_id, p.message_id, p.change";
/// An id of more bytes is none of WhatsApp's, and an index has no room for one of 2,700.
const KEEP_WAITING: &str = "\
    INSERT INTO pending_changes (tenant_id, device_no, chat_id, message_id, change) \
    SELECT c.tenant_id, c.device_no, c.id, t.message_id, t.change \
    FROM unnest($1::int8[], $2::text[], $3::jsonb[]) WITH ORDINALITY t (chat_id, message_id, change, n) \
    JOIN chats c ON c.id = t.chat_id WHERE octet_length(t.message_id) <= 1000 ORDER BY t.n";
/// A send that is just being stored by another process holds the lock; afterwards its message is there.
const LOCK: &str = "SELECT id FROM chats WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE";
const ARE_THERE: &str = "SELECT FROM devices WHERE no = ANY ($1) LIMIT 1";
const PREVIEW: &str = "\
    UPDATE chats c SET last_kind = t.kind, last_flags = t.flags, last_status = t.status, last_text = left(t.body, 200) \
    FROM unnest($1::int8[], $2::int8[], $3::int2[], $4::int2[], $5::int2[], $6::text[]) t (chat_id, key, kind, flags, status, body) \
    WHERE c.id = t.chat_id AND c.last_key = t.key RETURNING c.id";
/// A chat holds at most twice what is kept of it, so its rows are the fastest way to an id; where all are kept, there is an
/// index of their first letters (`database/long_chats.py`).
const TARGETS: &str = "\
    SELECT m.chat_id, m.message_id, m.key, m.sender, m.kind, m.flags, m.status, m.body, m.reactions, \
           extract(epoch FROM m.edited_at)::int8, extract(epoch FROM m.deleted_at)::int8, m.poll, m.poll_votes, m.pin_said_at, \
           extract(epoch FROM m.pinned_until)::int8 \
    FROM messages m JOIN unnest($1::int8[], $2::text[]) t (chat_id, message_id) \
    ON m.chat_id = t.chat_id AND m.message_id = t.message_id AND left(m.message_id, 500) = left(t.message_id, 500)";
const UPDATE: &str = "\
    UPDATE messages m SET kind = t.kind, flags = t.flags, status = t.status, body = t.body, reactions = t.reactions, \
        edited_at = to_timestamp(t.edited_at), deleted_at = to_timestamp(t.deleted_at), poll_votes = t.poll_votes, \
        media = CASE WHEN t.deleted_at IS NULL THEN m.media END, poll = CASE WHEN t.deleted_at IS NULL THEN m.poll END, \
        pin_said_at = t.pin_said_at, pinned_until = to_timestamp(t.pinned_until) \
    FROM unnest($1::int8[], $2::int8[], $3::int2[], $4::int2[], $5::int2[], $6::text[], $7::jsonb[], $8::int8[], $9::int8[], \
         $10::jsonb[], $11::int8[], $12::int8[]) \
        t (chat_id, key, kind, flags, status, body, reactions, edited_at, deleted_at, poll_votes, pin_said_at, pinned_until) \
    WHERE m.chat_id = t.chat_id AND m.key = t.key";
/// What was deleted for everyone leaves no picture.
const DROP_PICTURES: &str = "\
    DELETE FROM thumbnails p USING unnest($1::int8[], $2::int8[]) t (chat_id, key) \
    WHERE p.chat_id = t.chat_id AND p.key = t.key";
/// What was said of a link goes with the words that held it. A text may carry a file, which stays.
const CARDS: &str = "\
    WITH edited AS (UPDATE messages m SET media = t.link FROM unnest($1::int8[], $2::int8[], $3::jsonb[], $4::text[]) \
                        t (chat_id, key, link, picture) \
                    WHERE m.chat_id = t.chat_id AND m.key = t.key AND m.kind = 0 \
                      AND (m.media IS NULL OR m.media ->> 'type' = 'link') \
                    RETURNING m.chat_id, m.key, m.tenant_id, t.picture), \
         bare AS (DELETE FROM thumbnails p USING edited e \
                  WHERE p.chat_id = e.chat_id AND p.key = e.key AND e.picture IS NULL) \
    INSERT INTO thumbnails (chat_id, key, tenant_id, jpeg) \
    SELECT chat_id, key, tenant_id, decode(picture, 'base64') FROM edited WHERE picture IS NOT NULL \
    ON CONFLICT (chat_id, key) DO UPDATE SET jpeg = excluded.jpeg";
/// The outbox follows the receipts of what it sent, and never goes back.
const OUTBOX: &str = "\
    UPDATE outbox o SET state = t.state, delivered_at = coalesce(o.delivered_at, to_timestamp(t.at)), \
        read_at = CASE WHEN t.state = 'read' THEN coalesce(o.read_at, to_timestamp(t.at)) END \
    FROM unnest($1::int4[], $2::text[], $3::text[], $4::int8[]) t (device_no, message_id, state, at) \
    WHERE o.device_no = t.device_no AND o.message_id = t.message_id \
      AND (o.state = 'sent' OR (o.state = 'delivered' AND t.state = 'read')) \
    RETURNING o.tenant_id, o.device_no, o.id";

/// A change with the chat it belongs to and who made it.
pub struct Wanted {
    pub device_no: i32,
    /// The place of its event in the batch; None when it has waited.
    pub event: Option<usize>,
    pub chat_id: i64,
    pub message_id: String,
    pub by: Option<Jid>,
    pub change: Change,
}

/// As `pending_changes.change` keeps it.
#[derive(Serialize, Deserialize)]
struct Kept {
    by: Option<String>,
    #[serde(flatten)]
    change: Change,
}

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
struct Reaction {
    sender_jid: String,
    emoji: String,
    at: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
struct Vote {
    sender_jid: String,
    options: Vec<String>,
    at: i64,
}

/// A message as far as changes touch it.
struct Target {
    message_id: String,
    key: i64,
    sender: i64,
    kind: i16,
    flags: i16,
    status: i16,
    body: String,
    reactions: Vec<Reaction>,
    edited_at: Option<i64>,
    deleted_at: Option<i64>,
    poll: Option<Poll>,
    votes: Vec<Vote>,
    pin_said_at: Option<i64>,
    pinned_until: Option<i64>,
    /// Of its new words.
    card: Option<Card>,
    is_changed: bool,
}

impl Target {
    fn is_author(&self, by: Option<&Jid>, by_me: bool) -> bool {
        let ours = self.flags & flag::FROM_ME != 0;
        if ours || by_me { ours == by_me } else { by.is_some_and(|jid| jid.packed() == self.sender) }
    }

    /// New words and votes are for the message itself, not for what stands in its place.
    fn is_ready_for(&self, change: &Change) -> bool {
        self.flags & flag::WAITING == 0 || !matches!(change, Change::Edit { .. } | Change::Vote { .. })
    }

    /// Gives whether anything changed.
    fn apply(&mut self, wanted: &Wanted, known: &Known, owner: &Owner) -> bool {
        let changed = match &wanted.change {
            Change::Status { status, .. } => {
                let goes_on = self.flags & flag::FROM_ME != 0 && *status > self.status;
                if goes_on {
                    self.status = *status;
                }
                goes_on
            }
            // It is the chat that changes.
            Change::ReadByUs => false,
            _ if self.deleted_at.is_some() => false,
            Change::Edit { body, by_me, at, card } => {
                // A message that came as its own edit has these words already.
                let is_new = self.edited_at.is_none_or(|last| *at > last || (*at == last && *body != self.body));
                let may = self.is_author(wanted.by.as_ref(), *by_me) && is_new;
                if may {
                    (self.body, self.edited_at, self.card) = (body.clone(), Some(*at), Some(card.clone()));
                }
                may
            }
            Change::Delete { by_me, by_admin, at } => {
                let may = *by_admin || self.is_author(wanted.by.as_ref(), *by_me);
                if may {
                    (self.kind, self.deleted_at) = (Kind::Deleted as i16, Some(*at));
                    self.flags &= !(flag::WAITING | flag::PINNED);
                    self.body.clear();
                    self.reactions.clear();
                    self.votes.clear();
                }
                may
            }
            Change::Reaction { emoji, by_me, at } => {
                let sender = if *by_me { owner.jid.as_ref().or(wanted.by.as_ref()) } else { wanted.by.as_ref() };
                sender.is_some_and(|sender| self.react(&sender.to_string(), emoji, *at))
            }
            Change::Vote { ballot, by_me, at } => {
                let voter = if *by_me { owner.jid.as_ref().or(wanted.by.as_ref()) } else { wanted.by.as_ref() };
                voter.is_some_and(|voter| self.vote(voter, ballot, *at, known, owner))
            }
            Change::Pin { pinned, at, until } => {
                let before = (self.flags, self.pin_said_at, self.pinned_until);
                if self.pin_said_at.is_none_or(|last| *at >= last) {
                    self.flags = if *pinned { self.flags | flag::PINNED } else { self.flags & !flag::PINNED };
                    (self.pin_said_at, self.pinned_until) = (Some(*at), *until);
                }
                before != (self.flags, self.pin_said_at, self.pinned_until)
            }
        };
        self.is_changed |= changed;
        changed
    }

    /// How far a member of a group got with a message of ours.
    fn note(&self, wanted: &Wanted, receipts: &mut Receipts) {
        let Change::Status { at, of_member: Some(status), .. } = wanted.change else { return };
        if let Some(by) = wanted.by.as_ref().filter(|_| self.flags & flag::FROM_ME != 0) {
            receipts.add((wanted.chat_id, self.key), by.packed(), status, at);
        }
    }

    /// A person has one reaction; the latest counts. One that was taken back is there with an empty emoji, which nobody is
    /// shown: what was said before that and comes later does not count.
    fn react(&mut self, sender_jid: &str, emoji: &str, at: i64) -> bool {
        let before = self.reactions.clone();
        if before.iter().any(|reaction| reaction.sender_jid == sender_jid && reaction.at > at) {
            return false;
        }
        self.reactions.retain(|reaction| reaction.sender_jid != sender_jid);
        self.reactions.push(Reaction { sender_jid: sender_jid.into(), emoji: emoji.into(), at });
        before != self.reactions
    }

    /// A person has one vote; the latest counts, and stays as a reaction does when it is taken back by one for nothing.
    fn vote(&mut self, voter: &Jid, ballot: &Ballot, at: i64, known: &Known, owner: &Owner) -> bool {
        let author = if self.flags & flag::FROM_ME == 0 { Jid::unpacked(self.sender) } else { owner.jid.clone() };
        let authors = author.map(|author| known.names(owner, &author)).unwrap_or_default();
        let chosen = self
            .poll
            .as_ref()
            .and_then(|poll| poll.chosen(&self.message_id, ballot, &authors, &known.names(owner, voter)));
        let Some(options) = chosen else { return false };
        let (before, sender_jid) = (self.votes.clone(), voter.to_string());
        if before.iter().any(|vote| vote.sender_jid == sender_jid && vote.at > at) {
            return false;
        }
        self.votes.retain(|vote| vote.sender_jid != sender_jid);
        self.votes.push(Vote { sender_jid, options, at });
        before != self.votes
    }
}

/// Drops what waited a day in vain.
pub async fn forget_old(database: &Database) -> Result<(), Error> {
    database.query(FORGET, &[]).await.map(drop)
}

/// What waited for messages that have just come, in the order it came.
pub async fn take_waiting<'a>(
    database: &Database,
    known: &mut Known,
    rows: impl Iterator<Item = &'a Row<'a>>,
) -> Result<Vec<Wanted>, Error> {
    let waited_for: Vec<_> = rows.filter(|row| known.chat(row.chat_id).is_some_and(|chat| chat.has_waiting)).collect();
    if waited_for.is_empty() {
        return Ok(Vec::new());
    }
    let chats: Vec<i64> = waited_for.iter().map(|row| row.chat_id).collect();
    let ids: Vec<&str> = waited_for.iter().map(|row| row.message.id.as_ref()).collect();
    let rows = database.query(TAKE_WAITING, &[&chats, &ids]).await?;
    Ok(wanted_of(rows, &waited_for.iter().map(|row| (row.chat_id, row.device_no)).collect(), known))
}

/// What waited in chats, with their devices, that others have become part of, and whose message is there.
pub async fn take_merged(database: &Database, known: &Known, chats: &HashMap<i64, i32>) -> Result<Vec<Wanted>, Error> {
    if chats.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = chats.keys().copied().collect();
    Ok(wanted_of(database.query(TAKE_MERGED, &[&ids]).await?, chats, known))
}

fn wanted_of(mut rows: Vec<tokio_postgres::Row>, devices: &HashMap<i64, i32>, known: &Known) -> Vec<Wanted> {
    rows.sort_by_key(|row| row.get::<_, i64>(0));
    let wanted = rows.iter().filter_map(|row| {
        let chat_id: i64 = row.get(1);
        let kept: Kept = serde_json::from_value(row.get(3)).ok()?;
        let device_no = *devices.get(&chat_id)?;
        // The number behind a LID may have become known while it waited.
        let owner = known.owner(device_no)?;
        Some(Wanted {
            device_no,
            event: None,
            chat_id,
            message_id: row.get(2),
            by: kept.by.as_deref().and_then(Jid::parse).map(|by| known.resolve(owner, &by)),
            change: kept.change,
        })
    });
    wanted.collect()
}

/// What the changes did.
#[derive(Default)]
pub struct Applied<'w> {
    /// (chat, key) of each changed message.
    pub messages: Vec<(i64, i64)>,
    /// Chats whose preview changed with it.
    pub chats: Vec<i64>,
    /// (tenant, device, id) of each outbox row that moved.
    pub outbox: Vec<(i32, i32, i64)>,
    /// Groups in which somebody has read something of ours.
    pub groups_read: BTreeSet<i64>,
    /// Of what we have read, that which is there.
    pub read: Vec<&'w Wanted>,
    pub waiting: usize,
}

/// Applies changes in their order; what names no message that is there is kept for a day. None when a chat has become part
/// of another one: then nothing of this transaction may stay.
pub async fn apply<'w>(
    database: &Database,
    known: &mut Known,
    wanted: &'w [Wanted],
) -> Result<Option<Applied<'w>>, Error> {
    let mut applied = Applied::default();
    if wanted.is_empty() {
        return Ok(Some(applied));
    }
    let mut targets = load(database, wanted.iter()).await?;
    let missing = |targets: &Targets| -> Vec<&Wanted> {
        let target = |one: &Wanted| targets.get(&(one.chat_id, one.message_id.clone()));
        wanted.iter().filter(|one| target(one).is_none_or(|target| !target.is_ready_for(&one.change))).collect()
    };
    let first = missing(&targets);
    if !first.is_empty() {
        if have_moved(database, &first).await? {
            return Ok(None);
        }
        targets.extend(load(database, first.into_iter()).await?);
    }
    let mut receipts = Receipts::default();
    for one in wanted {
        let target = targets.get_mut(&(one.chat_id, one.message_id.clone()));
        let target = target.filter(|target| target.is_ready_for(&one.change));
        if let (Some(target), Some(owner)) = (target, known.owner(one.device_no)) {
            target.apply(one, known, owner);
            target.note(one, &mut receipts);
            applied.read.extend((one.change == Change::ReadByUs).then_some(one));
        }
    }
    let waiting = missing(&targets);
    applied.waiting = waiting.len();
    keep(database, known, &waiting).await?;
    (applied.messages, applied.chats) = save(database, &targets).await?;
    applied.messages.extend(receipts.save(database).await?);
    applied.outbox = move_outbox(database, wanted).await?;
    for read in receipts.mark_read_by_all(database).await? {
        applied.messages.push(read.message);
        applied.chats.extend(read.is_last.then_some(read.message.0));
        applied.outbox.extend(read.outbox_id.map(|id| (read.tenant_id, read.device_no, id)));
    }
    applied.groups_read = receipts.chats_read();
    applied.messages.sort_unstable();
    applied.messages.dedup();
    Ok(Some(applied))
}

/// Locks the chats of these, and gives whether one is not there any more though its device is.
async fn have_moved(database: &Database, wanted: &[&Wanted]) -> Result<bool, Error> {
    let chats: Vec<i64> = wanted.iter().map(|one| one.chat_id).collect();
    let rows = database.query(LOCK, &[&chats]).await?;
    let there: HashSet<i64> = rows.iter().map(|row| row.get(0)).collect();
    let devices: Vec<i32> =
        wanted.iter().filter(|one| !there.contains(&one.chat_id)).map(|one| one.device_no).collect();
    Ok(!devices.is_empty() && !database.query(ARE_THERE, &[&devices]).await?.is_empty())
}

type Targets = HashMap<(i64, String), Target>;

async fn load<'a>(database: &Database, wanted: impl Iterator<Item = &'a Wanted>) -> Result<Targets, Error> {
    let named: HashSet<(i64, &str)> = wanted.map(|one| (one.chat_id, one.message_id.as_str())).collect();
    let (chats, ids): (Vec<i64>, Vec<&str>) = named.into_iter().unzip();
    let rows = database.query(TARGETS, &[&chats, &ids]).await?;
    let targets = rows.iter().map(|row| {
        let target = Target {
            message_id: row.get(1),
            key: row.get(2),
            sender: row.get(3),
            kind: row.get(4),
            flags: row.get(5),
            status: row.get(6),
            body: row.get(7),
            reactions: parsed(row.get(8)).unwrap_or_default(),
            edited_at: row.get(9),
            deleted_at: row.get(10),
            poll: parsed(row.get(11)),
            votes: parsed(row.get(12)).unwrap_or_default(),
            pin_said_at: row.get(13),
            pinned_until: row.get(14),
            card: None,
            is_changed: false,
        };
        ((row.get(0), row.get(1)), target)
    });
    Ok(targets.collect())
}

fn parsed<T: DeserializeOwned>(column: Option<serde_json::Value>) -> Option<T> {
    column.and_then(|value| serde_json::from_value(value).ok())
}

/// A column of what is said of a message: NULL when it is nothing.
fn column_of<T: Serialize>(said: &[T]) -> Option<serde_json::Value> {
    (!said.is_empty()).then(|| serde_json::to_value(said).unwrap_or_default())
}

/// Gives (chat, key) of what changed, and the chats that show one of them.
async fn save(database: &Database, targets: &Targets) -> Result<(Vec<(i64, i64)>, Vec<i64>), Error> {
    let changed: Vec<(i64, &Target)> =
        targets.iter().filter(|(_, target)| target.is_changed).map(|((chat, _), target)| (*chat, target)).collect();
    if changed.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    macro_rules! column {
        ($kind:ty, $value:expr) => {
            &changed.iter().map($value).collect::<Vec<$kind>>()
        };
    }
    let (chats, keys) = (column!(i64, |(chat, _)| *chat), column!(i64, |(_, target)| target.key));
    let (kinds, flags) = (column!(i16, |(_, target)| target.kind), column!(i16, |(_, target)| target.flags));
    let (statuses, bodies) =
        (column!(i16, |(_, target)| target.status), column!(&str, |(_, target)| target.body.as_str()));
    database
        .query(
            UPDATE,
            &[
                chats,
                keys,
                kinds,
                flags,
                statuses,
                bodies,
                column!(Option<serde_json::Value>, |(_, target)| column_of(&target.reactions)),
                column!(Option<i64>, |(_, target)| target.edited_at),
                column!(Option<i64>, |(_, target)| target.deleted_at),
                column!(Option<serde_json::Value>, |(_, target)| column_of(&target.votes)),
                column!(Option<i64>, |(_, target)| target.pin_said_at),
                column!(Option<i64>, |(_, target)| target.pinned_until),
            ],
        )
        .await?;
    let deleted =
        changed.iter().filter(|(_, target)| target.deleted_at.is_some()).map(|(chat, target)| (*chat, target.key));
    let (deleted_chats, deleted_keys): (Vec<i64>, Vec<i64>) = deleted.unzip();
    if !deleted_chats.is_empty() {
        database.query(DROP_PICTURES, &[&deleted_chats, &deleted_keys]).await?;
    }
    save_cards(database, &changed).await?;
    let shown = database.query(PREVIEW, &[chats, keys, kinds, flags, statuses, bodies]).await?;
    let places = changed.iter().map(|(chat, target)| (*chat, target.key)).collect();
    Ok((places, shown.iter().map(|row| row.get(0)).collect()))
}

async fn save_cards(database: &Database, changed: &[(i64, &Target)]) -> Result<(), Error> {
    let edited = changed.iter().filter_map(|(chat, target)| Some((*chat, target.key, target.card.as_ref()?)));
    let (mut chats, mut keys, mut links, mut pictures) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (chat, key, card) in edited {
        chats.push(chat);
        keys.push(key);
        links.push(card.link.as_ref());
        pictures.push(card.picture.as_deref());
    }
    if chats.is_empty() { Ok(()) } else { database.query(CARDS, &[&chats, &keys, &links, &pictures]).await.map(drop) }
}

async fn keep(database: &Database, known: &mut Known, waiting: &[&Wanted]) -> Result<(), Error> {
    if waiting.is_empty() {
        return Ok(());
    }
    let kept = |one: &&Wanted| {
        let kept = Kept { by: one.by.as_ref().map(ToString::to_string), change: one.change.clone() };
        serde_json::to_value(kept).unwrap_or_default()
    };
    for one in waiting {
        if let Some(chat) = known.chat(one.chat_id) {
            chat.has_waiting = true;
        }
    }
    let chats: Vec<i64> = waiting.iter().map(|one| one.chat_id).collect();
    let ids: Vec<&str> = waiting.iter().map(|one| one.message_id.as_str()).collect();
    let changes: Vec<serde_json::Value> = waiting.iter().map(kept).collect();
    database.query(KEEP_WAITING, &[&chats, &ids, &changes]).await.map(drop)
}

async fn move_outbox(database: &Database, wanted: &[Wanted]) -> Result<Vec<(i32, i32, i64)>, Error> {
    let mut furthest: BTreeMap<(i32, &str), (i16, i64)> = BTreeMap::new();
    for one in wanted {
        if let Change::Status { status, at, .. } = one.change {
            let place = furthest.entry((one.device_no, &one.message_id)).or_insert((status, at));
            *place = (*place).max((status, at));
        }
    }
    if furthest.is_empty() {
        return Ok(Vec::new());
    }
    let devices: Vec<i32> = furthest.keys().map(|(device, _)| *device).collect();
    let ids: Vec<&str> = furthest.keys().map(|(_, id)| *id).collect();
    let read = Status::Read as i16;
    let states: Vec<&str> =
        furthest.values().map(|(status, _)| if *status >= read { "read" } else { "delivered" }).collect();
    let times: Vec<i64> = furthest.values().map(|(_, at)| *at).collect();
    let rows = database.query(OUTBOX, &[&devices, &ids, &states, &times]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect())
}
