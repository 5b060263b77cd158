-- name: rest
-- Nothing has left a line lately.
UPDATE devices SET last_paced_at = '-infinity', hour_sends = '{}', day_sends = '{}'

-- name: people_of_tag
-- $2 people with numbers from $1 on and tag $3, each with a device.
INSERT INTO leads (tenant_id, phone, name, zone, tags, device_no)
SELECT t.id, '+' || ($1::int8 + n), 'Person ' || n, 'Asia/Kuala_Lumpur', ARRAY[$3::text], d.nos[1 + n % cardinality(d.nos)]
FROM (SELECT min(id) AS id FROM tenants) t
CROSS JOIN (SELECT array_agg(no ORDER BY no) AS nos FROM devices WHERE jid IS NOT NULL) d
CROSS JOIN generate_series(0, $2::int4 - 1) n
