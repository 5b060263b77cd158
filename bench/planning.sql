-- name: campaign_people
-- $1 tenant, $2 from, $3 to, $4 devices.
INSERT INTO leads (tenant_id, phone, name, tags, device_no, zone)
SELECT $1, '+60' || 1100000000 + n, 'Person ' || n, ARRAY['all', 'group ' || n % 20], ($4::int4[])[1 + n % cardinality($4)],
       'Asia/Kuala_Lumpur'
FROM generate_series($2::int4, $3::int4) n

-- name: campaign_people_few
UPDATE leads SET tags = tags || '{few}' WHERE tenant_id = $1 AND id IN (
    SELECT id FROM leads WHERE tenant_id = $1 ORDER BY id LIMIT $2)

-- name: campaign_lines
-- Devices without pace of their own, online and held by worker $3. $1 tenant, $2 how many.
WITH made AS (
    INSERT INTO devices (tenant_id, name, network, jid, state, desired_state, store, paired_at, min_seconds, max_seconds,
                         per_hour, per_day, typing, ramp)
    SELECT $1, 'Line ' || n, 'loopback', 6010000000 + n || '@s.whatsapp.net', 'online', 'connected', n || '.db', now(), 0, 0,
           100000, 1000000, false, false
    FROM generate_series(1, $2::int4) n
    RETURNING no
), held AS (
    INSERT INTO leases (device_no, tenant_id, worker_id) SELECT no, $1, $3 FROM made
)
SELECT array_agg(no) FROM made

-- name: campaign_worker
INSERT INTO workers (id, network, node, pid, expires_at) VALUES ($1, 'loopback', 'bench', 1, now() + interval '1 hour')

-- name: naive_page
-- $1 tenant, $2 above this id, $3 how many.
SELECT id, phone, device_no FROM leads WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3

-- name: naive_insert
INSERT INTO outbox (tenant_id, device_no, source_id, lead_id, to_jid, kind, priority, created_by)
VALUES ($1, $2, $3, $4, $5, 'text', 'reply', 'bench')
