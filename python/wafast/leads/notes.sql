-- Notes of a lead. $1 is always the tenant, $2 the lead.

-- name: list_lead_notes
SELECT * FROM lead_notes WHERE tenant_id = $1 AND lead_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4;

-- name: create_lead_note
-- $3 who, as created_by names him; $4 or $5 the user's or key's id, for the name.
INSERT INTO lead_notes (tenant_id, lead_id, created_by, author, body)
SELECT $1, $2, $3, coalesce((SELECT name FROM users WHERE id = $4),
                            (SELECT name FROM api_keys WHERE tenant_id = $1 AND id = $5), $3), $6
RETURNING *;

-- name: delete_lead_note
DELETE FROM lead_notes WHERE tenant_id = $1 AND lead_id = $2 AND id = $3 RETURNING id;
