-- name: campaigns_called
-- $1 tenant, $2 a campaign's id or name.
SELECT id FROM campaigns WHERE tenant_id = $1 AND deleted_at IS NULL AND (id::text = $2 OR name = $2) ORDER BY id DESC;
