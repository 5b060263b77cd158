-- name: answered
-- Rows in `unknown` whose message a receipt has named: the chat's only one, with no other send of the chat on its way,
-- and one id alone that came within five minutes of the claim and that no row has.
WITH open AS (
    SELECT o.*, count(*) OVER (PARTITION BY o.device_no, person.jid) AS open_in_chat,
           person.jid AS chat_jid
    FROM outbox o CROSS JOIN LATERAL jid_now(o.device_no, o.to_jid) person
    WHERE o.device_no = ANY ($1::int4[]) AND o.state IN ('sending', 'unknown')
)
SELECT o.id, o.tenant_id, o.device_no, o.to_jid, o.kind, o.body, o.media_sha256, o.file_name, o.quoted, o.target,
       o.forwarded, o.priority, o.attempts, o.claim_epoch, false AS typing, m.mime AS media_mime,
       m.seconds AS media_seconds, m.waveform AS media_waveform, m.width AS media_width, m.height AS media_height,
       m.poster AS media_poster,
       extract(epoch FROM o.claimed_at)::int8 AS claimed_at, told.message_id
FROM open o
JOIN chats c ON c.device_no = o.device_no AND c.jid = o.chat_jid
JOIN LATERAL (
    SELECT min(p.message_id) AS message_id FROM pending_changes p
    WHERE p.chat_id = c.id AND p.change ->> 'change' = 'status'
      AND p.created_at BETWEEN o.claimed_at AND o.claimed_at + interval '5 minutes'
      AND NOT EXISTS (SELECT FROM outbox s WHERE s.device_no = o.device_no AND s.message_id = p.message_id)
    HAVING count(DISTINCT p.message_id) = 1
) told ON true
LEFT JOIN media m ON m.tenant_id = o.tenant_id AND m.sha256 = o.media_sha256
WHERE o.state = 'unknown' AND o.open_in_chat = 1

-- name: unknown_rows
-- Of rows $2 of the tenant $1 those that are unknown, as a claim has them. They are held.
SELECT o.id, o.tenant_id, o.device_no, o.to_jid, o.kind, o.body, o.media_sha256, o.file_name, o.quoted, o.target,
       o.forwarded, o.priority, o.attempts, o.claim_epoch, false AS typing, m.mime AS media_mime,
       m.seconds AS media_seconds, m.waveform AS media_waveform, m.width AS media_width, m.height AS media_height,
       m.poster AS media_poster, extract(epoch FROM o.claimed_at)::int8 AS claimed_at
FROM outbox o
LEFT JOIN media m ON m.tenant_id = o.tenant_id AND m.sha256 = o.media_sha256
WHERE o.tenant_id = $1 AND o.id = ANY ($2::int8[]) AND o.state = 'unknown'
ORDER BY o.id FOR NO KEY UPDATE OF o

-- name: unknown_of_source
-- Of a source ($2) that is a campaign's, of each device at most one, the next $3. Few are unknown of all there are: the index
-- outbox_open has them.
SELECT DISTINCT ON (coalesce(device_no, -id)) id FROM outbox
WHERE tenant_id = $1 AND source_id = $2 AND enrolment_id IS NULL AND state = 'unknown'
LIMIT $3

-- name: say_arrived
-- Rows $1 with ids of ours $2.
UPDATE outbox o SET state = 'sent', reason = NULL, cause = NULL, message_id = w.message_id, sent_at = o.claimed_at
FROM unnest($1::int8[], $2::text[]) w (id, message_id)
WHERE o.id = w.id AND o.state = 'unknown'

-- name: say_not_arrived
-- Rows $1, of each device at most one; who said so: the user $2 or the key $3, else $4. What has not left is not counted
-- against the caps.
WITH ended AS (
    UPDATE outbox SET state = 'failed', cause = 'not_arrived', reason = 'it did not arrive, said ' ||
        coalesce((SELECT name FROM users WHERE id = $2), (SELECT name FROM api_keys WHERE id = $3), $4)
    WHERE id = ANY ($1::int8[]) AND state = 'unknown'
    RETURNING device_no, claimed_at
)
UPDATE devices d SET hour_sends = send_uncounted(d.hour_sends, d.hour_slot, slot_of(e.claimed_at, 300)),
                     day_sends = send_uncounted(d.day_sends, d.day_slot, slot_of(e.claimed_at, 3600))
FROM ended e WHERE d.no = e.device_no

-- name: settle
-- Compare-and-set: an operator may have decided meanwhile.
UPDATE outbox SET state = 'sent', reason = NULL, cause = NULL, message_id = $2, sent_at = claimed_at
WHERE id = $1 AND state = 'unknown'
RETURNING id
