//! Messages that were no messages after all go out of their chats, which are then as if these had never come.

use std::collections::BTreeMap;

use tokio_postgres::Error;

use crate::connection::Database;

/// Within one second what was stored later is later, here as in the counts. What may be the newest is of the newest second: of
/// a long chat no more is read.
const REMOVE: &str = "\
    WITH gone AS (DELETE FROM messages m USING unnest($1::int8[], $2::int8[]) t (chat_id, key) \
                  WHERE m.chat_id = t.chat_id AND m.key = t.key \
                  RETURNING m.chat_id, m.key, m.created_at, m.flags), \
         counted AS (SELECT g.chat_id, count(*)::int4 AS stored, array_agg(g.key) AS keys, \
                            (count(*) FILTER (WHERE g.flags & 65 = 0 AND (c.read_key IS NULL OR (g.key >> 32, g.created_at) > \
                                (c.read_key >> 32, coalesce(r.created_at, '-infinity')))))::int4 AS unread \
                     FROM gone g JOIN chats c ON c.id = g.chat_id \
                     LEFT JOIN messages r ON r.chat_id = c.id AND r.key = c.read_key GROUP BY g.chat_id) \
    UPDATE chats c SET stored = c.stored - n.stored, unread = greatest(0, c.unread - n.unread), last_key = l.key, \
        last_kind = l.kind, last_flags = l.flags, last_text = left(l.body, 200), last_sender = l.sender_name, last_status = l.status \
    FROM counted n LEFT JOIN LATERAL (SELECT * FROM messages m WHERE m.chat_id = n.chat_id AND m.key <> ALL (n.keys) \
                                        AND m.key >= (SELECT max(x.key) >> 32 << 32 FROM messages x \
                                                      WHERE x.chat_id = n.chat_id AND x.key <> ALL (n.keys)) \
                                      ORDER BY m.created_at DESC LIMIT 1) l ON true \
    WHERE c.id = n.chat_id RETURNING c.id, n.keys";

/// Takes these messages, (chat, key) each, out of their chats, and gives the keys of each chat's.
pub async fn remove(database: &Database, messages: &[(i64, i64)]) -> Result<BTreeMap<i64, Vec<i64>>, Error> {
    if messages.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (chats, keys): (Vec<i64>, Vec<i64>) = messages.iter().copied().unzip();
    let changed = database.query(REMOVE, &[&chats, &keys]).await?;
    Ok(changed.iter().map(|row| (row.get(0), row.get(1))).collect())
}
