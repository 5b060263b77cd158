-- Files of messages and uploads. $1 is always the tenant.

-- name: message_media
-- $2 the devices within reach, $3 chat, $4 key. A deleted or trimmed message has no file any more.
SELECT d.id AS device_id, m.device_no, m.media
FROM messages m
JOIN chats c ON c.id = m.chat_id
JOIN devices d ON d.no = m.device_no
WHERE m.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2))
  AND m.chat_id = $3 AND m.key = $4 AND m.key > c.floor_key
  AND m.media IS NOT NULL AND message_kind(m.kind) <> 'deleted';

-- name: message_thumbnail
SELECT t.jpeg
FROM thumbnails t
JOIN messages m ON m.chat_id = t.chat_id AND m.key = t.key
JOIN chats c ON c.id = m.chat_id
JOIN devices d ON d.no = m.device_no
WHERE m.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2))
  AND t.chat_id = $3 AND t.key = $4 AND m.key > c.floor_key AND message_kind(m.kind) <> 'deleted';

-- name: stored_media
SELECT mime FROM media WHERE tenant_id = $1 AND sha256 = $2;

-- name: store_media
-- The same file again keeps the type it had: it may be on its way out with it.
INSERT INTO media (tenant_id, sha256, mime, size) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, sha256) DO UPDATE SET viewed_at = now()
RETURNING mime;
