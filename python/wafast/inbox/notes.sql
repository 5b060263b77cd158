-- Private notes. $1 is always the tenant.

-- name: list_notes
-- $2 the chat, $3 only those before this id, $4 how many.
SELECT n.* FROM notes n
WHERE n.tenant_id = $1 AND n.chat_id = $2 AND n.id < $3
ORDER BY n.id DESC
LIMIT $4;

-- name: get_notes
-- For live frames: $1 a list of tenants.
SELECT n.*, d.id AS device_id FROM notes n
JOIN chats c ON c.id = n.chat_id
JOIN devices d ON d.no = c.device_no
WHERE n.tenant_id = ANY ($1::int4[]) AND n.id = ANY ($2::int8[]);

-- name: create_note
-- $3 who, as created_by names him; $4 or $5 the user's or key's id, for the name.
INSERT INTO notes (tenant_id, chat_id, created_by, author, body)
SELECT $1, $2, $3, coalesce((SELECT name FROM users WHERE id = $4),
                            (SELECT name FROM api_keys WHERE tenant_id = $1 AND id = $5), $3), $6
RETURNING *;

-- name: note_author
SELECT created_by FROM notes WHERE tenant_id = $1 AND chat_id = $2 AND id = $3;

-- name: edit_note
UPDATE notes SET body = $4, edited_at = now() WHERE tenant_id = $1 AND chat_id = $2 AND id = $3 RETURNING *;

-- name: delete_note
DELETE FROM notes WHERE tenant_id = $1 AND chat_id = $2 AND id = $3;
