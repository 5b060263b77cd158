-- What a team agrees on a chat. $1 is always the tenant.

-- name: lock_shown_chat
-- $2 the devices within reach, $3 the chat.
SELECT c.id, c.device_no, d.id AS device_id,
       w.closed_at IS NULL OR (c.last_key IS DISTINCT FROM w.closed_key AND has_come_since(c.id, w.closed_key, w.closed_at))
           AS is_open
FROM chats c
JOIN devices d ON d.no = c.device_no
LEFT JOIN chat_work w ON w.chat_id = c.id
WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND c.id = $3
FOR NO KEY UPDATE OF c;

-- name: assign_chat
INSERT INTO chat_work (tenant_id, chat_id, assignee_id) VALUES ($1, $2, $3)
ON CONFLICT (chat_id) DO UPDATE SET assignee_id = excluded.assignee_id;

-- name: close_chat
-- As of the newest message that is seen here, not of the clock: one that is being stored has a created_at of before its
-- commit, and whoever closes has not read it.
INSERT INTO chat_work (tenant_id, chat_id, closed_at, closed_key)
SELECT $1, c.id,
       coalesce((SELECT max(m.created_at) FROM messages m
                 WHERE m.chat_id = c.id AND m.key >= c.last_key >> 32 << 32 AND m.flags & 65 = 0), '-infinity'),
       coalesce(c.last_key, 0)
FROM chats c WHERE c.id = $2
ON CONFLICT (chat_id) DO UPDATE SET closed_at = excluded.closed_at, closed_key = excluded.closed_key;

-- name: open_chat
UPDATE chat_work SET closed_at = NULL, closed_key = NULL WHERE tenant_id = $1 AND chat_id = $2;

-- name: label_chat
-- Exactly the labels of $3 that are the tenant's.
WITH wanted AS (SELECT id FROM labels WHERE tenant_id = $1 AND id = ANY ($3::int4[])),
     gone AS (DELETE FROM chat_labels WHERE chat_id = $2 AND label_id <> ALL ($3))
INSERT INTO chat_labels (tenant_id, chat_id, label_id) SELECT $1, $2, id FROM wanted ON CONFLICT DO NOTHING;

-- name: add_label
-- Beside those it has; gives how many it has then.
WITH added AS (
    INSERT INTO chat_labels (tenant_id, chat_id, label_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING label_id
)
SELECT (SELECT count(*) FROM added) + (SELECT count(*) FROM chat_labels WHERE chat_id = $2);

-- name: remove_label
DELETE FROM chat_labels WHERE tenant_id = $1 AND chat_id = $2 AND label_id = $3;

-- name: labels_among
SELECT id FROM labels WHERE tenant_id = $1 AND id = ANY ($2::int4[]);

-- name: colleagues
-- Who may answer a chat of device $2 (NULL: of some device).
SELECT u.id, u.name, m.role, m.device_ids
FROM members m JOIN users u ON u.id = m.user_id
WHERE m.tenant_id = $1 AND m.role <> 'viewer' AND u.disabled_at IS NULL
  AND ($2::uuid IS NULL OR m.device_ids IS NULL OR $2 = ANY (m.device_ids))
ORDER BY lower(u.name), u.id;

-- name: release_chats
-- Chats of user $2 that he can no longer answer: of all devices, or of all but $3.
UPDATE chat_work w SET assignee_id = NULL
FROM chats c JOIN devices d ON d.no = c.device_no
WHERE w.tenant_id = $1 AND w.assignee_id = $2 AND c.id = w.chat_id AND NOT ($3::uuid[] IS NOT NULL AND d.id = ANY ($3))
RETURNING w.chat_id;

-- name: chat_facts
-- $2 the devices within reach, $3 the chat, $4 how many of the newest messages are counted: all that are kept, unless
-- everything is.
SELECT c.created_at, d.name AS device_name, d.phone AS device_phone, l.lid,
       (SELECT to_timestamp(m.key >> 32) FROM messages m WHERE m.chat_id = c.id AND m.key > c.floor_key
        ORDER BY m.key LIMIT 1) AS first_message_time,
       (SELECT coalesce(jsonb_object_agg(kind, n), '{}')
        FROM (SELECT message_kind(m.kind) AS kind, count(*) AS n
              FROM (SELECT kind FROM messages WHERE chat_id = c.id AND key > c.floor_key ORDER BY key DESC LIMIT $4) m
              GROUP BY m.kind) k) AS kinds
FROM chats c
JOIN devices d ON d.no = c.device_no
LEFT JOIN LATERAL (
    SELECT n.lid FROM lid_numbers n
    WHERE n.device_no = c.device_no
      AND n.number = CASE WHEN c.jid ~ '^[0-9]{1,18}@s\.whatsapp\.net$' THEN split_part(c.jid, '@', 1)::int8 END
    LIMIT 1
) l ON true
WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND c.id = $3;
