-- name: has_campaigns
SELECT EXISTS (SELECT FROM campaigns WHERE tenant_id = $1)

-- name: people
-- $2 numbers, $3 names, $4 devices: each person is a device's in turn.
INSERT INTO leads (tenant_id, phone, name, tags, target_status, device_no, zone)
SELECT $1, p.phone, p.name, ARRAY['regular', CASE WHEN n % 3 = 0 THEN 'vip' ELSE 'klang valley' END],
       CASE WHEN n % 2 = 0 THEN 'customer' ELSE 'prospect' END, ($4::int4[])[1 + n % cardinality($4::int4[])],
       'Asia/Kuala_Lumpur'
FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS p (phone, name, n)
ON CONFLICT DO NOTHING
