-- name: hurry
-- Every line as fast as the bench wants: gaps from $1 to $2 seconds, and no caps.
UPDATE devices SET min_seconds = $1, max_seconds = $2, per_hour = 100000, per_day = 1000000, typing = false, ramp = false

-- name: make_people
-- $2 people with numbers from $1 on; every other one has a device.
INSERT INTO leads (tenant_id, phone, name, zone, device_no)
SELECT t.id, '+' || ($1::int8 + n), CASE WHEN n % 3 > 0 THEN 'Person ' || n ELSE '' END, 'Asia/Kuala_Lumpur',
       CASE WHEN n % 2 = 0 THEN d.nos[1 + n / 2 % cardinality(d.nos)] END
FROM (SELECT min(id) AS id FROM tenants) t
CROSS JOIN (SELECT array_agg(no ORDER BY no) AS nos FROM devices WHERE jid IS NOT NULL) d
CROSS JOIN generate_series(0, $2::int4 - 1) n

-- name: look
SELECT (SELECT coalesce(sum(n), 0) FROM source_buckets) AS buckets,
       (SELECT count(*) FROM outbox WHERE source_id IS NOT NULL) AS rows,
       EXISTS (SELECT FROM source_buckets WHERE n < 0) AS is_negative

-- name: line_workers
SELECT pid FROM workers WHERE network = 'loopback' AND expires_at > now() ORDER BY started_at DESC

-- name: still_open
-- A campaign that is not planned yet has no rows: they are all still to come.
SELECT (SELECT count(*) FROM outbox WHERE source_id IS NOT NULL AND state IN ('queued', 'sending'))
     + (SELECT count(*) FROM campaigns WHERE planned IS NULL) AS n

-- name: ends
SELECT split_part(to_jid, '@', 1) AS person, state, reason FROM outbox WHERE source_id IS NOT NULL
