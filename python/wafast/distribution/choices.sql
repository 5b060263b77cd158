-- Devices that campaigns give people without one to (choices.py).

-- name: lock_leads
SELECT FROM leads l JOIN devices d ON d.no = l.device_no
WHERE l.tenant_id = $1 AND d.id = ANY ($2::uuid[])
ORDER BY l.id FOR NO KEY UPDATE OF l;

-- name: lock_campaigns
-- That chose devices $2.
SELECT FROM campaigns WHERE tenant_id = $1 AND device_ids && $2::uuid[] ORDER BY id FOR NO KEY UPDATE

-- name: sources_of_devices
-- That chose devices $2, or have lanes there.
SELECT id FROM sources
WHERE tenant_id = $1 AND (device_ids && $2::uuid[] OR id IN (
    SELECT n.source_id FROM lanes n JOIN devices d ON d.no = n.device_no WHERE d.tenant_id = $1 AND d.id = ANY ($2::uuid[])))

-- name: choose_instead
-- Where the old device was chosen, the new one is.
WITH campaigned AS (
    UPDATE campaigns SET device_ids = array_replace(array_remove(device_ids, $3), $2, $3)
    WHERE tenant_id = $1 AND $2 = ANY (device_ids)
)
UPDATE sources SET device_ids = array_replace(array_remove(device_ids, $3), $2, $3)
WHERE tenant_id = $1 AND $2 = ANY (device_ids)

-- name: choose_no_more
-- Device $1. Gives the campaigns that were left with none, and whether each was running: before it would send from every
-- device ($2 says so) it waits for a person.
WITH gone AS (
    SELECT id, tenant_id FROM devices WHERE no = $1
), sourced AS (
    UPDATE sources s SET device_ids = nullif(array_remove(s.device_ids, gone.id), '{}')
    FROM gone WHERE s.tenant_id = gone.tenant_id AND gone.id = ANY (s.device_ids)
), was AS (
    SELECT c.id, gone.id AS device_id, c.device_ids = ARRAY[gone.id] AS has_none, c.ended_at IS NULL AND c.state = 'running' AS runs,
           c.state IN ('scheduled', 'planning') AS is_to_begin
    FROM gone JOIN campaigns c ON c.tenant_id = gone.tenant_id AND gone.id = ANY (c.device_ids)
), left_with AS (
    UPDATE campaigns c SET
        device_ids = nullif(array_remove(c.device_ids, w.device_id), '{}'),
        reason = CASE WHEN w.has_none THEN $2 ELSE c.reason END,
        state = CASE WHEN w.has_none AND w.runs THEN 'paused' WHEN w.has_none AND w.is_to_begin THEN 'draft' ELSE c.state END,
        (on_date, at_time, zone, starts_at) = (
            SELECT c.on_date, c.at_time, c.zone, c.starts_at WHERE NOT (w.has_none AND w.is_to_begin))
    FROM was w WHERE c.id = w.id
)
SELECT c.id, c.tenant_id, c.source_id, w.runs FROM was w JOIN campaigns c ON c.id = w.id WHERE w.has_none ORDER BY c.id

-- name: staying_at
-- What waits at devices $1 for campaigns that move nobody, and are not over, of people whom a person gave to them. Whom
-- distribution gave to one, and who is not its own, goes back to the pool (pool.sql: rows_to_take_back, lost.sql).
SELECT o.id
FROM lanes n
JOIN sources s ON s.id = n.source_id AND s.state <> 'ended' AND NOT s.may_move
JOIN outbox o ON o.lane_id = n.id AND o.state = 'queued' AND o.enrolment_id IS NULL
JOIN leads l ON l.id = o.lead_id AND l.device_no = n.device_no
WHERE n.device_no = ANY ($1::int4[])
  AND NOT EXISTS (SELECT FROM distribution_decisions x WHERE x.outbox_id = o.id)
  AND NOT EXISTS (SELECT FROM distribution_decisions x
                  WHERE x.lead_id = l.id AND x.device_no = n.device_no AND x.code IN ('chat', 'wrote', 'room'))

-- name: fail_stayed
-- Rows $1, for the reason $2, unless somebody has cancelled them meanwhile; none is claimed, as their device is held.
WITH held AS (
    SELECT id FROM outbox WHERE id = ANY ($1::int8[]) AND state = 'queued' ORDER BY id FOR NO KEY UPDATE
)
UPDATE outbox o SET state = 'failed', cause = 'device_gone', reason = $2 FROM held
WHERE o.id = held.id AND o.state = 'queued'
RETURNING o.id, o.tenant_id, o.device_no
