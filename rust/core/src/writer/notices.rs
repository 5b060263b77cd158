//! People in what became of a group, who are named by their numbers where these are known.

use serde_json::Value;
use tokio_postgres::Error;

use super::{messages::Row, placeholders};
use crate::{announce, connection::Database, record::Carried};

/// Of what names somebody by a LID, that which names one of $2, an object by devices and JIDs: it costs 100 us to name anew.
const NAMING: &str = "\
    SELECT m.chat_id, m.key FROM messages m \
    WHERE m.device_no = ANY ($1) AND m.kind = 12 AND m.media::text LIKE '%@lid\"%' \
      AND EXISTS (SELECT FROM (SELECT m.media ->> 'who' \
                               UNION ALL SELECT jsonb_path_query(m.media, '$.happened[*].people[*]') #>> '{}') named (jid) \
                  WHERE $2::jsonb -> m.device_no::text ? named.jid)";
const NAME: &str = "\
    WITH told AS MATERIALIZED (SELECT m.chat_id, m.key, m.tenant_id, m.device_no, n.* \
                  FROM unnest($1::int8[], $2::int8[]) t (chat_id, key) JOIN messages m USING (chat_id, key) \
                  CROSS JOIN LATERAL notice_by_number(m.device_no, m.body, m.media) n) \
    UPDATE messages m SET body = t.body, media = t.media FROM told t \
    WHERE m.chat_id = t.chat_id AND m.key = t.key AND m.media <> t.media \
    RETURNING t.tenant_id, t.device_no, m.chat_id, m.key";

/// A notice that reads otherwise now, by its chat and key.
pub type Renamed = (announce::Chat, i64);

/// Of new messages: those notices that name somebody by a LID.
pub async fn of_new<'r>(database: &Database, rows: impl Iterator<Item = &'r Row<'r>>) -> Result<(), Error> {
    let named = rows.filter(|row| match &row.message.content.carried {
        Some(Carried::Notice(notice)) => notice.names_by_lid(),
        _ => false,
    });
    name(database, named.map(|row| (row.chat_id, row.key)).unzip()).await.map(drop)
}

/// Of these devices, those that name people whose numbers were learned just now: `jids` has them by device and their LIDs'.
pub async fn of_people(database: &Database, devices: &[i32], jids: &Value) -> Result<Vec<Renamed>, Error> {
    let rows = database.query(NAMING, &[&devices, jids]).await?;
    name(database, rows.iter().map(|row| (row.get::<_, i64>(0), row.get::<_, i64>(1))).unzip()).await
}

/// `places`: chats and keys.
async fn name(database: &Database, places: (Vec<i64>, Vec<i64>)) -> Result<Vec<Renamed>, Error> {
    let (chats, keys) = places;
    if chats.is_empty() {
        return Ok(Vec::new());
    }
    let rows = database.query(NAME, &[&chats, &keys]).await?;
    let renamed: Vec<Renamed> = rows
        .iter()
        .map(|row| (announce::Chat { tenant_id: row.get(0), device_no: row.get(1), id: row.get(2) }, row.get(3)))
        .collect();
    placeholders::show(database, renamed.iter().map(|(chat, _)| chat.id)).await?;
    Ok(renamed)
}
