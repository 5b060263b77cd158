-- name: decisions_of_row
SELECT x.id, x.at, d.id AS device_id, d.name AS device_name, x.code, x.reason, x.outbox_id, x.distribution_id
FROM distribution_decisions x LEFT JOIN devices d ON d.no = x.device_no
WHERE x.tenant_id = $1 AND x.outbox_id = $2 ORDER BY x.id DESC LIMIT 20

-- name: decisions_of_lead
SELECT x.id, x.at, d.id AS device_id, d.name AS device_name, x.code, x.reason, x.outbox_id, x.distribution_id
FROM distribution_decisions x LEFT JOIN devices d ON d.no = x.device_no
WHERE x.tenant_id = $1 AND x.lead_id = $2 ORDER BY x.id DESC LIMIT 20

-- name: has_lead
SELECT EXISTS (SELECT FROM leads l LEFT JOIN devices d ON d.no = l.device_no
               WHERE l.tenant_id = $1 AND l.id = $2 AND ($3::uuid[] IS NULL OR d.id IS NULL OR d.id = ANY ($3)))
