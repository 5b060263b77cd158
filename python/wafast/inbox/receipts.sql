-- How far a message of ours got. $1 is always the tenant, $2 the devices within reach (NULL: all of the tenant's).
-- Reads the outbox itself: when a message of a chat of two was delivered and read stands in its row alone, and who looks
-- asks once.

-- name: progress
-- $3 chat, $4 key. The outbox knows when; of what was written on the phone only the status is known.
SELECT m.flags, message_status(m.status) AS status, c.is_group, m.device_no, d.id AS device_id,
       to_timestamp(m.key >> 32) AS sent_at, o.delivered_at, o.read_at
FROM chats c
JOIN devices d ON d.no = c.device_no
JOIN messages m ON m.chat_id = c.id AND m.tenant_id = c.tenant_id
LEFT JOIN outbox o ON m.flags & 1 <> 0 AND o.device_no = m.device_no AND o.message_id = m.message_id
WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND c.id = $3 AND m.key = $4 AND m.key > c.floor_key;

-- name: receipts_of
-- $2 device, $3 chat, $4 key. A person known by both JIDs is one.
SELECT jid_of(coalesce(n.number << 3, r.person)) AS jid, min(r.delivered_at) AS delivered_at, min(r.read_at) AS read_at,
       min(r.played_at) AS played_at
FROM receipts r
LEFT JOIN lid_numbers n ON n.device_no = $2 AND r.person & 7 = 1 AND n.lid = r.person >> 3
WHERE r.tenant_id = $1 AND r.chat_id = $3 AND r.key = $4
GROUP BY 1
ORDER BY coalesce(min(r.played_at), min(r.read_at), min(r.delivered_at)), 1;
