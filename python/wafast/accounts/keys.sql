-- name: create_key
INSERT INTO api_keys (tenant_id, name, prefix, key_hash, scope, device_ids)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id, name, prefix, scope, device_ids, created_at, last_used_at

-- name: list_keys
SELECT id, name, prefix, scope, device_ids, created_at, last_used_at
FROM api_keys
WHERE tenant_id = $1 AND revoked_at IS NULL AND ($3::int8 IS NULL OR id < $3)
ORDER BY id DESC
LIMIT $2

-- name: revoke_key
UPDATE api_keys SET revoked_at = now() WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING id

-- name: principal_of_key
-- last_used_at moves at most once a minute.
WITH used AS (
    UPDATE api_keys SET last_used_at = now()
    WHERE key_hash = $1 AND revoked_at IS NULL
      AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
)
SELECT id, tenant_id, scope, device_ids FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL

-- name: devices_among
SELECT id FROM devices WHERE tenant_id = $1 AND id = ANY ($2::uuid[])
