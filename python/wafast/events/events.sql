-- name: notify
SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS p (payload)

-- name: lease_holder
-- The worker that holds a device now; no row when nobody does.
SELECT w.id FROM leases l JOIN workers w ON w.id = l.worker_id
WHERE l.device_no = $1 AND w.expires_at > now()

-- name: still_there
SELECT
