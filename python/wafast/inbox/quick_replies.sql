-- Answers a team writes often. $1 is always the tenant.

-- name: list_quick_replies
-- By name, as they are typed; $2 the name after which the page starts, $3 how many.
SELECT id, name, body, updated_at FROM quick_replies
WHERE tenant_id = $1 AND ($2::text IS NULL OR name > $2)
ORDER BY name
LIMIT $3;

-- name: name_of_quick_reply
SELECT name FROM quick_replies WHERE tenant_id = $1 AND id = $2;

-- name: add_quick_reply
INSERT INTO quick_replies (tenant_id, name, body, created_by) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, name) DO NOTHING
RETURNING id, name, body, updated_at;

-- name: change_quick_reply
-- $3 $4 NULL where it stays. A name that is another's already violates the table's key.
UPDATE quick_replies SET name = coalesce($3, name), body = coalesce($4, body), updated_at = now()
WHERE tenant_id = $1 AND id = $2
RETURNING id, name, body, updated_at;

-- name: remove_quick_reply
DELETE FROM quick_replies WHERE tenant_id = $1 AND id = $2 RETURNING name;
