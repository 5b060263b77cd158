-- What people write back. One process does it, for all tenants (follow.py).

-- name: heard
-- Messages of these places ($1 chats, $2 keys) that a person we know wrote to one of our devices: a lead, or one that is
-- gone and was written to (then lead_id is NULL). Neither ours nor of a history (flags 1 and 64), and no call or other
-- thing WhatsApp tells; not of a group.
SELECT m.tenant_id, m.device_no, m.chat_id, m.key, m.body, message_kind(m.kind) = 'text' AS is_text,
       to_timestamp(m.key >> 32) AS at, c.jid, p.phone, l.id AS lead_id, t.opt_out_words, t.opt_out_answer
FROM unnest($1::int8[], $2::int8[]) AS asked (chat_id, key)
JOIN messages m ON m.chat_id = asked.chat_id AND m.key = asked.key
JOIN chats c ON c.id = m.chat_id
JOIN tenants t ON t.id = m.tenant_id
LEFT JOIN lid_numbers n ON c.jid LIKE '%@lid' AND n.device_no = m.device_no
                       AND n.lid = CASE WHEN c.jid LIKE '%@lid' THEN split_part(c.jid, '@', 1)::int8 END
CROSS JOIN LATERAL (
    SELECT '+' || CASE WHEN c.jid LIKE '%@s.whatsapp.net' THEN split_part(c.jid, '@', 1) ELSE n.number::text END AS phone
) p
LEFT JOIN leads l ON l.tenant_id = m.tenant_id AND l.phone = p.phone
WHERE m.flags & 65 = 0 AND message_kind(m.kind) NOT IN ('system', 'call') AND NOT c.is_group
  AND (l.id IS NOT NULL
       OR EXISTS (SELECT FROM former_leads f WHERE f.tenant_id = m.tenant_id AND f.phone = p.phone))

-- name: note_replies
-- $1 leads, $2 when each last wrote. An import holds many leads for a minute, and waits for who holds one of them: what it
-- holds is left for later, so that neither waits.
WITH free AS (
    SELECT l.id, r.at FROM unnest($1::int8[], $2::timestamptz[]) AS r (lead_id, at)
    JOIN leads l ON l.id = r.lead_id AND (l.replied_at IS NULL OR l.replied_at < r.at)
    FOR NO KEY UPDATE OF l SKIP LOCKED
)
UPDATE leads l SET replied_at = free.at FROM free WHERE l.id = free.id
RETURNING l.id, l.tenant_id

-- name: not_noted
SELECT l.id, r.at FROM unnest($1::int8[], $2::timestamptz[]) AS r (lead_id, at)
JOIN leads l ON l.id = r.lead_id AND (l.replied_at IS NULL OR l.replied_at < r.at)

-- name: answered
-- The last row of a source that had left for each lead when it wrote: it is answered, if it left in the thirty days
-- before. A message says its second, and so may seem earlier than the send it answers.
SELECT DISTINCT ON (sent.id) sent.id, r.at FROM unnest($1::int8[], $2::timestamptz[]) AS r (lead_id, at)
CROSS JOIN LATERAL (
    SELECT s.id, s.replied_at FROM outbox s
    WHERE s.lead_id = r.lead_id AND s.source_id IS NOT NULL AND s.state IN ('sent', 'delivered', 'read')
      AND s.sent_at <= r.at + interval '1 second' AND s.sent_at > r.at - interval '30 days'
    ORDER BY s.sent_at DESC LIMIT 1
) sent
WHERE sent.replied_at IS NULL
ORDER BY sent.id, r.at

-- name: note_answered
-- One by one: receipts hold many rows in an order of their own.
UPDATE outbox SET replied_at = $2 WHERE id = $1 AND replied_at IS NULL RETURNING id, tenant_id, device_no

-- name: answered_enrolments
-- Those of sequences that stop when the lead writes, which it did after it had entered.
SELECT DISTINCT e.id FROM unnest($1::int8[], $2::timestamptz[]) AS r (lead_id, at)
JOIN enrolments e ON e.lead_id = r.lead_id AND e.ended_at IS NULL AND e.started_at <= r.at + interval '1 second'
JOIN sequences s ON s.id = e.sequence_id AND s.stop_on_reply

-- name: note_opt_out
-- Nothing, when this message was looked at before.
INSERT INTO opt_outs (tenant_id, phone, key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING key

-- name: suppress
-- Nothing, when the number is on the list already.
INSERT INTO suppressions (tenant_id, phone, reason, created_by) VALUES ($1, $2, $3, 'lead')
ON CONFLICT DO NOTHING RETURNING phone

-- name: is_suppressed
SELECT EXISTS (SELECT FROM suppressions WHERE tenant_id = $1 AND phone = $2)

-- name: open_enrolments
SELECT id FROM enrolments WHERE lead_id = $1 AND ended_at IS NULL

-- name: cancel_rows_to
-- Whatever waits of sources for the lead $1.
UPDATE outbox SET state = 'cancelled', cause = 'opted_out', reason = $2
WHERE state = 'queued' AND id IN (SELECT id FROM outbox WHERE lead_id = $1 AND source_id IS NOT NULL AND state = 'queued'
                                  ORDER BY id FOR NO KEY UPDATE)
RETURNING id, tenant_id, device_no

-- name: answer_opt_out
-- The one confirmation: $1 tenant, $2 device, $3 chat's JID, $4 words.
INSERT INTO outbox (tenant_id, device_no, to_jid, kind, body, priority, created_by)
SELECT $1, d.no, $3, 'text', $4, 'reply', 'opt-out' FROM devices d WHERE d.no = $2
RETURNING id, (SELECT network FROM devices WHERE no = $2) AS network

-- name: untold_places
-- What came since told_until, at most $1 of it behind the place ($2, $3). A message is stored some seconds after its
-- created_at at most; five minutes are for clocks that differ.
SELECT m.chat_id, m.key FROM messages m
WHERE m.created_at >= (SELECT told_until - interval '5 minutes' FROM answers_progress)
  AND m.flags & 65 = 0 AND (m.chat_id, m.key) > ($2::int8, $3::int8)
ORDER BY m.chat_id, m.key LIMIT $1

-- name: note_told
UPDATE answers_progress SET told_until = now()
