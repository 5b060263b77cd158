-- Chats. $1 is always the tenant, $2 the devices within reach (NULL: all of the tenant's).

-- name: device_in_reach
SELECT d.no FROM devices d
WHERE d.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND d.id = $3;

-- name: list_chats
-- $3 device, $4 oldest last_key shown, $5 $6 the chat after which the page starts (last_key, id), $7 only these chats
-- (NULL: all), $8 how many. The device's chats are found by their jid index and sorted.
WITH page AS (
SELECT c.id
FROM chats c
JOIN devices d ON d.no = c.device_no
WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2))
  AND c.device_no = $3
  AND c.last_key IS NOT NULL AND c.last_key >= $4
  AND (c.last_key, c.id) < ($5::int8, $6::int8)
  AND ($7::int8[] IS NULL OR c.id = ANY ($7))
ORDER BY c.last_key DESC, c.id DESC
LIMIT $8
)
SELECT s.* FROM page JOIN chats_shown s ON s.id = page.id ORDER BY s.last_key DESC, s.id DESC;

-- name: get_chats
-- $1 is a list of tenants: the live side asks for several at once.
SELECT s.* FROM chats_shown s
WHERE s.tenant_id = ANY ($1::int4[]) AND ($2::uuid[] IS NULL OR s.device_id = ANY ($2)) AND s.id = ANY ($3::int8[]);

-- name: lock_chat
-- read_key and unread as they were, for what the phone must be told; the lock keeps a batch from counting in between.
SELECT c.device_no, c.jid, c.unread, c.last_key,
       greatest(coalesce(c.read_key, c.floor_key), c.floor_key) AS read_key
FROM chats c
JOIN devices d ON d.no = c.device_no
WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND c.id = $3
FOR NO KEY UPDATE OF c;

-- name: mark_chat_read
-- Within a second keys have no order, and last_key is what came last.
UPDATE chats SET unread = 0, read_key = CASE WHEN read_key >> 32 > last_key >> 32 THEN read_key ELSE coalesce(last_key, read_key) END
WHERE tenant_id = $1 AND id = $2;

-- name: unread_messages
-- Newest first, at most $4: what a read receipt names. $3 the last message read before; others of its second may have
-- come after it, whatever their keys. Of another line's (128) WhatsApp knows nothing here.
SELECT m.message_id, jid_of(m.sender) AS sender_jid
FROM messages m
WHERE m.tenant_id = $1 AND m.chat_id = $2 AND m.key >= ($3::int8 >> 32 << 32) AND m.flags & 129 = 0
ORDER BY m.key >> 32 DESC, m.created_at DESC, m.key DESC
LIMIT $4;

-- name: viewed_chat
-- $3 the chat, $4 the user who looks at it.
SELECT c.device_no, left(u.name, 100) AS name
FROM chats c
JOIN devices d ON d.no = c.device_no
JOIN users u ON u.id = $4
WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND c.id = $3;
