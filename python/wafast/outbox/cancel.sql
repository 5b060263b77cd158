-- name: cancel_rows
-- Rows $1, and what waits for leads $2 and of enrolments $3. $4 what kind of reason, $5 in words. One that is just being
-- sent carries the reason until its send ends, and ends by it where it has not left (finish_send): whoever claims
-- meanwhile, or gives a row back, changes nothing of that.
WITH wanted AS (
    SELECT id FROM unnest($1::int8[]) id
  UNION
    SELECT id FROM outbox WHERE lead_id = ANY ($2::int8[]) AND state IN ('queued', 'sending')
  UNION
    SELECT id FROM outbox WHERE enrolment_id = ANY ($3::int8[]) AND state IN ('queued', 'sending')
), held AS (
    SELECT o.id FROM wanted JOIN outbox o USING (id) WHERE o.state IN ('queued', 'sending')
    ORDER BY o.id FOR NO KEY UPDATE OF o
)
UPDATE outbox o SET state = CASE o.state WHEN 'queued' THEN 'cancelled' ELSE o.state END, cause = $4, reason = $5
FROM held WHERE o.id = held.id AND o.state IN ('queued', 'sending')
RETURNING o.id, o.tenant_id, o.device_no
