-- name: message_file
SELECT m.tenant_id, m.media, message_kind(m.kind) AS kind FROM messages m
WHERE m.chat_id = $1 AND m.key = $2 AND m.device_no = $3 AND m.media IS NOT NULL
