-- Chats. $1 is always the tenant, $2 the devices within reach (NULL: all of the tenant's).

-- name: device_in_reach
SELECT d.no FROM devices d
WHERE d.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND d.id = $3;

-- name: list_chats
-- $3 device, $4 oldest last_key shown, $5 $6 the chat after which the page starts (last_key, id), $7 how many. The order is
-- walked, and those that have changed since they got their place in it are as they are now.
WITH moved AS (
SELECT DISTINCT unnest(chat_ids) AS id FROM chat_order_queue WHERE tenant_id = $1
), page AS (
(SELECT o.chat_id AS id, o.last_key
FROM chat_order o
WHERE o.tenant_id = $1 AND o.device_no = $3 AND o.last_key >= $4 AND (o.last_key, o.chat_id) < ($5::int8, $6::int8)
  AND o.chat_id NOT IN (SELECT id FROM moved)
ORDER BY o.last_key DESC, o.chat_id DESC
LIMIT $7)
UNION ALL
(SELECT c.id, c.last_key
FROM moved JOIN chats c ON c.id = moved.id
WHERE c.tenant_id = $1 AND c.device_no = $3 AND c.last_key >= $4 AND (c.last_key, c.id) < ($5, $6)
ORDER BY c.last_key DESC, c.id DESC
LIMIT $7)
ORDER BY last_key DESC, id DESC
LIMIT $7
)
SELECT s.* FROM page JOIN chats_shown s ON s.id = page.id
WHERE $2::uuid[] IS NULL OR s.device_id = ANY ($2)
ORDER BY s.last_key DESC, s.id DESC;

-- name: list_these_chats
-- $3 device, $4 oldest last_key shown, $5 $6 the chat after which the page starts (last_key, id), $7 only these chats,
-- $8 how many.
WITH page AS (
SELECT c.id
FROM chats c
JOIN devices d ON d.no = c.device_no
WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2))
  AND c.device_no = $3
  AND c.last_key IS NOT NULL AND c.last_key >= $4
  AND (c.last_key, c.id) < ($5::int8, $6::int8)
  AND c.id = ANY ($7::int8[])
ORDER BY c.last_key DESC, c.id DESC
LIMIT $8
)
SELECT s.* FROM page JOIN chats_shown s ON s.id = page.id ORDER BY s.last_key DESC, s.id DESC;

-- name: get_chats
-- $1 is a list of tenants: the live side asks for several at once.
SELECT s.* FROM chats_shown s
WHERE s.tenant_id = ANY ($1::int4[]) AND ($2::uuid[] IS NULL OR s.device_id = ANY ($2)) AND s.id = ANY ($3::int8[]);

-- name: successor
SELECT became FROM merged_chats WHERE tenant_id = $1 AND chat_id = $2;

-- name: begin_chat
-- Whom a device ($2) has a chat with ($3), made on first contact. Where the number behind a LID is known, it is the number's.
INSERT INTO chats (tenant_id, device_no, jid, is_group)
SELECT $1, $2, jid, jid LIKE '%@g.us' FROM jid_now($2, $3)
ON CONFLICT (device_no, jid) DO UPDATE SET jid = excluded.jid
RETURNING id;

-- name: lock_chat
-- read_key and unread as they were, for what the phone must be told; the lock keeps a batch from counting in between.
SELECT c.device_no, d.network, c.unread, c.last_key,
       greatest(coalesce(c.read_key, c.floor_key), c.floor_key) AS read_key
FROM chats c
JOIN devices d ON d.no = c.device_no
WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND c.id = $3
FOR NO KEY UPDATE OF c;

-- name: mark_chat_read
-- Within a second keys have no order, and last_key is what came last.
UPDATE chats SET unread = 0, read_key = CASE WHEN read_key >> 32 > last_key >> 32 THEN read_key ELSE coalesce(last_key, read_key) END
WHERE tenant_id = $1 AND id = $2;

-- name: note_untold
-- $3 device, $4 the last message read before, $5 how many were not.
INSERT INTO untold_reads AS t (tenant_id, chat_id, device_no, from_key, unread) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (chat_id) DO UPDATE SET device_no = excluded.device_no, unread = t.unread + excluded.unread,
                                    from_key = least(t.from_key, excluded.from_key);

-- name: viewed_chat
-- $3 the chat, $4 the user who looks at it.
SELECT c.device_no, left(u.name, 100) AS name
FROM chats c
JOIN devices d ON d.no = c.device_no
JOIN users u ON u.id = $4
WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND c.id = $3;
