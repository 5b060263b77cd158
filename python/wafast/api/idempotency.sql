-- A request is done once for each Idempotency-Key of a tenant; its answer is kept a day.

-- name: claim_key
-- A key older than a day counts as never used.
INSERT INTO idempotency_keys (tenant_id, key, route, body_hash) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, key) DO UPDATE
    SET route = excluded.route, body_hash = excluded.body_hash, status = NULL, response = NULL, created_at = now()
    WHERE idempotency_keys.created_at < now() - interval '24 hours'
RETURNING true;

-- name: stored_answer
SELECT route, body_hash, status, response FROM idempotency_keys WHERE tenant_id = $1 AND key = $2;

-- name: keep_answer
-- Once, whoever comes first.
UPDATE idempotency_keys SET status = $3, response = $4 WHERE tenant_id = $1 AND key = $2 AND status IS NULL
RETURNING true;

-- name: release_key
DELETE FROM idempotency_keys WHERE tenant_id = $1 AND key = $2 AND status IS NULL;

-- name: forget_old_keys
DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours';
