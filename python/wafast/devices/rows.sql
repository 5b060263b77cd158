-- name: create_device
INSERT INTO devices (tenant_id, name, network, min_seconds, max_seconds, per_hour, per_day, typing, ramp, quiet_from, quiet_until)
SELECT id, $2, coalesce($3, default_network), min_seconds, max_seconds, per_hour, per_day, typing, ramp, quiet_from, quiet_until
FROM tenants WHERE id = $1
RETURNING *, 0 AS unread_count

-- name: list_devices
SELECT d.*, unread_of(d.no, d.tenant_id) AS unread_count
FROM devices d
WHERE d.tenant_id = $1
  AND ($2::uuid[] IS NULL OR d.id = ANY ($2))
  AND ($3::text IS NULL OR strpos(lower(d.name), lower($3)) > 0 OR strpos(coalesce(d.phone, ''), $3) > 0
       OR EXISTS (SELECT FROM unnest(d.tags) tag WHERE lower(tag) = lower($3)))
  AND ($4::text IS NULL OR d.state = $4)
  AND ($6::int4 IS NULL OR d.no < $6)
  AND ($7::text IS NULL OR d.desired_state = $7)
  AND ($8::text IS NULL OR lower($8) IN (SELECT lower(tag) FROM unnest(d.tags) tag))
ORDER BY d.no DESC
LIMIT $5

-- name: summarise_devices
-- One spelling stands for a tag in all of them.
WITH seen AS (
    SELECT state, desired_state, tags FROM devices WHERE tenant_id = $1 AND ($2::uuid[] IS NULL OR id = ANY ($2))
)
SELECT (SELECT count(*) FROM seen) AS total,
       (SELECT coalesce(jsonb_object_agg(state, n), '{}')
        FROM (SELECT state, count(*) AS n FROM seen GROUP BY state) s) AS states,
       (SELECT coalesce(jsonb_object_agg(desired_state, n), '{}')
        FROM (SELECT desired_state, count(*) AS n FROM seen GROUP BY desired_state) s) AS desired_states,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('tag', tag, 'devices', n) ORDER BY n DESC, tag), '[]')
        FROM (SELECT min(tag) AS tag, count(*) AS n FROM seen, unnest(tags) tag GROUP BY lower(tag)) s) AS tags

-- name: get_device
SELECT d.*, unread_of(d.no, d.tenant_id) AS unread_count
FROM devices d WHERE tenant_id = $1 AND id = $2

-- name: ids_of_tenant
SELECT id FROM devices WHERE tenant_id = $1 AND id = ANY ($2::uuid[])

-- name: get_devices_by_no
SELECT d.*, unread_of(d.no, d.tenant_id) AS unread_count
FROM devices d WHERE no = ANY ($1::int4[])

-- name: change_device
-- $3 holds the columns to change; a null proxy takes the proxy away.
UPDATE devices d SET (name, tags, proxy, min_seconds, max_seconds, per_hour, per_day, typing, ramp, quiet_from, quiet_until)
    = (SELECT n.name, n.tags, n.proxy, n.min_seconds, n.max_seconds, n.per_hour, n.per_day, n.typing, n.ramp,
              n.quiet_from, n.quiet_until
       FROM jsonb_populate_record(d, $3) n)
WHERE tenant_id = $1 AND id = $2
RETURNING d.*, unread_of(d.no, d.tenant_id) AS unread_count

-- name: lock_device
SELECT no, network, state, jid FROM devices WHERE tenant_id = $1 AND id = $2 FOR UPDATE

-- name: supersede_pairing
UPDATE pairings SET state = 'failed', reason = 'a newer pairing was started', ended_at = now()
WHERE device_no = $1 AND state = 'waiting'

-- name: create_pairing
INSERT INTO pairings (tenant_id, device_no, method, phone, expires_at)
VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))
RETURNING id

-- name: get_pairing
SELECT p.id, d.id AS device_id, p.device_no, d.network, p.method, p.phone,
       CASE WHEN p.state = 'waiting' AND p.expires_at < now() THEN 'expired' ELSE p.state END AS state,
       CASE WHEN p.state = 'waiting' AND p.expires_at < now()
            THEN 'nobody scanned the code in time; start again' ELSE p.reason END AS reason,
       p.qr, p.code, p.created_at, p.expires_at
FROM pairings p JOIN devices d ON d.no = p.device_no
WHERE p.tenant_id = $1 AND p.id = $2

-- name: cancel_pairing
UPDATE pairings SET state = 'failed', reason = 'cancelled', ended_at = now()
WHERE tenant_id = $1 AND id = $2 AND state = 'waiting'
RETURNING id

-- name: networks_in_use
SELECT DISTINCT network FROM devices
