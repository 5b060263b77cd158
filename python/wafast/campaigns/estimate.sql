-- What a finish can be told from. $1 is the tenant.

-- name: audience_by_device
-- $2 the audience.
SELECT device_no, count(*)::int8 AS n FROM campaign_audience($1, $2) GROUP BY device_no

-- name: opted_out_of_audience
-- How many would be in it ($2), and are not, as they want nothing more.
SELECT count(*)::int8 FROM leads_matching($1, $2::jsonb || '{"is_suppressed": true}')

-- name: known_in_audience
-- How many people of it ($2) without a device are known to which device among $3; NULL: to none. Of all, or by chance one
-- in $4 of them.
SELECT k.device_no, count(*)::int8 AS n
FROM campaign_audience($1, $2) a
LEFT JOIN LATERAL knows_person($1, a.lead_id, a.phone, $3) k ON true
WHERE a.device_no IS NULL AND (hashint8(a.lead_id) & 2147483647) % $4 = 0
GROUP BY k.device_no

-- name: known_in_pool
-- The same of those whom the source $2 has waiting without a device. Of all, or the next $4.
SELECT k.device_no, count(*)::int8 AS n
FROM (SELECT o.lead_id, '+' || split_part(o.to_jid, '@', 1) AS phone
      FROM lanes n JOIN outbox o ON o.lane_id = n.id AND o.state = 'queued'
      WHERE n.tenant_id = $1 AND n.source_id = $2 AND n.device_no IS NULL LIMIT $4) a
LEFT JOIN LATERAL knows_person($1, a.lead_id, a.phone, $3) k ON true
GROUP BY k.device_no

-- name: waiting_by_device
-- $2 the source.
SELECT b.device_no, sum(b.n)::int8 AS n
FROM source_buckets b JOIN sources s ON s.id = b.source_id
WHERE s.tenant_id = $1 AND b.source_id = $2 AND b.bucket = 'waiting'
GROUP BY b.device_no

-- name: lines
-- Devices $2, with what their caps let leave in each of the next 15 days, the first less what has left, and when their
-- clock lets the next leave.
SELECT d.no, d.id, d.name, d.state,
       is_over(d) OR d.state IN ('new', 'pairing') OR d.state <> 'online' AND d.desired_state <> 'connected' AS is_gone,
       d.min_seconds, d.max_seconds, d.typing, d.per_hour, d.paused_until, d.pause_reason, d.pause_cause,
       d.quiet_from, d.quiet_until,
       nullif(free_at(d, now()), '-infinity') AS free_at,
       ARRAY(SELECT day_cap(d.per_day, d.ramp, d.paired_at, now() + n * interval '1 day')
             FROM generate_series(0, 14) n ORDER BY n) AS day_caps
FROM devices d
WHERE d.tenant_id = $1 AND d.no = ANY ($2::int4[])
ORDER BY d.name, d.no

-- name: waiting_of_others
-- Rows of other running sources at each device, a row a source. $2 the source left out.
SELECT b.device_no, b.source_id, b.n
FROM sources s
CROSS JOIN LATERAL (
    SELECT device_no, s.id AS source_id, sum(n)::int8 AS n FROM source_buckets
    WHERE source_id = s.id AND bucket = 'waiting' AND device_no IS NOT NULL GROUP BY device_no
) b
WHERE s.tenant_id = $1 AND s.state = 'running' AND s.id <> $2

-- name: is_anybody
SELECT EXISTS (SELECT FROM campaign_audience($1, $2))
