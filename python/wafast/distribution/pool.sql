-- name: pools
-- One row a source, from lanes only: the first row of each is looked at, however many wait.
SELECT l.tenant_id, l.source_id, s.device_ids, array_agg(l.id ORDER BY l.id) AS lane_ids,
       bool_or(first.not_before <= now()) AS is_due,
       extract(epoch FROM min(first.not_before) FILTER (WHERE first.not_before > now()) - now())::float8 AS due_in
FROM lanes l
JOIN sources s ON s.id = l.source_id AND s.state = 'running'
JOIN LATERAL (SELECT o.not_before FROM outbox o WHERE o.lane_id = l.id AND o.state = 'queued'
              ORDER BY o.not_before, o.id LIMIT 1) first ON true
WHERE l.device_no IS NULL AND l.is_live
GROUP BY l.tenant_id, l.source_id, s.device_ids
ORDER BY l.source_id

-- name: hold_source
SELECT state FROM sources WHERE id = $1 FOR SHARE

-- name: next_rows
-- The next $3 rows that may leave of these lanes, behind ($4, $5), with who knows the person: its own device, those with a chat, and the
-- one that wrote to it last.
WITH next AS (
    SELECT row.* FROM unnest($2::int8[]) AS lane (id)
    CROSS JOIN LATERAL (SELECT o.id, o.lead_id, o.to_jid, o.not_before FROM outbox o
                        WHERE o.lane_id = lane.id AND o.state = 'queued' AND o.not_before <= now()
                          AND (o.not_before, o.id) > ($4::timestamptz, $5::int8)
                        ORDER BY o.not_before, o.id LIMIT $3 FOR UPDATE SKIP LOCKED) row
    ORDER BY row.not_before, row.id LIMIT $3
)
SELECT n.id, n.not_before, d.device_no AS own,
       ARRAY(SELECT c.device_no FROM chats c WHERE c.tenant_id = $1 AND c.jid = n.to_jid AND NOT c.is_group
             AND c.last_key IS NOT NULL ORDER BY c.last_key DESC LIMIT 3) AS chats,
       (SELECT o.device_no FROM outbox o WHERE o.lead_id = n.lead_id AND o.state IN ('sent', 'delivered', 'read')
        ORDER BY o.id DESC LIMIT 1) AS wrote
FROM next n
LEFT JOIN leads d ON d.id = n.lead_id
ORDER BY n.not_before, n.id

-- name: say_left
-- Why rows wait in these lanes; NULL when they need not.
UPDATE lanes SET left_reason = $2 WHERE id = ANY ($1::int8[]) AND left_reason IS DISTINCT FROM $2

-- name: ensure_lanes
-- A lane for each row ($1) at its device ($2).
INSERT INTO lanes (tenant_id, source_id, device_no, zone, is_live)
SELECT DISTINCT p.tenant_id, p.source_id, g.device_no, p.zone, true
FROM unnest($1::int8[], $2::int4[]) AS g (id, device_no)
JOIN outbox o ON o.id = g.id
JOIN lanes p ON p.id = o.lane_id
ON CONFLICT (source_id, device_no, zone) DO NOTHING

-- name: give_rows
-- Each row ($2) to its device ($3), as was decided ($4 code, $5 reason). The person keeps the device, unless an import holds it just now. It is due from now on:
-- the claim does not look at what lies in a lane before the row it took last.
WITH given AS (
    SELECT * FROM unnest($2::int8[], $3::int4[], $4::text[], $5::text[]) AS g (id, device_no, code, reason)
), moved AS (
    UPDATE outbox o SET device_no = g.device_no, lane_id = l.id, not_before = clock_timestamp()
    FROM given g, lanes p, lanes l
    WHERE o.id = g.id AND o.tenant_id = $1 AND o.state = 'queued' AND o.device_no IS NULL
      AND p.id = o.lane_id AND l.source_id = o.source_id AND l.device_no = g.device_no AND l.zone = p.zone
    RETURNING o.id, o.lead_id, g.device_no, g.code, g.reason
), free AS (
    SELECT l.id, m.device_no FROM leads l JOIN moved m ON m.lead_id = l.id
    WHERE l.tenant_id = $1 AND l.device_no IS DISTINCT FROM m.device_no
    FOR NO KEY UPDATE OF l SKIP LOCKED
), kept AS (
    UPDATE leads SET device_no = f.device_no, updated_at = now() FROM free f WHERE leads.id = f.id
)
INSERT INTO distribution_decisions (tenant_id, lead_id, outbox_id, device_no, code, reason)
SELECT $1, lead_id, id, device_no, code, reason FROM moved

-- name: stuck_lanes
-- $1 device numbers, NULL: all.
SELECT l.id, l.source_id, l.zone, s.may_move AS takes_all, d.name, d.state, d.state_reason, d.pause_reason,
       CASE WHEN NOT d.is_over THEN d.paused_until END AS paused_until
FROM (SELECT *, state IN ('logged_out', 'banned', 'replaced', 'outdated') AS is_over FROM devices) d
JOIN lanes l ON l.device_no = d.no AND l.is_live
JOIN sources s ON s.id = l.source_id
WHERE ($1::int4[] IS NULL OR d.no = ANY ($1))
  AND (d.is_over OR s.may_move AND d.paused_until > now() + interval '1 minute')
  AND EXISTS (SELECT FROM outbox o WHERE o.lane_id = l.id AND o.state = 'queued')
ORDER BY l.id

-- name: pool_lane
-- The lane of a source ($1) without a device, for people of a zone ($2).
INSERT INTO lanes (tenant_id, source_id, zone, is_live) SELECT tenant_id, id, $2, false FROM sources WHERE id = $1
ON CONFLICT (source_id, device_no, zone) DO UPDATE SET zone = excluded.zone
RETURNING id

-- name: take_back
-- The next $5 queued rows of lane $1 to lane $2: all, or with $3 false those that came from the pool. $4 why.
WITH next AS (
    SELECT o.id, o.device_no FROM outbox o
    WHERE o.lane_id = $1 AND o.state = 'queued'
      AND ($3 OR EXISTS (SELECT FROM distribution_decisions x WHERE x.outbox_id = o.id))
    ORDER BY o.not_before, o.id LIMIT $5 FOR UPDATE SKIP LOCKED
), moved AS (
    UPDATE outbox o SET device_no = NULL, lane_id = $2 FROM next n WHERE o.id = n.id
    RETURNING o.id, o.tenant_id, o.lead_id
), noted AS (
    INSERT INTO distribution_decisions (tenant_id, lead_id, outbox_id, code, reason)
    SELECT tenant_id, lead_id, id, 'returned', $4 FROM moved
)
SELECT count(*) FROM moved
