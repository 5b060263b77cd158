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

-- name: hold_lines
-- Those of devices $1 that are there still: who deletes one waits, or has done it.
SELECT no FROM devices WHERE no = ANY ($1::int4[]) ORDER BY no FOR KEY SHARE

-- name: next_rows
-- The next $3 rows that may leave of these lanes, behind ($4, $5), with who knows the person: its own device, those with a chat, and the
-- one that wrote to it last.
WITH next AS (
    SELECT row.*, lane.zone FROM lanes lane
    CROSS JOIN LATERAL (SELECT o.id, o.lead_id, o.to_jid, o.not_before FROM outbox o
                        WHERE o.lane_id = lane.id AND o.state = 'queued' AND o.not_before <= now()
                          AND (o.not_before, o.id) > ($4::timestamptz, $5::int8)
                        ORDER BY o.not_before, o.id LIMIT $3 FOR UPDATE SKIP LOCKED) row
    WHERE lane.id = ANY ($2::int8[])
    ORDER BY row.not_before, row.id LIMIT $3
)
SELECT n.id, n.not_before, n.zone, n.lead_id, d.device_no AS own,
       ARRAY(SELECT c.device_no FROM jids_of_phone($1, '+' || split_part(n.to_jid, '@', 1)) named
             JOIN chats c ON c.tenant_id = $1 AND c.jid = named.jid
             WHERE NOT c.is_group AND c.last_key IS NOT NULL ORDER BY c.last_key DESC LIMIT 3) AS chats,
       (SELECT o.device_no FROM outbox o WHERE o.lead_id = n.lead_id AND o.state IN ('sent', 'delivered', 'read')
        ORDER BY o.id DESC LIMIT 1) AS wrote,
       s.score
FROM next n
LEFT JOIN leads d ON d.id = n.lead_id
LEFT JOIN lead_scores s ON s.lead_id = n.lead_id
ORDER BY n.not_before, n.id

-- name: turns
-- How many other sources have rows that wait at each of the devices $2, and how many of the source $1 do; as `standings` counts.
SELECT d.no,
       (SELECT count(DISTINCT coalesce(l.source_id, 0))::int4 FROM lanes l
        WHERE l.device_no = d.no AND l.is_live AND l.source_id IS DISTINCT FROM $1
          AND EXISTS (SELECT FROM outbox o WHERE o.lane_id = l.id AND o.state = 'queued'
                      AND o.not_before < now() + interval '1 day')) AS others,
       (SELECT count(*)::int4 FROM (
            SELECT FROM lanes l
            JOIN LATERAL (SELECT FROM outbox o WHERE o.lane_id = l.id AND o.state = 'queued'
                          AND o.not_before < now() + interval '1 day' LIMIT d.per_hour) o ON true
            WHERE l.device_no = d.no AND l.source_id = $1 LIMIT d.per_hour) w) AS waiting
FROM devices d WHERE d.no = ANY ($2::int4[])

-- name: say_left
-- Why rows wait in these lanes; NULL when they need not.
WITH held AS (
    SELECT id FROM lanes WHERE id = ANY ($1::int8[]) AND left_reason IS DISTINCT FROM $2 ORDER BY id FOR NO KEY UPDATE
)
UPDATE lanes n SET left_reason = $2 FROM held WHERE n.id = held.id

-- name: keep_devices
-- People ($2) keep the device ($3) that writes to them, unless somebody, an import say, holds them just now. Who has one
-- that will send again stays with it: only this message goes from another.
WITH free AS (
    SELECT l.id, g.device_no FROM unnest($2::int8[], $3::int4[]) AS g (lead_id, device_no)
    JOIN leads l ON l.id = g.lead_id AND l.tenant_id = $1
    LEFT JOIN devices own ON own.no = l.device_no
    WHERE own.no IS NULL OR is_over(own) AND own.no <> g.device_no
    ORDER BY l.id FOR NO KEY UPDATE OF l SKIP LOCKED
)
UPDATE leads SET device_no = f.device_no, updated_at = now() FROM free f WHERE leads.id = f.id

-- name: note_decisions
-- Rows ($2) of people ($3) and their devices ($4), as was decided ($5 code, $6 reason).
INSERT INTO distribution_decisions (tenant_id, lead_id, outbox_id, device_no, code, reason)
SELECT $1, lead_id, id, device_no, code, reason
FROM unnest($2::int8[], $3::int8[], $4::int4[], $5::text[], $6::text[]) AS g (id, lead_id, device_no, code, reason)

-- name: stuck_lanes
-- $1 device numbers, NULL: all. $2 seconds: whether a device the rows may go to has been online for so long.
WITH standing AS MATERIALIZED (
    SELECT tenant_id, array_agg(id) AS ids FROM devices
    WHERE state = 'online' AND online_at < now() - make_interval(secs => $2) GROUP BY tenant_id
)
SELECT l.id, l.source_id, s.may_move AS takes_all, d.name, d.state, d.state_reason, d.desired_state, d.failures, d.is_over,
       CASE WHEN s.device_ids IS NULL THEN t.ids IS NOT NULL
            ELSE coalesce(s.device_ids && t.ids, false) END AS others_stand,
       d.pause_reason, CASE
           WHEN NOT d.is_over AND d.paused_until > now() + interval '1 minute' THEN d.paused_until END AS paused_until
FROM (SELECT *, is_over(devices) FROM devices) d
JOIN lanes l ON l.device_no = d.no AND l.is_live
JOIN sources s ON s.id = l.source_id
LEFT JOIN standing t ON t.tenant_id = d.tenant_id
WHERE ($1::int4[] IS NULL OR d.no = ANY ($1))
  AND (d.is_over OR s.may_move AND (d.paused_until > now() + interval '1 minute' OR d.state IN ('new', 'pairing', 'offline', 'connecting')))
  AND (EXISTS (SELECT FROM outbox o WHERE o.lane_id = l.id AND o.state = 'queued')
       OR EXISTS (SELECT FROM outbox o WHERE o.device_no = d.no AND o.lane_id = l.id AND o.state = 'sending'))
ORDER BY l.id

-- name: rows_to_take_back
-- The next $3 rows of lane $1: all, or with $2 false those that came from the pool and those of people who are not the
-- device's own; and the one that is just being sent.
WITH next AS (
    SELECT o.id, o.lead_id, o.lane_id FROM lanes n JOIN outbox o ON o.lane_id = n.id
    WHERE n.id = $1 AND o.state = 'queued'
      AND ($2 OR EXISTS (SELECT FROM distribution_decisions x WHERE x.outbox_id = o.id)
           OR NOT EXISTS (SELECT FROM leads l WHERE l.id = o.lead_id AND l.device_no = n.device_no))
    ORDER BY o.not_before, o.id LIMIT $3 FOR UPDATE OF o SKIP LOCKED
), leaving AS (
    SELECT o.id, o.lead_id, o.lane_id FROM lanes n JOIN outbox o ON o.device_no = n.device_no AND o.lane_id = n.id
    WHERE n.id = $1 AND o.state = 'sending'
      AND ($2 OR EXISTS (SELECT FROM distribution_decisions x WHERE x.outbox_id = o.id)
           OR NOT EXISTS (SELECT FROM leads l WHERE l.id = o.lead_id AND l.device_no = n.device_no))
)
SELECT r.id, r.lead_id, n.tenant_id, n.source_id, n.zone
FROM (SELECT * FROM next UNION ALL SELECT * FROM leaving) r JOIN lanes n ON n.id = r.lane_id
