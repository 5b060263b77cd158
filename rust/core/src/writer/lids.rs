//! LIDs and the phone numbers they belong to: learned from events, and what was two chats becomes one.

use std::collections::{BTreeMap, HashSet};

use rustc_hash::FxHashMap;
use tokio_postgres::Error;

use super::{
    counts,
    known::Known,
    notices::{self, Renamed},
};
use crate::connection::Database;

const SAVE: &str = "\
    INSERT INTO lid_numbers (tenant_id, device_no, lid, number) \
    SELECT d.tenant_id, d.no, t.lid, t.number FROM unnest($1::int4[], $2::int8[], $3::int8[]) t (device_no, lid, number) \
    JOIN devices d ON d.no = t.device_no FOR KEY SHARE OF d \
    ON CONFLICT (device_no, lid) DO UPDATE SET number = excluded.number";
/// A chat that began under the LID, and the number's own if there is one.
const CHATS: &str = "\
    SELECT l.tenant_id, l.device_no, l.id, p.id, t.number || '@s.whatsapp.net' \
    FROM unnest($1::int4[], $2::int8[], $3::int8[]) t (device_no, lid, number) \
    JOIN chats l ON l.device_no = t.device_no AND l.jid = t.lid || '@lid' \
    LEFT JOIN chats p ON p.device_no = t.device_no AND p.jid = t.number || '@s.whatsapp.net'";
const RENAME: &str = "UPDATE chats SET jid = $2 WHERE id = $1";
const MERGE: &str = "SELECT merge_chats($1, $2)";
/// Search finds a chat's messages by where they are.
const QUEUE_FOR_SEARCH: &str =
    "INSERT INTO search_queue (chat_id, key) SELECT m.chat_id, m.key FROM messages m WHERE m.chat_id = $1";
/// Senders of groups and of the person's own chat, as their rows have them: number << 3, and 1 for a LID.
const SENDERS: &str = "\
    UPDATE messages m SET sender = t.number << 3 \
    FROM unnest($1::int4[], $2::int8[], $3::int8[]) t (device_no, lid, number) \
    WHERE m.device_no = t.device_no AND m.sender = (t.lid << 3 | 1) AND m.sender & 7 = 1";
/// Who reacted or voted.
const SAID: &str = "\
    WITH told AS MATERIALIZED (SELECT device_no, lid || '@lid' AS lid, number || '@s.whatsapp.net' AS number \
                               FROM unnest($1::int4[], $2::int8[], $3::int8[]) t (device_no, lid, number)), \
         named AS (SELECT m.chat_id, m.key, array_agg(t.lid) AS lids, array_agg(t.number) AS numbers \
                   FROM messages m \
                   CROSS JOIN jsonb_array_elements(coalesce(m.reactions, '[]') || coalesce(m.poll_votes, '[]')) said (one) \
                   JOIN told t ON t.device_no = m.device_no AND t.lid = said.one ->> 'sender_jid' \
                   WHERE m.device_no = ANY ($1) \
                     AND (m.reactions::text LIKE '%@lid\"%' OR m.poll_votes::text LIKE '%@lid\"%') \
                   GROUP BY m.chat_id, m.key) \
    UPDATE messages m SET reactions = said_by(m.reactions, n.lids, n.numbers), poll_votes = said_by(m.poll_votes, n.lids, n.numbers) \
    FROM named n WHERE m.chat_id = n.chat_id AND m.key = n.key";

/// (device, LID) and number.
pub type Pairs = BTreeMap<(i32, i64), i64>;

/// A chat that got the number's name, or into which the LID's was taken.
pub struct Moved {
    pub tenant_id: i32,
    pub device_no: i32,
    pub chat_id: i64,
    /// The chat that became part of it.
    pub merged: Option<i64>,
}

/// What changed by it.
#[derive(Default)]
pub struct Learned {
    pub moved: Vec<Moved>,
    pub notices: Vec<Renamed>,
}

/// Stores what is new of `told`, and moves the chats and senders that were known by their LID.
pub async fn learn(database: &Database, known: &mut Known, told: Pairs, keep: usize) -> Result<Learned, Error> {
    let is_new = |no: i32, lid: i64, number: i64| {
        known.owner(no).is_some() && known.lids.get(&no).and_then(|lids| lids.get(&lid)) != Some(&number)
    };
    let fresh: Pairs = told.into_iter().filter(|((no, lid), number)| is_new(*no, *lid, *number)).collect();
    if fresh.is_empty() {
        return Ok(Learned::default());
    }
    let devices: Vec<i32> = fresh.keys().map(|(no, _)| *no).collect();
    let lids: Vec<i64> = fresh.keys().map(|(_, lid)| *lid).collect();
    let numbers: Vec<i64> = fresh.values().copied().collect();
    database.query(SAVE, &[&devices, &lids, &numbers]).await?;
    database.query(SENDERS, &[&devices, &lids, &numbers]).await?;
    database.query(SAID, &[&devices, &lids, &numbers]).await?;
    let notices = notices::of_devices(database, &devices).await?;
    let (mut moved, mut ids) = (Vec::new(), HashSet::new());
    // A person may have had several LIDs: the first chat takes the number's name, the others go into it.
    let mut renamed: FxHashMap<(i32, &str), i64> = FxHashMap::default();
    let rows = database.query(CHATS, &[&devices, &lids, &numbers]).await?;
    for row in &rows {
        let (by_lid, jid): (i64, &str) = (row.get(2), row.get(4));
        let by_number = row.get::<_, Option<i64>>(3).or_else(|| renamed.get(&(row.get(1), jid)).copied());
        match by_number {
            None => {
                renamed.insert((row.get(1), jid), by_lid);
                database.query(RENAME, &[&by_lid, &jid]).await?
            }
            Some(by_number) => {
                database.query(MERGE, &[&by_lid, &by_number]).await?;
                database.query(QUEUE_FOR_SEARCH, &[&by_number]).await?
            }
        };
        let (tenant_id, device_no, chat_id) = (row.get(0), row.get(1), by_number.unwrap_or(by_lid));
        moved.push(Moved { tenant_id, device_no, chat_id, merged: by_number.map(|_| by_lid) });
        ids.extend([by_lid, chat_id]);
    }
    known.forget_chats(ids.iter().copied());
    counts::raise_floors(database, ids.into_iter().collect(), keep).await?;
    for ((no, lid), number) in fresh {
        known.lids.entry(no).or_default().insert(lid, number);
    }
    Ok(Learned { moved, notices })
}
