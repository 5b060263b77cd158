-- Files of messages and uploads. $1 is always the tenant.

-- name: message_media
-- $2 the devices within reach, $3 chat, $4 key. A deleted or trimmed message has no file any more; a place never had one.
SELECT d.id AS device_id, m.device_no, m.media,
       CASE WHEN f.state = 'expired' AND f.retry_at > now() THEN f.reason END AS expired
FROM messages m
JOIN chats c ON c.id = m.chat_id
JOIN devices d ON d.no = m.device_no
LEFT JOIN media_fetches f ON f.chat_id = m.chat_id AND f.key = m.key
WHERE m.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2))
  AND m.chat_id = $3 AND m.key = $4 AND m.key > c.floor_key
  AND m.media ? 'ext' AND message_kind(m.kind) <> 'deleted';

-- name: message_thumbnail
SELECT t.jpeg
FROM thumbnails t
JOIN messages m ON m.chat_id = t.chat_id AND m.key = t.key
JOIN chats c ON c.id = m.chat_id
JOIN devices d ON d.no = m.device_no
WHERE m.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2))
  AND t.chat_id = $3 AND t.key = $4 AND m.key > c.floor_key AND message_kind(m.kind) <> 'deleted';

-- name: stored_mime
SELECT mime FROM media WHERE tenant_id = $1 AND sha256 = $2;
