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
const RENAME: &str = "UPDATE chats c SET jid = t.jid FROM unnest($1::int8[], $2::text[]) t (id, jid) WHERE c.id = t.id";
const MERGE: &str = "SELECT merge_chats($1, $2)";
/// Senders of groups and of the person's own chat, as their rows have them: number << 3, and 1 for a LID.
const SENDERS: &str = "\
    UPDATE messages m SET sender = t.number << 3 \
    FROM unnest($1::int4[], $2::int8[], $3::int8[]) t (device_no, lid, number) \
    WHERE m.device_no = t.device_no AND m.sender = (t.lid << 3 | 1) AND m.sender & 7 = 1";
/// Who reacted or voted. $2 has, for each device, numbers' JIDs by those of the LIDs: each row is read once, and each JID in
/// it looked up. A join went through all rows for each LID, which for a thousand of either was a second.
const SAID: &str = "\
    WITH named AS MATERIALIZED ( \
        SELECT m.chat_id, m.key, array_agg(said.jid) AS lids, array_agg($2::jsonb -> m.device_no::text ->> said.jid) AS numbers \
        FROM messages m \
        CROSS JOIN LATERAL ( \
            SELECT DISTINCT one ->> 'sender_jid' AS jid \
            FROM jsonb_array_elements(coalesce(m.reactions, '[]') || coalesce(m.poll_votes, '[]')) one) said \
        WHERE m.device_no = ANY ($1) AND (m.reactions::text LIKE '%@lid\"%' OR m.poll_votes::text LIKE '%@lid\"%') \
          AND $2::jsonb -> m.device_no::text ? said.jid \
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
    let is_new = |no: i32, lid: i64, number: i64| known.owner(no).is_some() && known.number_of(no, lid) != Some(number);
    let fresh: Pairs = told.into_iter().filter(|((no, lid), number)| is_new(*no, *lid, *number)).collect();
    if fresh.is_empty() {
        return Ok(Learned::default());
    }
    let devices: Vec<i32> = fresh.keys().map(|(no, _)| *no).collect();
    let lids: Vec<i64> = fresh.keys().map(|(_, lid)| *lid).collect();
    let numbers: Vec<i64> = fresh.values().copied().collect();
    database.query(SAVE, &[&devices, &lids, &numbers]).await?;
    database.query(SENDERS, &[&devices, &lids, &numbers]).await?;
    let mut jids: BTreeMap<i32, BTreeMap<String, String>> = BTreeMap::new();
    for ((no, lid), number) in &fresh {
        jids.entry(*no).or_default().insert(format!("{lid}@lid"), format!("{number}@s.whatsapp.net"));
    }
    let jids = serde_json::json!(jids);
    database.query(SAID, &[&devices, &jids]).await?;
    let notices = notices::of_people(database, &devices, &jids).await?;
    let (mut moved, mut ids) = (Vec::new(), HashSet::new());
    // A person may have had several LIDs: the first chat takes the number's name, the others go into it.
    let mut renamed: FxHashMap<(i32, &str), i64> = FxHashMap::default();
    let mut merged: Vec<(i64, i64)> = Vec::new();
    let rows = database.query(CHATS, &[&devices, &lids, &numbers]).await?;
    for row in &rows {
        let (tenant_id, device_no, by_lid, jid): (i32, i32, i64, &str) =
            (row.get(0), row.get(1), row.get(2), row.get(4));
        let by_number = row.get::<_, Option<i64>>(3).or_else(|| renamed.get(&(device_no, jid)).copied());
        match by_number {
            None => _ = renamed.insert((device_no, jid), by_lid),
            Some(by_number) => merged.push((by_lid, by_number)),
        }
        let chat_id = by_number.unwrap_or(by_lid);
        moved.push(Moved { tenant_id, device_no, chat_id, merged: by_number.map(|_| by_lid) });
        ids.extend([by_lid, chat_id]);
    }
    rename(database, &renamed).await?;
    for (by_lid, by_number) in &merged {
        database.query(MERGE, &[by_lid, by_number]).await?;
    }
    known.forget_chats(ids.iter().copied());
    let longer: HashSet<i64> = merged.iter().map(|(_, by_number)| *by_number).collect();
    counts::raise_floors(database, longer.into_iter().collect(), keep).await?;
    for ((no, lid), number) in fresh {
        known.learn(no, lid, number);
    }
    Ok(Learned { moved, notices })
}

async fn rename(database: &Database, renamed: &FxHashMap<(i32, &str), i64>) -> Result<(), Error> {
    if renamed.is_empty() {
        return Ok(());
    }
    let (jids, ids): (Vec<&str>, Vec<i64>) = renamed.iter().map(|((_, jid), id)| (*jid, *id)).unzip();
    database.query(RENAME, &[&ids, &jids]).await.map(drop)
}
