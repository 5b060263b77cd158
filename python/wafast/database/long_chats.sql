-- name: has_index_by_id
SELECT to_regclass('messages_by_id') IS NOT NULL

-- name: make_index_by_id
-- Of their first letters: senders make ids, and an index has no room for one of 2,700 bytes.
CREATE INDEX IF NOT EXISTS messages_by_id ON messages (chat_id, left(message_id, 500))

-- name: drop_index_by_id
DROP INDEX IF EXISTS messages_by_id
