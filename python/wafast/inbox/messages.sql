-- Messages. $1 is always the tenant, $2 the devices within reach (NULL: all of the tenant's).
-- A chat's order is by second, within it by when each was stored, and at last by key. A key begins with the second and ends
-- with a hash, so a page is a range of the primary key from the second in which it ends; of that second all are looked at.
-- Reads the outbox itself: which row a message left as stands in that row alone, is part of the message in REST and in
-- frames, and is one probe of outbox_by_message a message. Asking the outbox for it would be a second round trip a page.
-- Whether a file is here is one probe of the key of media a message: a subquery of a value, which can't become a walk
-- through all files. A sender may call anything a hash.

-- name: list_messages
-- $3 chat, $4 key and $5 created_at of the place before which the page starts, $6 that key, or one more for the message
-- there too, $7 how many. Newest first.
WITH chat AS MATERIALIZED (
    SELECT c.id, c.tenant_id, c.jid, c.floor_key, d.id AS device_id
    FROM chats c JOIN devices d ON d.no = c.device_no
    WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND c.id = $3
), page AS (
    SELECT m.*
    FROM chat
    CROSS JOIN LATERAL (
        SELECT min(key) >> 32 << 32 AS key FROM (
            SELECT key FROM messages
            WHERE chat_id = chat.id AND key > chat.floor_key AND key <= $4::int8 | 4294967295
              AND (key >> 32, created_at, key) < ($4 >> 32, $5::timestamptz, $6::int8)
            ORDER BY key DESC LIMIT $7
        ) nearest
    ) lowest
    JOIN messages m ON m.chat_id = chat.id AND m.tenant_id = chat.tenant_id AND m.key >= lowest.key
    WHERE m.key > chat.floor_key AND m.key <= $4 | 4294967295 AND (m.key >> 32, m.created_at, m.key) < ($4 >> 32, $5, $6)
    ORDER BY m.key >> 32 DESC, m.created_at DESC, m.key DESC LIMIT $7
)
SELECT m.chat_id, m.key, chat.device_id, chat.jid AS chat_jid, m.message_id, jid_of(m.sender) AS sender_jid,
       m.sender_name, m.flags, message_kind(m.kind) AS kind, m.body, m.media, m.quoted, m.quote,
       message_status(m.status) AS status, is_pinned(m.flags, m.pinned_until), m.pinned_until,
       still_said(m.reactions) AS reactions, m.poll,
       still_said(m.poll_votes) AS poll_votes, m.edited_at, m.deleted_at, m.created_at,
       t.key IS NOT NULL AS has_thumbnail, f.key IS NOT NULL AS has_expired,
       (SELECT true FROM media s WHERE s.tenant_id = m.tenant_id AND s.sha256 =
           CASE WHEN m.media ->> 'sha256' ~ '^[0-9A-Za-z+/]{43}=$' THEN decode(m.media ->> 'sha256', 'base64') END) AS is_stored,
       o.id AS outbox_id, m.tenant_id
FROM page m
JOIN chat ON chat.id = m.chat_id
LEFT JOIN thumbnails t ON t.chat_id = m.chat_id AND t.key = m.key
LEFT JOIN media_fetches f ON f.chat_id = m.chat_id AND f.key = m.key AND f.state = 'expired'
LEFT JOIN outbox o ON m.flags & 1 <> 0 AND o.device_no = m.device_no AND o.message_id = m.message_id
ORDER BY m.key >> 32 DESC, m.created_at DESC, m.key DESC;

-- name: place_of_key
-- $3 chat, $4 a key.
SELECT m.key, m.created_at
FROM chats c
JOIN devices d ON d.no = c.device_no
JOIN messages m ON m.chat_id = c.id AND m.tenant_id = c.tenant_id
WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND c.id = $3 AND m.key > c.floor_key AND m.key = $4;

-- name: place_of_message
-- $3 chat, $4 WhatsApp's id, $5 its hash, which the key ends with, or with a little more where another message of the
-- same second had the same (rust/core/src/writer/messages.rs). The keys of the chat are walked, without their rows, and
-- only rows with that hash are looked at.
SELECT m.key, m.created_at
FROM chats c
JOIN devices d ON d.no = c.device_no
CROSS JOIN LATERAL (
    SELECT key FROM messages WHERE chat_id = c.id AND key > c.floor_key AND (key - $5::int8) & 4294967295 < 8 OFFSET 0
) k
JOIN messages m ON m.chat_id = c.id AND m.key = k.key AND m.tenant_id = c.tenant_id
WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND c.id = $3 AND m.message_id = $4
ORDER BY m.key DESC
LIMIT 1;

-- name: places_from
-- $3 chat, $4 key and $5 created_at of a place, $6 that key, or one more without the message there, $7 how many: the places
-- from there on, oldest first.
WITH chat AS MATERIALIZED (
    SELECT c.id, c.tenant_id, c.floor_key
    FROM chats c JOIN devices d ON d.no = c.device_no
    WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND c.id = $3
)
SELECT m.key, m.created_at
FROM chat
CROSS JOIN LATERAL (
    SELECT max(key) | 4294967295 AS key FROM (
        SELECT key FROM messages
        WHERE chat_id = chat.id AND key > chat.floor_key AND key >= $4::int8 >> 32 << 32
          AND (key >> 32, created_at, key) >= ($4 >> 32, $5::timestamptz, $6::int8)
        ORDER BY key LIMIT $7
    ) nearest
) highest
JOIN messages m ON m.chat_id = chat.id AND m.tenant_id = chat.tenant_id AND m.key <= highest.key
WHERE m.key > chat.floor_key AND m.key >= $4 >> 32 << 32 AND (m.key >> 32, m.created_at, m.key) >= ($4 >> 32, $5, $6)
ORDER BY m.key >> 32, m.created_at, m.key LIMIT $7;

-- name: list_pinned
-- $3 chat, $4 how many: keys of what is pinned in it, the last pinned first.
SELECT m.key
FROM chats c
JOIN devices d ON d.no = c.device_no
JOIN messages m ON m.chat_id = c.id AND m.tenant_id = c.tenant_id AND m.key > c.floor_key
WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND c.id = $3
  AND m.pin_said_at IS NOT NULL AND is_pinned(m.flags, m.pinned_until)
ORDER BY m.pin_said_at DESC, m.key DESC
LIMIT $4;

-- name: get_messages
-- For live frames: $1 a list of tenants, $2 $3 pairs of (chat, key). Trimmed messages too: in a busy chat one may be
-- trimmed before its frame is made.
SELECT m.chat_id, m.key, d.id AS device_id, c.jid AS chat_jid, m.message_id, jid_of(m.sender) AS sender_jid,
       m.sender_name, m.flags, message_kind(m.kind) AS kind, m.body, m.media, m.quoted, m.quote,
       message_status(m.status) AS status, is_pinned(m.flags, m.pinned_until), m.pinned_until,
       still_said(m.reactions) AS reactions, m.poll,
       still_said(m.poll_votes) AS poll_votes, m.edited_at, m.deleted_at, m.created_at,
       t.key IS NOT NULL AS has_thumbnail, f.key IS NOT NULL AS has_expired,
       (SELECT true FROM media s WHERE s.tenant_id = m.tenant_id AND s.sha256 =
           CASE WHEN m.media ->> 'sha256' ~ '^[0-9A-Za-z+/]{43}=$' THEN decode(m.media ->> 'sha256', 'base64') END) AS is_stored,
       o.id AS outbox_id, m.tenant_id, m.device_no,
       m.key <= c.floor_key AS is_trimmed
FROM unnest($2::int8[], $3::int8[]) AS asked (chat_id, key)
JOIN messages m ON m.chat_id = asked.chat_id AND m.key = asked.key
JOIN chats c ON c.id = m.chat_id
JOIN devices d ON d.no = c.device_no
LEFT JOIN thumbnails t ON t.chat_id = m.chat_id AND t.key = m.key
LEFT JOIN media_fetches f ON f.chat_id = m.chat_id AND f.key = m.key AND f.state = 'expired'
LEFT JOIN outbox o ON m.flags & 1 <> 0 AND o.device_no = m.device_no AND o.message_id = m.message_id
WHERE m.tenant_id = ANY ($1::int4[]);
