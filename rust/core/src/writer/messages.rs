//! New messages: COPY straight into the table, and through a staging table only when one of them is there already.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio_postgres::{Error, error::SqlState};

use crate::{
    connection::Database,
    copy::Rows,
    record::{Message, Status},
};

const COPY: &str = "\
    COPY messages (chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id, sender_name, body, \
                   media, quoted, poll) FROM STDIN BINARY";
const STAGING: &str =
    "CREATE TEMP TABLE IF NOT EXISTS incoming (LIKE messages INCLUDING DEFAULTS) ON COMMIT DELETE ROWS";
const STAGE: &str = "\
    COPY pg_temp.incoming (chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id, sender_name, \
                           body, media, quoted, poll) FROM STDIN BINARY";
const MERGE: &str = "INSERT INTO messages SELECT * FROM pg_temp.incoming ON CONFLICT DO NOTHING RETURNING chat_id, key";
const THERE: &str = "\
    SELECT m.chat_id, m.key, m.message_id FROM messages m JOIN unnest($1::int8[], $2::int8[]) t (chat_id, key) \
    ON m.chat_id = t.chat_id AND m.key = t.key";
const BY_ID: &str = "\
    SELECT m.chat_id, m.message_id FROM messages m JOIN unnest($1::int8[], $2::text[]) t (chat_id, message_id) \
    ON m.chat_id = t.chat_id AND m.message_id = t.message_id";
const THUMBNAILS: &str = "\
    INSERT INTO thumbnails (chat_id, key, tenant_id, jpeg) SELECT * FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::bytea[]) \
    ON CONFLICT DO NOTHING";

/// A row to insert.
#[derive(Clone)]
pub struct Row<'a> {
    pub chat_id: i64,
    pub key: i64,
    /// Microseconds since 1970, a later one for each message that arrives: the order within a second.
    pub created_at: i64,
    pub sender: i64,
    pub device_no: i32,
    pub tenant_id: i32,
    pub flags: i16,
    pub status: Status,
    pub message: &'a Message,
}

/// Rows by their place in the table, which is also the order that writes the index best.
#[derive(Default)]
pub struct Batch<'a> {
    rows: BTreeMap<(i64, i64), Row<'a>>,
    /// Rows whose key their chat has already: nearly always the message itself.
    taken: Vec<Row<'a>>,
    /// Messages that were there, or came twice in the batch.
    pub duplicates: usize,
}

impl<'a> Batch<'a> {
    /// Adds a row; `is_there` says that its chat has the key. Of two with one id the first stays; two ids with one hash in
    /// one second get neighbouring keys.
    pub fn add(&mut self, mut row: Row<'a>, is_there: bool) {
        if is_there {
            self.taken.push(row);
            return;
        }
        while let Some(other) = self.rows.get(&(row.chat_id, row.key)) {
            if other.message.id == row.message.id {
                self.duplicates += 1;
                return;
            }
            row.key += 1;
        }
        self.rows.insert((row.chat_id, row.key), row);
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row<'a>> {
        self.rows.values()
    }

    /// Takes out those (chat, message id) that are in the table under another key: a repaired time is not repeatable, and
    /// a second message with one id may have another time.
    pub async fn drop_known(&mut self, database: &Database, unsure: &BTreeSet<(i64, String)>) -> Result<(), Error> {
        if unsure.is_empty() {
            return Ok(());
        }
        let (chats, ids): (Vec<i64>, Vec<&str>) = unsure.iter().map(|(chat, id)| (*chat, id.as_str())).unzip();
        let found = database.query(BY_ID, &[&chats, &ids]).await?;
        let known: BTreeSet<(i64, &str)> = found.iter().map(|row| (row.get(0), row.get(1))).collect();
        let before = self.rows.len();
        self.rows.retain(|_, row| !known.contains(&(row.chat_id, row.message.id.as_str())));
        self.duplicates += before - self.rows.len();
        Ok(())
    }

    /// Inserts all that are not there; what is left in the batch is what was inserted. Gives whether some were there that
    /// nobody here knew of.
    pub async fn insert(&mut self, database: &Database) -> Result<bool, Error> {
        let taken = std::mem::take(&mut self.taken);
        for row in self.beside(database, taken).await? {
            // A third message beside these two, one in four thousand million again, is found by the merge below.
            self.add(row, false);
        }
        if self.rows.is_empty() {
            return Ok(false);
        }
        database.run("SAVEPOINT straight").await?;
        match database.copy(COPY, encode(self.rows.values())).await {
            Ok(_) => database.run("RELEASE straight").await.map(|()| false),
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                database.run("ROLLBACK TO straight").await?;
                self.merge(database).await.map(|()| true)
            }
            Err(error) => Err(error),
        }
    }

    async fn merge(&mut self, database: &Database) -> Result<(), Error> {
        let mut left = std::mem::take(&mut self.rows);
        while !left.is_empty() {
            database.run(STAGING).await?;
            database.run("TRUNCATE pg_temp.incoming").await?;
            database.copy(STAGE, encode(left.values())).await?;
            for row in database.query(MERGE, &[]).await? {
                let place = (row.get(0), row.get(1));
                self.rows.extend(left.remove(&place).map(|row| (place, row)));
            }
            let taken = std::mem::take(&mut left).into_values().collect();
            left = self.beside(database, taken).await?.into_iter().map(|row| ((row.chat_id, row.key), row)).collect();
        }
        Ok(())
    }

    /// Of rows whose place is taken, those whose place is another message's, one place further.
    async fn beside(&mut self, database: &Database, taken: Vec<Row<'a>>) -> Result<Vec<Row<'a>>, Error> {
        if taken.is_empty() {
            return Ok(taken);
        }
        let (chats, keys): (Vec<i64>, Vec<i64>) = taken.iter().map(|row| (row.chat_id, row.key)).unzip();
        let found = database.query(THERE, &[&chats, &keys]).await?;
        let there: HashMap<(i64, i64), &str> = found.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect();
        let mut further = Vec::new();
        for mut row in taken {
            if there.get(&(row.chat_id, row.key)).is_none_or(|id| *id == row.message.id) {
                self.duplicates += 1;
            } else {
                row.key += 1;
                further.push(row);
            }
        }
        Ok(further)
    }
}

/// Stores the previews of rows that were inserted.
pub async fn insert_thumbnails<'a>(database: &Database, rows: impl Iterator<Item = &'a Row<'a>>) -> Result<(), Error> {
    let with: Vec<(&Row<'_>, &[u8])> =
        rows.filter_map(|row| Some((row, row.message.content.thumbnail.as_deref()?))).collect();
    if with.is_empty() {
        return Ok(());
    }
    let chats: Vec<i64> = with.iter().map(|(row, _)| row.chat_id).collect();
    let keys: Vec<i64> = with.iter().map(|(row, _)| row.key).collect();
    let tenants: Vec<i32> = with.iter().map(|(row, _)| row.tenant_id).collect();
    let pictures: Vec<&[u8]> = with.iter().map(|(_, jpeg)| *jpeg).collect();
    database.query(THUMBNAILS, &[&chats, &keys, &tenants, &pictures]).await.map(drop)
}

fn encode<'a>(rows: impl Iterator<Item = &'a Row<'a>>) -> bytes::Bytes {
    let mut copy = Rows::new(15);
    for row in rows {
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
            .jsonb(content.media.as_ref())
            .text(content.quoted.as_deref())
            .jsonb(content.poll.as_ref());
    }
    copy.finish()
}
