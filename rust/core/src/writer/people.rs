//! What the phone tells of its chats: read up to here, names, archived, pinned, muted.

use std::collections::BTreeMap;

use tokio_postgres::Error;

use crate::{
    connection::Database,
    record::{ChatInfo, Unread},
};

/// Within one second what was stored later is later; what is gone of that second was the first of it.
const READ: &str = "\
    WITH up_to AS (SELECT DISTINCT ON (t.chat_id) t.chat_id, m.key, m.created_at \
                   FROM unnest($1::int8[], $2::text[]) t (chat_id, message_id) \
                   JOIN messages m ON m.chat_id = t.chat_id AND m.message_id = t.message_id AND left(m.message_id, 500) = left(t.message_id, 500) \
                   ORDER BY t.chat_id, m.key >> 32 DESC, m.created_at DESC) \
    UPDATE chats c SET read_key = u.key, unread = least(c.unread, \
        (SELECT count(*)::int4 FROM messages m WHERE m.chat_id = c.id AND m.key >= (u.key >> 32 << 32) AND m.flags & 65 = 0 \
           AND (m.key >> 32, m.created_at) > (u.key >> 32, u.created_at))) \
    FROM up_to u WHERE c.id = u.chat_id AND (c.read_key IS NULL OR (u.key >> 32, u.created_at) > (c.read_key >> 32, coalesce( \
        (SELECT r.created_at FROM messages r WHERE r.chat_id = c.id AND r.key = c.read_key), '-infinity'))) RETURNING c.id";
/// The phone's count holds once, for a chat that nobody has read here: of what it had heard (`$3`, a second) the newest are
/// unread (`$2`), and no changes of a group (12). What had come later is unread beside it, before (`$5`) and after the phone
/// said so (`$4`).
const NOT_READ: &str = "\
    WITH told AS (UPDATE chats c SET unread_told = true, unread = t.unread + t.fresh + \
                      (SELECT count(*)::int4 FROM messages m WHERE m.chat_id = c.id AND m.key > c.floor_key AND m.flags & 65 = 0 \
                         AND m.key >> 32 > t.heard_to AND (t.since IS NULL OR m.created_at < t.since)) \
                  FROM (SELECT id, unread, heard_to, fresh, 'epoch'::timestamptz + since * interval '1 microsecond' AS since \
                        FROM unnest($1::int8[], $2::int4[], $3::int8[], $4::int4[], $5::int8[]) \
                            t (id, unread, heard_to, fresh, since)) t \
                  WHERE c.id = t.id AND c.read_key IS NULL AND NOT c.unread_told \
                  RETURNING c.id, c.floor_key, t.unread, t.heard_to, t.since), \
         heard AS (SELECT m.chat_id, m.key, row_number() OVER (PARTITION BY m.chat_id \
                                                               ORDER BY m.key >> 32 DESC, m.created_at DESC) <= t.unread AS is_unread \
                   FROM told t JOIN messages m ON m.chat_id = t.id AND m.key > t.floor_key AND m.flags & 1 = 0 AND m.kind <> 12 \
                       AND m.key >> 32 <= t.heard_to AND (t.since IS NULL OR m.created_at < t.since)), \
         marked AS (UPDATE messages m SET flags = CASE WHEN h.is_unread THEN m.flags & ~64 ELSE m.flags | 64 END FROM heard h \
                    WHERE m.chat_id = h.chat_id AND m.key = h.key AND (m.flags & 64 = 0) <> h.is_unread) \
    SELECT id FROM told";
/// What a chat is when the phone has told of it: name, when that was, archived, pinned, muted. That it was told says of a
/// person's name that it is the phone's own for them. A chat stays pinned since when it was.
macro_rules! described {
    () => {
        "CASE WHEN c.is_group AND c.named_at > t.at THEN c.name ELSE coalesce(t.name, c.name) END, \
         CASE WHEN t.name IS NULL OR c.named_at > t.at OR (t.name = c.name AND (c.is_group OR c.named_at IS NOT NULL)) \
              THEN c.named_at ELSE t.at END, \
         coalesce(t.archived, c.archived), \
         CASE t.pinned_at WHEN 0 THEN NULL ELSE coalesce(c.pinned_at, to_timestamp(t.pinned_at)) END, \
         CASE WHEN t.muted_until IS NULL THEN c.muted_until ELSE to_timestamp(nullif(t.muted_until, 0)) END"
    };
}
const DESCRIBE: &str = concat!(
    "UPDATE chats c SET (name, named_at, archived, pinned_at, muted_until) = (",
    described!(),
    ") FROM unnest($1::int8[], $2::text[], $3::int8[], $4::bool[], $5::int8[], $6::int8[]) \
         t (id, name, at, archived, pinned_at, muted_until) \
     WHERE c.id = t.id AND (c.name, c.named_at, c.archived, c.pinned_at, c.muted_until) IS DISTINCT FROM (",
    described!(),
    ") RETURNING c.id"
);
/// A person's push name does not replace the name the phone has for them; a group's subject does, if it is not an older one.
const NAME: &str = "\
    UPDATE chats c SET name = t.name, named_at = CASE WHEN c.is_group THEN t.at ELSE c.named_at END \
    FROM unnest($1::int8[], $2::text[], $3::int8[]) t (id, name, at) \
    WHERE c.id = t.id AND CASE WHEN c.is_group THEN coalesce(c.named_at, 0) <= t.at ELSE c.name IS NULL END \
      AND c.name IS DISTINCT FROM t.name RETURNING c.id";

/// A chat as the phone has it, and what has come to it after it said so.
pub struct Described<'a> {
    pub info: ChatInfo<'a>,
    pub fresh: Fresh,
}

/// What came to a chat after an event of its batch.
#[derive(Clone, Copy)]
pub struct Fresh {
    pub unread: i32,
    /// When the first of it was stored, in microseconds since 1970.
    pub since: Option<i64>,
}

impl Described<'_> {
    /// Takes in what is said of the same chat later.
    pub fn add(&mut self, later: &Self) {
        if self.info.unread.is_none() {
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
    let mut changed = count_as_told(database, chats).await?;
    let ids: Vec<i64> = chats.keys().copied().collect();
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
            ],
        )
        .await?;
    changed.extend(rows.iter().map(|row| row.get::<_, i64>(0)));
    Ok(changed)
}

async fn count_as_told(database: &Database, chats: &BTreeMap<i64, Described<'_>>) -> Result<Vec<i64>, Error> {
    let told = chats.iter().filter_map(|(id, chat)| Some((*id, chat.info.unread?, chat.fresh)));
    let (ids, told): (Vec<i64>, Vec<(Unread, Fresh)>) = told.map(|(id, unread, fresh)| (id, (unread, fresh))).unzip();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let counts: Vec<i32> = told.iter().map(|(unread, _)| unread.count).collect();
    let heard_to: Vec<i64> = told.iter().map(|(unread, _)| unread.heard_to).collect();
    let fresh: Vec<i32> = told.iter().map(|(_, fresh)| fresh.unread).collect();
    let since: Vec<Option<i64>> = told.iter().map(|(_, fresh)| fresh.since).collect();
    let rows = database.query(NOT_READ, &[&ids, &counts, &heard_to, &fresh, &since]).await?;
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
