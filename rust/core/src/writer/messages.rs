//! New messages: COPY straight into the table, and through a staging table only when one of them is there already.

use std::collections::BTreeSet;

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use tokio_postgres::Error;

use super::{known::Known, placeholders};
use crate::{
    announce,
    connection::Database,
    copy::Rows,
    record::{Carried, Message, Status, flag},
};

const COPY: &str = "\
    COPY messages (chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id, sender_name, body, \
                   media, quoted, poll, quote) FROM STDIN BINARY";
/// How many columns that is.
pub const COLUMNS: i16 = 16;
const STAGING: &str =
    "CREATE TEMP TABLE IF NOT EXISTS incoming (LIKE messages INCLUDING DEFAULTS) ON COMMIT DELETE ROWS";
const STAGE: &str = "\
    COPY pg_temp.incoming (chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id, sender_name, \
                           body, media, quoted, poll, quote) FROM STDIN BINARY";
const MERGE: &str = "INSERT INTO messages SELECT * FROM pg_temp.incoming ON CONFLICT DO NOTHING RETURNING chat_id, key";
const THERE: &str = "\
    SELECT m.chat_id, m.message_id, m.key, m.flags & 32 <> 0 \
    FROM messages m JOIN unnest($1::int8[], $2::int8[]) t (chat_id, key) \
    ON m.chat_id = t.chat_id AND m.key = t.key";
const BY_ID: &str = "\
    SELECT m.chat_id, m.message_id, m.key, m.flags & 32 <> 0 \
    FROM messages m JOIN unnest($1::int8[], $2::text[]) t (chat_id, message_id) \
    ON m.chat_id = t.chat_id AND m.message_id = t.message_id AND left(m.message_id, 500) = left(t.message_id, 500)";
/// Nobody leaves previews of messages that are gone; should one lie there all the same, it must not keep a message out.
const NO_THUMBNAILS: &str = "\
    DELETE FROM thumbnails p USING unnest($1::int8[], $2::int8[]) t (chat_id, key) \
    WHERE p.chat_id = t.chat_id AND p.key = t.key";
const THUMBNAILS: &str = "COPY thumbnails (chat_id, key, tenant_id, jpeg) FROM STDIN BINARY";
const WANT_FILES: &str = "\
    INSERT INTO media_fetches (chat_id, key, tenant_id, device_no) \
    SELECT * FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::int4[]) ON CONFLICT DO NOTHING";

/// A row to insert.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub chat_id: i64,
    pub key: i64,
    /// Microseconds since 1970, a later one for each message that arrives: the order within a second.
    pub created_at: i64,
    pub sender: i64,
    pub device_no: i32,
    pub tenant_id: i32,
    /// The place of its event in the batch.
    pub event: usize,
    pub flags: i16,
    pub status: Status,
    /// Browsers may not have heard of it although it is stored.
    pub is_old: bool,
    pub message: &'a Message<'a>,
}

impl Row<'_> {
    /// What the message's id leaves in the key: the same for the same id, whatever the time.
    fn hash(&self) -> (i64, u32) {
        (self.chat_id, self.key as u32)
    }

    fn is_waiting(&self) -> bool {
        self.message.content.is_waiting()
    }

    /// Whether it is unread where nothing later was read.
    pub fn is_unread(&self) -> bool {
        self.flags & (flag::FROM_ME | flag::CAME_READ) == 0
    }

    /// In the place of a message that could not be read: as unread as that.
    fn instead_of(self, first: &Self) -> Self {
        let flags = self.flags & !flag::CAME_READ | first.flags & flag::CAME_READ;
        Self { key: first.key, created_at: first.created_at, event: first.event, flags, ..self }
    }

    pub fn chat(&self) -> announce::Chat {
        announce::Chat { tenant_id: self.tenant_id, device_no: self.device_no, id: self.chat_id }
    }
}

/// Where a message is in the table, and whether that is a placeholder.
#[derive(Clone, Copy)]
struct There {
    key: i64,
    is_waiting: bool,
}

/// The new messages of a batch, and in the end those of them that were inserted.
#[derive(Default)]
pub struct Inserts<'a> {
    rows: Vec<Row<'a>>,
    /// Where in `rows` the first with this hash is.
    first: FxHashMap<(i64, u32), usize>,
    /// Rows that may be in the table or in `rows`, under this key or another: their ids must be compared. In the order
    /// they came, as of two with one id the first stays.
    unsure: Vec<Row<'a>>,
    /// Hashes of these.
    doubted: FxHashSet<(i64, u32)>,
    /// Messages whose placeholder is in the table, with its key.
    fills: Vec<Row<'a>>,
    /// Messages that were there, or came twice.
    pub duplicates: usize,
}

impl<'a> Inserts<'a> {
    /// None yet, of about so many.
    pub fn with_capacity(count: usize) -> Self {
        let first = FxHashMap::with_capacity_and_hasher(count, FxBuildHasher);
        Self { rows: Vec::with_capacity(count), first, ..Self::default() }
    }

    /// Adds a row of a chat that `known` has.
    pub fn add(&mut self, row: Row<'a>, known: &mut Known) {
        let Some(chat) = known.chat(row.chat_id) else { return };
        let hash = row.hash();
        // What could not be read comes again with another time.
        let is_certain = !row.message.was_repaired && !row.is_waiting();
        let is_sure = is_certain && !chat.may_have(row.key) && !self.doubted.contains(&hash);
        if is_sure && !self.first.contains_key(&hash) {
            self.push(row, known);
        } else {
            self.doubted.insert(hash);
            self.unsure.push(row);
        }
    }

    fn push(&mut self, row: Row<'a>, known: &mut Known) {
        if let Some(chat) = known.chat(row.chat_id) {
            chat.add(row.key);
        }
        self.first.entry(row.hash()).or_insert(self.rows.len());
        self.rows.push(row);
    }

    /// Compares the ids of unsure rows: with the batch, and with the table where its keys leave a doubt. Gives those that
    /// were there although nobody may have heard of them.
    pub async fn settle(&mut self, database: &Database, known: &mut Known) -> Result<Vec<Row<'a>>, Error> {
        let mut unsure = std::mem::take(&mut self.unsure);
        let before = unsure.len();
        unsure.retain(|row| self.find(row).is_none());
        self.duplicates += before - unsure.len();
        let (mut untold, mut there) = (Vec::new(), find(database, known, &unsure).await?);
        for mut row in unsure {
            if let Some(there) = there.get_mut(&(row.chat_id, row.message.id.to_string())) {
                row.key = there.key;
                if there.is_waiting && !row.is_waiting() {
                    there.is_waiting = false;
                    self.fills.push(row);
                } else {
                    self.duplicates += 1;
                    untold.extend(row.is_old.then_some(row));
                }
            } else if let Some(place) = self.find(&row) {
                let first = &mut self.rows[place];
                if first.is_waiting() && !row.is_waiting() {
                    *first = row.instead_of(first);
                } else {
                    self.duplicates += 1;
                }
            } else {
                // Two ids with one hash in one second get neighbouring keys.
                while known.chat(row.chat_id).is_some_and(|chat| chat.has(row.key)) {
                    row.key += 1;
                }
                self.push(row, known);
            }
        }
        Ok(untold)
    }

    /// Where in `rows` the message is.
    fn find(&self, row: &Row<'_>) -> Option<usize> {
        let first = *self.first.get(&row.hash())?;
        let is_it = |other: &Row<'_>| other.chat_id == row.chat_id && other.message.id == row.message.id;
        // That another id has the same hash is one case in four thousand million: nearly always it is the first.
        Some(first + self.rows[first..].iter().position(is_it)?)
    }

    /// By chat and key, which is also the order that writes the index best.
    pub fn rows(&self) -> &[Row<'a>] {
        &self.rows
    }

    /// Messages that take the place of what stood there for them, with its key.
    pub fn fills(&self) -> &[Row<'a>] {
        &self.fills
    }

    /// All that were not there.
    pub fn all(&self) -> impl Iterator<Item = &Row<'a>> {
        self.rows.iter().chain(&self.fills)
    }

    /// Inserts all, straight.
    ///
    /// # Errors
    /// Also a unique violation: somebody else has written some of them.
    pub async fn insert(&mut self, database: &Database) -> Result<(), Error> {
        self.rows.sort_unstable_by_key(|row| (row.chat_id, row.key));
        if !self.rows.is_empty() {
            database.copy(COPY, stream(&self.rows)).await?;
        }
        placeholders::fill(database, &self.fills).await
    }

    /// Inserts those that are not there, of which somebody else may have written some.
    pub async fn merge(&mut self, database: &Database) -> Result<(), Error> {
        let mut left = std::mem::take(&mut self.rows);
        while !left.is_empty() {
            database.run(STAGING).await?;
            database.run("TRUNCATE pg_temp.incoming").await?;
            database.copy(STAGE, stream(&left)).await?;
            let inserted = database.query(MERGE, &[]).await?;
            let inserted: FxHashSet<(i64, i64)> = inserted.iter().map(|row| (row.get(0), row.get(1))).collect();
            let (new, taken) = left.into_iter().partition(|row| inserted.contains(&(row.chat_id, row.key)));
            self.rows.append(&mut { new });
            left = self.beside(database, taken).await?;
        }
        self.rows.sort_unstable_by_key(|row| (row.chat_id, row.key));
        let (chats, keys): (Vec<i64>, Vec<i64>) = self.all().map(|row| (row.chat_id, row.key)).unzip();
        database.query(NO_THUMBNAILS, &[&chats, &keys]).await?;
        placeholders::fill(database, &self.fills).await
    }

    /// Of rows whose place is taken, those whose place is another message's, one place further.
    async fn beside(&mut self, database: &Database, taken: Vec<Row<'a>>) -> Result<Vec<Row<'a>>, Error> {
        let mut beside = Vec::new();
        if taken.is_empty() {
            return Ok(beside);
        }
        let (chats, keys): (Vec<i64>, Vec<i64>) = taken.iter().map(|row| (row.chat_id, row.key)).unzip();
        let found = database.query(THERE, &[&chats, &keys]).await?;
        let there: FxHashMap<(i64, i64), (&str, bool)> =
            found.iter().map(|row| ((row.get(0), row.get(2)), (row.get(1), row.get(3)))).collect();
        for row in taken {
            match there.get(&(row.chat_id, row.key)) {
                Some((id, _)) if *id != row.message.id => beside.push(Row { key: row.key + 1, ..row }),
                Some((_, true)) if !row.is_waiting() => self.fills.push(row),
                _ => self.duplicates += 1,
            }
        }
        Ok(beside)
    }

    /// Stores the previews of what came.
    pub async fn insert_thumbnails(&self, database: &Database) -> Result<(), Error> {
        let mut copy = Rows::new(4);
        for row in self.all().filter(|row| !row.message.content.thumbnail.is_empty()) {
            copy.row().int8(row.chat_id).int8(row.key).int4(row.tenant_id).bytea(row.message.content.thumbnail);
        }
        if copy.is_empty() { Ok(()) } else { database.copy(THUMBNAILS, [copy.finish()]).await.map(drop) }
    }

    /// Notes that files of what came are to be fetched, and gives their devices. Not of a history, which may have
    /// thousands, and not of own messages.
    pub async fn want_files(&self, database: &Database) -> Result<BTreeSet<i32>, Error> {
        let wanted: Vec<&Row<'_>> = self.all().filter(|row| brings_file(row.message)).collect();
        if wanted.is_empty() {
            return Ok(BTreeSet::new());
        }
        let chats: Vec<i64> = wanted.iter().map(|row| row.chat_id).collect();
        let keys: Vec<i64> = wanted.iter().map(|row| row.key).collect();
        let tenants: Vec<i32> = wanted.iter().map(|row| row.tenant_id).collect();
        let devices: Vec<i32> = wanted.iter().map(|row| row.device_no).collect();
        database.query(WANT_FILES, &[&chats, &keys, &tenants, &devices]).await?;
        Ok(devices.into_iter().collect())
    }
}

/// A new message from somebody else with a file that can be fetched.
fn brings_file(message: &Message<'_>) -> bool {
    !message.is_history && !message.from_me && message.content.carried.as_ref().is_some_and(Carried::can_be_fetched)
}

/// Which of these messages are in the table, by chat and id, and under which key: nearly always the one that is theirs, and
/// else another time or a neighbour.
async fn find(
    database: &Database,
    known: &mut Known,
    rows: &[Row<'_>],
) -> Result<FxHashMap<(i64, String), There>, Error> {
    let of = |row: &tokio_postgres::Row| ((row.get(0), row.get(1)), There { key: row.get(2), is_waiting: row.get(3) });
    let mut there = FxHashMap::default();
    let by_key = rows.iter().filter(|row| known.chat(row.chat_id).is_some_and(|chat| chat.has(row.key)));
    let (chats, keys): (Vec<i64>, Vec<i64>) = by_key.map(|row| (row.chat_id, row.key)).unzip();
    if !chats.is_empty() {
        let found = database.query(THERE, &[&chats, &keys]).await?;
        there.extend(found.iter().map(of));
    }
    let is_left = |row: &&Row<'_>| !there.contains_key(&(row.chat_id, row.message.id.to_string()));
    let (chats, ids): (Vec<i64>, Vec<&str>) =
        rows.iter().filter(is_left).map(|row| (row.chat_id, row.message.id.as_ref())).unzip();
    if !chats.is_empty() {
        let found = database.query(BY_ID, &[&chats, &ids]).await?;
        there.extend(found.iter().map(of));
    }
    Ok(there)
}

/// Rows in one piece of a stream: while PostgreSQL reads it the next one is made, in a buffer the processor has at hand.
const PIECE: usize = 200;

/// Rows as a COPY stream.
fn stream(rows: &[Row<'_>]) -> impl Iterator<Item = bytes::Bytes> {
    let (mut pieces, mut copy) = (rows.chunks(PIECE), Some(Rows::new(COLUMNS)));
    std::iter::from_fn(move || match pieces.next() {
        Some(piece) => {
            let copy = copy.as_mut()?;
            piece.iter().for_each(|row| encode(row, copy));
            Some(copy.take())
        }
        None => copy.take().map(Rows::finish),
    })
}

/// Adds the columns of a row, in the order of [`COPY`].
pub fn encode(row: &Row<'_>, copy: &mut Rows) {
    let (message, content) = (row.message, &row.message.content);
    copy.row()
        .int8(row.chat_id)
        .int8(row.key)
        .timestamptz(row.created_at)
        .int8(row.sender)
        .int4(row.device_no)
        .int4(row.tenant_id)
        .int2(content.kind as i16)
        .int2(row.flags)
        .int2(row.status as i16)
        .text(Some(&message.id))
        .text(message.sender_name.as_deref())
        .text(Some(&content.body))
        .jsonb(content.carried.as_ref())
        .text(content.quoted.as_deref())
        .jsonb(content.poll.as_ref())
        .jsonb(content.quote.as_ref());
}
