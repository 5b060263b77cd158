-- What people write back. One process does it, for all tenants (follow.py).

-- name: heard
-- Messages of these places ($1 chats, $2 keys) that a person we know wrote to one of our devices: a lead, also by the number
-- of one that became part of it, or one that is gone and was written to (then lead_id is NULL). Not ours (flag 1), and no call or other thing WhatsApp tells; not of a
-- group. What a history brings counts as well: it was written while the line was off or not linked.
SELECT m.tenant_id, m.device_no, m.chat_id, m.key, m.body, message_kind(m.kind) = 'text' AS is_text,
       to_timestamp(m.key >> 32) AS at, c.jid, p.phone, coalesce(l.id, f.lead_id) AS lead_id, t.opt_out_words, t.opt_out_answer
FROM unnest($1::int8[], $2::int8[]) AS asked (chat_id, key)
JOIN messages m ON m.chat_id = asked.chat_id AND m.key = asked.key
JOIN chats c ON c.id = m.chat_id
JOIN tenants t ON t.id = m.tenant_id
CROSS JOIN LATERAL jid_now(m.device_no, c.jid) person
CROSS JOIN LATERAL phones_of(m.tenant_id, person.jid) p
LEFT JOIN leads l ON l.tenant_id = m.tenant_id AND l.phone = p.phone
LEFT JOIN former_leads f ON f.tenant_id = m.tenant_id AND f.phone = p.phone
WHERE m.flags & 1 = 0 AND message_kind(m.kind) NOT IN ('system', 'call') AND NOT c.is_group
  AND (l.id IS NOT NULL OR f.phone IS NOT NULL)

-- name: wait_briefly
-- Whoever holds what one person's message is about, for the minutes of an import, holds up nobody else's.
SET LOCAL lock_timeout = '100ms'

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
JOIN leads l ON l.id = e.lead_id
WHERE NOT EXISTS (SELECT FROM suppressions u WHERE u.tenant_id = l.tenant_id AND u.phone = l.phone)

-- name: note_opt_out
-- Nothing, when this message was looked at before, or one that was written in a later second, or when somebody has taken
-- the person off the list since (leads/suppressions.sql).
INSERT INTO opt_outs (tenant_id, phone, key)
SELECT $1, $2, $3::int8
WHERE NOT EXISTS (SELECT FROM numbers_of_person($1, $2) p JOIN opt_outs o ON o.tenant_id = $1 AND o.phone = p.phone
                  WHERE o.key = $3::int8 OR o.key > $3::int8 | 4294967295)
ON CONFLICT DO NOTHING RETURNING key

-- name: suppress
-- All numbers of the person (migration 0060). Nothing, when this one is on the list already.
INSERT INTO suppressions (tenant_id, phone, reason, created_by) VALUES ($1, $2, $3, 'lead')
ON CONFLICT DO NOTHING RETURNING phone

-- name: next_suppressed
-- The next $1 numbers that were put on the list.
SELECT id FROM suppression_queue ORDER BY id LIMIT $1

-- name: take_suppressed
-- These ($1), with their leads where they are on it still.
WITH taken AS (
    DELETE FROM suppression_queue WHERE id = ANY ($1::int8[]) RETURNING tenant_id, phone
)
SELECT t.tenant_id, l.id AS lead_id
FROM taken t
LEFT JOIN suppressions s ON s.tenant_id = t.tenant_id AND s.phone = t.phone
LEFT JOIN leads l ON l.tenant_id = s.tenant_id AND l.phone = s.phone

-- name: queue_suppressed_again
-- One ($1), behind all others.
WITH taken AS (DELETE FROM suppression_queue WHERE id = $1 RETURNING tenant_id, phone)
INSERT INTO suppression_queue (tenant_id, phone) SELECT tenant_id, phone FROM taken

-- name: open_enrolments
-- $1 leads.
SELECT id FROM enrolments WHERE lead_id = ANY ($1::int8[]) AND ended_at IS NULL

-- name: known_lids
-- The next $1 LIDs whose number has become known.
SELECT id FROM lid_queue ORDER BY id LIMIT $1

-- name: places_of_lids
-- What was written in their chats ($1), whichever name these have now. Behind the place ($2, $3), at most $4.
SELECT m.chat_id, m.key FROM lid_queue q
JOIN chats c ON c.device_no = q.device_no AND c.jid IN (q.lid || '@lid', q.number || '@s.whatsapp.net')
JOIN messages m ON m.chat_id = c.id
WHERE q.id = ANY ($1::int8[]) AND m.flags & 1 = 0 AND (m.chat_id, m.key) > ($2::int8, $3::int8)
ORDER BY m.chat_id, m.key LIMIT $4

-- name: forget_lids
DELETE FROM lid_queue WHERE id = ANY ($1::int8[])

-- name: to_be_told
-- $1 tenant, $2 device, $3 chat's JID, $4 words, $5 when it said that it wants nothing more.
INSERT INTO opt_out_answers (tenant_id, device_no, jid, body, said_at) VALUES ($1, $2, $3, $4, $5)

-- name: next_to_be_told
SELECT id FROM opt_out_answers ORDER BY id LIMIT 1

-- name: answer_opt_out
-- The one confirmation ($1), of a word said after $2, where the line is still there.
WITH taken AS (DELETE FROM opt_out_answers WHERE id = $1 RETURNING tenant_id, device_no, jid, body, said_at),
line AS (SELECT t.*, d.network FROM taken t JOIN devices d ON d.no = t.device_no WHERE t.said_at > $2),
told AS (
    INSERT INTO outbox (tenant_id, device_no, to_jid, kind, body, priority, created_by)
    SELECT tenant_id, device_no, jid, 'text', body, 'reply', 'opt-out' FROM line
    RETURNING id
)
SELECT told.id, line.tenant_id, line.device_no, line.network FROM told, line

-- name: forget_to_be_told
DELETE FROM opt_out_answers WHERE id = $1

-- name: tell_again
-- One ($1), behind all others.
WITH taken AS (DELETE FROM opt_out_answers WHERE id = $1 RETURNING tenant_id, device_no, jid, body, said_at)
INSERT INTO opt_out_answers (tenant_id, device_no, jid, body, said_at)
SELECT tenant_id, device_no, jid, body, said_at FROM taken

-- name: told_until
-- A message is stored some seconds after its created_at at most; five minutes are for clocks that differ. Who asks for what
-- came since passes it on: to a value that PostgreSQL does not know when it plans, it reads all messages there are.
SELECT told_until - interval '5 minutes' FROM answers_progress

-- name: for_all_rows
-- Else a cursor is planned for its first rows, which are met soonest in all messages there are.
SET LOCAL cursor_tuple_fraction = 1

-- name: open_untold
-- What came since $1, in no order: PostgreSQL keeps it, in memory or on disk, beyond the transaction.
DECLARE untold NO SCROLL CURSOR WITH HOLD FOR
SELECT m.chat_id, m.key FROM messages m WHERE m.created_at >= $1 AND m.flags & 1 = 0

-- name: next_untold
FETCH 10000 FROM untold

-- name: close_untold
CLOSE untold

-- name: note_told
UPDATE answers_progress SET told_until = now()
