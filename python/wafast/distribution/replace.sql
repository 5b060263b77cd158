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
SELECT c.id, c.jid, p.jid AS person, t.id AS twin
FROM chats c
CROSS JOIN LATERAL jid_now($2, c.jid) p
LEFT JOIN chats t ON t.device_no = $2 AND t.jid = p.jid
WHERE c.device_no = $1 AND NOT c.is_group AND p.jid <> ALL ($3::text[])
  AND (c.jid LIKE '%@s.whatsapp.net' OR lid_of(c.jid) IS NOT NULL)
ORDER BY c.id

-- name: queue_known_lids
-- Chats ($1 their JIDs, $2 those of the persons) whose number was known at $3 alone: what was said there counts for it.
INSERT INTO lid_queue (device_no, lid, number)
SELECT $3, lid_of(jid), split_part(person, '@', 1)::int8
FROM unnest($1::text[], $2::text[]) AS c (jid, person) WHERE jid <> person

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
