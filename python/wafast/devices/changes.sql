-- name: list_changes
SELECT id, at, state, reason FROM device_changes
WHERE tenant_id = $1 AND device_no = $2 AND ($4::int8 IS NULL OR id < $4)
ORDER BY id DESC LIMIT $3

-- name: forget_changes
DELETE FROM device_changes WHERE at < now() - make_interval(days => $1)
