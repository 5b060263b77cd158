-- name: lock_pair
SELECT no, id, name, network, state, jid, lid FROM devices WHERE tenant_id = $1 AND id = ANY ($2::uuid[])
ORDER BY no FOR UPDATE

-- name: copy_lids
-- Whose number a LID is, is the same on every line.
INSERT INTO lid_numbers (tenant_id, device_no, lid, number)
SELECT tenant_id, $2, lid, number FROM lid_numbers WHERE device_no = $1
ON CONFLICT DO NOTHING

-- name: chats_to_move
-- Chats of device $1 with persons, under the name the person has at $2, and the chat with it that $2 has. $3: our own.
SELECT c.id, p.jid AS person, t.id AS twin
FROM chats c
CROSS JOIN LATERAL (
    SELECT coalesce((SELECT n.number || '@s.whatsapp.net' FROM lid_numbers n
                     WHERE c.jid LIKE '%@lid' AND n.device_no = $2 AND n.lid = split_part(c.jid, '@', 1)::int8), c.jid) AS jid
) p
LEFT JOIN chats t ON t.device_no = $2 AND t.jid = p.jid
WHERE c.device_no = $1 AND NOT c.is_group AND p.jid <> ALL ($3::text[])
  AND (c.jid LIKE '%@s.whatsapp.net' OR c.jid ~ '^[0-9]{1,18}@lid$')
ORDER BY c.id

-- name: lock_chats_to_move
SELECT FROM chats WHERE id = ANY ($1::int8[]) ORDER BY id FOR UPDATE

-- name: move_messages
-- 128: of another line (inbox/messages.py).
WITH files AS (
    UPDATE media_fetches SET device_no = $2 WHERE chat_id = ANY ($1::int8[])
), waiting AS (
    DELETE FROM pending_changes WHERE chat_id = ANY ($1::int8[])
)
UPDATE messages SET device_no = $2, flags = flags | 128 WHERE chat_id = ANY ($1::int8[])

-- name: merge_twins
SELECT merge_chats(from_id, into_id) FROM unnest($1::int8[], $2::int8[]) AS t (from_id, into_id)

-- name: move_chats
UPDATE chats c SET device_no = $3, jid = m.jid FROM unnest($1::int8[], $2::text[]) AS m (id, jid) WHERE c.id = m.id

-- name: queue_for_search
-- The chats themselves (without a key), and their messages.
INSERT INTO search_queue (chat_id, key)
SELECT id, NULL::int8 FROM unnest($1::int8[]) AS c (id)
UNION ALL
SELECT m.chat_id, m.key FROM messages m WHERE m.chat_id = ANY ($1::int8[])

-- name: move_leads
WITH moved AS (
    UPDATE leads SET device_no = $3, updated_at = now() WHERE tenant_id = $1 AND device_no = $2 RETURNING id
), noted AS (
    INSERT INTO distribution_decisions (tenant_id, lead_id, device_no, code, reason)
    SELECT $1, id, $3, 'replaced', $4 FROM moved
)
SELECT count(*) FROM moved

-- name: ensure_lanes_of
-- At $2 a lane for each that $1 has of a source.
INSERT INTO lanes (tenant_id, source_id, device_no, zone, is_live)
SELECT l.tenant_id, l.source_id, $2, l.zone, l.is_live FROM lanes l WHERE l.device_no = $1 AND l.source_id IS NOT NULL
ON CONFLICT (source_id, device_no, zone) DO NOTHING

-- name: move_sends
-- What is due is due from now on: the claim does not look at what lies in a lane before the row it took last.
WITH moved AS (
    UPDATE outbox o SET device_no = $2, lane_id = n.id, not_before = greatest(o.not_before, clock_timestamp())
    FROM lanes l JOIN lanes n ON n.source_id = l.source_id AND n.device_no = $2 AND n.zone = l.zone
    WHERE l.device_no = $1 AND o.lane_id = l.id AND o.state = 'queued'
    RETURNING o.id
)
SELECT count(*) FROM moved

-- name: choose_instead
-- Where the old device was chosen for those without one, the new one is.
WITH campaigned AS (
    UPDATE campaigns SET device_ids = array_replace(array_remove(device_ids, $3), $2, $3)
    WHERE tenant_id = $1 AND $2 = ANY (device_ids)
)
UPDATE sources SET device_ids = array_replace(array_remove(device_ids, $3), $2, $3)
WHERE tenant_id = $1 AND $2 = ANY (device_ids)
