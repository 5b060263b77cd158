-- What a finish can be told from. $1 is the tenant.

-- name: audience_by_device
-- $2 the audience.
SELECT device_no, count(*)::int8 AS n FROM campaign_audience($1, $2) GROUP BY device_no

-- name: waiting_by_device
-- $2 the source.
SELECT b.device_no, sum(b.n)::int8 AS n
FROM source_buckets b JOIN sources s ON s.id = b.source_id
WHERE s.tenant_id = $1 AND b.source_id = $2 AND b.bucket = 'waiting'
GROUP BY b.device_no

-- name: lines
-- Devices that send, or would: those of $2 (numbers), and those that people without a device are given to: $3 (ids), or
-- every online one when that is NULL. With what their caps let leave in each of the next 15 days, the first less what
-- has left, and when their clock lets the next leave.
SELECT d.no, d.id, d.name, d.state, d.min_seconds,
       d.max_seconds, d.per_hour, d.paused_until, d.pause_reason,
       nullif(free_at(d, now()), '-infinity') AS free_at,
       d.jid IS NOT NULL AND (d.id = ANY ($3::uuid[]) OR $3::uuid[] IS NULL AND d.state = 'online') AS takes_others,
       ARRAY(SELECT day_cap(d.per_day, d.ramp, d.paired_at, now() + n * interval '1 day')
             FROM generate_series(0, 14) n ORDER BY n) AS day_caps
FROM devices d
WHERE d.tenant_id = $1 AND (d.no = ANY ($2::int4[]) OR d.id = ANY ($3::uuid[]) OR $3::uuid[] IS NULL AND d.state = 'online')
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
