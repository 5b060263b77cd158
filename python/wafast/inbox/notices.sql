-- name: last_notices
-- $1 chats, of which the newest message is asked for.
SELECT m.chat_id, m.media FROM chats c
JOIN messages m ON m.chat_id = c.id AND m.key = c.last_key
WHERE c.id = ANY ($1::int8[]);
