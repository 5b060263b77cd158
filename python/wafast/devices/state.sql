-- name: move_state
-- $1 device, $2 $3 the lease it is written under, $4 the new state, $5 why, $6 the states it may come from,
-- $7 seconds until the next try (NULL: none is needed; -1: never, a person must act), $8 whether a try has failed.
-- Nothing happens when the lease is gone.
UPDATE devices d SET
    state = $4,
    state_reason = $5,
    state_at = CASE WHEN d.state = $4 THEN d.state_at ELSE now() END,
    online_at = CASE WHEN $4 = 'online' AND d.state <> 'online' THEN now() ELSE d.online_at END,
    retry_at = CASE WHEN $7::float8 IS NULL THEN NULL WHEN $7 < 0 THEN 'infinity'
                    ELSE now() + make_interval(secs => $7) END,
    failures = CASE WHEN $4 = 'online' THEN 0 WHEN $8 THEN d.failures + 1 ELSE d.failures END,
    store = CASE WHEN $4 = 'logged_out' THEN NULL ELSE d.store END
FROM leases l
WHERE d.no = $1 AND l.device_no = d.no AND l.worker_id = $2 AND l.epoch = $3 AND d.state = ANY ($6::text[])
RETURNING d.tenant_id

-- name: leave_devices
-- A worker stops: whoever takes its devices connects them again at once.
WITH held AS (
    SELECT d.no FROM leases l JOIN devices d ON d.no = l.device_no
    WHERE l.worker_id = $1 AND d.state IN ('connecting', 'online')
    ORDER BY d.no FOR UPDATE OF d
)
UPDATE devices d SET state = 'offline', state_reason = $2, state_at = now(), retry_at = NULL
FROM held WHERE d.no = held.no
RETURNING d.tenant_id, d.no

-- name: set_push_name
UPDATE devices d SET push_name = $4
FROM leases l
WHERE d.no = $1 AND l.device_no = d.no AND l.worker_id = $2 AND l.epoch = $3 AND d.push_name IS DISTINCT FROM $4
RETURNING d.tenant_id
