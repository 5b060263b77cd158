-- name: answered
-- Rows in `unknown` whose message a receipt has named: the chat's only one, with no other send of the chat on its way,
-- and one id alone that came within five minutes of the claim and that no row has.
WITH open AS (
    SELECT o.*, count(*) OVER (PARTITION BY o.device_no, o.to_jid) AS open_in_chat,
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

-- name: settle
-- Compare-and-set: an operator may have decided meanwhile.
UPDATE outbox SET state = 'sent', reason = NULL, cause = NULL, message_id = $2, sent_at = claimed_at
WHERE id = $1 AND state = 'unknown'
RETURNING id
