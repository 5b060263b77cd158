-- name: broadcast_devices
SELECT no FROM devices ORDER BY no

-- name: broadcast_people
-- $1 tenant, $2 number of the first, $3 how many, $4 devices, $5 tag.
INSERT INTO leads (tenant_id, phone, name, tags, device_no, zone)
SELECT $1, '+' || $2::int8 + n, 'Person ' || n, ARRAY[$5::text], ($4::int4[])[1 + n % cardinality($4)], 'Asia/Kuala_Lumpur'
FROM generate_series(0, $3::int4 - 1) n

-- name: broadcast_hand_over
-- To a worker ($1) that has just begun, as when the one before has died or let go.
WITH worker AS (
    INSERT INTO workers (id, network, node, pid, expires_at)
    VALUES ($1, 'loopback', 'bench', 1, now() + interval '1 hour') RETURNING id
)
UPDATE leases SET worker_id = worker.id, epoch = epoch + 1 FROM worker

-- name: broadcast_gap
-- Between two messages of device $1, in seconds.
UPDATE devices SET min_seconds = $2, max_seconds = $2 WHERE no = $1

-- name: broadcast_ends
-- What a campaign's rows say: to whom, and what became of it. $1 its source.
SELECT split_part(to_jid, '@', 1)::int8 AS number, state, reason FROM outbox WHERE source_id = $1
