-- name: held_by
-- What may hold each of rows $2 that wait. $1 tenant, $3 the most rows before it that are counted, $4 in all lanes together,
-- $5 but so many in each. A source's row whose lane has others before it waits for them; replies wait for replies, but what a
-- file on its way holds up is passed by all else (claim.sql: pick). A step stands still with its sequence, and with the one it
-- is for.
WITH those AS MATERIALIZED (
    SELECT * FROM outbox WHERE tenant_id = $1 AND id = ANY ($2::int8[]) AND state = 'queued'
),
lanes_of AS MATERIALIZED (
    SELECT lane_id, greatest($5::int8, least($3::int8, $4::int8 / count(*) OVER ())) AS most
    FROM (SELECT DISTINCT lane_id FROM those WHERE priority = 'paced') l
),
places AS MATERIALIZED (
    SELECT p.id, row_number() OVER (PARTITION BY l.lane_id ORDER BY p.not_before, p.id) - 1 AS ahead
    FROM lanes_of l
    CROSS JOIN LATERAL (SELECT id, not_before FROM outbox p WHERE p.lane_id = l.lane_id AND p.state = 'queued'
                        ORDER BY p.not_before, p.id LIMIT l.most) p
)
SELECT o.id, now() AS now, o.device_no, o.priority, o.not_before, d.state, is_over(d) AS is_over, d.paused_until, d.pause_reason, d.per_hour, d.per_day,
       CASE e.state WHEN 'paused' THEN e.state ELSE s.state END AS source_state, coalesce(n.left_reason, 'One is being chosen') AS left_reason,
       next_open(d, s, coalesce(n.zone, 'UTC'), now()) AS open_at,
       nullif(cap_until(d.hour_sends, d.hour_slot, 300, 13, d.per_hour), '-infinity') AS hour_until,
       nullif(cap_until(d.day_sends, d.day_slot, 3600, 25, d.per_day), '-infinity') AS day_until,
       CASE WHEN cap.day < d.per_day
            THEN nullif(least(cap_until(d.day_sends, d.day_slot, 3600, 25, cap.day), ramp_step(d.paired_at, now())),
                        '-infinity') END AS ramp_until,
       cap.day AS day_cap,
       nullif(d.last_paced_at, '-infinity') + gap_before(d, s) AS gap_until,
       CASE WHEN o.priority = 'paced'
            THEN (greatest(d.min_seconds, s.min_seconds) + greatest(d.max_seconds, s.max_seconds)) / 2 ELSE 1 END::float8 AS gap_seconds,
       coalesce(l.most, $3::int8) AS most_ahead,
       CASE WHEN o.priority = 'paced' THEN coalesce(p.ahead, l.most)
       ELSE (SELECT count(*) FROM (SELECT FROM outbox p WHERE p.device_no = o.device_no AND p.priority = 'reply'
                                   AND p.state = 'queued' AND (p.not_before, p.id) < (o.not_before, o.id)
                                   AND (f.jid IS NULL OR p.media_sha256 IS NULL AND named_jid(o.tenant_id, d.network, p.to_jid) <> f.jid)
                                   LIMIT $3::int8) before)
       END AS ahead,
       o.priority = 'reply' AND (o.media_sha256 IS NOT NULL OR named_jid(o.tenant_id, d.network, o.to_jid) = f.jid)
           AND f.jid IS NOT NULL AS is_behind_file
FROM those o
LEFT JOIN lanes_of l ON l.lane_id = o.lane_id
LEFT JOIN places p ON p.id = o.id
LEFT JOIN devices d ON d.no = o.device_no
LEFT JOIN sources s ON s.id = o.source_id
LEFT JOIN enrolments e ON e.id = o.enrolment_id
LEFT JOIN lanes n ON n.id = o.lane_id
CROSS JOIN LATERAL (SELECT day_cap(d.per_day, d.ramp, d.paired_at, now()) AS day) cap
LEFT JOIN LATERAL (
    SELECT named_jid(o.tenant_id, d.network, w.to_jid) AS jid FROM outbox w
    WHERE w.device_no = o.device_no AND w.state = 'sending' AND w.priority = 'reply' AND w.media_sha256 IS NOT NULL LIMIT 1
) f ON true

-- name: device_clock
-- When something of this device may leave next, and how much has left, as the claim counts it.
SELECT nullif(d.last_paced_at, '-infinity') AS last_paced_at,
       (SELECT min(greatest(now(), free_at(d, now()), d.last_paced_at + gap_before(d, s),
                            next_open(d, s, n.zone, greatest(now(), row.not_before))))
        FROM lanes n
        LEFT JOIN sources s ON s.id = n.source_id
        CROSS JOIN LATERAL (SELECT o.not_before FROM outbox o WHERE o.lane_id = n.id AND o.state = 'queued'
                            ORDER BY o.not_before, o.id LIMIT 1) row
        WHERE n.device_no = d.no AND n.is_live AND (s.state = 'running' OR n.source_id IS NULL)) AS next_at,
       greatest(now(), free_at(d, now()), d.last_paced_at + gap_before(d, NULL::sources)) AS free_at,
       sends_within(d.hour_sends, d.hour_slot, slot_of(now(), 300), 13) AS sent_in_hour,
       sends_within(d.day_sends, d.day_slot, slot_of(now(), 3600), 25) AS sent_in_day,
       day_cap(d.per_day, d.ramp, d.paired_at, now()) AS day_cap
FROM devices d WHERE d.no = $1
