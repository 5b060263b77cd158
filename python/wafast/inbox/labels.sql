-- Labels. $1 is always the tenant.

-- name: list_labels
SELECT id, name, colour, created_at FROM labels
WHERE tenant_id = $1 AND id < $2
ORDER BY id DESC
LIMIT $3;

-- name: create_label
INSERT INTO labels (tenant_id, name, colour) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING
RETURNING id, name, colour, created_at;

-- name: change_label
UPDATE labels SET name = coalesce($3, name), colour = coalesce($4, colour)
WHERE tenant_id = $1 AND id = $2
RETURNING id, name, colour, created_at;

-- name: delete_label
DELETE FROM labels WHERE tenant_id = $1 AND id = $2 RETURNING name;
