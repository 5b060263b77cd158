-- name: chats_for_sends
-- The chats sends belong to, made on first contact, with what their device is called. $1 devices, each once, $2 to whom.
-- Where the number behind a LID is known, it is the number's chat. A device that is gone has none. They are held in the
-- order in which the core holds chats.
INSERT INTO chats (tenant_id, device_no, jid, is_group)
SELECT d.tenant_id, d.no, person.jid, person.jid LIKE '%@g.us'
FROM unnest($1::int4[], $2::text[]) s (device_no, to_jid)
JOIN devices d ON d.no = s.device_no
CROSS JOIN LATERAL jid_now(d.no, s.to_jid) person
LEFT JOIN chats c ON c.device_no = d.no AND c.jid = person.jid
ORDER BY c.id
ON CONFLICT (device_no, jid) DO UPDATE SET jid = excluded.jid
RETURNING device_no, id, (SELECT d.jid FROM devices d WHERE d.no = device_no) AS own_jid

-- name: insert_own_messages
-- The core may store the same message as an echo: the first stays. Status 2 is sent. What is answered stands beside an answer
-- as one that comes brings it (rust/core/src/quote.rs).
INSERT INTO messages (chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id, body,
                      media, quoted, quote)
SELECT m.chat_id, m.key, now(), m.sender, m.device_no, m.tenant_id, m.kind, m.flags, 2, m.message_id, m.body, m.media, m.quoted,
       CASE WHEN m.quoted IS NOT NULL THEN (
           SELECT jsonb_strip_nulls(jsonb_build_object(
               'kind', message_kind(a.kind), 'text', left(a.body, 200), 'sender', jid_of(a.sender)))
           FROM messages a WHERE a.chat_id = m.chat_id AND a.message_id = m.quoted LIMIT 1) END
FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int4[], $5::int4[], $6::int2[], $7::int2[], $8::text[], $9::text[],
            $10::jsonb[], $11::text[])
    m (chat_id, key, sender, device_no, tenant_id, kind, flags, message_id, body, media, quoted)
ON CONFLICT (chat_id, key) DO NOTHING
RETURNING chat_id

-- name: insert_thumbnails
INSERT INTO thumbnails (chat_id, key, tenant_id, jpeg)
SELECT * FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::bytea[])
ON CONFLICT DO NOTHING

-- name: show_in_chats
-- $1 chats, each once, $2 keys, $3 whether the row is new, $4 kinds, $5 previews, $6 how many messages are shown (0: all).
-- Within one second keys say nothing of the order: what comes later is newer. The core deletes what is below the floor when
-- it next writes here.
UPDATE chats c SET
    stored = stored + m.is_new::int4,
    floor_key = greatest(floor_key, (SELECT o.key FROM messages o WHERE $6::int4 > 0 AND o.chat_id = c.id
                                     ORDER BY o.key DESC OFFSET $6::int4 LIMIT 1)),
    last_key = CASE WHEN is_newer THEN m.key ELSE c.last_key END,
    last_kind = CASE WHEN is_newer THEN m.kind ELSE last_kind END,
    last_flags = CASE WHEN is_newer THEN 1 ELSE last_flags END,
    last_text = CASE WHEN is_newer THEN left(m.body, 200) ELSE last_text END,
    last_sender = CASE WHEN is_newer THEN NULL ELSE last_sender END,
    last_status = CASE WHEN is_newer THEN 2 ELSE last_status END
FROM (SELECT t.*, last_key IS NULL OR last_key >> 32 <= key >> 32 AS is_newer
      FROM unnest($1::int8[], $2::int8[], $3::bool[], $4::int2[], $5::text[]) t (chat_id, key, is_new, kind, body)
      JOIN chats ON id = chat_id) AS m
WHERE c.id = m.chat_id

-- name: take_early_receipts
-- A receipt can be faster than the answer to the send: the core kept it. $1 chats, each once, $2 message ids, $3 keys. In a
-- group each is also of one member (writer/receipts.rs); a person is packed as senders are. Gives how far each message got.
WITH early AS (
    DELETE FROM pending_changes p
    USING unnest($1::int8[], $2::text[], $3::int8[]) m (chat_id, message_id, key)
    WHERE p.chat_id = m.chat_id AND p.message_id = m.message_id AND change ->> 'change' = 'status'
    RETURNING p.chat_id, m.key, tenant_id, change, to_timestamp((change ->> 'at')::int8) AS at,
              (change ->> 'of_member')::int2 AS how
), noted AS (
    INSERT INTO receipts (chat_id, key, person, tenant_id, delivered_at, read_at, played_at)
    SELECT chat_id, key, split_part(change ->> 'by', '@', 1)::int8 << 3 | (change ->> 'by' LIKE '%@lid')::int4, tenant_id,
           min(at) FILTER (WHERE how = 3), min(at) FILTER (WHERE how = 4), min(at) FILTER (WHERE how = 5)
    FROM early
    WHERE how IS NOT NULL AND change ->> 'by' ~ '^[0-9]{1,18}@(s\.whatsapp\.net|lid)$'
    GROUP BY 1, 2, 3, 4
    ON CONFLICT DO NOTHING
)
SELECT DISTINCT ON (chat_id) chat_id, (change ->> 'status')::int2 AS status, at FROM early
ORDER BY chat_id, status DESC, at DESC

-- name: apply_early_receipts
-- $1 chats, $2 keys, $3 outbox rows, $4 the furthest status of each, $5 its time.
WITH early AS (
    SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int2[], $5::timestamptz[]) m (chat_id, key, row_id, status, at)
), message AS (
    UPDATE messages m SET status = e.status FROM early e WHERE m.chat_id = e.chat_id AND m.key = e.key
), preview AS (
    UPDATE chats c SET last_status = e.status FROM early e WHERE c.id = e.chat_id AND c.last_key = e.key
)
UPDATE outbox o SET state = CASE WHEN message_status(e.status) = 'delivered' THEN 'delivered' ELSE 'read' END,
    delivered_at = e.at,
    read_at = CASE WHEN message_status(e.status) <> 'delivered' THEN e.at END
FROM early e
WHERE o.id = e.row_id AND o.state = 'sent'

-- name: count_early_readers
-- What was read in groups may have been read by all. $1 chats, $2 keys.
SELECT FROM mark_read_by_all($1, $2)
