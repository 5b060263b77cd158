-- name: finish_send
-- How a worker ends its own claim: compare-and-set on it. What nobody answers for is ended in claim.sql and device_gone.sql. $1
-- row, $2 $3 $10 worker, epoch and device of the claim, $4 the new state, $5 why, $6 message id, $7 seconds until a queued
-- row may be tried again, $8 what kind of reason a failure has, $9 whether it surely has not left. The gap to the next
-- paced message counts from when this one left, after its typing; what has not left is not counted against the caps.
-- A row that was not sent goes back as what happened meanwhile wants it: who cancelled it left a cause, who holds it back
-- a later not_before, and who moved it another lane, whose device it gets. IS NOT FALSE:
-- or the index of what is being sent (outbox_open) is read, which looks small and, while a snapshot is held, has all that
-- was ever sent.
-- Others may have given the claim up meanwhile (`unknown`): its worker knows better, as long as nobody has decided about
-- the row. What stands behind a source's row has gone on then, so that it fails where it would be tried again.
WITH claimed AS (
    SELECT id, claimed_at FROM outbox WHERE id = $1
), finished AS (
UPDATE outbox o SET
    state = CASE WHEN $4 = 'queued' AND cause IS NOT NULL THEN 'cancelled'
                 WHEN $4 = 'queued' AND state = 'unknown' AND source_id IS NOT NULL THEN 'failed' ELSE $4 END,
    reason = CASE WHEN $4 = 'queued' AND cause IS NOT NULL THEN reason ELSE $5 END,
    cause = CASE WHEN $4 = 'queued' THEN cause ELSE $8 END,
    message_id = $6,
    sent_at = CASE WHEN $4 = 'sent' THEN now() END,
    device_no = CASE WHEN $4 = 'queued' AND cause IS NULL AND lane_id IS NOT NULL
                     THEN (SELECT n.device_no FROM lanes n WHERE n.id = lane_id) ELSE device_no END,
    not_before = CASE WHEN $4 = 'queued' THEN greatest(not_before, now() + make_interval(secs => $7))
                      ELSE least(not_before, now()) END,
    claim_worker = CASE WHEN $4 = 'queued' THEN NULL ELSE claim_worker END,
    claim_epoch = CASE WHEN $4 = 'queued' THEN NULL ELSE claim_epoch END,
    claimed_at = CASE WHEN $4 = 'queued' THEN NULL ELSE o.claimed_at END
FROM claimed c
WHERE o.id = c.id AND claim_worker = $2 AND claim_epoch = $3
  AND (state = 'sending' OR state = 'unknown' AND (cause IS DISTINCT FROM 'device_gone' OR $4 = 'sent'))
      IS NOT FALSE
RETURNING o.device_no, o.priority, c.claimed_at
), moved_clock AS (
    UPDATE devices d SET
        last_paced_at = CASE WHEN $4 = 'sent' THEN greatest(d.last_paced_at, now()) ELSE d.last_paced_at END,
        hour_sends = CASE WHEN $9 THEN send_uncounted(d.hour_sends, d.hour_slot, slot_of(f.claimed_at, 300))
                          ELSE d.hour_sends END,
        day_sends = CASE WHEN $9 THEN send_uncounted(d.day_sends, d.day_slot, slot_of(f.claimed_at, 3600))
                         ELSE d.day_sends END
    FROM finished f
    WHERE d.no = $10 AND ($9 OR $4 = 'sent' AND f.priority = 'paced')
)
SELECT f.device_no, d.network FROM finished f LEFT JOIN devices d ON d.no = f.device_no

-- name: insert_own_message
-- The core may store the same message as an echo: the first stays. Status 2 is sent.
INSERT INTO messages (chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id, body,
                      media, quoted)
VALUES ($1, $2, now(), $3, $4, $5, $6, $11, 2, $7, $8, $9, $10)
ON CONFLICT (chat_id, key) DO NOTHING
RETURNING key

-- name: insert_thumbnail
INSERT INTO thumbnails (chat_id, key, tenant_id, jpeg) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING

-- name: show_in_chat
-- $3 whether the row is new, $4 kind, $5 preview, $6 how many messages are shown (0: all). Within one second keys say
-- nothing of the order: what comes later is newer. The core deletes what is below the floor when it next writes here.
UPDATE chats SET
    stored = stored + $3::bool::int4,
    floor_key = greatest(floor_key, (SELECT m.key FROM messages m WHERE $6::int4 > 0 AND m.chat_id = $1
                                     ORDER BY m.key DESC OFFSET $6::int4 LIMIT 1)),
    last_key = CASE WHEN is_newer THEN $2 ELSE last_key END,
    last_kind = CASE WHEN is_newer THEN $4 ELSE last_kind END,
    last_flags = CASE WHEN is_newer THEN 1 ELSE last_flags END,
    last_text = CASE WHEN is_newer THEN left($5, 200) ELSE last_text END,
    last_sender = CASE WHEN is_newer THEN NULL ELSE last_sender END,
    last_status = CASE WHEN is_newer THEN 2 ELSE last_status END
FROM (SELECT last_key IS NULL OR last_key >> 32 <= $2::int8 >> 32 AS is_newer FROM chats WHERE id = $1) AS preview
WHERE id = $1

-- name: take_early_receipts
-- A receipt can be faster than the answer to the send: the core kept it. $1 chat, $2 message id, $3 key. In a group each
-- is also of one member (writer/receipts.rs); a person is packed as senders are.
WITH early AS (
    DELETE FROM pending_changes
    WHERE chat_id = $1 AND message_id = $2 AND change ->> 'change' = 'status'
    RETURNING tenant_id, change, to_timestamp((change ->> 'at')::int8) AS at, (change ->> 'of_member')::int2 AS how
), noted AS (
    INSERT INTO receipts (chat_id, key, person, tenant_id, delivered_at, read_at, played_at)
    SELECT $1, $3, split_part(change ->> 'by', '@', 1)::int8 << 3 | (change ->> 'by' LIKE '%@lid')::int4, tenant_id,
           min(at) FILTER (WHERE how = 3), min(at) FILTER (WHERE how = 4), min(at) FILTER (WHERE how = 5)
    FROM early
    WHERE how IS NOT NULL AND change ->> 'by' ~ '^[0-9]{1,18}@(s\.whatsapp\.net|lid)$'
    GROUP BY 3, 4
    ON CONFLICT DO NOTHING
)
SELECT (change ->> 'status')::int2 AS status, (change ->> 'at')::int8 AS at FROM early

-- name: apply_early_receipts
-- $1 chat, $2 key, $3 outbox row, $4 the furthest status, $5 its time.
WITH message AS (
    UPDATE messages SET status = $4 WHERE chat_id = $1 AND key = $2
), preview AS (
    UPDATE chats SET last_status = $4 WHERE id = $1 AND last_key = $2
)
UPDATE outbox SET state = CASE WHEN message_status($4) = 'delivered' THEN 'delivered' ELSE 'read' END,
    delivered_at = to_timestamp($5),
    read_at = CASE WHEN message_status($4) <> 'delivered' THEN to_timestamp($5) END
WHERE id = $3 AND state = 'sent'

-- name: take_early_receipts_of_change
-- As above, for what is no message: $1 device, $2 chat's JID, $3 message id, $4 outbox row.
WITH early AS (
    DELETE FROM pending_changes p USING chats c
    WHERE c.device_no = $1 AND c.jid = $2 AND p.chat_id = c.id AND p.message_id = $3
      AND p.change ->> 'change' = 'status'
    RETURNING (p.change ->> 'status')::int2 AS status, (p.change ->> 'at')::int8 AS at
), furthest AS (
    SELECT status, at FROM early ORDER BY status DESC, at DESC LIMIT 1
)
UPDATE outbox SET state = CASE WHEN message_status(f.status) = 'delivered' THEN 'delivered' ELSE 'read' END,
    delivered_at = to_timestamp(f.at),
    read_at = CASE WHEN message_status(f.status) <> 'delivered' THEN to_timestamp(f.at) END
FROM furthest f
WHERE id = $4 AND state = 'sent'

-- name: own_jid
SELECT jid FROM devices WHERE no = $1

-- name: quoted_message
-- One chat holds few messages, so that looking through them by id is cheap.
SELECT m.body, m.flags & 1 <> 0 AS from_me, coalesce(jid_of(m.sender), c.jid) AS sender,
       CASE WHEN m.flags & 128 <> 0 THEN coalesce(jid_of(m.sender), d.jid) ELSE d.jid END AS own
FROM jid_now($1, $2) person
JOIN chats c ON c.device_no = $1 AND c.jid = person.jid
JOIN devices d ON d.no = c.device_no
JOIN messages m ON m.chat_id = c.id
WHERE m.message_id = $3
LIMIT 1

-- name: author_of
-- NULL for ours.
SELECT CASE WHEN m.flags & 1 = 0 THEN coalesce(jid_of(m.sender), c.jid) END
FROM jid_now($1, $2) person
JOIN chats c ON c.device_no = $1 AND c.jid = person.jid
JOIN messages m ON m.chat_id = c.id
WHERE m.message_id = $3
LIMIT 1

-- name: pause_device
-- WhatsApp limits this number: paced sends wait, and people see why and until when. A pause that lasts longer stays.
UPDATE devices SET paused_until = now() + make_interval(secs => $2), pause_reason = $3
WHERE no = $1 AND (paused_until < now() + make_interval(secs => $2)) IS NOT FALSE
RETURNING tenant_id
