-- Filters with a name. $1 is always the tenant.

-- name: list_segments
SELECT * FROM segments WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3;

-- name: create_segment
INSERT INTO segments (tenant_id, name, filter, created_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING *;

-- name: change_segment
UPDATE segments SET name = coalesce($3, name), filter = coalesce($4, filter) WHERE tenant_id = $1 AND id = $2 RETURNING *;

-- name: delete_segment
DELETE FROM segments WHERE tenant_id = $1 AND id = $2 RETURNING name;
