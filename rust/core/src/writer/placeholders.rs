//! Messages that could not be read have a row meanwhile. When the message comes after all it takes that row's place, which
//! keeps its key; when it turns out to be none that makes a row, the placeholder goes.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Error, types::Json};

use super::messages::Row;
use crate::{connection::Database, poll::Question, quote::Quote, record::Carried};

/// What happened to the placeholder meanwhile stays: reactions, receipts, a pin, whether it came read. One that was deleted
/// is none any more.
const FILL: &str = "\
    UPDATE messages m SET sender = t.sender, kind = t.kind, flags = (t.flags & ~64) | (m.flags & 80), status = greatest(m.status, t.status), \
        sender_name = t.sender_name, body = t.body, media = t.media, quoted = t.quoted, poll = t.poll, \
        quote = t.quote \
    FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int2[], $5::int2[], $6::int2[], $7::text[], $8::text[], $9::jsonb[], \
                $10::text[], $11::jsonb[], $12::jsonb[]) \
        t (chat_id, key, sender, kind, flags, status, sender_name, body, media, quoted, poll, quote) \
    WHERE m.chat_id = t.chat_id AND m.key = t.key AND m.flags & 32 <> 0";
const SHOW: &str = "\
    UPDATE chats c SET last_kind = m.kind, last_flags = m.flags, last_text = left(m.body, 200), last_sender = m.sender_name, \
        last_status = m.status, \
        name = CASE WHEN c.is_group OR m.flags & 1 <> 0 THEN c.name ELSE coalesce(c.name, m.sender_name) END \
    FROM messages m WHERE c.id = ANY ($1) AND m.chat_id = c.id AND m.key = c.last_key";
/// Within one second what was stored later is later, here as in the counts.
const REMOVE: &str = "\
    WITH gone AS (DELETE FROM messages m USING unnest($1::int8[], $2::text[]) t (chat_id, message_id) \
                  WHERE m.chat_id = t.chat_id AND m.message_id = t.message_id AND m.flags & 32 <> 0 \
                  RETURNING m.chat_id, m.key, m.created_at, m.flags), \
         counted AS (SELECT g.chat_id, count(*)::int4 AS stored, array_agg(g.key) AS keys, \
                            (count(*) FILTER (WHERE g.flags & 65 = 0 AND (c.read_key IS NULL OR (g.key >> 32, g.created_at) > \
                                (c.read_key >> 32, coalesce(r.created_at, '-infinity')))))::int4 AS unread \
                     FROM gone g JOIN chats c ON c.id = g.chat_id \
                     LEFT JOIN messages r ON r.chat_id = c.id AND r.key = c.read_key GROUP BY g.chat_id) \
    UPDATE chats c SET stored = c.stored - n.stored, unread = greatest(0, c.unread - n.unread), last_key = l.key, \
        last_kind = l.kind, last_flags = l.flags, last_text = left(l.body, 200), last_sender = l.sender_name, last_status = l.status \
    FROM counted n LEFT JOIN LATERAL (SELECT * FROM messages m WHERE m.chat_id = n.chat_id AND m.key <> ALL (n.keys) \
                                      ORDER BY m.key >> 32 DESC, m.created_at DESC LIMIT 1) l ON true \
    WHERE c.id = n.chat_id RETURNING c.id, n.keys";

/// Puts messages in the place of their placeholders, whose keys they have.
pub async fn fill(database: &Database, rows: &[Row<'_>]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    macro_rules! column {
        ($kind:ty, $value:expr) => {
            &rows.iter().map($value).collect::<Vec<$kind>>()
        };
    }
    database
        .query(
            FILL,
            &[
                column!(i64, |row| row.chat_id),
                column!(i64, |row| row.key),
                column!(i64, |row| row.sender),
                column!(i16, |row| row.message.content.kind as i16),
                column!(i16, |row| row.flags),
                column!(i16, |row| row.status as i16),
                column!(Option<&str>, |row| row.message.sender_name.as_deref()),
                column!(&str, |row| row.message.content.body.as_ref()),
                column!(Option<Json<&Carried<'_>>>, |row| row.message.content.carried.as_ref().map(Json)),
                column!(Option<&str>, |row| row.message.content.quoted.as_deref()),
                column!(Option<Json<&Question<'_>>>, |row| row.message.content.poll.as_ref().map(Json)),
                column!(Option<Json<&Quote<'_>>>, |row| row.message.content.quote.as_ref().map(Json)),
            ],
        )
        .await?;
    let chats: BTreeSet<i64> = rows.iter().map(|row| row.chat_id).collect();
    database.query(SHOW, &[&chats.into_iter().collect::<Vec<i64>>()]).await.map(drop)
}

/// Takes the placeholders of these messages, (chat, message id) each, out of their chats, and gives the keys of each chat's.
pub async fn remove(database: &Database, named: &[(i64, &str)]) -> Result<BTreeMap<i64, Vec<i64>>, Error> {
    if named.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (chats, ids): (Vec<i64>, Vec<&str>) = named.iter().copied().unzip();
    let changed = database.query(REMOVE, &[&chats, &ids]).await?;
    Ok(changed.iter().map(|row| (row.get(0), row.get(1))).collect())
}
