-- What follows for a source's row that is under way ($1) when WhatsApp names its person $2.

-- name: wait_shortly
-- As the ends of sends do (transition.sql): others hold a person's chats for seconds, and a worker has few connections.
SET LOCAL lock_timeout = '250ms'

-- name: why_not
-- Who is suppressed at one number is so at all (migration 0060).
SELECT CASE WHEN EXISTS (SELECT FROM suppressions s WHERE s.tenant_id = o.tenant_id AND s.phone = '+' || split_part(o.to_jid, '@', 1))
                THEN 'opted_out'
            WHEN elsewhere.is_so THEN 'same_person' END
FROM outbox o CROSS JOIN LATERAL has_elsewhere(o, $2) elsewhere WHERE o.id = $1

-- name: name_row
-- $3 the worker, $4 epoch, $5 attempt and $6 device of the claim: of a row that is somebody else's by now another may name its
-- person.
UPDATE outbox SET named_jid = $2
WHERE id = $1 AND state IN ('sending', 'unknown') AND claim_worker = $3 AND claim_epoch = $4 AND attempts = $5
  AND device_no = $6
