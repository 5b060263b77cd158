-- name: move_state
-- $1 device, $2 $3 the lease it is written under, $4 the new state, $5 why, $6 the states it may come from,
-- $7 seconds until the next try (NULL: none is needed; -1: never, a person must act), $8 whether a try has failed.
-- Nothing happens when the lease is gone (hold_device, 0031). What was so when a pairing began is kept, for when nothing
-- comes of it.
UPDATE devices d SET
    state = $4,
    state_reason = $5,
    state_at = CASE WHEN d.state = $4 THEN d.state_at ELSE now() END,
    online_at = CASE WHEN $4 = 'online' AND d.state <> 'online' THEN now() ELSE d.online_at END,
    retry_at = CASE WHEN $7::float8 IS NULL THEN NULL WHEN $7 < 0 THEN 'infinity'
                    ELSE now() + make_interval(secs => $7) END,
    -- a ban that ends by itself holds back what is paced, and says until when
    paused_until = CASE WHEN $4 = 'banned' AND $7 > 0 THEN greatest(d.paused_until, now() + make_interval(secs => $7))
                        ELSE d.paused_until END,
    pause_reason = CASE WHEN $4 = 'banned' AND $7 > 0 THEN $5 ELSE d.pause_reason END,
    pause_cause = CASE WHEN $4 = 'banned' AND $7 > 0 THEN 'banned' ELSE d.pause_cause END,
    failures = CASE WHEN $4 = 'online' THEN 0 WHEN $8 THEN d.failures + 1 ELSE d.failures END,
    store = CASE WHEN $4 = 'logged_out' THEN NULL ELSE d.store END,
    home = CASE WHEN $4 = 'logged_out' THEN NULL ELSE d.home END,
    state_before_pairing = CASE WHEN $4 = 'pairing' AND d.state <> 'pairing' THEN d.state ELSE d.state_before_pairing END,
    reason_before_pairing =
        CASE WHEN $4 = 'pairing' AND d.state <> 'pairing' THEN d.state_reason ELSE d.reason_before_pairing END
FROM hold_device($1, $2, $3) held
WHERE d.no = held.no AND d.state = ANY ($6::text[])
RETURNING d.tenant_id

-- name: state_before_pairing
-- One whose pairing ended before it began is still what it was; a ban with an end, which is a pause too, ends then all the
-- same.
SELECT state, state_reason,
       CASE WHEN state = 'banned' AND pause_reason = state_reason AND paused_until > now()
            THEN extract(epoch FROM paused_until - now())::float8 END AS retry_seconds
FROM (SELECT CASE WHEN state = 'pairing' THEN state_before_pairing ELSE state END AS state,
             CASE WHEN state = 'pairing' THEN reason_before_pairing ELSE state_reason END AS state_reason,
             pause_reason, paused_until
      FROM devices WHERE no = $1) before

-- name: device_exists
SELECT EXISTS (SELECT FROM devices WHERE no = $1)

-- name: leave_devices
-- A worker stops: whoever takes its devices connects them again at once.
WITH held AS (
    SELECT d.no FROM leases l JOIN devices d ON d.no = l.device_no
    WHERE l.worker_id = $1 AND d.state IN ('connecting', 'online')
    ORDER BY d.no FOR NO KEY UPDATE OF d FOR SHARE OF l
)
UPDATE devices d SET state = 'offline', state_reason = $2, state_at = now(), retry_at = NULL
FROM held WHERE d.no = held.no
RETURNING d.tenant_id, d.no

-- name: set_push_name
UPDATE devices d SET push_name = $4
FROM hold_device($1, $2, $3) held
WHERE d.no = held.no AND d.push_name IS DISTINCT FROM $4
RETURNING d.tenant_id
