-- name: device_for_send
-- Locked against deletion only: many sends may be put in at once.
SELECT d.no, d.name, d.network, d.jid, t.time_zone FROM devices d JOIN tenants t ON t.id = d.tenant_id
WHERE d.tenant_id = $1 AND d.id = $2 FOR KEY SHARE OF d

-- name: hold_file
-- Until the end of the transaction nobody throws the file away (inbox/media_store.sql has the other side of this lock).
SELECT pg_advisory_xact_lock_shared(hashtextextended(encode($1, 'hex'), 0))

-- name: has_media
SELECT EXISTS (SELECT FROM media WHERE tenant_id = $1 AND sha256 = $2)

-- name: has_message
-- Whether the chat of $1 with $2 has a message of WhatsApp's id $3; $4 its hash, as in place_of_message (inbox/messages.sql).
SELECT EXISTS (
    SELECT FROM jid_now($1, $2) person
    JOIN chats c ON c.device_no = $1 AND c.jid = person.jid
    CROSS JOIN LATERAL (SELECT key FROM messages WHERE chat_id = c.id AND (key - $4::int8) & 4294967295 < 8 OFFSET 0) k
    JOIN messages m ON m.chat_id = c.id AND m.key = k.key
    WHERE m.message_id = $3)

-- name: enqueue
INSERT INTO outbox (tenant_id, device_no, to_jid, kind, body, media_sha256, file_name, quoted, target, forwarded,
                    priority, not_before, expires_at, created_by, lane_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, coalesce($12, now()), $13, $14, $15)
RETURNING id

-- name: get_outbox
-- $3 the devices within reach (NULL: all). Before it has a device, a row is within reach as its lead is; what a device sent
-- that is gone, as its lead is if that has a device.
SELECT o.*, d.id AS device_id, c.id AS chat_id, m.mime AS media_mime
FROM outbox o
LEFT JOIN devices d ON d.no = o.device_no
LEFT JOIN leads l ON l.id = o.lead_id AND l.tenant_id = o.tenant_id
LEFT JOIN devices own ON own.no = coalesce(o.device_no, l.device_no)
CROSS JOIN LATERAL jid_now(o.device_no, o.to_jid) person
LEFT JOIN chats c ON c.device_no = o.device_no AND c.jid = person.jid
LEFT JOIN media m ON m.tenant_id = o.tenant_id AND m.sha256 = o.media_sha256
WHERE o.tenant_id = $1 AND o.id = $2
  AND ($3::uuid[] IS NULL OR own.id = ANY ($3) OR own.no IS NULL AND o.attempts = 0)

-- name: get_outbox_many
SELECT o.*, d.id AS device_id, c.id AS chat_id, m.mime AS media_mime
FROM outbox o
JOIN devices d ON d.no = o.device_no
CROSS JOIN LATERAL jid_now(o.device_no, o.to_jid) person
LEFT JOIN chats c ON c.device_no = o.device_no AND c.jid = person.jid
LEFT JOIN media m ON m.tenant_id = o.tenant_id AND m.sha256 = o.media_sha256
WHERE o.id = ANY ($1::int8[])

-- name: list_outbox
SELECT o.*, d.id AS device_id, c.id AS chat_id, m.mime AS media_mime
FROM devices d
JOIN outbox o ON o.device_no = d.no
CROSS JOIN LATERAL jid_now(o.device_no, o.to_jid) person
LEFT JOIN chats c ON c.device_no = o.device_no AND c.jid = person.jid
LEFT JOIN media m ON m.tenant_id = o.tenant_id AND m.sha256 = o.media_sha256
WHERE d.tenant_id = $1 AND d.id = $2 AND ($3::text[] IS NULL OR o.state = ANY ($3)) AND ($5::int8 IS NULL OR o.id < $5)
ORDER BY o.id DESC
LIMIT $4

-- name: open_outbox_of_chat
-- What of a chat has not left, or not well. What a campaign has waiting there, or what ended so, never had words, and is not of
-- it. The state's part is as in the index outbox_open_of_chat.
SELECT o.*, d.id AS device_id, c.id AS chat_id, m.mime AS media_mime
FROM chats c
JOIN devices d ON d.no = c.device_no
JOIN outbox o ON o.device_no = c.device_no AND o.to_jid = ANY (jids_of(c.device_no, c.jid))
LEFT JOIN media m ON m.tenant_id = o.tenant_id AND m.sha256 = o.media_sha256
WHERE c.id = $1 AND ($3::int8 IS NULL OR o.id < $3)
  AND (o.state IN ('failed', 'unknown', 'expired') OR o.source_id IS NULL AND o.state IN ('queued', 'sending'))
  AND (o.source_id IS NULL OR o.attempts > 0)
ORDER BY o.id DESC
LIMIT $2

-- name: take_off
-- Of a chat's screen. What a campaign counts stays as it is, and so does what may have arrived.
UPDATE outbox SET state = 'cancelled', cause = 'by_person'
WHERE tenant_id = $1 AND id = $2 AND source_id IS NULL AND state IN ('failed', 'expired')
RETURNING id, tenant_id, device_no
