-- name: default_pacing
SELECT min_seconds, max_seconds, per_hour, per_day, typing, ramp, quiet_from, quiet_until FROM tenants WHERE id = $1

-- name: hold_default_pacing
SELECT min_seconds, max_seconds, per_hour, per_day, typing, ramp, quiet_from, quiet_until FROM tenants WHERE id = $1 FOR NO KEY UPDATE

-- name: hold_pacing
SELECT min_seconds, max_seconds, per_hour, per_day, typing, ramp, quiet_from, quiet_until FROM devices WHERE tenant_id = $1 AND id = $2
FOR NO KEY UPDATE

-- name: change_default_pacing
-- $2 holds the columns to change; null ones become null.
UPDATE tenants t SET (min_seconds, max_seconds, per_hour, per_day, typing, ramp, quiet_from, quiet_until)
    = (SELECT n.min_seconds, n.max_seconds, n.per_hour, n.per_day, n.typing, n.ramp, n.quiet_from, n.quiet_until
       FROM jsonb_populate_record(t, $2) n)
WHERE id = $1
RETURNING min_seconds, max_seconds, per_hour, per_day, typing, ramp, quiet_from, quiet_until

-- name: set_pacing
-- $3 holds the columns to change, as above.
WITH wanted AS (
    SELECT no, id, name, network, d, jsonb_populate_record(d, $3::jsonb) AS wished
    FROM devices d WHERE tenant_id = $1 AND id = ANY ($2::uuid[])
    ORDER BY no FOR UPDATE
), paced AS (
    UPDATE devices d SET (min_seconds, max_seconds, per_hour, per_day, typing, ramp, quiet_from, quiet_until)
        = ((w.wished).min_seconds, (w.wished).max_seconds, (w.wished).per_hour, (w.wished).per_day, (w.wished).typing,
           (w.wished).ramp, (w.wished).quiet_from, (w.wished).quiet_until)
    FROM wanted w WHERE d.no = w.no AND w.d IS DISTINCT FROM w.wished
)
SELECT no, id, name, network, d IS DISTINCT FROM wished AS is_changed, NULL::text AS skipped FROM wanted
