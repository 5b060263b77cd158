//! What the phone tells of its chats: read up to here, names, archived, pinned, muted.

use std::collections::BTreeMap;

use tokio_postgres::Error;

use crate::{connection::Database, record::ChatInfo};

/// Within one second what was stored later is later; what is gone of that second was the first of it.
const READ: &str = "\
    WITH up_to AS (SELECT DISTINCT ON (t.chat_id) t.chat_id, m.key, m.created_at \
                   FROM unnest($1::int8[], $2::text[]) t (chat_id, message_id) \
                   JOIN messages m ON m.chat_id = t.chat_id AND m.message_id = t.message_id \
                   ORDER BY t.chat_id, m.key >> 32 DESC, m.created_at DESC) \
    UPDATE chats c SET read_key = u.key, unread = least(c.unread, \
        (SELECT count(*)::int4 FROM messages m WHERE m.chat_id = c.id AND m.key >= (u.key >> 32 << 32) AND m.flags & 65 = 0 \
           AND (m.key >> 32, m.created_at) > (u.key >> 32, u.created_at))) \
    FROM up_to u WHERE c.id = u.chat_id AND (c.read_key IS NULL OR (u.key >> 32, u.created_at) > (c.read_key >> 32, coalesce( \
        (SELECT r.created_at FROM messages r WHERE r.chat_id = c.id AND r.key = c.read_key), '-infinity'))) RETURNING c.id";
/// The newest of a history that came read are those the phone says are not; it counts no changes of a group (12). `$3`: what
/// has come since it said so.
const NOT_READ: &str = "\
    UPDATE messages m SET flags = m.flags & ~64 \
    FROM (SELECT n.chat_id, n.key FROM unnest($1::int8[], $2::int4[], $3::int4[]) t (id, unread, fresh) \
          JOIN chats c ON c.id = t.id AND c.read_key IS NULL AND c.unread = t.fresh \
          CROSS JOIN LATERAL (SELECT h.chat_id, h.key FROM messages h \
                              WHERE h.chat_id = c.id AND h.flags & 65 = 64 AND h.kind <> 12 \
                              ORDER BY h.key >> 32 DESC, h.created_at DESC LIMIT t.unread) n) n \
    WHERE m.chat_id = n.chat_id AND m.key = n.key";
/// What a chat is when the phone has told of it: name, when that was, archived, pinned, muted, unread. That it was told says
/// of a person's name that it is the phone's own for them. A chat stays pinned since when it was. The phone's unread count
/// holds for one nobody has read here and nothing new had come to (`fresh` has come since); later the count is ours.
macro_rules! described {
    () => {
        "CASE WHEN c.is_group AND c.named_at > t.at THEN c.name ELSE coalesce(t.name, c.name) END, \
         CASE WHEN t.name IS NULL OR c.named_at > t.at OR (t.name = c.name AND (c.is_group OR c.named_at IS NOT NULL)) \
              THEN c.named_at ELSE t.at END, \
         coalesce(t.archived, c.archived), \
         CASE t.pinned_at WHEN 0 THEN NULL ELSE coalesce(c.pinned_at, to_timestamp(t.pinned_at)) END, \
         CASE WHEN t.muted_until IS NULL THEN c.muted_until ELSE to_timestamp(nullif(t.muted_until, 0)) END, \
         CASE WHEN c.read_key IS NULL AND c.unread = t.fresh THEN t.fresh + coalesce(t.unread, 0) ELSE c.unread END"
    };
}
const DESCRIBE: &str = concat!(
    "UPDATE chats c SET (name, named_at, archived, pinned_at, muted_until, unread) = (",
    described!(),
    ") FROM unnest($1::int8[], $2::text[], $3::int8[], $4::bool[], $5::int8[], $6::int8[], $7::int4[], $8::int4[]) \
         t (id, name, at, archived, pinned_at, muted_until, unread, fresh) \
     WHERE c.id = t.id AND (c.name, c.named_at, c.archived, c.pinned_at, c.muted_until, c.unread) IS DISTINCT FROM (",
    described!(),
    ") RETURNING c.id"
);
/// A person's push name does not replace the name the phone has for them; a group's subject does, if it is not an older one.
const NAME: &str = "\
    UPDATE chats c SET name = t.name, named_at = CASE WHEN c.is_group THEN t.at ELSE c.named_at END \
    FROM unnest($1::int8[], $2::text[], $3::int8[]) t (id, name, at) \
    WHERE c.id = t.id AND CASE WHEN c.is_group THEN coalesce(c.named_at, 0) <= t.at ELSE c.name IS NULL END \
      AND c.name IS DISTINCT FROM t.name RETURNING c.id";

/// A chat as the phone has it, and how many unread messages have come to it after it said so.
pub struct Described<'a> {
    pub info: ChatInfo<'a>,
    pub fresh: i32,
}

impl<'a> Described<'a> {
    /// Takes in what is said of the same chat later.
    pub fn add(&mut self, later: &Self) {
        if self.info.unread.unwrap_or(0) == 0 {
            self.fresh = later.fresh;
        }
        self.info.add(&later.info);
    }
}

/// The phone has read chats up to the newest of these messages; gives the chats that changed.
pub async fn read(database: &Database, named: &[(i64, &str)]) -> Result<Vec<i64>, Error> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let (chats, ids): (Vec<i64>, Vec<&str>) = named.iter().copied().unzip();
    Ok(database.query(READ, &[&chats, &ids]).await?.iter().map(|row| row.get(0)).collect())
}

/// Chats as the phone has them; gives those that changed.
pub async fn describe(database: &Database, chats: &BTreeMap<i64, Described<'_>>) -> Result<Vec<i64>, Error> {
    if chats.is_empty() {
        return Ok(Vec::new());
    }
    macro_rules! column {
        ($kind:ty, $value:expr) => {
            &chats.values().map($value).collect::<Vec<$kind>>()
        };
    }
    let ids: Vec<i64> = chats.keys().copied().collect();
    let unread = column!(Option<i32>, |chat| chat.info.unread.map(|count| count.max(0)));
    let fresh = column!(i32, |chat| chat.fresh);
    if unread.iter().flatten().any(|count| *count > 0) {
        database.query(NOT_READ, &[&ids, unread, fresh]).await?;
    }
    let rows = database
        .query(
            DESCRIBE,
            &[
                &ids,
                column!(Option<&str>, |chat| chat.info.name.as_deref()),
                column!(i64, |chat| chat.info.at),
                column!(Option<bool>, |chat| chat.info.archived),
                column!(Option<i64>, |chat| chat.info.pinned_at),
                column!(Option<i64>, |chat| chat.info.muted_until),
                unread,
                fresh,
            ],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Names of people and groups, and when they were told; gives the chats that changed.
pub async fn name(database: &Database, names: &BTreeMap<i64, (&str, i64)>) -> Result<Vec<i64>, Error> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = names.keys().copied().collect();
    let (texts, times): (Vec<&str>, Vec<i64>) = names.values().copied().unzip();
    Ok(database.query(NAME, &[&ids, &texts, &times]).await?.iter().map(|row| row.get(0)).collect())
}
