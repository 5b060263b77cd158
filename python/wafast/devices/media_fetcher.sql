-- name: message_file
-- A deleted or trimmed message has no file any more; a place never had one.
SELECT m.tenant_id, m.media, message_kind(m.kind) AS kind
FROM messages m JOIN chats c ON c.id = m.chat_id
WHERE m.chat_id = $1 AND m.key = $2 AND m.device_no = $3 AND m.key > c.floor_key
  AND m.media ? 'ext' AND message_kind(m.kind) <> 'deleted'
