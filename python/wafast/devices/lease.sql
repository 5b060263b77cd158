-- name: beat
-- One row for all devices a worker holds. A worker that was away longer than its lease begins to live again here; what
-- others took from it meanwhile shows in held_leases.
INSERT INTO workers (id, network, node, pid, expires_at, figures)
VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5), $6)
ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at, figures = excluded.figures

-- name: neighbours
SELECT id, pid FROM workers WHERE node = $1 AND expires_at > now()

-- name: bury_workers
UPDATE workers SET expires_at = now() WHERE id = ANY ($1::uuid[])

-- name: forget_workers
DELETE FROM workers WHERE expires_at < now() - interval '1 day'

-- name: held_leases
SELECT device_no, epoch FROM leases WHERE worker_id = $1

-- name: acquire_leases
-- Takes devices of the network that need a session, or an end to what a dead worker left, and that nobody holds: up to
-- this worker's fair share of all that need one. The comparison of epochs makes it a compare-and-set: of two workers
-- that saw the same free lease one gets it.
WITH needed AS (
    SELECT d.no, d.tenant_id, l.epoch, l.worker_id AS holder, w.id IS NOT NULL AS is_held
    FROM devices d
    LEFT JOIN leases l ON l.device_no = d.no
    LEFT JOIN workers w ON w.id = l.worker_id AND w.expires_at > now()
    WHERE d.network = $2
      AND (d.desired_state = 'connected' AND d.jid IS NOT NULL AND d.state <> 'logged_out'
               AND d.retry_at IS DISTINCT FROM 'infinity'
           OR d.desired_state = 'logged_out' AND d.jid IS NOT NULL AND d.state <> 'logged_out'
           OR d.state IN ('pairing', 'connecting', 'online')
           OR EXISTS (SELECT FROM pairings p WHERE p.device_no = d.no AND p.state = 'waiting')
           OR EXISTS (SELECT FROM outbox o WHERE o.device_no = d.no AND o.state = 'sending'))
),
share AS (
    SELECT ceil(count(*)::float8 / greatest(1, (SELECT count(*) FROM workers WHERE network = $2 AND expires_at > now())))
           - count(*) FILTER (WHERE holder = $1) AS more
    FROM needed
),
free AS (
    SELECT n.no, n.tenant_id, coalesce(n.epoch, 0) AS epoch
    FROM needed n JOIN devices d ON d.no = n.no
    WHERE NOT n.is_held
    ORDER BY n.no
    LIMIT (SELECT greatest(0, more)::int8 FROM share)
    FOR NO KEY UPDATE OF d SKIP LOCKED
)
INSERT INTO leases AS l (device_no, tenant_id, worker_id, epoch)
SELECT no, tenant_id, $1, epoch + 1 FROM free
ON CONFLICT (device_no) DO UPDATE SET worker_id = excluded.worker_id, epoch = excluded.epoch, since = now()
    WHERE l.epoch = excluded.epoch - 1
RETURNING device_no, tenant_id, epoch

-- name: release_leases
-- The epoch stays, so that whoever comes next gets a higher one.
UPDATE leases SET worker_id = NULL WHERE worker_id = $1 AND device_no = ANY ($2::int4[])

-- name: release_all_leases
UPDATE leases SET worker_id = NULL WHERE worker_id = $1

-- name: remove_worker
DELETE FROM workers WHERE id = $1
