//! What the phone tells of its chats: read up to here, names, archived, pinned, muted.

use std::collections::BTreeMap;

use tokio_postgres::Error;

use crate::{connection::Database, record::ChatInfo};

/// What came with the history was never counted, and is not now. Within one second what was stored later is later.
const READ: &str = "\
    WITH up_to AS (SELECT DISTINCT ON (t.chat_id) t.chat_id, m.key, m.created_at \
                   FROM unnest($1::int8[], $2::text[]) t (chat_id, message_id) \
                   JOIN messages m ON m.chat_id = t.chat_id AND m.message_id = t.message_id \
                   ORDER BY t.chat_id, m.key >> 32 DESC, m.created_at DESC) \
    UPDATE chats c SET read_key = u.key, unread = least(c.unread, \
        (SELECT count(*)::int4 FROM messages m WHERE m.chat_id = c.id AND m.key >= (u.key >> 32 << 32) AND m.flags & 1 = 0 \
           AND (m.key >> 32, m.created_at) > (u.key >> 32, u.created_at))) \
    FROM up_to u WHERE c.id = u.chat_id AND (c.read_key IS NULL OR c.read_key >> 32 <= u.key >> 32) \
      AND (c.unread > 0 OR c.read_key IS DISTINCT FROM u.key) RETURNING c.id";
/// What a chat is when the phone has told of it: name, archived, pinned, muted, unread. A chat stays pinned since when it
/// was. The phone's unread count holds for one nobody has read here and nothing new has come to; later the count is ours.
macro_rules! described {
    () => {
        "coalesce(t.name, c.name), coalesce(t.archived, c.archived), \
         CASE t.pinned_at WHEN 0 THEN NULL ELSE coalesce(c.pinned_at, to_timestamp(t.pinned_at)) END, \
         CASE WHEN t.muted_until IS NULL THEN c.muted_until ELSE to_timestamp(nullif(t.muted_until, 0)) END, \
         CASE WHEN c.read_key IS NULL AND c.unread = 0 THEN coalesce(t.unread, 0) ELSE c.unread END"
    };
}
const DESCRIBE: &str = concat!(
    "UPDATE chats c SET (name, archived, pinned_at, muted_until, unread) = (",
    described!(),
    ") FROM unnest($1::int8[], $2::text[], $3::bool[], $4::int8[], $5::int8[], $6::int4[]) \
         t (id, name, archived, pinned_at, muted_until, unread) \
     WHERE c.id = t.id AND (c.name, c.archived, c.pinned_at, c.muted_until, c.unread) IS DISTINCT FROM (",
    described!(),
    ") RETURNING c.id"
);
/// A person's push name does not replace the name the phone has for them; a group's subject does.
const NAME: &str = "\
    UPDATE chats c SET name = t.name FROM unnest($1::int8[], $2::text[]) t (id, name) \
    WHERE c.id = t.id AND (c.is_group OR c.name IS NULL) AND c.name IS DISTINCT FROM t.name RETURNING c.id";

/// The phone has read chats up to the newest of these messages; gives the chats that changed.
pub async fn read(database: &Database, named: &[(i64, &str)]) -> Result<Vec<i64>, Error> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let (chats, ids): (Vec<i64>, Vec<&str>) = named.iter().copied().unzip();
    Ok(database.query(READ, &[&chats, &ids]).await?.iter().map(|row| row.get(0)).collect())
}

/// Chats as the phone has them; gives those that changed.
pub async fn describe(database: &Database, chats: &BTreeMap<i64, ChatInfo<'_>>) -> Result<Vec<i64>, Error> {
    if chats.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = chats.keys().copied().collect();
    let names: Vec<Option<&str>> = chats.values().map(|info| info.name.as_deref()).collect();
    let archived: Vec<Option<bool>> = chats.values().map(|info| info.archived).collect();
    let pinned: Vec<Option<i64>> = chats.values().map(|info| info.pinned_at).collect();
    let muted: Vec<Option<i64>> = chats.values().map(|info| info.muted_until).collect();
    let unread: Vec<Option<i32>> = chats.values().map(|info| info.unread.map(|count| count.max(0))).collect();
    let rows = database.query(DESCRIBE, &[&ids, &names, &archived, &pinned, &muted, &unread]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Names of people and groups; gives the chats that changed.
pub async fn name(database: &Database, names: &BTreeMap<i64, &str>) -> Result<Vec<i64>, Error> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = names.keys().copied().collect();
    let texts: Vec<&str> = names.values().copied().collect();
    Ok(database.query(NAME, &[&ids, &texts]).await?.iter().map(|row| row.get(0)).collect())
}
