//! Messages that could not be read have a row meanwhile. When the message comes after all it takes that row's place, which
//! keeps its key; when it turns out to be none that makes a row, the placeholder goes.

use std::collections::BTreeSet;

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
const NAMED: &str = "\
    SELECT m.chat_id, m.key FROM messages m JOIN unnest($1::int8[], $2::text[]) t (chat_id, message_id) \
    ON m.chat_id = t.chat_id AND m.message_id = t.message_id AND left(m.message_id, 500) = left(t.message_id, 500) WHERE m.flags & 32 <> 0 FOR UPDATE OF m";

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
    show(database, rows.iter().map(|row| row.chat_id)).await
}

/// Lets chats show their last message as it is now.
pub async fn show(database: &Database, chats: impl Iterator<Item = i64>) -> Result<(), Error> {
    let chats: Vec<i64> = chats.collect::<BTreeSet<i64>>().into_iter().collect();
    if chats.is_empty() { Ok(()) } else { database.query(SHOW, &[&chats]).await.map(drop) }
}

/// Where the placeholders of these messages, (chat, message id) each, are: (chat, key).
pub async fn named(database: &Database, messages: &[(i64, &str)]) -> Result<Vec<(i64, i64)>, Error> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let (chats, ids): (Vec<i64>, Vec<&str>) = messages.iter().copied().unzip();
    Ok(database.query(NAMED, &[&chats, &ids]).await?.iter().map(|row| (row.get(0), row.get(1))).collect())
}
